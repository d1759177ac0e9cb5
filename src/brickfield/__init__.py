"""Multiscale volumes far larger than memory.

Importing this package is cheap: the names below are looked up when they are used
first, so neither Qt, napari, wgpu nor dask is loaded before it is needed.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from brickfield.store.image_store import ChunkedImageStore as ChunkedImageStore
    from brickfield.store.open import open_store as open_store
    from brickfield.viewer.controller import RenderResult as RenderResult
    from brickfield.viewer.controller import render as render

    __version__: str

_HOME = {
    "ChunkedImageStore": "brickfield.store.image_store",
    "RenderResult": "brickfield.viewer.controller",
    "open_store": "brickfield.store.open",
}

__all__ = ["ChunkedImageStore", "RenderResult", "open_store", "render"]


def __getattr__(name: str) -> Any:
    if name == "__version__":
        from importlib.metadata import version

        value: Any = version("napari-brickfield")
    elif name == "render":
        # The package of that name is the function, too: see there.
        value = import_module("brickfield.render")
    elif name in _HOME:
        value = getattr(import_module(_HOME[name]), name)
    else:
        msg = f"module 'brickfield' has no attribute {name!r}"
        raise AttributeError(msg)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__, "__version__"})
