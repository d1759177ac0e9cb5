"""What a camera sees of one image, measured in its data space.

Everything that a plan asks of the camera is linear in data space: planes,
depth, place on the screen. So the camera is carried there once for each plan
and the thousands of boxes are tested as they are.

The *error* of a chunk is the length on the screen of the longest edge of its
voxels, at the nearest point of the chunk that can be seen. Depth there is
bounded from below by the depth of the box, by the distance to the box times the
cosine of the screen's corner, and by the near plane; so the error is never
underestimated, also under shear.

An axis counts for the *avoidable* error only where a finer level is finer along
it: thick slices that are thick on every level do not drive x and y to level 0.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import hypot, radians, tan

import numpy as np
from numpy.typing import NDArray

from brickfield.model.camera import CameraState
from brickfield.model.frustum import Frustum
from brickfield.model.scales import Pyramid, Vec3
from brickfield.model.transforms import AffineTransform
from brickfield.planning.culling import VisibleRegion
from brickfield.planning.grid import Floats

_SAME = 1e-3
"""Relative difference up to which voxels of two levels count as equal in size."""
_FAR_OFF = 1e3
"""Largest distance on the screen that is told apart, half picture heights."""


@dataclass(frozen=True, eq=False)
class DataView:
    """A camera in the data space of one image, (z, y, x).

    Attributes
    ----------
    region : VisibleRegion
        What is seen.
    voxel_world : ndarray, shape (n_levels,), float64
        Longest voxel edge, world units.
    avoidable_world : ndarray, shape (n_levels,), float64
        Longest voxel edge that a finer level shortens; 0 where none does; never
        falls with the level.
    """

    region: VisibleRegion
    voxel_world: Floats
    avoidable_world: Floats
    _to_view: Floats
    _eye: Floats
    _metric: Floats
    _near: float
    _scale: float
    _half_height: float
    _is_orthographic: bool
    _focus: Floats

    @classmethod
    def of(
        cls,
        pyramid: Pyramid,
        world: AffineTransform,
        camera: CameraState,
        *,
        clip_planes: Floats,
        focus: Vec3 | None,
    ) -> DataView:
        """Carry a camera into data space.

        Parameters
        ----------
        pyramid : Pyramid
        world : AffineTransform
            Data space to world.
        camera : CameraState
        clip_planes : ndarray, shape (n, 4), float64
            Rows (nz, ny, nx, d), world: kept where ``n . p + d >= 0``.
        focus : tuple of float or None
            Centre of attention, world; None is the centre of the screen.
        """
        frustum = Frustum.from_camera(camera).with_planes(clip_planes)
        linear = world.matrix[:3, :3]
        columns = np.linalg.norm(linear, axis=0)
        half_height, cosine = _opening(camera)
        stretch = np.linalg.svd(linear / columns, compute_uv=False)[-1]
        edges = pyramid.downscale * columns
        view = cls(
            region=VisibleRegion.from_frustum(frustum, world),
            voxel_world=edges.max(axis=1),
            avoidable_world=_avoidable(edges),
            _to_view=camera.view_matrix[:3] @ world.matrix,
            _eye=world.inverse.apply(camera.position),
            _metric=columns * stretch * cosine,
            _near=max(camera.near, 1e-9),
            _scale=camera.pixels_per_unit,
            _half_height=half_height,
            _is_orthographic=camera.orthographic,
            _focus=np.zeros(2),
        )
        if focus is None:
            return view
        point = np.array([focus], dtype=np.float64)
        return replace(view, _focus=view._on_screen(world.inverse.apply(point))[0])

    def magnification(self, centre: Floats, half: Floats) -> Floats:
        """Pixels that a world unit covers at the nearest visible point of boxes.

        Parameters
        ----------
        centre, half : ndarray, shape (n, 3), float64
            Data space.

        Returns
        -------
        ndarray, shape (n,), float64
        """
        if self._is_orthographic:
            return np.full(len(centre), self._scale)
        toward = -self._to_view[2]
        depth = centre @ toward[:3] + toward[3] - half @ np.abs(toward[:3])
        gap = np.abs(centre - self._eye)
        gap -= half
        np.maximum(gap, 0.0, out=gap)
        gap *= self._metric
        distance = np.sqrt(np.einsum("ij,ij->i", gap, gap))
        np.maximum(depth, distance, out=depth)
        return np.asarray(self._scale / np.maximum(depth, self._near))

    def nearness(self, centre: Floats) -> Floats:
        """Nearness to the centre of attention on the screen, shape (n,), 0 to 1.

        Half at half a picture height beside it.
        """
        beside = self._on_screen(centre) - self._focus
        return np.asarray(1.0 / (1.0 + np.einsum("ij,ij->i", beside, beside)))

    def _on_screen(self, points: Floats) -> Floats:
        """Place right and up on the screen, half picture heights, (n, 2)."""
        seen = points @ self._to_view[:, :3].T + self._to_view[:, 3]
        place: NDArray[np.float64] = seen[:, :2] / self._half_height
        if not self._is_orthographic:
            place /= np.maximum(-seen[:, 2:], self._near)
        return np.clip(place, -_FAR_OFF, _FAR_OFF)


def _opening(camera: CameraState) -> tuple[float, float]:
    """Half the picture height (at distance 1), and cosine of its corner's angle."""
    if camera.orthographic:
        return camera.height / 2, 1.0
    height = tan(radians(camera.fov) / 2)
    width = height * camera.viewport[0] / camera.viewport[1]
    return height, 1 / hypot(1.0, height, width)


def _avoidable(edges: Floats) -> Floats:
    is_finer_elsewhere = edges > edges[0] * (1 + _SAME)
    longest = np.where(is_finer_elsewhere, edges, 0.0).max(axis=1)
    return np.asarray(np.maximum.accumulate(longest))
