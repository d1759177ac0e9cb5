"""Many images as one store: moved, and their places saved."""

from __future__ import annotations

from brickfield._faces import lazily

TYPE_CHECKING = False
if TYPE_CHECKING:
    from brickfield.store.tiles.mosaic_store import MosaicStore as MosaicStore
    from brickfield.store.tiles.saving import matrix_of as matrix_of

__all__ = [
    "MosaicStore",  # Data of many images, each where its matrix puts it.
    "matrix_of",  # Read the matrix of a tile as a user gives it.
]

_HOME = {"MosaicStore": "mosaic_store", "matrix_of": "saving"}

if not TYPE_CHECKING:
    __getattr__, __dir__ = lazily(__name__, _HOME)
