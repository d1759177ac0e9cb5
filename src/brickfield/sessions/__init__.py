"""Saving the whole working state of a scene, and getting it back.

A session is a folder, a valid OME-Zarr collection: one image a layer, and beside the
standard's metadata the scene document and what it lacks. By default the images hold
small previews and the session names the data; it can hold all voxels instead. This
package names nothing of napari or Qt; what needs a viewer is looked up by name.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from brickfield.sessions.manager import SessionManager as SessionManager

_HOME = {"SessionManager": "brickfield.sessions.manager"}

__all__ = ["SessionManager"]


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        msg = f"module {__name__!r} has no attribute {name!r}"
        raise AttributeError(msg)
    return getattr(import_module(_HOME[name]), name)
