"""Budgets in bytes, and the block that fits in one.

A budget is given by people as ``"512 MiB"``, ``"2 GB"`` or a number of bytes and
is an int everywhere below the border. :func:`block_shape` turns it into the
block that every worker may hold, always a whole number of alignment units, so
that two blocks never share a storage chunk.
"""

from __future__ import annotations

import re
from math import prod

import numpy as np
from numpy.typing import DTypeLike

from brickfield.errors import BudgetError, OptionError

_PATTERN = re.compile(
    r"\s*([0-9]+(?:\.[0-9]*)?|\.[0-9]+)\s*([kmgtp]?i?b?)\s*", re.IGNORECASE
)
_POWERS = {"": 0, "k": 1, "m": 2, "g": 3, "t": 4, "p": 5}


def parse_bytes(value: str | int) -> int:
    """Read a number of bytes.

    Parameters
    ----------
    value : str or int
        Bytes, or a number with a unit: B, kB, MB, GB, TB, PB (powers of 1000),
        KiB, MiB, GiB, TiB, PiB (powers of 1024), any case; the B may be left out.

    Returns
    -------
    int
        Bytes, rounded down, positive.

    Raises
    ------
    OptionError
        When it is no positive size.
    """
    if isinstance(value, bool) or not isinstance(value, str | int):
        raise OptionError(_refusal(value))
    if isinstance(value, str):
        match = _PATTERN.fullmatch(value)
        if match is None:
            raise OptionError(_refusal(value))
        unit = match[2].lower()
        base = 1024 if "i" in unit else 1000
        power = _POWERS.get(unit.rstrip("b").rstrip("i"))
        if power is None or (base == 1024 and power == 0):
            raise OptionError(_refusal(value))
        whole, _, decimals = match[1].partition(".")
        # Integer arithmetic: a float would not hold every byte of a petabyte.
        n_bytes = int(whole + decimals) * int(base**power) // int(10 ** len(decimals))
    else:
        n_bytes = value
    if n_bytes <= 0:
        raise OptionError(_refusal(value))
    return n_bytes


def _refusal(value: object) -> str:
    return (
        f'expected a size such as "512 MiB", "2 GB" or a number of bytes above 0;'
        f" found {value!r}"
    )


def format_bytes(n_bytes: float) -> str:
    """Write bytes for people, for example ``"1.5 GiB"`` or ``"640 B"``."""
    size = float(n_bytes)
    for unit in ("B", "KiB", "MiB", "GiB", "TiB"):
        if abs(size) < 1024:
            return f"{size:.4g} {unit}"
        size /= 1024
    return f"{size:.4g} PiB"


def block_shape(
    shape: tuple[int, ...],
    dtype: DTypeLike,
    budget_bytes: int,
    n_workers: int = 1,
    align: tuple[int, ...] | None = None,
) -> tuple[int, ...]:
    """Choose the largest block that every worker may hold.

    The last axis grows first, for it lies together in memory and in files.

    Parameters
    ----------
    shape : tuple of int
        Array to go over, voxels, all axes.
    dtype : dtype-like
    budget_bytes : int
        For all workers together.
    n_workers : int
        Blocks held at once.
    align : tuple of int, optional
        Storage chunk (or shard) that no two blocks may share; one voxel if not
        given.

    Returns
    -------
    tuple of int
        Along every axis the whole axis or a multiple of `align`.

    Raises
    ------
    BudgetError
        When one aligned unit a worker does not fit.
    """
    unit = tuple(
        min(a, max(n, 1))
        for a, n in zip(align or (1,) * len(shape), shape, strict=True)
    )
    itemsize = np.dtype(dtype).itemsize
    room = budget_bytes // max(n_workers, 1) // itemsize
    if prod(unit) > room:
        needed = prod(unit) * itemsize * n_workers
        msg = (
            f"expected a budget of at least {format_bytes(needed)} ({n_workers} workers,"
            f" blocks of {'x'.join(map(str, unit))} {np.dtype(dtype).name}); found"
            f" {format_bytes(budget_bytes)}: raise the budget or use fewer workers"
        )
        raise BudgetError(msg)
    block = list(unit)
    for axis in reversed(range(len(shape))):
        others = prod(block) // block[axis]
        steps = min(room // others // unit[axis], -(-shape[axis] // unit[axis]))
        block[axis] = min(steps * unit[axis], max(shape[axis], 1))
        if block[axis] < shape[axis]:
            break
    return tuple(block)
