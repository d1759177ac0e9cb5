"""Exact sums and extremes of patterns, in the narrowest numbers that cannot overflow.

Detectors count: most values are far below what their type holds. The largest value of
a piece says how many of them can be added in 16 bits, where the processor adds four
times as many at once as in 64; sums go on in a wider type before they could overflow.
So whole numbers are summed exactly whatever they are, and small ones quickly. Floats
are summed in float64.

Where numba is installed, unsigned numbers of 8 and 16 bits are summed by
:mod:`brickfield.stem4d.summing.fused`. Without it each step is one call over a whole piece: a
thread that calls often waits for others to give the interpreter back.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from contextlib import contextmanager
from functools import cache
from importlib.util import find_spec
from typing import Any

import numpy as np
from numpy.typing import NDArray

from brickfield.blockwise import ThreadBuffers
from brickfield.stem4d.summing.pieces import Patterns, native, pieces_of

FusedSums = tuple[
    int,
    tuple[NDArray[np.uint32], NDArray[np.uint32]],
    tuple[NDArray[Any], ...],
]
_SQUARED = ThreadBuffers()
_EXTREMES = {"max": np.maximum, "min": np.minimum}
AT_ONCE_BYTES = 512 << 10
"""Of patterns that are summed together: a part of what a core caches."""
_MOST_16 = (1 << 16) - 1
_MOST_ROWS = 16
"""Rows that are added in one step; what is left is a sixteenth."""


def patterns_at_once(n_bytes: int) -> int:
    """Return how many patterns compiled loops take in one go.

    A multiple of four, as they are summed by fours. The same row of more patterns than
    a cache has ways would push each other out of it, for patterns lie a power of two
    apart: eight times slower.

    Parameters
    ----------
    n_bytes : int
        From one pattern to the next.
    """
    return -(-AT_ONCE_BYTES // (4 * n_bytes)) * 4


@cache
def has_numba() -> bool:
    """Whether numba is installed; it is imported when patterns are first summed."""
    return find_spec("numba") is not None


def sum_dtype(dtype: np.dtype[Any]) -> np.dtype[Any]:
    """Return the type in which sums are exact, or nearly so for floats.

    Parameters
    ----------
    dtype : np.dtype
        Of the values.
    """
    # 64 bits hold the sum of 2³² patterns of 32 bits; float32 would lose counts after
    # 2²⁴.
    kinds = {"f": np.float64, "i": np.int64}
    return np.dtype(kinds.get(dtype.kind, np.uint64))


def narrow_dtype(dtype: np.dtype[Any], n: int) -> np.dtype[Any]:
    """Return the smallest type that holds the sum of `n` values of a type exactly.

    Parameters
    ----------
    dtype : np.dtype
        Of the values.
    n : int
        Number of values.
    """
    # The sum of 65,536 values of 16 bits fits 32 bits, half the bytes of 64.
    if dtype.kind in "uib" and dtype.itemsize <= 2 and n <= 1 << 16:
        return np.dtype(np.int32 if dtype.kind == "i" else np.uint32)
    return sum_dtype(dtype)


def is_short(dtype: np.dtype[Any]) -> bool:
    """Whether values are unsigned numbers of 8 or 16 bits.

    Parameters
    ----------
    dtype : np.dtype
    """
    return dtype.kind == "u" and dtype.itemsize <= 2


def largest(piece: Patterns) -> int | None:
    """Return the largest value of patterns of unsigned numbers of 8 or 16 bits.

    Parameters
    ----------
    piece : ndarray, any shape
        Not empty.

    Returns
    -------
    int or None
        None for other types.
    """
    if not is_short(piece.dtype):
        return None
    return int(np.maximum.reduce(piece.reshape(-1)))


def add_patterns(total: NDArray[Any], patterns: Patterns, bound: int | None) -> None:
    """Add patterns to a sum.

    Parameters
    ----------
    total : ndarray, shape (rows, columns)
        Of a type in which the sum is exact; changed in place.
    patterns : ndarray, shape (n, rows, columns)
    bound : int or None
        No value is larger; None if that is not known.
    """
    if bound is None:
        np.add(total, patterns.sum(axis=0, dtype=total.dtype), out=total)
        return
    # Fewer than four at once cost more in joining than narrow numbers gain.
    is_narrow = 4 * bound < 1 << 16
    kind = np.uint16 if is_narrow else np.uint32
    at_once = _MOST_16 // max(bound, 1) if is_narrow else len(patterns)
    for first in range(0, len(patterns), at_once):
        part = patterns[first : first + at_once]
        np.add(total, part.sum(axis=0, dtype=kind), out=total)


def column_sums(piece: Patterns, bound: int | None) -> NDArray[Any]:
    """Sum each pattern over its rows.

    Parameters
    ----------
    piece : ndarray, shape (n, rows, columns)
        Contiguous.
    bound : int or None
        No value is larger; None if that is not known.

    Returns
    -------
    ndarray, shape (n, columns)
        Of the smallest type of 32 bits or more that holds the sums.
    """
    n, rows, columns = piece.shape
    kind = narrow_dtype(piece.dtype, rows)
    at_once = 1
    if bound is not None:
        at_once = _divisor(rows, min(_MOST_16 // max(bound, 1), _MOST_ROWS))
    if at_once > 1:
        # Rows that lie far apart are added, so that each addition is a long one.
        parts = piece.reshape(n, at_once, rows // at_once * columns)
        piece = parts.sum(axis=1, dtype=np.uint16).reshape(n, -1, columns)
    return np.asarray(piece.sum(axis=1, dtype=kind))


def row_sums(piece: Patterns, bound: int | None) -> NDArray[Any]:
    """Sum each pattern over its columns.

    Parameters
    ----------
    piece : ndarray, shape (n, rows, columns)
        Contiguous.
    bound : int or None
        No value is larger; None if that is not known.

    Returns
    -------
    ndarray, shape (n, rows)
        Of the smallest type of 32 bits or more that holds the sums.
    """
    columns, kind = piece.shape[2], piece.dtype
    n_words, rest = divmod(columns * kind.itemsize, 8)
    if bound is not None and not rest and bound * n_words <= np.iinfo(kind).max:
        # Words of 64 bits are added: four or eight values side by side, none of which
        # can overflow into its neighbour.
        words = np.einsum("nhw->nh", piece.view(np.uint64))
        piece = words[..., None].view(kind)
    return np.asarray(piece.sum(axis=2, dtype=narrow_dtype(kind, columns)))


def _divisor(n: int, most: int) -> int:
    """Return the largest divisor of `n` that is at most `most`."""
    return next(d for d in range(min(n, max(most, 1)), 0, -1) if n % d == 0)


class BlockSums:
    """Sums and extremes of the patterns of one block.

    Parameters
    ----------
    names : collection of str
        What is taken: ``"rows"`` and ``"columns"`` (sums along a detector's rows and
        columns), ``"scan"``, ``"sum"``, ``"squares"``, ``"max"``, ``"min"``.
    shape : tuple of int
        (n, rows, columns) of all patterns.
    dtype : numpy.dtype
        Of the patterns, native.

    """

    def __init__(
        self, names: Collection[str], shape: tuple[int, int, int], dtype: np.dtype[Any]
    ) -> None:
        n, h, w = shape
        wide = self._wide = sum_dtype(dtype)
        self._names, self._shape = names, shape
        self._folded: tuple[NDArray[Any], ...] | None = None
        made = {
            "rows": ((n, h), narrow_dtype(dtype, w)),
            "columns": ((n, w), narrow_dtype(dtype, h)),
            "scan": ((n,), wide),
            "sum": ((h, w), wide),
            "squares": ((h, w), np.uint64 if is_short(dtype) else np.float64),
        }
        self._found = {k: np.zeros(*v) for k, v in made.items() if k in names}

    @classmethod
    def of(cls, patterns: Patterns, names: Collection[str]) -> dict[str, NDArray[Any]]:
        """Compute sums and extremes of patterns in memory.

        Parameters
        ----------
        patterns : ndarray, shape (n, rows, columns)
        names : collection of str
            Which ones.

        Returns
        -------
        dict
            As :meth:`result`.
        """
        n, h, w = patterns.shape
        sums = cls(names, (n, h, w), patterns.dtype.newbyteorder("="))
        for at, piece in pieces_of(patterns):
            sums.add(at, piece)
        return sums.result()

    @property
    def is_small(self) -> bool:
        """Whether sums of as many values of 16 bits as there are patterns fit 32."""
        return self._shape[0] <= 1 << 16

    @property
    def has_fused(self) -> bool:
        """Whether anything is asked for that compiled loops take."""
        return bool(set(self._names) - {"squares"})

    def add(self, at: slice, piece: Patterns) -> None:
        """Take a piece of the patterns.

        Parameters
        ----------
        at : slice
            Which of the patterns.
        piece : ndarray, shape (n, rows, columns)
            Of any byte order and strides.
        """
        asked = set(self._names)
        if has_numba() and _can_fuse(piece) and self.is_small:
            asked -= self._add_fused(at, piece)
        if asked:
            self._add_parts(at, native(piece), asked)

    def result(self) -> dict[str, NDArray[Any]]:
        """Return what was taken, by name.

        Returns
        -------
        dict
            ``"rows"``: shape (n, rows); ``"columns"``: (n, columns); ``"scan"``:
            (n,); others: a pattern. Sums are of types in which those of all blocks
            can be added.
        """
        found = dict(self._found)
        if "sum" in found:
            found["sum"] = found["sum"].astype(self._wide, copy=False)
        return found

    def add_squares(self, piece: Patterns) -> None:
        """Take the squares alone, if they are asked for.

        Parameters
        ----------
        piece : ndarray, shape (n, rows, columns)
        """
        if "squares" in self._names:
            whole = native(piece)
            _add_squares(self._found["squares"], whole, largest(whole))

    def _add_parts(self, at: slice, piece: Patterns, asked: set[str]) -> None:
        found = self._found
        for name in asked & {"max", "min"}:
            self._fold(name, _EXTREMES[name].reduce(piece, axis=0))
        # The largest value of the block so far bounds those of this piece, too.
        bound = largest(found["max"] if "max" in asked else piece)
        if "rows" in asked:
            found["rows"][at] = row_sums(piece, bound)
        if "columns" in asked:
            found["columns"][at] = column_sums(piece, bound)
        if "scan" in asked:
            # The sum of a pattern is that of its row sums: voxels are read once.
            lines = found["rows"][at] if "rows" in asked else column_sums(piece, bound)
            lines.sum(axis=1, dtype=found["scan"].dtype, out=found["scan"][at])
        if "sum" in asked:
            add_patterns(found["sum"], piece, bound)
        if "squares" in asked:
            _add_squares(found["squares"], piece, bound)

    def _fold(self, name: str, pattern: NDArray[Any]) -> None:
        """Join the largest or smallest values of a piece to those of others."""
        old = self._found.get(name)
        self._found[name] = pattern if old is None else _EXTREMES[name](old, pattern)

    def _add_fused(self, at: slice, piece: Patterns) -> set[str]:
        """Take what compiled loops can; return the names of it."""
        from brickfield.stem4d.summing import fused

        is_swapped, most = not piece.dtype.isnative, patterns_at_once(piece[0].nbytes)
        for first in range(0, len(piece), most):
            values, layout = _flat(piece[first : first + most])
            start = at.start + first
            part = slice(start, start + layout[0])
            with self.fused(part, values.dtype) as (what, sides, over):
                fused.add((what, is_swapped), values, layout, sides, over)
        return set(self._names) - {"squares"}

    @contextmanager
    def fused(self, at: slice, dtype: np.dtype[Any]) -> Iterator[FusedSums]:
        """Give what compiled loops fill for some patterns, and take it afterwards.

        Parameters
        ----------
        at : slice
            Which of the patterns.
        dtype : numpy.dtype
            Of the values, native.

        Yields
        ------
        tuple
            Which of the loops, sums along the sides, and what is taken over all
            patterns; see :mod:`brickfield.stem4d.summing.fused`.
        """
        from brickfield.stem4d.summing import fused

        found, asked = self._found, set(self._names) - {"squares"}
        (_, h, w), n = self._shape, at.stop - at.start
        what = fused.ALL
        if asked <= {"rows", "scan"}:
            what = fused.ROWS
        elif asked == {"sum"}:
            what = fused.OVER
        rows = found["rows"][at] if "rows" in asked else np.empty((n, h), np.uint32)
        columns = np.zeros((n, w if what == fused.ALL else 0), np.uint32)
        if "columns" in asked:
            columns = found["columns"][at]
        yield what, (rows, columns), self._over(dtype, is_all=what != fused.ROWS)
        if "scan" in asked:
            rows.sum(axis=1, dtype=found["scan"].dtype, out=found["scan"][at])

    def _over(self, dtype: np.dtype[Any], *, is_all: bool) -> tuple[NDArray[Any], ...]:
        """Return sum, largest and smallest values of the block so far, changed in place."""
        if self._folded is None:
            # Loops over rows alone touch none of them.
            shape, most = self._shape[1:] if is_all else (0, 0), np.iinfo(dtype).max
            kinds = ((0, np.dtype(np.uint32)), (0, dtype), (most, dtype))
            self._folded = tuple(np.full(shape, v, kind) for v, kind in kinds)
            for name, pattern in zip(("sum", "max", "min"), self._folded, strict=True):
                if name in self._names:
                    self._found[name] = pattern
        return self._folded


def _can_fuse(piece: Patterns) -> bool:
    """Whether compiled loops sum a piece: short numbers, each pattern in one piece."""
    size = piece.dtype.itemsize
    return (
        is_short(piece.dtype)
        and piece.size > 0
        and max(piece.shape) <= 1 << 16
        and piece.strides[1:] == (piece.shape[2] * size, size)
        and piece.strides[0] % size == 0
        and piece.strides[0] > 0
    )


def _flat(piece: Patterns) -> tuple[NDArray[Any], tuple[int, int, int, int]]:
    """Return values as one run, what lies between patterns among them."""
    n, h, w = piece.shape
    size = piece.dtype.itemsize
    step = piece.strides[0] // size
    kind = piece.dtype.newbyteorder("=")
    shape = ((n - 1) * step + h * w,)
    flat = np.lib.stride_tricks.as_strided(
        piece.view(kind), shape, (size,), writeable=False
    )
    return flat, (n, h, w, step)


def _add_squares(total: NDArray[Any], piece: Patterns, bound: int | None) -> None:
    """Add the squares of patterns, exactly for unsigned numbers of 8 or 16 bits."""
    wide: Any = np.float64
    if bound is not None:
        wide = np.uint16 if bound < 1 << 8 else np.uint32
        bound = bound * bound
    numbers = _SQUARED.take(piece.shape, wide)
    np.multiply(piece, piece, out=numbers, dtype=wide)
    if bound is not None and bound * len(piece) >> 32:
        bound = None
    add_patterns(total, numbers, bound)
