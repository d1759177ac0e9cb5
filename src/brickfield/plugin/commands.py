"""Commands of napari's menus and palette.

Invariant: this module is light. What a command needs is loaded on a thread when it is
first called, while napari's window goes on.

napari fills in the arguments from their annotations, which name its own types.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from brickfield.plugin.names import PLUGIN, run_command
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


# -- what is loaded when it is first called ---------------------------------------


def show_other_images(viewer: napari.Viewer) -> None:
    """Show what else is in the file of the active layer."""
    run_command("show_other_images", viewer)


def export_to_imaris(viewer: napari.Viewer) -> None:
    """Let the user choose options for the selected layers, and write an Imaris file."""
    run_command("export_to_imaris", viewer)


def save_scene(viewer: napari.Viewer) -> None:
    """Let the user choose a file, and save the scene there."""
    run_command("save_scene", viewer)


def open_scene(viewer: napari.Viewer) -> None:
    """Let the user choose a scene document, and open it."""
    run_command("open_scene", viewer)


def recent_scenes(viewer: napari.Viewer) -> None:
    """Show a menu of the scenes that were opened or saved last."""
    run_command("recent_scenes", viewer)


def copy_link(viewer: napari.Viewer) -> None:
    """Copy a link to this view to the clipboard."""
    run_command("copy_link", viewer)


def paste_link(viewer: napari.Viewer) -> None:
    """Open the link that is in the clipboard, in the background."""
    run_command("paste_link", viewer)


def copy_neuroglancer(viewer: napari.Viewer) -> None:
    """Copy what is shown as a state for Neuroglancer."""
    run_command("copy_neuroglancer", viewer)


def paste_neuroglancer(viewer: napari.Viewer) -> None:
    """Show the Neuroglancer state that is in the clipboard, in the background."""
    run_command("paste_neuroglancer", viewer)
