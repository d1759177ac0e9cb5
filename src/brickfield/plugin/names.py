"""The names that ``napari.yaml`` and code share."""

from __future__ import annotations

from importlib import import_module
from typing import Any

PLUGIN = "napari-brickfield"
COMMANDS = {
    "copy_link": "brickfield.plugin.scenes.scene_links:copy_link",
    "paste_link": "brickfield.plugin.scenes.scene_links:paste_link",
    "show_other_images": "brickfield.plugin.docking.chooser:show_other_images",
}
"""Commands of the manifest that are offered elsewhere, too, and their functions.

A dock offers to restore a scene, which opens docks; an image that was opened offers
to choose another one, which opens it. One arrow of each such circle is a name.
"""


def run_command(name: str, viewer: Any) -> None:
    """Run a command as napari's menus do.

    Parameters
    ----------
    name : str
        One of :data:`COMMANDS`.
    viewer : napari.Viewer
    """
    module, _, function = COMMANDS[name].partition(":")
    getattr(import_module(module), function)(viewer)
