"""Many images, each where its matrix puts it, read as one."""

from __future__ import annotations

from brickfield._faces import lazily

TYPE_CHECKING = False
if TYPE_CHECKING:
    from brickfield.sources.mosaic.blend import OVERLAPS as OVERLAPS
    from brickfield.sources.mosaic.grid import MosaicOptions as MosaicOptions
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
    "list_tiles",  # List the images of a scene, a project or a collection where they lie.
    "open_mosaic_source",  # Open all images of a scene, a project or a collection as one.
]

_HOME = {
    "OVERLAPS": "blend",
    "MosaicOptions": "grid",
    "MosaicSource": "source",
    "Tile": "tile",
    "TilePlace": "tile",
    "list_tiles": "listing",
    "open_mosaic_source": "listing",
}

if not TYPE_CHECKING:
    __getattr__, __dir__ = lazily(__name__, _HOME)
