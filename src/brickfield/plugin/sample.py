"""File > Open Sample > Brickfield.

napari expects the layers as the result of the call: they are made on a thread while the
call waits inside the event loop. This module itself is light.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from qtpy.QtCore import QStandardPaths

from brickfield.plugin.docking.activity import on_board
from brickfield.plugin.docking.dropping import opening_dock
from brickfield.plugin.docking.load import load_reading
from brickfield.plugin.names import PLUGIN
from brickfield.qt import RunningTask, can_turn, import_beside, run_beside

HUGE_SHAPE = (16384, 25600, 25600)
"""10.7 TB of computed bytes."""


def cache_folder() -> Path:
    """Return the folder of this user's samples."""
    place = QStandardPaths.StandardLocation.GenericCacheLocation
    return Path(QStandardPaths.writableLocation(place)) / PLUGIN


def organoid() -> list[Any]:
    """Open a two-channel image of nuclei and vessels, written when first asked for."""
    uri = str(_ensured())
    load_reading()
    from brickfield.plugin.layers.make import open_layer_data

    with opening_dock() as is_drawn:
        found = open_layer_data(uri, is_drawn_soon=is_drawn)
    return list(found)


def _ensured() -> Path:
    """Return the folder of the sample, which is computed beside the window."""

    def write(running: RunningTask | None) -> Path:
        from brickfield.sample import ensure_sample

        return ensure_sample(
            cache_folder(), progress=None if running is None else running.tell
        )

    if not can_turn():
        return write(None)
    with on_board("Computing the sample", unit="blocks", can_cancel=False) as running:
        return run_beside(lambda: write(running), name="brickfield-sample")


def huge() -> list[Any]:
    """Open 10 TB that are computed while one looks: nothing is stored."""
    load_reading()
    import_beside("brickfield.sample.virtual")
    from brickfield.plugin.layers.make import layers_of_source
    from brickfield.sample import VirtualImage, VirtualSource

    image = VirtualImage(HUGE_SHAPE, storage_chunk=(64, 64, 64))
    with opening_dock():
        found = layers_of_source(lambda: VirtualSource(image))
        found[0][1]["name"] = "10 TB, computed"
        return list(found)
