"""Trilinear samples of a box, compiled by numba where it is installed.

Invariant: all three ways give the same values to 1e-6 of the data's range, and a
neighbour of weight 0 does not count, so that NaN beside a voxel that is hit exactly
leaves no trace. Which way is taken depends on what is installed and on the voxels:

- loops over rows (``rows``), compiled, for integers of up to 32 bits and floats: an output row is
  cut to the part that lies inside, and that part needs no test per voxel;
- ``scipy.ndimage`` for finite voxels without numba;
- :func:`sample_with_care` in numpy, for boxes that hold NaN or infinities, and where
  neither is installed.

Coordinates that lie on a voxel but for rounding errors are put there (`SNAP`).
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from importlib.util import find_spec
from typing import Any

import numpy as np
from numpy.typing import NDArray

from brickfield.transforms.operations.convention import SNAP, Matrix

AnyArray = NDArray[Any]
Fill = Callable[..., None]
SPLINE_PLANES = 12
"""Planes of a piece that are sampled by splines at once, 10 to 20 ms."""


@cache
def has_numba() -> bool:
    """Whether numba is installed; it is imported when the first box is sampled."""
    return find_spec("numba") is not None


@cache
def has_scipy() -> bool:
    """Whether scipy is installed."""
    return find_spec("scipy") is not None


def load_libraries() -> None:
    """Import what samples boxes now; the first box would take 0.1 to 2 s for it."""
    if has_numba():
        fill_rows()
    if has_scipy():
        import scipy.ndimage  # noqa: F401


@cache
def fill_rows() -> Fill:
    """Return :func:`brickfield.transforms.operations.rows.fill_rows`.

    numba is imported, and compiles it, when it is first asked for.
    """
    from brickfield.transforms.operations import rows

    filled: Fill = rows.fill_rows
    return filled


def coordinates(matrix: Matrix, shape: tuple[int, int, int]) -> list[AnyArray]:
    """Return source coordinates of output voxels, one array per axis.

    Parameters
    ----------
    matrix : ndarray, shape (3, 4)
        From output to source voxels.
    shape : tuple of int
        Of the output.

    Returns
    -------
    list of ndarray
        z, y, x; each float64 and of a shape that broadcasts to `shape`.
    """
    steps = np.ogrid[tuple(slice(0, n) for n in shape)]
    found = []
    for row in matrix:
        value: AnyArray = np.full((1, 1, 1), row[3])
        for weight, index in zip(row[:3], steps, strict=True):
            if weight != 0.0:
                value = value + weight * index
        found.append(value)
    return found


def inside(
    matrix: Matrix, bounds: Matrix, shape: tuple[int, int, int]
) -> NDArray[np.bool_]:
    """Tell which output voxels lie inside, shape as the output.

    Parameters
    ----------
    matrix, bounds
        As for the loops over rows (``rows``).
    shape : tuple of int
    """
    mask = np.ones((1, 1, 1), np.bool_)
    found = coordinates(matrix, shape)
    for at, (low, high) in zip(found, bounds, strict=True):
        mask = mask & (at >= low - SNAP) & (at <= high + SNAP)
    return np.broadcast_to(mask, shape)


def nearest(box: AnyArray, matrix: Matrix, shape: tuple[int, int, int]) -> AnyArray:
    """Take the nearest voxel; halfway between two, the one of higher index.

    Parameters
    ----------
    box : ndarray, shape (z, y, x)
    matrix : ndarray, shape (3, 4)
        From output to box voxels.
    shape : tuple of int
        Of the output.

    Returns
    -------
    ndarray, shape `shape`, dtype of `box`
        Also beyond the box, where it is that at its edge.
    """
    index = []
    for at, n in zip(coordinates(matrix, shape), box.shape, strict=True):
        # Half a voxel but for rounding errors counts as half a voxel.
        whole = np.floor(at + (0.5 + SNAP)).astype(np.intp)
        index.append(np.clip(whole, 0, n - 1))
    return np.broadcast_to(box[tuple(index)], shape)


def sample_with_scipy(
    box: AnyArray, matrix: Matrix, shape: tuple[int, int, int]
) -> NDArray[np.float64]:
    """Sample a box of finite voxels trilinearly.

    Beyond the box values go on as they are at its edge, so that rounding errors at the
    edge do no harm.

    Parameters
    ----------
    box : ndarray, shape (z, y, x)
    matrix : ndarray, shape (3, 4)
        From output to box voxels.
    shape : tuple of int
        Of the output.
    """
    data = box.astype(np.float32) if box.dtype == np.float16 else box
    return _sampled(data, matrix, shape, 1)


def sample_splines(
    box: AnyArray,
    matrix: Matrix,
    shape: tuple[int, int, int],
    check: Callable[[], None],
) -> NDArray[np.float64]:
    """Sample a box of finite voxels by cubic splines, mirrored at the box's edges.

    Parameters
    ----------
    box : ndarray, shape (z, y, x)
    matrix : ndarray, shape (3, 4)
        From output to box voxels.
    shape : tuple of int
        Of the output.
    check : callable
        Called every 10 to 20 ms; what it raises ends the work.
    """
    from scipy import ndimage

    data = box.astype(np.float64)
    for axis in range(3):
        check()
        if data.shape[axis] > 1:
            data = ndimage.spline_filter1d(data, 3, axis, np.float64, mode="mirror")
    found = np.empty(shape)
    for start in range(0, shape[0], SPLINE_PLANES):
        check()
        part = found[start : start + SPLINE_PLANES]
        here = matrix.copy()
        here[:, 3] += matrix[:, 0] * start
        size = (part.shape[0], part.shape[1], part.shape[2])
        part[...] = _sampled(data, here, size, 3)
    return found


def _sampled(
    data: AnyArray, matrix: Matrix, shape: tuple[int, int, int], order: int
) -> NDArray[np.float64]:
    from scipy import ndimage

    linear, offset = matrix[:, :3], matrix[:, 3]
    if np.array_equal(linear, np.diag(np.diag(linear))):
        linear = np.diag(linear)  # a quicker way for axes that stay
    found: NDArray[np.float64] = ndimage.affine_transform(
        data,
        linear,
        offset,
        output_shape=shape,
        output=np.float64,
        order=order,
        mode="mirror" if order == 3 else "nearest",
        prefilter=False,
    )
    return found


def sample_with_care(
    box: AnyArray, matrix: Matrix, shape: tuple[int, int, int]
) -> NDArray[np.float64]:
    """Sample a box trilinearly; a neighbour of weight 0 does not count.

    Parameters
    ----------
    box : ndarray, shape (z, y, x)
    matrix : ndarray, shape (3, 4)
        From output to box voxels.
    shape : tuple of int
        Of the output.
    """
    below, above, share = [], [], []
    for at, n in zip(coordinates(matrix, shape), box.shape, strict=True):
        nearest = np.rint(at)
        at = np.clip(np.where(np.abs(at - nearest) < SNAP, nearest, at), 0, n - 1)
        first = np.floor(at).astype(np.intp)
        part = at - first
        below.append(first)
        above.append(first + (part > 0))
        share.append(part)
    out = np.zeros(shape)
    for corner in np.ndindex(2, 2, 2):
        index = tuple((above if c else below)[a] for a, c in enumerate(corner))
        weight: Any = 1.0
        for a, c in enumerate(corner):
            weight = weight * (share[a] if c else 1 - share[a])
        weight = np.broadcast_to(weight, shape)
        value = np.broadcast_to(box[index].astype(np.float64), shape)
        counts = weight > 0
        out[counts] += weight[counts] * value[counts]
    return out
