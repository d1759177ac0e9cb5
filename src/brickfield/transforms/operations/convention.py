"""Matrices of turns and shifts, one convention for all.

World is right-handed x, y, z. A turn by +θ about z takes +x towards +y, about x +y
towards +z, about y +z towards +x; it happens in physical space, so voxel sizes count.
A shift by +s moves what is at index i to i + s. Combined means: first the turn, then
the shift.

Every matrix is 4 × 4, float64, acts on columns (z, y, x, 1) and leads *forward*, from
where something is to where it goes. In voxels, the centre of voxel i lies at i. Pure:
no files, no voxels.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from math import cos, fmod, isfinite, radians, sin
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from brickfield.errors import OptionError
from brickfield.model import Int3, Vec3

Matrix = NDArray[np.float64]

SNAP = 1e-7
"""Voxels. What is nearer to a voxel's centre than this lies on it: rounding errors of
a coordinate are far smaller, and no value changes by more than this share."""
_PLANES = {"z": (1, 2), "x": (0, 1), "y": (2, 0)}
"""Axes (to, from): a positive turn takes + of the second towards + of the first."""
_QUARTERS = ((1.0, 0.0), (0.0, 1.0), (-1.0, 0.0), (0.0, -1.0))
MOST_ZOOM, FARTHEST = 2.0**20, 2.0**40
_LARGEST_CONDITION = 1e12


def centre_of(shape: Sequence[int]) -> Vec3:
    """Return the middle of a volume in voxels, ``(shape - 1) / 2``."""
    z, y, x = ((n - 1) / 2 for n in shape)
    return (z, y, x)


def rotation(
    degrees: float, axis: str, centre: Sequence[float], voxel_size: Sequence[float]
) -> Matrix:
    """Make the matrix of a turn, in voxels.

    Parameters
    ----------
    degrees : float
        Multiples of 90 are exact.
    axis : {"z", "y", "x"}
    centre : sequence of float
        Fixed point (z, y, x), voxels.
    voxel_size : sequence of float
        World units a voxel along (z, y, x), above 0.

    Raises
    ------
    OptionError
        When a value cannot be used.
    """
    if axis not in _PLANES:
        msg = f"expected an axis out of z, y, x; found {axis!r}"
        raise OptionError(msg)
    angle = finite("the angle", [degrees], 1)[0]
    size = np.array(voxel_sizes(voxel_size))
    about = np.array(finite("the centre", centre, 3))
    to, start = _PLANES[axis]
    c, s = _cosine_and_sine(angle)
    turn = np.eye(4)
    turn[to, to] = turn[start, start] = c
    # Physical lengths are the same; voxels of two axes may differ.
    turn[to, start] = s * (size[start] / size[to])
    turn[start, to] = -s * (size[to] / size[start])
    turn[:3, 3] = about - turn[:3, :3] @ about
    return turn


def _cosine_and_sine(degrees: float) -> tuple[float, float]:
    angle = fmod(degrees, 360.0)
    if angle % 90.0 == 0.0:
        return _QUARTERS[int(angle // 90.0) % 4]
    return cos(radians(angle)), sin(radians(angle))


def translation(offset: Sequence[float]) -> Matrix:
    """Make the matrix of a shift by (z, y, x) voxels.

    Raises
    ------
    OptionError
        When it is not three finite numbers.
    """
    shift = np.eye(4)
    shift[:3, 3] = finite("the shift", offset, 3)
    return shift


def in_voxels(
    world: ArrayLike, voxel_size: Sequence[float], origin: Sequence[float]
) -> Matrix:
    """Turn a matrix from world to world into one from voxels to voxels.

    Parameters
    ----------
    world : array-like, shape (4, 4)
    voxel_size, origin : sequence of float
        World units a voxel and the world coordinate of voxel 0, (z, y, x).
    """
    place = np.diag([*voxel_sizes(voxel_size), 1.0])
    place[:3, 3] = finite("the origin", origin, 3)
    back = np.diag([*(1 / np.diag(place)[:3]), 1.0])
    back[:3, 3] = -place[:3, 3] / np.diag(place)[:3]
    return np.asarray(back @ check_matrix(world) @ place)


def deskew(angle: float, step: float) -> Matrix:
    """Make the world matrix of a stack of oblique planes, as if its planes lay apart by 1.

    The stage moves by `step` between two planes, in a direction at `angle` to them, so
    that plane k lies ``k * step * sin(angle)`` behind the first and
    ``k * step * cos(angle)`` further along y (the geometry of light-sheet stacks that
    are scanned by the stage, as in https://doi.org/10.1126/science.1257998).

    Parameters
    ----------
    angle : float
        Between planes and movement, degrees, above 0 and below 180.
    step : float
        Movement of the stage between two planes, world units.

    Returns
    -------
    ndarray, shape (4, 4)
        From (plane number, y, x) to world z, y, x; y and x in world units.

    Raises
    ------
    OptionError
        When a value cannot be used.
    """
    theta, length = finite("angle and step", [angle, step], 2)
    if not 0 < theta < 180 or length == 0:
        msg = (
            f"expected an angle above 0 and below 180 degrees and a step other than 0;"
            f" found {theta:g} and {length:g}"
        )
        raise OptionError(msg)
    c, s = _cosine_and_sine(theta)
    shear = np.eye(4)
    shear[0, 0], shear[1, 0] = length * s, length * c
    return shear


def check_matrix(matrix: ArrayLike) -> Matrix:
    """Return a matrix that can be used.

    Raises
    ------
    OptionError
        When it is not 4 × 4, not finite, not affine, or cannot be inverted.
    """
    try:
        found = np.array(matrix, dtype=np.float64)
    except (TypeError, ValueError):
        found = np.empty(0)
    if found.shape != (4, 4) or not np.isfinite(found).all():
        shape = " × ".join(map(str, found.shape)) or "none"
        msg = f"expected a matrix of 4 × 4 finite numbers; found {shape} or others"
        raise OptionError(msg)
    if not np.array_equal(found[3], [0, 0, 0, 1]):
        msg = f"expected 0, 0, 0, 1 in the last row; found {found[3].tolist()}"
        raise OptionError(msg)
    if not np.linalg.cond(found[:3, :3]) < _LARGEST_CONDITION:
        msg = (
            "expected a matrix that can be inverted; found one that makes the volume"
            " flat: no axis may vanish"
        )
        raise OptionError(msg)
    return found


def check_voxel_matrix(matrix: ArrayLike) -> Matrix:
    """Return a matrix between voxels that coordinates can be worked out by.

    Beyond the limits, floats do not tell neighbouring voxels apart.

    Raises
    ------
    OptionError
        As :func:`check_matrix`, and for a move or a change of size beyond all images.
    """
    found = check_matrix(matrix)
    sizes = np.linalg.svd(found[:3, :3], compute_uv=False)
    if max(sizes.max(), 1 / sizes.min()) > MOST_ZOOM:
        msg = (
            f"expected sizes to change by a factor of at most {MOST_ZOOM:.0f}; found"
            f" {sizes.max():.3g} and {sizes.min():.3g}"
        )
        raise OptionError(msg)
    farthest = float(np.abs(found[:3, 3]).max())
    if farthest > FARTHEST:
        msg = f"expected a move by at most {FARTHEST:.0f} voxels; found {farthest:.3g}"
        raise OptionError(msg)
    return found


def read_matrix(path: str | Path) -> Matrix:
    """Read a 4 × 4 matrix from a JSON file: a list of four lists, or ``{"matrix": …}``.

    Raises
    ------
    OptionError
        Naming the file.
    """
    try:
        document: Any = json.loads(Path(path).read_text(encoding="utf-8"))
        rows = document["matrix"] if isinstance(document, dict) else document
        return check_matrix(rows)
    except OptionError as error:
        msg = f"{path}: {error}"
        raise OptionError(msg) from error
    except OSError as error:
        msg = f"expected a file with a matrix at {path}; found: {error.strerror}"
        raise OptionError(msg) from error
    except (ValueError, KeyError, RecursionError) as error:
        msg = (
            f"expected a JSON list of 4 lists of 4 numbers in {path}; found something"
            f" else ({type(error).__name__})"
        )
        raise OptionError(msg) from error


def whole_steps(matrix: Matrix) -> tuple[Int3, Int3, Int3] | None:
    """Tell where every voxel comes from, if all come from one voxel each.

    Parameters
    ----------
    matrix : ndarray, shape (4, 4)
        From output to source voxels.

    Returns
    -------
    axes, signs, shifts : tuple of int, or None
        Along source axis a the index is ``signs[a] * output[axes[a]] + shifts[a]``;
        None where voxels are mixed.
    """
    linear, shift = np.rint(matrix[:3, :3]), np.rint(matrix[:3, 3])
    one = np.abs(linear)
    is_whole = (
        np.abs(matrix[:3] - np.column_stack([linear, shift])).max() <= SNAP
        and np.array_equal(np.sort(one, axis=None), [0, 0, 0, 0, 0, 0, 1, 1, 1])
        and (one.sum(axis=0) == 1).all()
        and (one.sum(axis=1) == 1).all()
    )
    # An entry that is off by little still moves far voxels of a long axis.
    if not is_whole or not np.array_equal(matrix[:3, :3], linear):
        return None
    axes = one.argmax(axis=1)
    signs = linear[np.arange(3), axes]
    return _int3(axes), _int3(signs), _int3(shift)


def _int3(values: Any) -> Int3:
    z, y, x = (int(v) for v in values)
    return (z, y, x)


def voxel_sizes(values: Sequence[float]) -> Vec3:
    """Return voxel sizes (z, y, x) that can be used.

    Raises
    ------
    OptionError
        When they are not three finite numbers above 0.
    """
    z, y, x = finite("voxel sizes", values, 3)
    if min(z, y, x) <= 0:
        msg = f"expected voxel sizes above 0; found {z:g}, {y:g}, {x:g}"
        raise OptionError(msg)
    return (z, y, x)


def finite(name: str, values: Sequence[float], n: int) -> tuple[float, ...]:
    """Return so many finite numbers.

    Parameters
    ----------
    name : str
        For the message.
    values : sequence of float
    n : int

    Raises
    ------
    OptionError
    """
    try:
        numbers = tuple(float(v) for v in values)
    except (TypeError, ValueError):
        numbers = ()
    if len(numbers) != n or not all(map(isfinite, numbers)):
        count = "a finite number" if n == 1 else f"{n} finite numbers"
        msg = f"expected {name} as {count}; found {values!r}"
        raise OptionError(msg)
    return numbers
