"""Volumes moved by a matrix: a piece is pulled back, its box is read and sampled.

Invariant: an output voxel depends on the matrix, the voxel's place and the source
voxels round the point that it comes from; never on how the output was cut. Where every
output voxel comes from one source voxel (turns by 90 degrees on equal axes, whole
shifts, mirrors) voxels are copied, whatever the order.

Outside the outermost voxel centres there is the fill value. Order 0 takes the nearest
voxel, 1 is trilinear, 3 a cubic spline. A voxel that is not a number spreads to those
made of it with a weight above 0; order 3, whose splines reach through the whole volume,
refuses such voxels.

Costs: the box of a piece of 64³ voxels has at most 2.7 times as many for a turn; a
piece whose box is larger than :data:`MOST_BOX` is cut further.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from itertools import product
from math import ceil, floor, prod
from typing import Any

import numpy as np

from brickfield.errors import MissingExtraError, OptionError
from brickfield.model import Int3
from brickfield.transforms.operations import trilinear
from brickfield.transforms.operations.convention import (
    SNAP,
    Matrix,
    check_voxel_matrix,
    whole_steps,
)
from brickfield.transforms.operations.grid import Region
from brickfield.transforms.operations.operation import (
    PIECE,
    AnyArray,
    Volume,
    n_pieces,
    n_voxels,
    pieces,
    shape_of,
)
from brickfield.transforms.operations.rounding import check_fill, to_dtype

ORDERS = (0, 1, 3)
MOST_BOX = 1 << 22
"""Source voxels read for one piece."""
_SPLINE_HALO = 16
"""Voxels; the influence of a voxel on cubic splines falls by 0.27 a voxel, to 1e-9."""


@dataclass(frozen=True)
class Resample:
    """A volume moved by a matrix.

    Attributes
    ----------
    rows : tuple of tuple of float
        The matrix from source to output voxels, 4 × 4, columns (z, y, x, 1).
    shape : tuple of int
        Of the output (z, y, x).
    order : {0, 1, 3}
    fill : float
        What there is outside.
    """

    rows: tuple[tuple[float, ...], ...]
    shape: Int3
    order: int = 1
    fill: float = 0.0

    def __post_init__(self) -> None:
        if self.order not in ORDERS:
            msg = f"expected an order out of 0, 1, 3; found {self.order!r}"
            raise OptionError(msg)
        check_voxel_matrix(self.rows)

    @classmethod
    def by(
        cls, matrix: Matrix, shape: Int3, *, order: int = 1, fill: float = 0.0
    ) -> Resample:
        """Make one of a forward matrix.

        Parameters
        ----------
        matrix : ndarray, shape (4, 4)
            From source to output voxels.
        shape, order, fill
            See the attributes.
        """
        rows = tuple(tuple(float(v) for v in row) for row in check_voxel_matrix(matrix))
        return cls(rows, shape, order, float(fill))

    def output_shape(self, shape: Int3) -> Int3:
        """Return the shape of the output."""
        return self.shape

    def forward(self) -> Matrix:
        """Return where source voxels go, in output voxels."""
        return np.array(self.rows)

    @cached_property
    def _pull(self) -> Matrix:
        """From output to source voxels, rounding errors of whole numbers taken out."""
        inverse = np.linalg.inv(self.forward())
        whole = np.rint(inverse)
        # Far below SNAP even at the end of an axis of a million voxels.
        return np.where(
            np.abs(inverse - whole) < 1e-13 * np.abs(whole).clip(1), whole, inverse
        )

    def parameters(self) -> dict[str, Any]:
        """Return what it does in plain JSON values."""
        return {
            "matrix": [list(row) for row in self.rows],
            "shape": list(self.shape),
            "order": self.order,
            "fill": repr(self.fill),
        }

    def box_of(self, region: Region, shape: Int3) -> Region | None:
        """Return the source voxels that a region needs; None where it needs none.

        Parameters
        ----------
        region : tuple of slice
            Voxels of the output (z, y, x).
        shape : tuple of int
            Of the source.
        """
        halo = _SPLINE_HALO if self.order == 3 and not self._steps else 0
        low, high = self._reach(region)
        box = []
        for a, b, n in zip(low, high, shape, strict=True):
            if b < -SNAP or a > n - 1 + SNAP:
                return None
            start = max(floor(a + SNAP) - halo, 0)
            stop = min(ceil(b - SNAP) + 1 + halo, n)
            box.append(slice(start, max(stop, start + 1)))
        z, y, x = box
        return (z, y, x)

    @cached_property
    def _steps(self) -> tuple[Int3, Int3, Int3] | None:
        return whole_steps(self._pull)

    def _reach(self, region: Region) -> tuple[list[float], list[float]]:
        """Return least and largest source coordinates of a region's voxels."""
        ends = [(s.start, s.stop - 1) for s in region]
        corners = np.array([(*c, 1.0) for c in product(*ends)]) @ self._pull[:3].T
        return corners.min(axis=0).tolist(), corners.max(axis=0).tolist()

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
        z, y, x = (min(n, p) for n, p in zip(size, PIECE, strict=True))
        # Wherever the piece lies, its box is as large, but for a voxel at each end.
        low, high = self._reach((slice(0, z), slice(0, y), slice(0, x)))
        halo = 2 * _SPLINE_HALO if self.order == 3 else 0
        sides = [
            min(ceil(b - a) + 2 + halo, n)
            for a, b, n in zip(low, high, shape, strict=True)
        ]
        n_box = min(prod(sides), MOST_BOX)
        wide = 8 if self.order == 3 else 0
        # The box, its spline; values and coordinates of the piece, and a mask.
        return n_box * (dtype.itemsize + wide) + z * y * x * 34

    def n_steps(self, region: Region, shape: Int3) -> int:
        """Return how often a region asks whether it is wanted, at least.

        Parameters
        ----------
        region : tuple of slice
        shape : tuple of int
            Of the source (z, y, x).
        """
        # A piece of splines is made in steps: 3 axes, then slabs of planes.
        return n_pieces(region) * (5 if self.order == 3 and self._steps is None else 1)

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

        Raises
        ------
        OptionError
            When order 3 meets voxels that are no finite numbers.
        MissingExtraError
            When order 3 is asked for without scipy.
        """
        check_fill(self.fill, volume.dtype)
        out = np.empty(shape_of(region), volume.dtype)
        for piece, place in pieces(region):
            out[place] = self.fill
            self._fill_piece(volume, piece, out[place])
        return out

    def _fill_piece(self, volume: Volume, piece: Region, out: AnyArray) -> None:
        volume.check()
        box = self.box_of(piece, volume.shape)
        if box is None:
            return
        if n_voxels(box) > MOST_BOX and n_voxels(piece) > 1:
            longest = max(range(3), key=lambda a: out.shape[a])
            most = tuple(
                -(-n // 2) if a == longest else n for a, n in enumerate(out.shape)
            )
            for part, place in pieces(piece, (most[0], most[1], most[2])):
                self._fill_piece(volume, part, out[place])
            return
        data = volume.read(box)
        if self._steps is not None:
            self._copy(data, box, piece, out, volume.shape)
        else:
            self._sample(data, box, piece, out, volume)

    def _copy(
        self, data: AnyArray, box: Region, piece: Region, out: AnyArray, shape: Int3
    ) -> None:
        assert self._steps is not None
        axes, signs, shifts = self._steps
        source, target = [slice(0)] * 3, [slice(0)] * 3
        for a in range(3):
            to, sign = axes[a], signs[a]
            first, last = piece[to].start, piece[to].stop - 1
            ends = sorted((sign * first + shifts[a], sign * last + shifts[a]))
            low, high = max(ends[0], 0), min(ends[1], shape[a] - 1)
            part = slice(low - box[a].start, high + 1 - box[a].start)
            # Where the ends of the part go to.
            there = sorted(sign * (i - shifts[a]) - first for i in (low, high))
            source[a], target[to] = part, slice(there[0], there[1] + 1)
        part_of = data[tuple(source)]
        flips = tuple(slice(None, None, s) for s in signs)
        turned = part_of[flips].transpose(np.argsort(axes))
        out[tuple(target)] = turned

    def _sample(
        self, data: AnyArray, box: Region, piece: Region, out: AnyArray, volume: Volume
    ) -> None:
        shape = volume.shape
        starts = np.array([s.start for s in box], dtype=np.float64)
        local = self._pull[:3].copy()
        local[:, 3] += local[:, :3] @ [s.start for s in piece] - starts
        bounds = np.column_stack([-starts, np.array(shape) - 1 - starts])
        is_finite = data.dtype.kind != "f" or bool(np.isfinite(data).all())
        if self.order == 1 and is_finite and _is_compilable(data):
            trilinear.fill_rows()(
                np.ascontiguousarray(data), local, bounds, out, out.dtype.kind != "f"
            )
            return
        values = self._values(data, local, out.shape, volume, is_finite=is_finite)
        low, high = self._reach(piece)
        if min(low) < 0 or any(b > n - 1 for b, n in zip(high, shape, strict=True)):
            mask = trilinear.inside(local, bounds, out.shape)
            out[mask] = to_dtype(values[mask], out.dtype)
        else:
            out[...] = to_dtype(values, out.dtype)

    def _values(
        self,
        data: AnyArray,
        local: Matrix,
        shape: tuple[int, ...],
        volume: Volume,
        *,
        is_finite: bool,
    ) -> AnyArray:
        size = (shape[0], shape[1], shape[2])
        if self.order == 0:
            return trilinear.nearest(data, local, size)
        if self.order == 3:
            if not is_finite:
                msg = (
                    "expected finite numbers for order 3; found a voxel that is not:"
                    " use order 1"
                )
                raise OptionError(msg)
            if not trilinear.has_scipy():
                msg = (
                    'expected scipy for order 3; found it not installed: run "pip'
                    " install 'napari-brickfield[transforms]'\" or use order 1"
                )
                raise MissingExtraError(msg)
        if is_finite and trilinear.has_scipy():
            if self.order == 3:
                return trilinear.sample_splines(data, local, size, volume.check)
            return trilinear.sample_with_scipy(data, local, size)
        return trilinear.sample_with_care(data, local, size)


def _is_compilable(data: AnyArray) -> bool:
    # 64-bit integers are rounded beside the kernel, where they are clipped, too.
    return trilinear.has_numba() and data.dtype.name in (
        "uint8", "int8", "uint16", "int16", "uint32", "int32", "float32", "float64"
    )  # fmt: skip
