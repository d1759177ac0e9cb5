"""Whole new images: blocks that an interrupted run goes on with, and metadata at the end."""

from __future__ import annotations

from brickfield._faces import lazily

TYPE_CHECKING = False
if TYPE_CHECKING:
    from brickfield.writing.images.publishing import NewImage as NewImage
    from brickfield.writing.images.publishing import publish_image as publish_image
    from brickfield.writing.images.result import WriteResult as WriteResult
    from brickfield.writing.images.resumable import ImageWork as ImageWork
    from brickfield.writing.images.resumable import RunOptions as RunOptions
    from brickfield.writing.images.resumable import remove_leftover as remove_leftover
    from brickfield.writing.images.resumable import write_resumable as write_resumable

__all__ = [
    "ImageWork",  # An image to be written.
    "NewImage",  # What the metadata of a new image tell.
    "RunOptions",  # How an image is written.
    "WriteResult",  # What was written.
    "publish_image",  # Write the metadata of a new image, by one rename.
    "remove_leftover",  # Remove the journal of other work whose image stands already.
    "write_resumable",  # Write an image, or go on with it.
]

_HOME = {
    "ImageWork": "resumable",
    "NewImage": "publishing",
    "RunOptions": "resumable",
    "WriteResult": "result",
    "publish_image": "publishing",
    "remove_leftover": "resumable",
    "write_resumable": "resumable",
}

if not TYPE_CHECKING:
    __getattr__, __dir__ = lazily(__name__, _HOME)
