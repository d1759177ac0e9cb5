"""What napari meets: readers, layers, widgets, commands. The one importer of napari."""

from __future__ import annotations

from brickfield._faces import lazily

TYPE_CHECKING = False
if TYPE_CHECKING:
    from brickfield.plugin.scenes.neuroglancer import (
        from_neuroglancer as from_neuroglancer,
    )
    from brickfield.plugin.scenes.neuroglancer import to_neuroglancer as to_neuroglancer
    from brickfield.plugin.scenes.scene_document import get_state as get_state
    from brickfield.plugin.scenes.scene_document import set_state as set_state
    from brickfield.plugin.scenes.scene_files import load_scene as load_scene
    from brickfield.plugin.scenes.scene_files import save_scene as save_scene
    from brickfield.plugin.scenes.scene_links import link as link
    from brickfield.plugin.views import open_views as open_views
    from brickfield.plugin.views import open_volume as open_volume
    from brickfield.plugin.views import store_of as store_of
    from brickfield.plugin.views import view_of as view_of
    from brickfield.plugin.views import views_of as views_of

__all__ = [
    "from_neuroglancer",  # Show what a state of Neuroglancer shows, for what both know.
    "get_state",  # Take the scene document of a viewer.
    "link",  # Return a link to what a viewer shows, which can be sent to others.
    "load_scene",  # Put a scene document back into a viewer, all of it or nothing.
    "open_views",  # Show several views of the same layers in the dock.
    "open_volume",  # Open an image in napari, with the volume view beside it.
    "save_scene",  # Save the scene of a viewer as a document.
    "set_state",  # Put a scene document back.
    "store_of",  # Return the store behind a napari layer.
    "to_neuroglancer",  # Return what a viewer shows as a state for Neuroglancer, for what both know.
    "view_of",  # Return the volume view of a napari viewer, opening it if there is none.
    "views_of",  # List the views of a napari viewer, the volume view first.
]

_HOME = {
    "from_neuroglancer": "scenes.neuroglancer",
    "get_state": "scenes.scene_document",
    "link": "scenes.scene_links",
    "load_scene": "scenes.scene_files",
    "open_views": "views",
    "open_volume": "views",
    "save_scene": "scenes.scene_files",
    "set_state": "scenes.scene_document",
    "store_of": "views",
    "to_neuroglancer": "scenes.neuroglancer",
    "view_of": "views",
    "views_of": "views",
}

if not TYPE_CHECKING:
    __getattr__, __dir__ = lazily(__name__, _HOME)
