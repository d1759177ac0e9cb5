"""A wide Gaussian, worked out on a coarse grid and interpolated from there.

What a Gaussian of a large sigma leaves is smooth: values every sigma / 8 voxels tell all
others. They are made exactly, with the kernel of ``scipy.ndimage.gaussian_filter``
(truncated, mode "nearest"), by one matrix product along each axis over pieces of the
source, so that a source voxel is read once for a *section* of the output instead of once
for every block within reach. Sections hold at most :data:`SECTION_BYTES` of samples.

Error: at most 2e-4 / sigma of the range of values. Interpolation with polynomials of
degree 7 gives 7e-9 (the eighth derivative of a Gaussian is at most 105 / sigma**8, and
the product of the distances from eight nodes at most 43); what matters is the end of the
kernel, where its weight drops from 1.3e-4 / sigma to nothing between two samples. A voxel
that is not a number spreads as far as the kernel reaches, to within sigma / 8 voxels.

Costs: about 100 multiplications a voxel, whatever sigma is; 20 to 40 ns on two cores.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from math import ceil, prod
from typing import Any

import numpy as np
from numpy.typing import NDArray

from brickfield.blockwise import BlockGrid, intersect, shift
from brickfield.model import Int3, Vec3
from brickfield.transforms.operations.grid import Region
from brickfield.transforms.operations.operation import (
    Volume,
    n_pieces,
    pieces,
)

Floats = NDArray[np.float64]
SECTION_BYTES = 32 << 20
"""Samples of one section, at most."""
READ_PIECE = (64, 64, 256)
"""Source voxels worked on at once, 10 to 20 ms."""
PER_SIGMA = 8
"""Samples along one sigma."""
NODES = 8
"""Of an interpolation."""
_MARGIN = NODES // 2
"""Samples beyond a section, so that interpolation does not run out of them."""
_LEAST_SAMPLES = 32
"""Along an axis: a shorter one has a sample for each voxel."""
_SMALLEST = 256
"""Edge below which sections are cut last."""
_SPECIAL = (1, np.isnan, np.nan), (2, np.isposinf, np.inf), (4, np.isneginf, -np.inf)
"""Values that spread instead of being summed: bit, test, value."""


@dataclass(frozen=True)
class SampledAxis:
    """Samples of a section along one axis.

    Attributes
    ----------
    kernel : ndarray, shape (2 · reach + 1,), float64
        Sums to 1.
    n : int
        Voxels of the volume.
    start, step, count : int
        Position of the first sample in voxels (may lie outside), distance, number.
    """

    kernel: Floats
    n: int
    start: int
    step: int
    count: int

    @property
    def reach(self) -> int:
        """Voxels that the kernel reaches to each side."""
        return len(self.kernel) // 2

    @property
    def box(self) -> slice:
        """Voxels of the volume that the samples need."""
        last = self.start + (self.count - 1) * self.step
        return slice(
            max(self.start - self.reach, 0), min(last + self.reach + 1, self.n)
        )

    def sums(self, low: int, high: int) -> tuple[slice, Floats]:
        """Return what voxels add to samples.

        Parameters
        ----------
        low, high : int
            Voxels of the volume.

        Returns
        -------
        touched : slice
            Samples within reach.
        weights : ndarray, shape (n_touched, high - low), float64
        """
        h = self.reach
        first = max(0, ceil((low - h - self.start) / self.step))
        last = min(self.count - 1, (high - 1 + h - self.start) // self.step)
        at = self.start + self.step * np.arange(first, last + 1)
        offset = np.arange(low, high) - at[:, None]
        inside = np.abs(offset) <= h
        weights = np.where(inside, self.kernel[np.clip(offset + h, 0, 2 * h)], 0.0)
        # Beyond the ends the volume goes on with its outermost voxels.
        below = np.concatenate([[0.0], np.cumsum(self.kernel)])
        if low == 0:
            weights[:, 0] += below[np.clip(h - at, 0, 2 * h + 1)]
        if high == self.n:
            end = np.clip(self.n - 1 - at + h + 1, 0, 2 * h + 1)
            weights[:, -1] += below[-1] - below[end]
        return slice(first, last + 1), weights

    def interpolation(self, low: int, high: int) -> tuple[slice, Floats]:
        """Return what voxels are made of.

        Parameters
        ----------
        low, high : int
            Voxels of the output, within the section.

        Returns
        -------
        used : slice
            Samples.
        weights : ndarray, shape (high - low, n_used), float64
        """
        if self.step == 1:
            used = slice(low - self.start, high - self.start)
            return used, np.eye(high - low)
        place = (np.arange(low, high) - self.start) / self.step
        base = np.floor(place).astype(np.intp) - (_MARGIN - 1)
        used = slice(int(base[0]), int(base[-1]) + NODES)
        weights = np.zeros((high - low, used.stop - used.start))
        rows = np.arange(high - low)
        for i in range(NODES):
            others = [j for j in range(NODES) if j != i]
            value = np.prod([(place - base - j) / (i - j) for j in others], axis=0)
            weights[rows, base - used.start + i] = value
        return used, weights


@dataclass(frozen=True, eq=False)
class Samples:
    """What a section of the output is interpolated from.

    Attributes
    ----------
    axes : tuple of SampledAxis
    values : ndarray, shape (z, y, x) of samples, float64
    special : ndarray or None
        Bits of :data:`_SPECIAL` for each cell of ``step`` voxels of the box; None where
        all values are finite.
    """

    axes: tuple[SampledAxis, SampledAxis, SampledAxis]
    values: Floats
    special: NDArray[np.uint8] | None

    @property
    def nbytes(self) -> int:
        """Memory that it takes."""
        return self.values.nbytes + (0 if self.special is None else self.special.nbytes)

    def at(self, region: Region) -> Floats:
        """Return the voxels of a region within the section.

        Parameters
        ----------
        region : tuple of slice
            Voxels of the output (z, y, x).
        """
        ways = [
            a.interpolation(s.start, s.stop)
            for a, s in zip(self.axes, region, strict=True)
        ]
        part = self.values[tuple(used for used, _ in ways)]
        out = _along_all(part, [weights for _, weights in ways])
        if self.special is not None:
            self._put_special(out, region)
        return out

    def _put_special(self, out: Floats, region: Region) -> None:
        assert self.special is not None
        reached = {}
        for bit, _, value in _SPECIAL:
            cells = (self.special & bit) > 0
            if cells.any():
                reached[value] = self._reached(cells, region)
                out[reached[value]] = value
        if np.inf in reached and -np.inf in reached:
            out[reached[np.inf] & reached[-np.inf]] = np.nan
        for value, where in reached.items():
            if value != value:
                out[where] = np.nan

    def _reached(self, cells: NDArray[np.bool_], region: Region) -> NDArray[np.bool_]:
        """Tell which voxels have a marked cell within reach."""
        for number, (axis, s) in enumerate(zip(self.axes, region, strict=True)):
            at = np.arange(s.start, s.stop)
            box = axis.box
            low = (np.maximum(at - axis.reach, box.start) - box.start) // axis.step
            high = (np.minimum(at + axis.reach, box.stop - 1) - box.start) // axis.step
            runs = np.cumsum(cells, axis=number, dtype=np.int32)
            before = np.insert(runs, 0, 0, axis=number)
            cells = before.take(high + 1, number) > before.take(low, number)
        return cells


def section_shape(shape: Int3, steps: Int3) -> Int3:
    """Return the voxels of a section: all, or so many that their samples fit.

    Cut along z first, then y, then x, so that blocks in order keep to one section.

    Parameters
    ----------
    shape : tuple of int
        Of the volume (z, y, x).
    steps : tuple of int
        Voxels from sample to sample.
    """
    size = list(shape)

    def n_bytes() -> int:
        sides = (ceil(n / s) + 2 * _MARGIN for n, s in zip(size, steps, strict=True))
        return prod(sides) * np.dtype(np.float64).itemsize

    for least in (_SMALLEST, 1):
        for axis in range(3):
            while n_bytes() > SECTION_BYTES and size[axis] > least:
                size[axis] = max(least, -(-size[axis] // 2 // least) * least)
    return (size[0], size[1], size[2])


def steps_of(sigma: Vec3, shape: Int3) -> Int3:
    """Return the distance of samples, voxels along (z, y, x).

    Parameters
    ----------
    sigma : tuple of float
    shape : tuple of int
        Of the volume.
    """
    z, y, x = (
        max(1, min(int(s / PER_SIGMA), n // _LEAST_SAMPLES))
        for s, n in zip(sigma, shape, strict=True)
    )
    return (z, y, x)


@dataclass(frozen=True)
class WideGaussian:
    """A Gaussian that is made by samples.

    Attributes
    ----------
    sigma : tuple of float
        Along (z, y, x), voxels.
    halo : tuple of int
        Voxels that the kernel reaches.
    """

    sigma: Vec3
    halo: Int3

    def make(self, volume: Volume, region: Region) -> Iterator[tuple[Region, Floats]]:
        """Make a region piece by piece.

        Parameters
        ----------
        volume : Volume
        region : tuple of slice
            Voxels of the output (z, y, x).

        Yields
        ------
        place : tuple of slice
            Counted from the region's start.
        values : ndarray, shape of the place, float64
        """
        origin = tuple(s.start for s in region)
        for section in self._sections(volume.shape, region):
            samples = volume.shared(
                ("samples", self.sigma, tuple(s.start for s in section)),
                self._taking(volume, section),
            )
            common = intersect(section, region)
            whole = (common[0], common[1], common[2])
            for piece, _ in pieces(whole):
                volume.check()
                z, y, x = shift(piece, origin)
                yield (z, y, x), samples.at(piece)

    def n_steps(self, region: Region, shape: Int3) -> int:
        """Return how often a region asks whether it is wanted.

        Parameters
        ----------
        region : tuple of slice
        shape : tuple of int
            Of the source (z, y, x).
        """
        n = n_pieces(region)
        for section in self._sections(shape, region):
            z, y, x = (axis.box for axis in self._axes(shape, section))
            n += n_pieces((z, y, x), READ_PIECE)
        return n

    def _sections(self, shape: Int3, region: Region) -> Iterator[Region]:
        grid = BlockGrid(shape, section_shape(shape, steps_of(self.sigma, shape)))
        for block in grid.overlapping(region):
            z, y, x = block.slices
            yield (z, y, x)

    def _axes(
        self, shape: Int3, section: Region
    ) -> tuple[SampledAxis, SampledAxis, SampledAxis]:
        steps = steps_of(self.sigma, shape)
        found = []
        for axis, s in enumerate(section):
            step, n = steps[axis], s.stop - s.start
            margin = 0 if step == 1 else _MARGIN
            count = ceil((n - 1) / step) + 1 + 2 * margin
            kernel = kernel_of(self.sigma[axis], self.halo[axis])
            start = s.start - margin * step
            found.append(SampledAxis(kernel, shape[axis], start, step, count))
        return (found[0], found[1], found[2])

    def _taking(self, volume: Volume, section: Region) -> Callable[[], Samples]:
        return lambda: _take(volume, self._axes(volume.shape, section))


def _take(
    volume: Volume, axes: tuple[SampledAxis, SampledAxis, SampledAxis]
) -> Samples:
    """Work out the samples of a section; every voxel in reach is read once."""
    box = (axes[0].box, axes[1].box, axes[2].box)
    origin = tuple(s.start for s in box)
    values = np.zeros([a.count for a in axes])
    cells = tuple(
        ceil((s.stop - s.start) / a.step) for a, s in zip(axes, box, strict=True)
    )
    special: NDArray[np.uint8] | None = None
    for piece, _ in pieces(box, READ_PIECE):
        volume.check()
        data = volume.read(piece)
        part = data.astype(np.float64)
        if data.dtype.kind == "f" and not np.isfinite(part).all():
            special = np.zeros(cells, np.uint8) if special is None else special
            _mark(special, part, shift(piece, origin), [a.step for a in axes])
            part[~np.isfinite(part)] = 0.0
        ways = [a.sums(s.start, s.stop) for a, s in zip(axes, piece, strict=True)]
        touched = tuple(samples for samples, _ in ways)
        values[touched] += _along_all(part, [weights for _, weights in ways])
    return Samples(axes, values, special)


def _mark(
    special: NDArray[np.uint8], part: Floats, place: tuple[slice, ...], steps: list[int]
) -> None:
    """Note in which cells voxels are not finite."""
    for bit, test, _ in _SPECIAL:
        at = np.nonzero(test(part))
        cells = tuple(
            (i + s.start) // step for i, s, step in zip(at, place, steps, strict=True)
        )
        special[cells] |= np.uint8(bit)


def _along_all(data: Floats, weights: list[Floats]) -> Floats:
    """Multiply along all axes, those first that leave the least."""
    order = sorted(range(3), key=lambda a: weights[a].shape[0] / weights[a].shape[1])
    for axis in order:
        moved = np.tensordot(weights[axis], data, axes=(1, axis))
        data = np.moveaxis(moved, 0, axis)
    return data


def kernel_of(sigma: float, reach: int) -> Floats:
    """Return the weights of voxels at distances of −reach to +reach, as scipy has them.

    Parameters
    ----------
    sigma : float
    reach : int
        0 for an axis that stays as it is.
    """
    if reach == 0:
        return np.ones(1)
    offset = np.arange(-reach, reach + 1)
    kernel: Floats = np.exp(-0.5 / (sigma * sigma) * offset**2)
    kernel /= kernel.sum()
    return kernel


def scratch_bytes(size: Int3, dtype: np.dtype[Any]) -> int:
    """Return the memory that a region of a size takes beside itself.

    Parameters
    ----------
    size : tuple of int
        Of the region (z, y, x).
    dtype : numpy.dtype
        Of the source.
    """
    piece = prod(READ_PIECE) * (dtype.itemsize + 3 * np.dtype(np.float64).itemsize)
    return prod(size) * np.dtype(np.float64).itemsize + piece + 2 * SECTION_BYTES
