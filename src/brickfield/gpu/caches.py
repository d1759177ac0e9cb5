"""What pygfx remembers of pictures that are gone.

pygfx keeps the last 128 bind groups and the last 128 pipelines of the process, and
with them the buffers and textures they name (pygfx #1283, #1288). A pipeline belongs
to one renderer and never fits another, so those of a closed view are of no use: on
software Vulkan they are 18 MB. What is in use is held by who uses it; forgetting costs
at most that something is built once more. Render thread only.
"""

from __future__ import annotations

import ctypes
import sys
from functools import cache
from typing import Any


def forget_bindings() -> None:
    """Let go of buffers and textures that nothing draws any more."""
    _clear("bindings")


def forget_pipelines() -> None:
    """Let go of what renderers had that are gone, bindings included."""
    for name in ("bindings", "pipelines", "layouts"):
        _clear(name)
    trim = _trim()
    if trim is not None:
        # Compilers free what they took in many small pieces, which the C library keeps
        # for the thread that had them: 12 MB for every view that was ever open.
        trim(0)


@cache
def _trim() -> Any:
    """Return glibc's way of giving freed memory back to the system, where it is."""
    if not sys.platform.startswith("linux"):
        return None
    return getattr(ctypes.CDLL(None), "malloc_trim", None)


def _clear(name: str) -> None:
    from pygfx.renderers.wgpu.engine.utils import gpu_caches

    cache: Any = getattr(gpu_caches, name, None)
    if cache is not None:
        cache.clear()
