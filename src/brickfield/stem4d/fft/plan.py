"""What a transform writes and in which pieces; no file is touched.

A transform over all four axes cannot be made position by position: it takes two
passes over a grid of chunks of all four axes. The first reads blocks of scan
positions and transforms their patterns, the second takes all positions of a tile of
detector frequencies and transforms along the scan. So a chunk is as large as both
kinds of blocks let it be, which both have to fit a thread's share of the budget.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import isqrt, prod
from typing import Any

import numpy as np
from numpy.typing import NDArray

from brickfield.blockwise import BlockGrid, ThreadBuffers, format_bytes
from brickfield.errors import BudgetError, OptionError
from brickfield.sources.scans import ScanData, Shape4
from brickfield.stem4d.convert_plan import binned
from brickfield.stem4d.passes import DEFAULT_BUDGET
from brickfield.stem4d.summing.pieces import Region

MODES = ("detector", "scan", "4d")
AXES = {"detector": (2, 3), "scan": (0, 1), "4d": (0, 1, 2, 3)}
"""Transformed axes of (scan y, scan x, detector y, detector x)."""
MOST_CHUNK_BYTES = 4 << 20
VALUE_BYTES = 8
"""Of a complex64."""


@dataclass(frozen=True, slots=True)
class FFTOptions:
    """What is transformed, and how.

    Attributes
    ----------
    mode : {"4d", "detector", "scan"}
    half : bool
        Store the half of the spectrum of real data along the last axis that the
        other half follows from; not with ``"scan"``.
    region : tuple of slice or None
        Part of the scan, starts and stops given.
    n_binned : int
        Sum squares of `n_binned` by `n_binned` detector pixels first.
    store_amplitude : bool
        Store amplitude and phase, too; else they are computed as they are read.
    recompute : bool
        Recompute what is there, and valid.
    restart : bool
        Do not go on with interrupted work.
    budget : str or int
    workers : int or None
    scheduler : str or None
        Address of a dask scheduler instead of threads.
    """

    mode: str = "4d"
    half: bool = False
    region: Region | None = None
    n_binned: int = 1
    store_amplitude: bool = False
    recompute: bool = False
    restart: bool = False
    budget: str | int = DEFAULT_BUDGET
    workers: int | None = None
    scheduler: str | None = None

    def __post_init__(self) -> None:
        if self.mode not in MODES:
            msg = f"expected a mode out of {', '.join(MODES)}; found {self.mode!r}"
            raise OptionError(msg)
        if self.half and self.mode == "scan":
            msg = "expected half spectra of the modes detector and 4d; found scan"
            raise OptionError(msg)
        if self.n_binned < 1:
            msg = f"expected to bin 1 pixel or more; found {self.n_binned}"
            raise OptionError(msg)

    @property
    def item(self) -> str:
        """The name of the result among cached items."""
        return f"fft_{self.mode}"

    def params(self) -> dict[str, Any]:
        """Return what the result depends on, plain values."""
        region = self.region
        return {
            "mode": self.mode,
            "half": self.half,
            "region": region and [[s.start, s.stop] for s in region],
            "n_binned": self.n_binned,
        }


@dataclass(frozen=True)
class FFTPlan:
    """What is written, and its pieces.

    Attributes
    ----------
    options : FFTOptions
    real_shape : tuple of int
        Of the data that are transformed, and of the whole spectrum.
    chunks : tuple of int
    """

    options: FFTOptions
    real_shape: Shape4
    chunks: Shape4

    @property
    def shape(self) -> Shape4:
        """Of what is stored."""
        *lead, w = self.real_shape
        return (*lead, w // 2 + 1 if self.options.half else w)  # type: ignore[return-value]

    @property
    def n_bytes(self) -> int:
        """Of what is stored; chunks at the far edges are stored whole."""
        grid = BlockGrid(self.shape, self.chunks).grid
        return prod(grid) * prod(self.chunks) * VALUE_BYTES

    @property
    def positions(self) -> BlockGrid:
        """Blocks of the first pass: scan positions."""
        return BlockGrid(self.shape[:2], self.chunks[:2])

    @property
    def tiles(self) -> BlockGrid:
        """Blocks of the second pass: detector frequencies."""
        return BlockGrid(self.shape[2:], self.chunks[2:])

    @property
    def has_edge_tiles(self) -> bool:
        """Whether chunks at the detector's far edges are not full."""
        return any(n % c for n, c in zip(self.shape[2:], self.chunks[2:], strict=True))

    @property
    def has_second_pass(self) -> bool:
        """Whether scan axes are transformed."""
        return self.options.mode != "detector"


