"""Multiscale pyramids, written block by block and resumable."""

from __future__ import annotations

from brickfield._faces import lazily

TYPE_CHECKING = False
if TYPE_CHECKING:
    from brickfield.pyramid.command import write_pyramid as write_pyramid
    from brickfield.pyramid.outlook import Outlook as Outlook
    from brickfield.pyramid.outlook import look_ahead as look_ahead
    from brickfield.pyramid.result import PyramidResult as PyramidResult

__all__ = [
    "Outlook",  # What writing to a folder will take.
    "PyramidResult",  # What was written.
    "look_ahead",  # Tell what writing a pyramid of a source to a folder will take.
    "write_pyramid",  # Write a multiscale OME-Zarr image, or add the levels that one lacks.
]

_HOME = {
    "Outlook": "outlook",
    "PyramidResult": "result",
    "look_ahead": "outlook",
    "write_pyramid": "command",
}

if not TYPE_CHECKING:
    __getattr__, __dir__ = lazily(__name__, _HOME)
