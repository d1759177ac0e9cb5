"""What is said when the graphics device cannot draw.

Drivers answer in several lines for programmers. Here they become one sentence for
the user, with what to do.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from brickfield.errors import BrickfieldError, DeviceError

_GPU = "GPUError"
"""Base class of what wgpu raises; by name, for wgpu takes a second to import."""


@contextmanager
def translated() -> Iterator[None]:
    """Raise a DeviceError in place of what the device raises.

    Raises
    ------
    DeviceError
        In place of what the device raises.
    """
    try:
        yield
    except BrickfieldError:
        raise
    except Exception as error:
        if _is_gpu(error) or isinstance(error, MemoryError):
            raise DeviceError(sentence_of(error)) from error
        raise


def is_out_of_memory(error: BaseException) -> bool:
    """Whether the device, or the computer, had no room for what was asked."""
    if isinstance(error, DeviceError):
        error = error.__cause__ or error
    if isinstance(error, BrickfieldError):
        return False
    text = str(error).lower()
    is_gpu = _is_gpu(error) and ("memory" in text or "too large" in text)
    return is_gpu or isinstance(error, MemoryError)


def sentence_of(error: BaseException) -> str:
    """Say why there is no picture, and what to do."""
    if isinstance(error, BrickfieldError):
        return str(error)
    if is_out_of_memory(error):
        return (
            "expected room for this picture on the graphics device; found too little"
            " memory: lower the GPU budget, or make the view smaller"
        )
    if _is_gpu(error) and "lost" in str(error).lower():
        return (
            "expected a working graphics device; found that it was lost (its driver"
            " stopped, or the computer slept): start the program again"
        )
    found = _last_line(error)
    return (
        f"expected a picture; found an error of the program ({found}): change"
        " anything to try again, and please report it"
    )


def _is_gpu(error: BaseException) -> bool:
    return any(kind.__name__ == _GPU for kind in type(error).__mro__)


def _last_line(error: BaseException) -> str:
    """Return the line that tells most: wgpu's reasons come last."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    name = type(error).__name__
    return f"{name}: {lines[-1].rstrip('.')}" if lines else name
