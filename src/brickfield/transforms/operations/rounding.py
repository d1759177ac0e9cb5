"""Values as a data type holds them: integers rounded half to even, then clipped."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from brickfield.errors import OptionError


def to_dtype(values: NDArray[Any], dtype: np.dtype[np.generic]) -> NDArray[Any]:
    """Return values in a data type.

    Parameters
    ----------
    values : ndarray, any shape
        Floats; not changed.
    dtype : numpy.dtype
        Integers and booleans are rounded to the nearest, halves to even, and clipped to
        what the type holds; floats are taken as they are.
    """
    if dtype.kind == "b":
        return np.asarray(np.clip(np.rint(values), 0, 1).astype(np.bool_))
    if dtype.kind not in "iu":
        with np.errstate(over="ignore"):
            return np.asarray(values.astype(dtype, copy=False))
    low, high = limits(dtype)
    return np.asarray(np.clip(np.rint(values), low, high).astype(dtype))


def limits(dtype: np.dtype[np.generic]) -> tuple[float, float]:
    """Return the least and largest float that an integer type holds."""
    info = np.iinfo(dtype)  # type: ignore[type-var]
    low, high = float(info.min), float(info.max)
    if high > info.max:  # rounded up beyond 64 bits
        high = float(np.nextafter(high, 0))
    return low, high


def check_fill(fill: float, dtype: np.dtype[np.generic]) -> None:
    """Refuse a fill value that a data type does not hold.

    Parameters
    ----------
    fill : float
    dtype : numpy.dtype

    Raises
    ------
    OptionError
    """
    if dtype.kind == "f":
        return
    low, high = (0.0, 1.0) if dtype.kind == "b" else limits(dtype)
    if not (low <= fill <= high and float(fill).is_integer()):
        msg = (
            f"expected a fill value that {dtype.name} holds, a whole number from"
            f" {low:g} to {high:g}; found {fill:g}"
        )
        raise OptionError(msg)
