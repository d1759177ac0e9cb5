"""Giving freed memory back to the system.

The C library keeps what was freed for later: chunks that were forgotten leave gaps
between those that stay, in one heap for each reading thread. They are counted as the
process's own, so that a cache within its budget takes a quarter more, and a little
more with every hundred moves. Every so many bytes the library is asked to give the
gaps back; it takes about a millisecond, on a reading thread.
"""

from __future__ import annotations

import ctypes
import sys
from collections.abc import Callable
from functools import cache

RELEASE_EVERY = 1 << 25
"""Forgotten bytes after which gaps are given back."""


@cache
def _trim() -> Callable[[int], int] | None:
    """Return glibc's ``malloc_trim``; None where the C library has none."""
    if not sys.platform.startswith("linux"):
        return None
    found: Callable[[int], int] | None = getattr(ctypes.CDLL(None), "malloc_trim", None)
    return found


def release_freed_memory() -> None:
    """Ask the C library to give freed memory back; nothing happens where it cannot."""
    trim = _trim()
    if trim is not None:
        # Without the interpreter's lock: other threads go on meanwhile.
        trim(0)
