"""File > Open Sample > Brickfield."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from qtpy.QtCore import QStandardPaths

from brickfield.plugin.layers import close_when_unused, layer_data_of, open_layer_data
from brickfield.plugin.names import PLUGIN

HUGE_SHAPE = (16384, 25600, 25600)
"""10.7 TB of computed bytes."""


def cache_folder() -> Path:
    """Return the folder of this user's samples."""
    place = QStandardPaths.StandardLocation.GenericCacheLocation
    return Path(QStandardPaths.writableLocation(place)) / PLUGIN


def organoid() -> list[Any]:
    """Open a two-channel image of nuclei and vessels, written when first asked for."""
    from brickfield.sample.store import ensure_sample

    return list(open_layer_data(str(ensure_sample(cache_folder()))))


def huge() -> list[Any]:
    """Open 10 TB that are computed while one looks: nothing is stored."""
    from brickfield.store.image_store import ChunkedImageStore
    from brickfield.testing.virtual import VirtualImage, VirtualSource

    source = VirtualSource(VirtualImage(HUGE_SHAPE, storage_chunk=(64, 64, 64)))
    store = ChunkedImageStore(source)
    close_when_unused(store)
    found = layer_data_of(store)
    found[0][1]["name"] = "10 TB, computed"
    return list(found)
