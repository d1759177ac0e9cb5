"""Getting a graphics device without ever aborting the process.

On Linux wgpu probes OpenGL through EGL while it looks for adapters. When another OpenGL
context is current in the thread (napari's canvas), that probe panics in native code and
the interpreter dies. The probe is therefore switched off before the first adapter
request: only Vulkan is asked. See gfx-rs/wgpu issue 7973 for the same panic.

``python -m brickfield.gpu.device`` prints the adapter, or one sentence and exit status
1 when there is none.

The functions ``forget_bindings`` and ``forget_pipelines`` empty two caches of pygfx.
pygfx keeps the last 128 bind groups and the last 128 pipelines of the process, and with
them the buffers and textures they name (pygfx #1283, #1288). A pipeline belongs to one
renderer and never fits another, so those of a closed view are of no use: on software
Vulkan they are 18 MB. What is in use is held by who uses it; forgetting costs at most
that something is built once more. Render thread only.
"""

from __future__ import annotations

import atexit
import contextlib
import ctypes
import os
import shutil
import stat
import sys
import tempfile
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from brickfield.errors import AdapterError

_ADAPTER_NAMES = ("WGPUPY_WGPU_ADAPTER_NAME", "PYGFX_WGPU_ADAPTER_NAME")
"""Variables by which wgpu and pygfx choose an adapter, in this order."""


@dataclass(frozen=True)
class GpuDevice:
    """The device that all views share.

    Attributes
    ----------
    device : wgpu.GPUDevice
    adapter : str
        Name for people.
    max_texture_3d : int
        Longest edge of a 3D texture, texels.
    has_norm16 : bool
        Whether 16-bit normalised textures can be filtered.
    is_software : bool
        Whether the processor draws, and textures lie in ordinary memory.
    """

    device: Any
    adapter: str
    max_texture_3d: int
    has_norm16: bool
    is_software: bool = False


@cache
def prepare() -> None:
    """Keep wgpu from probing OpenGL; call before anything else touches wgpu."""
    learn_types()
    if not sys.platform.startswith("linux"):
        return
    if not os.environ.get("XDG_RUNTIME_DIR"):
        # Mesa complains on stderr without a private run-time folder.
        os.environ["XDG_RUNTIME_DIR"] = str(private_folder())
    from wgpu.backends.wgpu_native import _helpers

    if getattr(_helpers, "_the_instance", None) is None:
        from wgpu.backends.wgpu_native.extras import (
            set_instance_extras,
        )

        # Looking for an OpenGL adapter ends the process while another library (napari's
        # canvas) has its own context current.
        set_instance_extras(backends=["Vulkan"])
    else:
        # Another package was first; this variable is read at every request.
        os.environ.setdefault("WGPU_BACKEND_TYPE", "Vulkan")


_NUMBERS = ("char", "uint8_t", "uint32_t")
_WORDS = ("uintptr_t", "uint8_t *", "uint32_t *", "WGPUChainedStruct * ")
_CALLS = tuple(
    f"void({arguments}, void *, void *)"
    for arguments in (
        "WGPURequestAdapterStatus, WGPUAdapter, WGPUStringView",
        "WGPUDevice const *, WGPUDeviceLostReason, WGPUStringView",
        "WGPUDevice const *, WGPUErrorType, WGPUStringView",
        "WGPURequestDeviceStatus, WGPUDevice, WGPUStringView",
        "WGPUMapAsyncStatus, WGPUStringView",
    )
)
"""Texts of types as wgpu writes them: of arrays, of others, and of what it is called by."""


@cache
def learn_types() -> int:
    """Tell cffi the C types of wgpu's header at once; return how many forms of them.

    cffi parses the text of a type when it is used first, and each time all names of
    the header before it: 14 ms for each of the 73 types of a first picture, a second
    in which no other thread of Python runs. One declaration with all structures in
    it takes 30 ms. Where cffi keeps types otherwise nothing happens.
    """
    from cffi import CDefError, FFIError
    from wgpu.backends.wgpu_native import ffi

    known = getattr(ffi, "_parsed_types", None)
    if not isinstance(known, dict):
        return 0
    typedefs, structs, _ = ffi.list_types()
    fields = {f"{n} *": f"{n} *p_{n};" for n in sorted(set(typedefs) & set(structs))}
    fields |= {f"{n}[]": f"{n} (*a_{n})[];" for n in sorted(typedefs)}
    fields |= {form: f"{form} w_{i};" for i, form in enumerate(_WORDS)}
    fields |= {f"{n} []": f"{n} (*b_{n})[];" for n in _NUMBERS}
    calls = {form: f"void (*c_{i}){form[4:]};" for i, form in enumerate(_CALLS)}
    try:
        text = "".join((fields | calls).values())
        ffi.cdef(f"struct brickfield_types {{{text}}};")
        types = [
            field.type for _, field in ffi.typeof("struct brickfield_types").fields
        ]
    except (CDefError, FFIError):
        return 0
    for form, ctype in zip([*fields, *calls], types, strict=True):
        found = ctype.item if form.endswith("[]") else ctype
        # The second value tells functions from types.
        known.setdefault(form, (found, form in calls))
    return len(types)


