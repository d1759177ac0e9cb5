"""Saving the whole working state of a scene, and getting it back.

A session is a folder, a valid OME-Zarr collection: one image per layer, and beside the
standard's metadata the scene document and what it lacks. By default the images hold
small previews and the session names the data; it can hold all voxels instead. This
package names nothing of napari or Qt; what needs a viewer is looked up by name.
"""

from __future__ import annotations

from brickfield._faces import lazily

TYPE_CHECKING = False
if TYPE_CHECKING:
    from brickfield.sessions.annotations import read_annotation as read_annotation
    from brickfield.sessions.contents import Annotation as Annotation
    from brickfield.sessions.contents import SessionContents as SessionContents
    from brickfield.sessions.contents import SessionOptions as SessionOptions
    from brickfield.sessions.document import SessionDocument as SessionDocument
    from brickfield.sessions.document import is_session as is_session
    from brickfield.sessions.document import read_document as read_document
    from brickfield.sessions.looks import scene_of as scene_of
    from brickfield.sessions.manager import SessionManager as SessionManager
    from brickfield.sessions.reading import Layers as Layers
    from brickfield.sessions.reading import resolved_layers as resolved_layers
    from brickfield.sessions.relocate import pack as pack
    from brickfield.sessions.relocate import relink as relink
    from brickfield.sessions.relocate import relink_found as relink_found
    from brickfield.sessions.relocate import whole_contents as whole_contents
    from brickfield.sessions.writer import SaveControl as SaveControl
    from brickfield.sessions.writer import open_whole as open_whole
    from brickfield.sessions.writer import write_session as write_session

__all__ = [
    "Annotation",  # A layer of points, shapes and so on.
    "Layers",  # What a session's layers are now.
    "SaveControl",  # How a save reports its progress, and learns that it was cancelled.
    "SessionContents",  # Everything that is saved.
    "SessionDocument",  # What stands under ``brickfield.session``.
    "SessionManager",  # Saves sessions and gets them back.
    "SessionOptions",  # How a session is written.
    "is_session",  # Tell whether a folder says that it is a session; never raises.
    "open_whole",  # Open data as a viewer does: all images of a scene as one.
    "pack",  # Write the same session with every voxel in it: one folder to hand on.
    "read_annotation",  # Read one annotation layer.
    "read_document",  # Read a session's document and its OME-Zarr version; no voxels.
    "relink",  # Let a session look below another place for the data that were below one.
    "relink_found",  # Find all data of a session that are gone and moved to one place.
    "resolved_layers",  # Look for the data of all layers.
    "scene_of",  # Make the scene of images with the looks that opening them gives.
    "whole_contents",  # Everything that a session contains, of which nothing may be gone.
    "write_session",  # Write a session.
]

_HOME = {
    "Annotation": "contents",
    "Layers": "reading",
    "SessionContents": "contents",
    "SessionDocument": "document",
    "SessionManager": "manager",
    "SessionOptions": "contents",
    "SaveControl": "writer",
    "is_session": "document",
    "open_whole": "writer",
    "pack": "relocate",
    "read_annotation": "annotations",
    "read_document": "document",
    "relink": "relocate",
    "relink_found": "relocate",
    "resolved_layers": "reading",
    "scene_of": "looks",
    "whole_contents": "relocate",
    "write_session": "writer",
}

if not TYPE_CHECKING:
    __getattr__, __dir__ = lazily(__name__, _HOME)
