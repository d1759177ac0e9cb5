"""Views that own the GPU: they draw layers and know nothing of files.

The package is named like the public function ``brickfield.render(store, …)``.
Python has one place for both names, so the package can be called and hands on to
:func:`brickfield.viewer.controller.render`, in whatever order things were imported.
"""

from __future__ import annotations

import sys
from importlib import import_module
from types import ModuleType
from typing import Any


class _CallablePackage(ModuleType):
    def __call__(self, store: Any, **options: Any) -> Any:
        """Draw one picture; see :func:`brickfield.viewer.controller.render`."""
        from brickfield.gpu.device import get_device
        from brickfield.render.render_thread import render_thread

        # Without a device, a sentence instead of what importing pygfx raises.
        render_thread().call(get_device)
        # By name at run time: this storey knows nothing of those above it.
        return import_module("brickfield.viewer.controller").render(store, **options)


sys.modules[__name__].__class__ = _CallablePackage
