"""Clip box and clip planes of a layer, and the slab round a view's plane, as planes.

Planes are rows (nz, ny, nx, d) in the world, keeping what has ``n . p + d >= 0``.
"""

from __future__ import annotations

from itertools import product

import numpy as np
from numpy.typing import NDArray

from brickfield.gpu.uniforms import settled_row
from brickfield.model import AffineTransform, Plane, Pyramid
from brickfield.model.appearance import Appearance

_SNAPPED = 2e-3
"""Nearer than this to a voxel's middle the shader takes the voxel alone, voxels."""
_UPWARD = 1e-3
"""A place on a face belongs to the voxel behind it: the shader looks so far on."""


def clip_planes_of(look: Appearance) -> NDArray[np.float64]:
    """Return clip box and clip planes, shape (n, 4), rows (nz, ny, nx, d), world."""
    rows = [list(p) for p in look.clip_planes]
    if look.clip_box is not None:
        for axis, (low, high) in enumerate(zip(*look.clip_box, strict=True)):
            for sign, at in ((1.0, low), (-1.0, high)):
                if np.isfinite(at):
                    normal = [0.0, 0.0, 0.0]
                    normal[axis] = sign
                    rows.append([*normal, -sign * at])
    return np.array(rows, dtype=np.float64).reshape(-1, 4)


def slab_planes(
    plane: Plane,
    world: AffineTransform,
    pyramid: Pyramid,
    *,
    level: int,
    is_linear: bool,
) -> NDArray[np.float64]:
    """Return two planes round a slice: between them lies all that it needs.

    Chunks beside the slab are not wanted, so it is as thin as can be: nothing for
    the nearest voxels; for linear samples the half voxel that makes a plane next to
    a chunk's face need the chunk behind the face too.

    Parameters
    ----------
    plane : Plane
    world : AffineTransform
        Data space to world.
    pyramid : Pyramid
    level : int
        Level whose voxels count.
    is_linear : bool

    Returns
    -------
    ndarray, shape (2, 4)
    """
    row = settled_row(plane, world)
    # What the equation grows by from a voxel to the next along each axis.
    steps = row[:3] * pyramid.downscale[level]
    if is_linear:
        half, shift = (0.5 - _SNAPPED) * np.abs(steps).sum(), 0.0
    else:
        half, shift = 0.5 * _UPWARD * np.abs(row[:3]).sum(), _UPWARD * row[:3].sum()
        corners = np.array(list(product(*zip(*pyramid.outer_bounds, strict=True))))
        reach = corners @ row[:3] + row[3]
        if reach.min() <= 0 <= reach.max():
            # Behind the last face lies nothing: the voxel before it is shown.
            shift = np.clip(shift, reach.min(), reach.max())
    settled = plane.row
    settled[3] += row[3] - plane.in_data(world)[3] - shift
    front, back = settled.copy(), -settled
    front[3] += half
    back[3] += half
    return np.stack([front, back])
