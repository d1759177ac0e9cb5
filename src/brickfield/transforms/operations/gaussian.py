"""Gaussian smoothing, equal to ``scipy.ndimage.gaussian_filter`` with mode "nearest".

Invariant: a piece is read with a halo of ``truncate · sigma`` voxels (as scipy cuts its
kernel), so that it is what filtering the whole volume gives, bit by bit. Only where the
volume ends is the halo cut, and there scipy goes on with the value at the edge.

Floats are filtered in their own width (float16 in float32), integers in float64, then
rounded. A voxel that is not a number spreads as far as the kernel reaches.

A sigma above :data:`WIDE` would have nearly the whole image read for every block. Such a
Gaussian is made on a coarse grid (:mod:`~brickfield.transforms.operations.samples`),
equal to scipy's within 2e-4 / sigma of the range of values.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import isfinite, prod
from typing import Any

import numpy as np

from brickfield.errors import MissingExtraError, OptionError
from brickfield.model import Int3, Vec3
from brickfield.transforms.operations.convention import Matrix
from brickfield.transforms.operations.grid import Region
from brickfield.transforms.operations.operation import (
    AnyArray,
    Volume,
    n_pieces,
    pieces,
    shape_of,
)
from brickfield.transforms.operations.rounding import to_dtype
from brickfield.transforms.operations.samples import WideGaussian
from brickfield.transforms.operations.samples import scratch_bytes as wide_scratch_bytes
from brickfield.transforms.operations.trilinear import has_scipy

TRUNCATE = 4.0
"""Reach of the kernel, in standard deviations."""
WIDE = 16.0
"""Standard deviation, along any axis, from which on samples are taken."""
_NO_SIGMA = 1e-15
"""Below this scipy leaves an axis as it is."""


@dataclass(frozen=True)
class Smooth:
    """A volume smoothed.

    Attributes
    ----------
    sigma : tuple of float
        Standard deviation along (z, y, x), voxels; 0 leaves an axis as it is.
    """

    sigma: Vec3

    @classmethod
    def by(cls, sigma: float | Sequence[float]) -> Smooth:
        """Make one of one or three standard deviations.

        Raises
        ------
        OptionError
            When they are no finite numbers of at least 0, or scipy is missing.
        """
        try:
            given = sigma if isinstance(sigma, Sequence) else [sigma] * 3
            values = [float(v) for v in given]
        except (TypeError, ValueError):
            values = []
        if len(values) != 3 or not all(isfinite(v) and v >= 0 for v in values):
            msg = (
                f"expected sigma as one or three numbers of at least 0; found {sigma!r}"
            )
            raise OptionError(msg)
        if not has_scipy():
            msg = (
                'expected scipy for Gaussian smoothing; found it not installed: run "pip'
                " install 'napari-brickfield[transforms]'\""
            )
            raise MissingExtraError(msg)
        z, y, x = values
        return cls((z, y, x))

    @property
    def halo(self) -> Int3:
        """Voxels that the kernel reaches to each side, as scipy rounds them."""
        z, y, x = (int(TRUNCATE * s + 0.5) if s > _NO_SIGMA else 0 for s in self.sigma)
        return (z, y, x)

    @property
    def _wide(self) -> WideGaussian | None:
        """What makes it where a block needs too much around it."""
        return WideGaussian(self.sigma, self.halo) if max(self.sigma) > WIDE else None

    def output_shape(self, shape: Int3) -> Int3:
        """Return the shape of the output, that of the source."""
        return shape

    def forward(self) -> Matrix:
        """Return where source voxels go: they stay."""
        return np.eye(4)

    def parameters(self) -> dict[str, Any]:
        """Return what it does in plain JSON values."""
        return {"sigma": list(self.sigma), "truncate": TRUNCATE}

    def box_of(self, region: Region, shape: Int3) -> Region | None:
        """Return the source voxels that a region needs.

        Parameters
        ----------
        region : tuple of slice
            Voxels of the output (z, y, x).
        shape : tuple of int
            Of the source.
        """
        z, y, x = (
            slice(max(s.start - h, 0), min(s.stop + h, n))
            for s, h, n in zip(region, self.halo, shape, strict=True)
        )
        return (z, y, x)

    def scratch_bytes(self, size: Int3, shape: Int3, dtype: np.dtype[Any]) -> int:
        """Return the memory that a region of a size takes beside itself.

        Parameters
        ----------
        size : tuple of int
            Of the region (z, y, x).
        shape : tuple of int
            Of the source.
        dtype : numpy.dtype
        """
        if self._wide is not None:
            return wide_scratch_bytes(size, dtype)
        sides = [
            min(n + 2 * h, m) for n, h, m in zip(size, self.halo, shape, strict=True)
        ]
        # The box as read and as it is worked on, before and after one axis.
        return prod(sides) * (dtype.itemsize + 2 * working_type(dtype).itemsize)

    def n_steps(self, region: Region, shape: Int3) -> int:
        """Return how often a region asks whether it is wanted, at least.

        Parameters
        ----------
        region : tuple of slice
        shape : tuple of int
            Of the source (z, y, x).
        """
        if self._wide is not None:
            return self._wide.n_steps(region, shape)
        box = self.box_of(region, shape)
        assert box is not None
        size, sizes = list(shape_of(box)), shape_of(region)
        n = len(_cuts(shape_of(box))) + len(_cuts(sizes)) if max(self.halo) else 0
        for axis in range(3):
            if self.halo[axis]:
                now = (size[0], size[1], size[2])
                whole = (slice(0, now[0]), slice(0, now[1]), slice(0, now[2]))
                n += len(_cuts(now)) + n_pieces(whole, self._lines(now, axis))
                size[axis] = sizes[axis]
        return n

    def make(self, volume: Volume, region: Region) -> AnyArray:
        """Make a region of the output, of the source's data type.

        Parameters
        ----------
        volume : Volume
        region : tuple of slice
            Voxels of the output (z, y, x).

        Returns
        -------
        ndarray, shape of the region (z, y, x)
        """
        out = np.empty(shape_of(region), volume.dtype)
        if self._wide is not None:
            for place, values in self._wide.make(volume, region):
                out[place] = to_dtype(values, volume.dtype)
            return out
        box = self.box_of(region, volume.shape)
        assert box is not None
        data = volume.read(box)
        if max(self.halo) == 0:
            out[...] = data
            return out
        values = np.empty(data.shape, working_type(volume.dtype))
        for slab in _slabs(values):
            volume.check()
            values[slab] = data[slab]
        for axis in range(3):
            if self.halo[axis]:
                values = self._filtered(values, axis, volume)
                # What the other axes need no more is left out at once.
                own = [slice(None)] * 3
                start = region[axis].start - box[axis].start
                own[axis] = slice(start, start + out.shape[axis])
                values = values[tuple(own)]
        for slab in _slabs(values):
            volume.check()
            out[slab] = to_dtype(values[slab], volume.dtype)
        return out

    def _lines(self, size: Int3, axis: int) -> Int3:
        """Return the part of a box that is filtered along an axis at once."""
        across = max((a for a in range(3) if a != axis), key=lambda a: size[a])
        taps = prod(size) // size[across] * (2 * self.halo[axis] + 1)
        most = list(size)
        most[across] = max(1, min(int(_TAPS_AT_ONCE / taps), size[across]))
        return (most[0], most[1], most[2])

    def _filtered(self, values: AnyArray, axis: int, volume: Volume) -> AnyArray:
        """Filter along one axis, in parts between which the work may end."""
        from scipy import ndimage

        out = np.empty_like(values)
        for slab in _slabs(out):
            # The system clears a page when it is touched first, and the first part
            # touches nearly all of them: half a second for 200 MB without a look.
            volume.check()
            out[slab] = 0
        size = (values.shape[0], values.shape[1], values.shape[2])
        whole = (slice(0, size[0]), slice(0, size[1]), slice(0, size[2]))
        for part, _ in pieces(whole, self._lines(size, axis)):
            volume.check()
            ndimage.gaussian_filter1d(
                values[part],
                self.sigma[axis],
                axis=axis,
                output=out[part],
                mode="nearest",
                truncate=TRUNCATE,
            )
        return out


_TAPS_AT_ONCE = 2e7
"""Multiplications of one part, 10 to 30 ms."""
_VOXELS_AT_ONCE = 1 << 20
"""Converted from type to type at once, about 10 ms."""


def _slabs(values: AnyArray) -> list[slice]:
    """Cut an array along its first axis into parts that are quickly converted."""
    return _cuts((values.shape[0], values.shape[1], values.shape[2]))


def _cuts(shape: Int3) -> list[slice]:
    step = max(1, _VOXELS_AT_ONCE // max(1, shape[1] * shape[2]))
    return [slice(i, i + step) for i in range(0, shape[0], step)]


def working_type(dtype: np.dtype[Any]) -> np.dtype[Any]:
    """Return the type that values are filtered in."""
    if dtype.kind == "f":
        return np.dtype(np.float32 if dtype.itemsize <= 4 else np.float64)
    return np.dtype(np.float64)
