"""Frame uniforms: rays, levels and windows as the shader expects them.

All products are formed in float64 relative to an integer voxel near the eye
(the *anchor*) and only then rounded to float32. Positions that the shader
handles are therefore small wherever detail matters, in volumes of any size.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import radians, tan

import numpy as np
from numpy.typing import NDArray

from brickfield.gpu.layout import LevelLayout, to_xyz
from brickfield.model import AffineTransform, CameraState, Plane, Pyramid

__all__ = [
    "RayUniforms",
    "anchor_of",
    "clip_planes_in_data",
    "level_uniforms",
    "ray_uniforms",
    "settled_row",
    "slice_uniforms",
]

F64 = NDArray[np.float64]
# float32 has 24 bits: up to here a position still has 9 bits for the fraction of a
# voxel.
_ANCHOR_FROM = 1 << 15
"""Volumes shorter than this along every axis need no anchor."""
_ALONG_AXIS = 1e-9
_SETTLED = 1e-6


@dataclass(frozen=True)
class RayUniforms:
    """Rays of one camera through one volume, GPU order, relative to the anchor.

    ``origin = o0 + ndc.x * ox + ndc.y * oy``, likewise the
    direction, whose parameter is the view depth.
    """

    o0: F64
    ox: F64
    oy: F64
    d0: F64
    dx: F64
    dy: F64


def anchor_of(
    camera: CameraState,
    world: AffineTransform,
    pyramid: Pyramid,
    plane: Plane | None = None,
) -> F64:
    """Choose the integer voxel of level 0 (z, y, x) that positions count from.

    Parameters
    ----------
    camera : CameraState
    world : AffineTransform
        Data space to world.
    pyramid : Pyramid
    plane : Plane, optional
        The slice; the anchor is near it instead of near the camera.

    Returns
    -------
    ndarray, shape (3,), float64
        Zeros for volumes that need none.
    """
    shape = pyramid.shapes_zyx[0]
    if int(shape.max()) < _ANCHOR_FROM:
        return np.zeros(3)
    near = camera.position
    if plane is not None:
        # The camera of a slice may be far away; its samples are on the plane.
        near = plane.met_by(camera.position, camera.forward)
    # A whole voxel, so that the sample grid does not shift when the anchor moves.
    return np.rint(np.clip(world.inverse.apply(near), 0, shape - 1))


def ray_uniforms(
    camera: CameraState, world: AffineTransform, anchor: F64
) -> RayUniforms:
    """Derive the rays of a camera in the data space of a volume.

    Parameters
    ----------
    camera : CameraState
    world : AffineTransform
        Data space to world, (z, y, x).
    anchor : ndarray, shape (3,)
        Integer voxel (z, y, x).
    """
    inverse = world.inverse
    linear = inverse.matrix[:3, :3]
    right, up, back = camera.axes
    half = camera.height / 2 if camera.orthographic else tan(radians(camera.fov) / 2)
    across = linear @ right * (half * camera.width_over_height)
    upward = linear @ up * half
    eye = inverse.apply(camera.position) - anchor
    forward = -(linear @ back)
    zero = np.zeros(3)
    # Parallel rays start at different places in one direction; perspective ones start
    # at the eye in different directions. The shader computes both with one formula.
    o_x, o_y = (across, upward) if camera.orthographic else (zero, zero)
    d_x, d_y = (zero, zero) if camera.orthographic else (across, upward)
    return RayUniforms(*(to_xyz(v) for v in (eye, o_x, o_y, forward, d_x, d_y)))


def settled_row(plane: Plane, world: AffineTransform) -> F64:
    """Return a plane's equation in data space, (nz, ny, nx, d).

    Where it lies across an axis of the data and within a millionth of a voxel's
    middle or face, it is there exactly: products of scales leave such remainders.

    Parameters
    ----------
    plane : Plane
    world : AffineTransform
        Data space to world.

    Returns
    -------
    ndarray, shape (4,), float64
    """
    row = plane.in_data(world)
    axis = _axis_across(row)
    if axis is not None:
        at = -row[3] / row[axis]
        # Halves, since faces of voxels lie there.
        settled = np.rint(2 * at) / 2
        if abs(at - settled) < _SETTLED:
            row[3] = -row[axis] * settled
    return row


def _axis_across(row: F64) -> int | None:
    size = np.abs(row[:3])
    axis = int(size.argmax())
    beside = np.delete(size, axis).max()
    return axis if beside <= _ALONG_AXIS * size[axis] else None


def slice_uniforms(
    plane: Plane, camera: CameraState, world: AffineTransform, anchor: F64
) -> dict[str, F64]:
    """Derive where the rays of a camera meet a plane.

    Parameters
    ----------
    plane : Plane
    camera : CameraState
    world : AffineTransform
        Data space to world.
    anchor : ndarray, shape (3,), float64
        Voxel of level 0 (z, y, x).

    Returns
    -------
    dict of str to ndarray
        GPU order, relative to the anchor. ``slice``, shape (4,): the equation.
        ``slice_o``, ``slice_x``, ``slice_y``, shape (3,): the place of a pixel is
        ``o + ndc.x * x + ndc.y * y`` for parallel rays. ``slice_at``, shape (2,):
        the coordinate and the number (x is 0) of the axis that the plane lies
        across; -1 for none.
    """
    row = settled_row(plane, world)
    row[3] += row[:3] @ anchor
    normal = to_xyz(row[:3])
    rays = ray_uniforms(camera, world, anchor)
    slope = float(normal @ rays.d0)
    # A ray that runs along the plane never meets it; the shader sees to that.
    back = rays.d0 / slope if slope else np.zeros(3)
    places = {
        "slice_o": rays.o0 - back * (normal @ rays.o0 + row[3]),
        "slice_x": rays.ox - back * (normal @ rays.ox),
        "slice_y": rays.oy - back * (normal @ rays.oy),
    }
    axis = _axis_across(row)
    at = (0.0, -1.0) if axis is None else (-row[3] / row[axis], 2.0 - axis)
    return {"slice": np.append(normal, row[3]), **places, "slice_at": np.array(at)}


def level_uniforms(
    pyramid: Pyramid, layouts: tuple[LevelLayout, ...], anchor: F64
) -> dict[str, NDArray[np.generic]]:
    """Derive the arrays ``lv_*`` of the shader but for texture sizes.

    Parameters
    ----------
    pyramid : Pyramid
    layouts : tuple of LevelLayout
        One per level.
    anchor : ndarray, shape (3,), float64
        Voxel of level 0 (z, y, x).

    Returns
    -------
    dict of str to ndarray, shape (n_levels, 3)
        GPU order. Level space counts from the first voxel of the cell that
        holds the anchor (``lv_cell0``). ``lv_low`` and ``lv_high`` are the level's
        outer faces, ``lv_near`` and ``lv_far`` those to which its outermost voxels
        are repeated: the same, or level 0's where these lie less than a voxel further
        out.
    """
    scale, offset = pyramid.downscale, pyramid.offset
    brick = np.array([lay.brick_zyx for lay in layouts], dtype=np.float64)
    at = (anchor - offset) / scale
    # Whole cells are subtracted, so that cell numbers stay exact on both sides.
    cell0 = np.where(anchor.any(), np.floor((at + 0.5) / brick), 0.0)
    low, high = -0.5 - cell0 * brick, pyramid.shapes_zyx - 0.5 - cell0 * brick
    near, far = (
        (np.array(face) - offset) / scale - cell0 * brick
        for face in pyramid.data_bounds
    )
    arrays = {
        "lv_scale": 1 / scale,
        "lv_shift": at - cell0 * brick,
        "lv_brick": brick,
        "lv_border": np.array([lay.border_zyx for lay in layouts]),
        "lv_slot": np.array([lay.slot_zyx for lay in layouts]),
        "lv_low": low,
        "lv_high": high,
        "lv_near": np.where((low - 1 < near) & (near < low), near, low),
        "lv_far": np.where((high < far) & (far < high + 1), far, high),
        "lv_cell0": cell0,
        "lv_grid": pyramid.grids_zyx,
    }
    return {name: to_xyz(values) for name, values in arrays.items()}


def clip_planes_in_data(
    planes: NDArray[np.float64], world: AffineTransform, anchor: F64
) -> F64:
    """Turn world planes (nz, ny, nx, d) into data planes (nx, ny, nz, d).

    Parameters
    ----------
    planes : ndarray, shape (n, 4)
        Kept where ``n . p + d >= 0``.
    """
    if not len(planes):
        return np.zeros((0, 4))
    m = world.matrix
    # Plane equations are rows: they go with the matrix itself, from world to data.
    normals = planes[:, :3] @ m[:3, :3]
    shift = planes[:, :3] @ (m[:3, 3] + m[:3, :3] @ anchor) + planes[:, 3]
    return np.hstack([to_xyz(normals), shift[:, None]])
