"""Where a napari layer lies, in the three axes that a volume view draws.

A layer's last three axes are z, y and x (two for a flat one, which is then one
voxel thick); all others are moved along by sliders. Scale, translate, rotate, shear
and affine are all taken into account.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from brickfield.model import AffineTransform

F64 = NDArray[np.float64]


def n_spatial(layer: Any) -> int:
    """Return how many of a layer's last axes are drawn."""
    data = layer.data[0] if getattr(layer, "multiscale", False) else layer.data
    # A store knows which axes are spatial: time, y and x are two.
    return min(getattr(data, "n_spatial", 3), int(layer.ndim))


def matrix_of(layer: Any) -> F64:
    """Return the map of a layer from level-0 indices to world, homogeneous, all axes.

    Made of the layer's parts: differences of transformed points would lose digits
    far from the origin.
    """
    from napari.utils.transforms import Affine

    own = Affine(
        scale=layer.scale,
        translate=layer.translate,
        rotate=layer.rotate,
        shear=layer.shear,
        ndim=int(layer.ndim),
    )
    matrix: F64 = layer.affine.affine_matrix @ own.affine_matrix
    return matrix


def world_of(layer: Any) -> AffineTransform:
    """Return the map from level-0 indices (z, y, x) to world."""
    k = n_spatial(layer)
    all_axes = matrix_of(layer)
    matrix = np.eye(4)
    matrix[3 - k :, 3 - k :] = all_axes[-k - 1 :, -k - 1 :]
    return AffineTransform.from_matrix(matrix)


def slider_indices(layer: Any, point: tuple[float, ...]) -> tuple[int, ...]:
    """Return a layer's index on each axis that is not drawn, for a viewer's point.

    Parameters
    ----------
    layer : napari layer
    point : tuple of float
        World coordinates of all the viewer's axes (``viewer.dims.point``).
    """
    n, k = int(layer.ndim), n_spatial(layer)
    if n == k:
        return ()
    world = np.zeros(n)
    here = np.asarray(point, dtype=np.float64)[-n:]
    world[n - len(here) :] = here
    data = np.asarray(layer.world_to_data(world), dtype=np.float64)[: n - k]
    shape = np.asarray(shape_of(layer))[: n - k]
    rounded = np.clip(np.rint(data), 0, shape - 1)
    return tuple(int(i) for i in rounded)


def shape_of(layer: Any) -> tuple[int, ...]:
    """Return the shape of a layer's finest level."""
    data = layer.data[0] if getattr(layer, "multiscale", False) else layer.data
    return tuple(int(n) for n in data.shape[: layer.ndim])


def planes_in_world(
    positions: F64, normals: F64, world: AffineTransform
) -> tuple[tuple[float, float, float, float], ...]:
    """Turn planes in data coordinates into rows (nz, ny, nx, d), world.

    Parameters
    ----------
    positions, normals : ndarray, shape (n, 3)
        Data (z, y, x); kept where ``(p - position) . normal >= 0``.
    world : AffineTransform
    """
    linear = world.matrix[:3, :3]
    # Normals go by the inverse transpose, or sheared planes would tilt.
    turned = normals @ np.linalg.inv(linear)
    turned = turned / np.linalg.norm(turned, axis=1, keepdims=True)
    shift = -np.einsum("ij,ij->i", turned, world.apply(positions))
    rows = np.hstack([turned, shift[:, None]])
    return tuple((float(a), float(b), float(c), float(d)) for a, b, c, d in rows)


def box_as_planes(
    low: tuple[float, float, float],
    high: tuple[float, float, float],
    world: AffineTransform,
) -> list[dict[str, Any]]:
    """Convert a world box to napari clipping planes (data coordinates).

    Ends that are infinite get no plane.

    Parameters
    ----------
    low : tuple of float
        Lower corner (z, y, x), world.
    high : tuple of float
        Upper corner (z, y, x), world.
    world : AffineTransform
        Data space to world.
    """
    inverse = world.inverse
    linear = world.matrix[:3, :3]
    inside = np.where(np.isfinite(low), low, np.where(np.isfinite(high), high, 0.0))
    planes = []
    for axis in range(3):
        for sign, at in ((1.0, low[axis]), (-1.0, high[axis])):
            if not np.isfinite(at):
                continue
            point, normal = inside.copy(), np.zeros(3)
            point[axis], normal[axis] = at, sign
            planes.append(
                {
                    "position": tuple(inverse.apply(point).tolist()),
                    "normal": tuple((normal @ linear).tolist()),
                    "enabled": True,
                }
            )
    return planes
