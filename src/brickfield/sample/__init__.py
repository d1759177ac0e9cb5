"""A sample image with real structure, made on the spot, always the same."""

from __future__ import annotations

from brickfield._faces import lazily

TYPE_CHECKING = False
if TYPE_CHECKING:
    from brickfield.sample.store import ensure_sample as ensure_sample
    from brickfield.sample.store import write_sample as write_sample
    from brickfield.sample.tissue import Grid as Grid
    from brickfield.sample.virtual import VirtualImage as VirtualImage
    from brickfield.sample.virtual import VirtualSource as VirtualSource

__all__ = [
    "Grid",  # Voxels round the middle of the world.
    "VirtualImage",  # What a :class:`VirtualSource` pretends to be.
    "VirtualSource",  # A source of computed voxels. All methods may be called from any thread.
    "ensure_sample",  # Return the sample in a folder, writing it if it is not there.
    "write_sample",  # Compute the sample and write it as a pyramid of means.
]

_HOME = {
    "Grid": "tissue",
    "VirtualImage": "virtual",
    "VirtualSource": "virtual",
    "ensure_sample": "store",
    "write_sample": "store",
}

if not TYPE_CHECKING:
    __getattr__, __dir__ = lazily(__name__, _HOME)