def private_folder(parent: Path | None = None) -> Path:
    """Return a folder that only this user can read and write.

    The name in a shared folder can be guessed, so another user may have made
    it, or a link, before us: then a new one is made, and removed at the end.

    Parameters
    ----------
    parent : Path, optional
        The system's folder for temporary files by default.
    """
    place = Path(tempfile.gettempdir()) if parent is None else parent
    path = place / f"runtime-{os.getuid()}"
    with contextlib.suppress(OSError):
        path.mkdir(mode=0o700)
    # lstat: a link to a folder elsewhere must not count as the folder.
    about = path.lstat() if os.path.lexists(path) else None
    if (
        about is not None
        and stat.S_ISDIR(about.st_mode)
        and about.st_uid == os.getuid()
        and stat.S_IMODE(about.st_mode) == 0o700
    ):
        return path
    new = tempfile.mkdtemp(prefix="brickfield-runtime-", dir=place)
    atexit.register(shutil.rmtree, new, ignore_errors=True)
    return Path(new)


def get_device() -> GpuDevice:
    """Return the shared device, making it on the first call.

    To be called before anything else imports pygfx, which requests adapters then and
    raises errors of its own.

    Raises
    ------
    AdapterError
        When there is no usable driver; the same at every call, because a driver that
        is installed meanwhile is found by a new process only.
    """
    found = _ask()
    if isinstance(found, str):
        raise AdapterError(found)
    return found


@cache
def _ask() -> GpuDevice | str:
    """Request the device once; return a sentence when there is none."""
    prepare()
    import wgpu

    # Another pygfx program in this process may have made the device already.
    with contextlib.suppress(RuntimeError):
        # Queries of time cost nothing while nobody asks; measurements want them.
        wgpu.preconfigure_default_device(
            "brickfield",
            preferred_features={"texture-format16bit-norm", "timestamp-query"},
        )
    try:
        import pygfx.renderers.wgpu as gfx_wgpu

        # First without pygfx, whose shared object stays half made when it fails.
        wgpu.get_default_device()
        device = gfx_wgpu.get_shared().device
    except (RuntimeError, ValueError, OSError) as error:
        return _misnamed() or (
            "expected a Vulkan, Metal or DirectX 12 driver; found none"
            f"{_reason(error)}. Install the driver of your graphics card, or on"
            ' Debian/Ubuntu "apt install mesa-vulkan-drivers" for software rendering,'
            " and start again"
        )
    info = device.adapter.info
    return GpuDevice(
        device=device,
        adapter=f"{info.get('device', '?')} ({info.get('backend_type', '?')})",
        max_texture_3d=int(device.limits["max-texture-dimension-3d"]),
        has_norm16="texture-format16bit-norm" in device.features,
        is_software=info.get("adapter_type") == "CPU",
    )


def _misnamed() -> str | None:
    """Say which adapters there are, if the environment names one that is not."""
    import wgpu

    try:
        adapters = wgpu.gpu.enumerate_adapters_sync()
    except (RuntimeError, OSError):
        return None
    names = ", ".join(sorted({repr(a.info.get("device", "?")) for a in adapters}))
    for variable in _ADAPTER_NAMES:
        wished = os.environ.get(variable)
        if wished and names and not any(wished in a.summary for a in adapters):
            return (
                f"expected the name of a graphics adapter in the variable {variable};"
                f" found {wished!r}, and this computer has {names}: name one of these,"
                " or unset the variable"
            )
    return None


def _reason(error: Exception) -> str:
    """Return what wgpu says in brackets, unless it is only that there is none."""
    text = str(error)
    if not text or "No suitable graphics adapter found" in text:
        return ""
    return f" ({text.splitlines()[0]})"


def main() -> int:
    """Print the adapter; return 1 when there is none."""
    try:
        gpu = get_device()
    except AdapterError as error:
        print(f"error: {error}", file=sys.stderr)  # noqa: T201
        return 1
    print(  # noqa: T201
        f"{gpu.adapter}; 3D textures to {gpu.max_texture_3d} texels;"
        f" 16-bit normalised textures: {'yes' if gpu.has_norm16 else 'no'}"
    )
    return 0


def forget_bindings() -> None:
    """Release buffers and textures that are no longer drawn."""
    _clear("bindings")


def forget_pipelines() -> None:
    """Release what closed renderers had, bindings included."""
    # A coarser picture of a moment adds a pass with its own scale: those count, too.
    for name in ("bindings", "pipelines", "layouts", "full_quad_objects"):
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


if __name__ == "__main__":
    raise SystemExit(main())
