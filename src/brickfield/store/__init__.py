"""Data facade: images as stores, layers as data with looks and versions."""

from __future__ import annotations

from brickfield._faces import lazily

TYPE_CHECKING = False
if TYPE_CHECKING:
    from brickfield.store.base import CoarseRegion as CoarseRegion
    from brickfield.store.chunk_loading import load as load
    from brickfield.store.chunk_loading import load_ahead as load_ahead
    from brickfield.store.chunk_loading import requests_of as requests_of
    from brickfield.store.contrast import MOST_VOXELS as MOST_VOXELS
    from brickfield.store.contrast import PATIENCE_S as PATIENCE_S
    from brickfield.store.contrast import contrast_of as contrast_of
    from brickfield.store.contrast import level_values as level_values
    from brickfield.store.contrast import sample as sample
    from brickfield.store.hold import StoreHold as StoreHold
    from brickfield.store.image_store import ChunkedImageStore as ChunkedImageStore
    from brickfield.store.layer import ChunkedLayer as ChunkedLayer
    from brickfield.store.layer import LayerSnapshot as LayerSnapshot
    from brickfield.store.lazy_level import LazyLevel as LazyLevel
    from brickfield.store.mosaic import Mosaic as Mosaic
    from brickfield.store.mosaic import Name as Name
    from brickfield.store.open import open_mosaic as open_mosaic
    from brickfield.store.open import open_store as open_store
    from brickfield.store.tiles import MosaicStore as MosaicStore

__all__ = [
    "MOST_VOXELS",  # Levels up to this size are looked at whole.
    "PATIENCE_S",  # A store that answers more slowly is judged by what has come by then.
    "ChunkedImageStore",  # Data of one multiscale image.
    "ChunkedLayer",  # One image in a scene. Main thread only.
    "CoarseRegion",  # A region that is shown no finer than a level for now. Any thread.
    "LayerSnapshot",  # One layer at one moment.
    "LazyLevel",  # One level of an image as an nD array. May be read from any thread.
    "Mosaic",  # Voxels of one level, put together. Not thread-safe.
    "MosaicStore",  # Data of many images, each where its matrix puts it.
    "Name",  # A chunk of one selection.
    "StoreHold",  # What the lazy levels of one image have in common.
    "contrast_of",  # Choose contrast limits for values of any shape.
    "level_values",  # Load a whole level through the cache, where its first picture finds it.
    "load",  # Load chunks before everything else that is wanted, and copy them into a mosaic.
    "load_ahead",  # Load chunks into the RAM cache and wait for them.
    "open_mosaic",  # Open many images as one, each where it lies.
    "open_store",  # Open any supported image.
    "requests_of",  # Return requests for chunks, the first one first; one request per selection.
    "sample",  # Read the sample of a level; what cannot be read is left out.
]

_HOME = {
    "ChunkedImageStore": "image_store",
    "ChunkedLayer": "layer",
    "CoarseRegion": "base",
    "LayerSnapshot": "layer",
    "LazyLevel": "lazy_level",
    "MOST_VOXELS": "contrast",
    "Mosaic": "mosaic",
    "MosaicStore": "tiles",
    "Name": "mosaic",
    "PATIENCE_S": "contrast",
    "StoreHold": "hold",
    "contrast_of": "contrast",
    "level_values": "contrast",
    "load": "chunk_loading",
    "load_ahead": "chunk_loading",
    "open_mosaic": "open",
    "open_store": "open",
    "requests_of": "chunk_loading",
    "sample": "contrast",
}

if not TYPE_CHECKING:
    __getattr__, __dir__ = lazily(__name__, _HOME)
