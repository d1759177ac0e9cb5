"""Commands of napari's menus and palette.

napari fills in the arguments from their annotations, which name its own types.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from brickfield.plugin.names import PLUGIN
from brickfield.qt import import_beside

if TYPE_CHECKING:
    import napari

FOLDERS = "*.zarr/"
URLS = "http*://*.zarr*"


def show_volume_view(viewer: napari.Viewer) -> None:
    """Show the volume view of a viewer."""
    import_beside("brickfield.plugin.docking.open_dock")
    from brickfield.plugin.docking.open_dock import open_dock

    open_dock(viewer)


def open_url(viewer: napari.Viewer) -> None:
    """Let the user enter an address and open the image there."""
    from qtpy.QtWidgets import QInputDialog

    address, is_ok = QInputDialog.getText(
        None,
        "Open an image by its address",
        "OME-Zarr or neuroglancer precomputed (https://, s3://, gs://, precomputed://):",
    )
    if is_ok and address.strip():
        viewer.open(address.strip(), plugin=PLUGIN)


def retry_failed_chunks(layers: napari.components.LayerList) -> None:
    """Read again what could not be read of the slices on show."""
    from napari.utils.notifications import show_info

    from brickfield.model.units import counted
    from brickfield.plugin.slicing.lazy import failures_of, retry_failed

    ours = [layer for layer in layers if failures_of(layer)]
    n = sum(retry_failed(layer) for layer in ours)
    show_info(
        f"Reading {counted(n, 'chunk')} again" if n else "No chunk on show has failed"
    )


def open_zarr_by_default() -> None:
    """Let napari open OME-Zarr folders and addresses here without asking."""
    from napari.settings import get_settings
    from napari.utils.notifications import show_info

    plugins = get_settings().plugins
    plugins.extension2reader = {
        **plugins.extension2reader,
        FOLDERS: PLUGIN,
        URLS: PLUGIN,
    }
    show_info(
        "OME-Zarr folders and addresses open with Brickfield from now on;"
        " change it in Preferences > Plugins"
    )
