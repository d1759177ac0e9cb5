"""The names that ``napari.yaml`` and code share."""

from __future__ import annotations

from importlib import import_module
from typing import Any

from brickfield.qt import import_beside

_SCENES = "brickfield.plugin.scenes"
PLUGIN = "napari-brickfield"
COMMANDS = {
    "copy_link": f"{_SCENES}.scene_links:copy_link",
    "copy_neuroglancer": f"{_SCENES}.neuroglancer_menu:copy_state",
    "export_to_imaris": "brickfield.plugin.export.imaris_window:export_to_imaris",
    "open_scene": f"{_SCENES}.scene_menu:open_scene",
    "paste_link": f"{_SCENES}.scene_links:paste_link",
    "paste_neuroglancer": f"{_SCENES}.neuroglancer_menu:paste_state",
    "recent_scenes": f"{_SCENES}.scene_menu:show_recent_scenes",
    "save_scene": f"{_SCENES}.scene_menu:save_scene_as",
    "show_other_images": "brickfield.plugin.docking.chooser:show_other_images",
}
"""Commands of the manifest whose functions are loaded when they are first called.

napari would load them on the window's thread. Docks offer some of them, too: a dock
offers to restore a scene, which opens docks; an image that was opened offers to
choose another one, which opens it. One arrow of each such circle is a name.
"""


def run_command(name: str, viewer: Any) -> None:
    """Run a command; what it needs is loaded while the window goes on.

    Parameters
    ----------
    name : str
        One of :data:`COMMANDS`.
    viewer : napari.Viewer
    """
    module, _, function = COMMANDS[name].partition(":")
    import_beside(module)
    getattr(import_module(module), function)(viewer)