def plan_fft(
    data: ScanData, options: FFTOptions, budget_bytes: int, n_workers: int
) -> FFTPlan:
    """Choose chunks that both passes have room for.

    Parameters
    ----------
    data : ScanData
        What is transformed (region and binning taken).
    options : FFTOptions
    budget_bytes : int
    n_workers : int

    Raises
    ------
    BudgetError
        If one pattern, or one detector pixel of all positions, is too large.
    """
    ny, nx, h, w = data.shape
    stored_w = w // 2 + 1 if options.half else w
    share = budget_bytes // n_workers
    # As read, as floats, as spectrum and as the chunk that is written.
    each = data.stored_frame_bytes + h * w * 4 + 2 * h * stored_w * VALUE_BYTES
    most = share // each
    column = 3 * ny * nx * VALUE_BYTES
    most_tile = h * stored_w if options.mode == "detector" else share // column
    if min(most, most_tile) < 1:
        needed = n_workers * max(each, column)
        msg = (
            f"expected a budget of at least {format_bytes(needed)} for a transform with"
            f" {n_workers} threads; found {format_bytes(budget_bytes)}"
        )
        raise BudgetError(msg)
    tile = _tile(most_tile, (h, stored_w))
    block = _tile(most, (ny, nx))
    if options.mode == "detector":
        block = (1, min(most, nx))
    while prod(block) * prod(tile) * VALUE_BYTES > MOST_CHUNK_BYTES:
        if prod(block) == 1:
            if options.mode == "detector" or prod(tile) == 1:
                break
            tile = _halved(tile)
        else:
            block = _halved(block)
    chunks = [
        -(-n // -(-n // c))  # as little left over at the far edge as can be
        for n, c in zip((ny, nx, h, stored_w), (*block, *tile), strict=True)
    ]
    return FFTPlan(options, data.shape, tuple(chunks))  # type: ignore[arg-type]


def _tile(most: int, shape: tuple[int, int]) -> tuple[int, int]:
    """Return the sides of a tile with at most a number of values, as square as can be."""
    a = min(shape[0], max(1, isqrt(most)))
    b = min(shape[1], max(1, most // a))
    return (min(shape[0], max(1, most // b)), b)


def _halved(tile: tuple[int, int]) -> tuple[int, int]:
    a, b = tile
    return (-(-a // 2), b) if a >= b else (a, -(-b // 2))


class PartScan:
    """A region of a scan, its detector pixels binned; safe in threads.

    Parameters
    ----------
    inner : ScanData
    region : tuple of slice or None
    n_binned : int

    Raises
    ------
    OptionError
        If nothing is left of the detector.
    """

    def __init__(self, inner: ScanData, region: Region | None, n_binned: int) -> None:
        ny, nx, h, w = inner.shape
        self.inner, self._n = inner, n_binned
        self._ys, self._xs = region or (slice(0, ny), slice(0, nx))
        if min(h, w) < n_binned:
            msg = f"expected to bin at most {min(h, w)} pixels; found {n_binned}"
            raise OptionError(msg)
        n_y, n_x = (s.stop - s.start for s in (self._ys, self._xs))
        self.shape: Shape4 = (n_y, n_x, h // n_binned, w // n_binned)
        self.dtype = inner.dtype if n_binned == 1 else np.dtype(np.float32)
        self.block = inner.block
        self.stored_frame_bytes = inner.stored_frame_bytes

    def view(self, ys: slice, xs: slice, buffers: ThreadBuffers) -> NDArray[Any]:
        """Read the patterns of a rectangle; see the protocol.

        Parameters
        ----------
        ys : slice
            Rows of the part.
        xs : slice
            Columns of the part.
        buffers : ThreadBuffers
            Memory of this thread that is used again.

        Returns
        -------
        ndarray, shape (n_y, n_x, rows, columns)
        """
        y, x = self._ys.start, self._xs.start
        found = self.inner.view(
            slice(ys.start + y, ys.stop + y), slice(xs.start + x, xs.stop + x), buffers
        )
        return found if self._n == 1 else binned(found, self._n)

    def places(self) -> Any:
        """Return the files that are read."""
        return self.inner.places()

    def close(self) -> None:
        """Give files back."""
        self.inner.close()
