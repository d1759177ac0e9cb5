"""Loops that numba compiles where it is installed, and Python runs where it is not.

Imported by modules of such loops alone, which are imported when the loops are first
needed: numba takes long to import.
"""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from typing import Any

__all__ = [
    "compiled",  # Decorator: compiles a loop if numba is installed, else leaves it as it is.
]


def _compiler() -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    try:
        numba: Any = import_module("numba")
    except ImportError:
        return lambda function: function
    # Compiled code is kept beside the module, or in the user's cache.
    compiler: Callable[..., Any] = numba.njit(nogil=True, cache=True)
    return compiler


compiled = _compiler()
"""Compiles a function without the interpreter's lock; leaves it alone without numba."""
