"""What a result was measured on."""

from __future__ import annotations

import os
import platform
from contextlib import suppress
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

PACKAGES = ("napari-brickfield", "numpy", "scipy", "tensorstore", "pygfx", "wgpu")


def machine(gpu: str) -> dict[str, Any]:
    """Return processor, cores, memory, system, Python and graphics adapter.

    Parameters
    ----------
    gpu : str
        Name of the adapter.
    """
    return {
        "cpu": _processor(),
        "cores": _cores(),
        "memory_bytes": _memory(),
        "os": platform.platform(),
        "python": platform.python_version(),
        "gpu": gpu,
    }


def versions() -> dict[str, str]:
    """Return the versions of the packages that matter; those absent are left out."""
    found = {}
    for name in PACKAGES:
        with suppress(PackageNotFoundError):
            found[name] = version(name)
    return found


def adapter() -> str:
    """Return the name of the graphics adapter that is drawn with; empty without one."""
    from brickfield.errors import BrickfieldError
    from brickfield.gpu import get_device
    from brickfield.rendering import render_thread

    try:
        return str(render_thread().call(get_device).adapter)
    except BrickfieldError:
        return ""


def _processor() -> str:
    with suppress(OSError):
        for line in Path("/proc/cpuinfo").read_text("utf-8").splitlines():
            name, _, value = line.partition(":")
            if name.strip() in ("model name", "Model"):
                return value.strip()
    return platform.processor() or platform.machine()


def _cores() -> int:
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _memory() -> int | None:
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (AttributeError, ValueError, OSError):  # Windows
        return None
