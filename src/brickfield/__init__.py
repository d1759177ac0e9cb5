"""Multiscale volumes far larger than memory.

Importing this package is cheap: the names below are looked up when they are used
first, so neither Qt, napari, wgpu nor dask is loaded before it is needed.
"""

from __future__ import annotations

import sys
from importlib import import_module

from brickfield._moved import install

TYPE_CHECKING = False  # typing takes longer to import than all of this
if TYPE_CHECKING:
    from typing import Any

    from brickfield.imaris.command import to_imaris as to_imaris
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
    from brickfield.store.image_store import ChunkedImageStore as ChunkedImageStore
    from brickfield.store.open import open_mosaic as open_mosaic
    from brickfield.store.open import open_store as open_store
    from brickfield.viewer.export.picture import RenderResult as RenderResult
    from brickfield.viewer.export.picture import render as render

    __version__: str

_HOME = {
    "ChunkedImageStore": "brickfield.store.image_store",
    "RenderResult": "brickfield.viewer.export.picture",
    "from_neuroglancer": "brickfield.plugin.scenes.neuroglancer",
    "get_state": "brickfield.plugin.scenes.scene_document",
    "link": "brickfield.plugin.scenes.scene_links",
    "load_scene": "brickfield.plugin.scenes.scene_files",
    "open_mosaic": "brickfield.store.open",
    "open_store": "brickfield.store.open",
    "open_views": "brickfield.plugin.views",
    "open_volume": "brickfield.plugin.views",
    "save_scene": "brickfield.plugin.scenes.scene_files",
    "set_state": "brickfield.plugin.scenes.scene_document",
    "store_of": "brickfield.plugin.views",
    "to_imaris": "brickfield.imaris.command",
    "to_neuroglancer": "brickfield.plugin.scenes.neuroglancer",
    "view_of": "brickfield.plugin.views",
    "views_of": "brickfield.plugin.views",
}

__all__ = [
    "ChunkedImageStore",
    "RenderResult",
    "from_neuroglancer",
    "get_state",
    "link",
    "load_scene",
    "open_mosaic",
    "open_store",
    "open_views",
    "open_volume",
    "render",
    "save_scene",
    "set_state",
    "store_of",
    "to_imaris",
    "to_neuroglancer",
    "view_of",
    "views_of",
]


def __getattr__(name: str) -> Any:
    if name == "__version__":
        from importlib.metadata import version

        value: Any = version("napari-brickfield")
    elif name == "render":
        value = _render
    elif name in _HOME:
        value = getattr(_home(_HOME[name]), name)
    else:
        msg = f"module 'brickfield' has no attribute {name!r}"
        raise AttributeError(msg)
    globals()[name] = value
    return value


def _render(store: Any, **options: Any) -> Any:
    """Draw one picture; see :func:`brickfield.viewer.export.picture.render`."""
    from brickfield.gpu.device import get_device
    from brickfield.rendering.thread import render_thread

    # Without a device, a sentence instead of what importing pygfx raises.
    render_thread().call(get_device)
    from brickfield.viewer.export.picture import render

    return render(store, **options)


def _home(module: str) -> Any:
    """Import a module; what needs a window is loaded while the window goes on."""
    if ".plugin." in module and "qtpy.QtCore" in sys.modules:
        from brickfield.qt.turning import import_beside

        import_beside(module)
    return import_module(module)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__, "__version__"})


install()
