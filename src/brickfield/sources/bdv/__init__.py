"""BigDataViewer data: XML with HDF5 or N5."""

from __future__ import annotations

from brickfield._faces import lazily

TYPE_CHECKING = False
if TYPE_CHECKING:
    from brickfield.sources.bdv.registrations import (
        with_registrations as with_registrations,
    )

__all__ = [
    "with_registrations",  # Return the text of a project with new registrations.
]

_HOME = {"with_registrations": "registrations"}

if not TYPE_CHECKING:
    __getattr__, __dir__ = lazily(__name__, _HOME)
