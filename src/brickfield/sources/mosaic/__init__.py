"""Many images, each where its matrix puts it, read as one."""

from __future__ import annotations

from brickfield._faces import lazily

TYPE_CHECKING = False
if TYPE_CHECKING:
    from brickfield.sources.mosaic.blend import OVERLAPS as OVERLAPS
    from brickfield.sources.mosaic.changes import changes_of as changes_of
    from brickfield.sources.mosaic.changes import open_changed as open_changed
    from brickfield.sources.mosaic.changes import options_with as options_with
    from brickfield.sources.mosaic.checks import check_matrix as check_matrix
    from brickfield.sources.mosaic.grid import MosaicOptions as MosaicOptions
    from brickfield.sources.mosaic.listing import is_scene as is_scene
    from brickfield.sources.mosaic.listing import list_tiles as list_tiles
    from brickfield.sources.mosaic.listing import (
        open_mosaic_source as open_mosaic_source,
    )
    from brickfield.sources.mosaic.source import MosaicSource as MosaicSource
    from brickfield.sources.mosaic.tile import Tile as Tile
    from brickfield.sources.mosaic.tile import TilePlace as TilePlace

__all__ = [
    "OVERLAPS",  # How voxels of several tiles at one place become one.
    "MosaicOptions",  # What a mosaic is made with.
    "MosaicSource",  # Tiles as one image, made as it is read.
    "Tile",  # One image of a mosaic, opened when it is first read.
    "TilePlace",  # What is known of a tile without opening it.
    "changes_of",  # Return how a mosaic differs from what its file says; nothing if it does not.
    "check_matrix",  # Refuse a matrix that maps a volume onto a plane, or that holds no numbers.
    "is_scene",  # Tell whether a place names several images that belong together, each at its place.
    "list_tiles",  # List the images of a scene, a project or a collection where they lie.
    "open_changed",  # Open all images of a store as one, the way it was changed.
    "open_mosaic_source",  # Open all images of a scene, a project or a collection as one.
    "options_with",  # Return what a mosaic is made with that has changes.
]

_HOME = {
    "OVERLAPS": "blend",
    "MosaicOptions": "grid",
    "MosaicSource": "source",
    "Tile": "tile",
    "TilePlace": "tile",
    "changes_of": "changes",
    "check_matrix": "checks",
    "is_scene": "listing",
    "list_tiles": "listing",
    "open_changed": "changes",
    "open_mosaic_source": "listing",
    "options_with": "changes",
}

if not TYPE_CHECKING:
    __getattr__, __dir__ = lazily(__name__, _HOME)
