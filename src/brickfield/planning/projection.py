"""What a camera sees of one image, measured in its data space.

Everything that a plan needs of the camera is linear in data space: planes, depth, place
on the screen. So the camera is carried there once for each plan and the thousands of
boxes are tested as they are. Measures of a box are sums of one term per axis, which a
block of boxes shares.

The *error* of a chunk is the length on the screen of the longest edge of its voxels, at
the nearest point of the chunk that can be seen. Depth there is bounded from below by
the depth of the box, by the distance to the box times the cosine of the screen's
corner, and by the near plane; so the error is never underestimated, also under shear.

An axis counts for the *avoidable* error only where a finer level is finer along it:
thick slices that are thick on every level do not drive x and y to level 0. Of a plane
through the image only what lies in the plane counts: voxels are as long as they are
seen, and their thickness across it drives nothing.

Priorities say in which order chunks are wanted, the smallest number first. Within a
category, coarse chunks come before fine ones, because each coarse chunk improves more
of the picture for the same bytes. Within a level the order is error times nearness to
the centre of attention: where the picture is worst and the eye rests. The whole number
of a priority is the step of coarseness, its fraction the order within the level.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from math import hypot, radians, tan

import numpy as np
from numpy.typing import NDArray

from brickfield.model import (
    LEAST_LENGTH,
    MAX_LEVELS,
    AffineTransform,
    CameraState,
    Frustum,
    Pyramid,
    Vec3,
)
from brickfield.planning.culling import VisibleRegion, matrices_of, to_data
from brickfield.planning.grid import SCRATCH, Bools, Boxes, Floats, Ints

_SAME = 1e-3
"""Relative difference up to which voxels of two levels count as equal in size."""
_FAR_OFF = 1e3
"""Largest distance on the screen that is told apart, half picture heights."""


_CATEGORY_BITS = 2
_ROUNDING = 1e-9
_N_MEASURES = 5
"""Of a box, besides how far it reaches inside of planes."""


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
    _on_lower: Floats
    _on_upper: Floats
    _constant: Floats
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
        slice_normal: Vec3 | None = None,
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
        slice_normal : tuple of float or None
            Normal of the one plane that is shown, world, length 1.
        """
        frustum = _frustum_of(camera)
        if len(clip_planes):
            frustum = frustum.with_planes(clip_planes)
        region = VisibleRegion.from_frustum(frustum, world)
        half_height, cosine = _opening(camera)
        metric, voxel_world, avoidable_world = _voxels_in(pyramid, world, slice_normal)
        planes = _cutting(region.planes, *_bounds_of(pyramid))
        lower, upper, constant = _linear_terms(
            planes, camera.view_matrix[:3] @ matrices_of(world)[0]
        )
        view = cls(
            region=region,
            voxel_world=voxel_world,
            avoidable_world=avoidable_world,
            _on_lower=lower,
            _on_upper=upper,
            _constant=constant,
            _eye=to_data(camera.position, world),
            _metric=metric * cosine,
            _near=max(camera.near, LEAST_LENGTH),
            _scale=camera.pixels_per_unit,
            _half_height=half_height,
            _is_orthographic=camera.orthographic,
            _focus=np.zeros(2),
        )
        if focus is None:
            return view
        point = to_data(focus, world)[:, None]
        _, values = view.measure((point, point))
        return replace(view, _focus=view._on_screen(values)[:, 0])

    @classmethod
    def of_sites(
        cls,
        pyramid: Pyramid,
        worlds: Sequence[AffineTransform],
        camera: CameraState,
        *,
        clip_planes: Floats,
        slice_normal: Vec3 | None = None,
    ) -> DataView:
        """Carry a camera into the data spaces of several images of one kind.

        Parameters
        ----------
        pyramid : Pyramid
            Of all of them.
        worlds : sequence of AffineTransform
            Data space to world, of m images.
        camera : CameraState
        clip_planes : ndarray, shape (m, n, 4), float64
        slice_normal : tuple of float or None

        Returns
        -------
        DataView
            Its arrays have an axis more, the last, for the images; what is known of
            levels is to be looked up by head (see :mod:`brickfield.planning.sites`).
        """
        pairs = [matrices_of(world) for world in worlds]
        matrices, inverses = (np.stack(m) for m in zip(*pairs, strict=True))
        region = VisibleRegion.from_sites(
            _frustum_of(camera), clip_planes, matrices, inverses
        )
        half_height, cosine = _opening(camera)
        known = [_voxels_in(pyramid, world, slice_normal) for world in worlds]
        metric = np.stack([m for m, _, _ in known], axis=-1)
        by_head = np.zeros((2, len(worlds), MAX_LEVELS))
        by_head[..., : pyramid.n_levels] = [
            [v for _, v, _ in known],
            [a for *_, a in known],
        ]
        to_view = np.moveaxis(camera.view_matrix[:3] @ matrices, 0, -1)
        lower, upper, constant = _linear_terms(region.planes, to_view)
        eye = inverses[:, :3, :3] @ camera.position + inverses[:, :3, 3]
        return cls(
            region=region,
            voxel_world=by_head[0].reshape(-1),
            avoidable_world=by_head[1].reshape(-1),
            _on_lower=lower,
            _on_upper=upper,
            _constant=constant,
            _eye=eye.T,
            _metric=metric * cosine,
            _near=max(camera.near, LEAST_LENGTH),
            _scale=camera.pixels_per_unit,
            _half_height=half_height,
            _is_orthographic=camera.orthographic,
            _focus=np.zeros(2),
        )

    def measure(self, boxes: Boxes, sites: Ints | None = None) -> tuple[Bools, Floats]:
        """Measure boxes.

        Parameters
        ----------
        boxes : tuple of ndarray, shape (3, n), float64
            Lower and upper corners, data space.
        sites : ndarray, shape (n,), int64, optional
            The image of each box, where the view is of several.

        Returns
        -------
        is_seen : ndarray, shape (n,), bool
        values : ndarray, shape (5, n), float64
            For :meth:`magnification` and :meth:`nearness`.
        """
        terms = self.axis_terms(boxes, sites)
        return self.split(terms[:, 0] + terms[:, 1] + terms[:, 2])

    def axis_terms(self, boxes: Boxes, sites: Ints | None = None) -> Floats:
        """What the extent along each axis adds to all measures of boxes.

        Every measure is a sum of one term for each axis, so that the measures of
        a block of boxes are sums of the terms along its three sides.

        Parameters
        ----------
        boxes : tuple of ndarray, shape (3, ...), float64
            Lower and upper edges along each axis, data space.
        sites : ndarray, shape (n,), int64, optional
            The image of each place along the last axis, where the view is of several.

        Returns
        -------
        ndarray, shape (n_planes + 5, 3, ...), float64
            Of planes that cut the image, and of at least one. Until the next call.
        """
        lower, upper = boxes
        on_lower, on_upper, constant, low, high, eye, metric = self._spread(
            lower.ndim, sites
        )
        n = len(self._constant)
        terms = SCRATCH.array("terms", (n + 1, *lower.shape))
        np.multiply(on_lower, lower, out=terms[:-1])
        above = SCRATCH.array("terms of upper edges", (n, *lower.shape))
        terms[:-1] += np.multiply(on_upper, upper, out=above)
        terms[:-1, 0] += constant
        # A quick test against the frustum's bounding box, as a term of the first plane:
        # it rejects boxes that all planes meet, beyond the corners of the frustum.
        np.copyto(terms[0], -np.inf, where=(upper < low) | (lower > high))
        # Distance from the eye to the box along each axis, 0 beside it.
        gap = np.maximum(lower - eye, eye - upper)
        np.maximum(gap, 0.0, out=gap)
        gap *= metric
        np.multiply(gap, gap, out=terms[-1])
        return terms

    def _spread(self, ndim: int, sites: Ints | None) -> list[Floats]:
        """Return what boxes are measured by, to be used with arrays of `ndim` axes."""
        values = (
            self._on_lower,
            self._on_upper,
            self._constant,
            self.region.low,
            self.region.high,
            self._eye,
            self._metric,
        )
        # One value for all, or the one of each box's image.
        if sites is None:
            axes = (..., *(None,) * (ndim - 1))
            return [v[axes] for v in values]
        middle = (1,) * (ndim - 2)
        return [
            v.take(sites, axis=-1).reshape((*v.shape[:-1], *middle, -1)) for v in values
        ]

    def split(self, sums: Floats) -> tuple[Bools, Floats]:
        """Divide sums of :meth:`axis_terms` into what is seen and other measures."""
        n = len(sums) - _N_MEASURES
        return np.asarray(np.minimum.reduce(sums[:n]) >= 0), sums[n:]

    def magnification(self, values: Floats) -> Floats:
        """Pixels that a world unit covers at the nearest visible point, shape (n,)."""
        if self._is_orthographic:
            return np.full(values.shape[1], self._scale)
        # Two lower bounds of the depth; the larger is the better one, and both are
        # safe.
        depth: Floats = np.sqrt(values[4])
        np.maximum(values[0], depth, out=depth)
        np.maximum(depth, self._near, out=depth)
        return np.divide(self._scale, depth, out=depth)

    def nearness(self, values: Floats, *, out: Floats | None = None) -> Floats:
        """Nearness to the centre of attention on the screen, shape (n,), 0 to 1.

        Half at half a picture height beside it.
        """
        place = self._on_screen(values)
        place -= self._focus[:, None]
        place *= place
        right, up = place
        right += 1.0
        right += up
        return np.asarray(np.divide(1.0, right, out=out))

    def _on_screen(self, values: Floats) -> Floats:
        """Place right and up on the screen, half picture heights, (2, n)."""
        place: Floats = values[1:3] / self._half_height
        if not self._is_orthographic:
            # Behind the eye there is no place on the screen: far off, so last.
            depth = np.negative(values[3])
            place /= np.maximum(depth, self._near, out=depth)
        np.maximum(place, -_FAR_OFF, out=place)
        return np.minimum(place, _FAR_OFF, out=place)


@lru_cache(maxsize=8)
def _frustum_of(camera: CameraState) -> Frustum:
    # One camera shows all layers of a view.
    return Frustum.from_camera(camera)


@lru_cache(maxsize=4096)
def _voxels_in(
    pyramid: Pyramid, world: AffineTransform, slice_normal: Vec3 | None
) -> tuple[Floats, Floats, Floats]:
    """Return what of a view depends on the image's place alone.

    Returns
    -------
    metric : ndarray, shape (3,), float64
        World units an axis step stands for at least.
    voxel_world, avoidable_world : ndarray, shape (n_levels,), float64
        As of :class:`DataView`.
    """
    linear = world.matrix[:3, :3]
    columns = np.linalg.norm(linear, axis=0)
    # Shear makes distances in the world shorter than those along the axes, by this
    # factor at most; with it the error is never underestimated.
    stretch = np.linalg.svd(linear / columns, compute_uv=False)[-1]
    edges = avoidable = pyramid.downscale * columns
    if slice_normal is not None:
        in_plane = linear - np.outer(slice_normal, slice_normal @ linear)
        # Voxels are as long as their part within the plane.
        edges = pyramid.downscale * np.linalg.norm(in_plane, axis=0)
        avoidable = _not_finer_for_free(edges, avoidable)
    return columns * stretch, edges.max(axis=1), _avoidable(avoidable)


@lru_cache(maxsize=64)
def _bounds_of(pyramid: Pyramid) -> tuple[Floats, Floats]:
    """Return the lower and the upper corner of a pyramid's outer box."""
    low, high = (np.array(corner, dtype=np.float64) for corner in pyramid.outer_bounds)
    return low, high


def _cutting(planes: Floats, low: Floats, high: Floats) -> Floats:
    """Leave out the planes that have a whole box inside, but for the first plane.

    Mostly the near and the far plane, and clip planes that are out of the way. What is
    in the box is inside of these, too.
    """
    on_low, on_high = planes[:, :3] * low, planes[:, :3] * high
    least = np.minimum(on_low, on_high).sum(axis=1) + planes[:, 3]
    size = np.maximum(np.abs(on_low), np.abs(on_high)).sum(axis=1)
    # Rounding must not let a box be outside after all.
    is_cut = least <= _ROUNDING * (size + np.abs(planes[:, 3]))
    is_cut[0] = True
    return planes if is_cut.all() else planes[is_cut]


def _linear_terms(planes: Floats, to_view: Floats) -> tuple[Floats, Floats, Floats]:
    """Weights of a box's lower and upper corner in its measures, and constants.

    Rows: how far the box reaches inside of every plane; its least depth; right, up
    and backward of its centre.
    """
    # Of a box the corner farthest along a plane's normal decides whether it is met:
    # each component of the normal takes the upper or the lower edge by its sign.
    normals, toward, centre = planes[:, :3], -to_view[2:, :3], to_view[:, :3] * 0.5
    lower = [np.minimum(normals, 0), np.maximum(toward, 0), centre]
    upper = [np.maximum(normals, 0), np.minimum(toward, 0), centre]
    constant = [planes[:, 3], -to_view[2:, 3], to_view[:, 3]]
    return np.vstack(lower), np.vstack(upper), np.concatenate(constant)


def _opening(camera: CameraState) -> tuple[float, float]:
    """Half the picture height (at distance 1), and cosine of its corner's angle."""
    if camera.orthographic:
        return camera.height / 2, 1.0
    height = tan(radians(camera.fov) / 2)
    width = height * camera.width_over_height
    return height, 1 / hypot(1.0, height, width)


def _not_finer_for_free(seen: Floats, whole: Floats) -> Floats:
    """Let levels that are as fine in the plane as level 0 be replaced by it.

    A level that is coarser across the plane alone costs as much as the finer one,
    and shows a mean of several slices. Given as the level after it, which is worse
    in the plane, it is refined as soon as that one is; without one after it, when
    its voxels are thick on the screen.
    """
    is_same = (seen <= seen[0] * (1 + _SAME)).all(axis=1)
    edges = seen.copy()
    coarser = np.flatnonzero(~is_same)
    for level in np.flatnonzero(is_same)[1:]:
        after = coarser[coarser > level]
        edges[level] = seen[after[0]] if len(after) else whole[level]
    return edges


def _avoidable(edges: Floats) -> Floats:
    is_finer_elsewhere = edges > edges[0] * (1 + _SAME)
    longest = np.where(is_finer_elsewhere, edges, 0.0).max(axis=1)
    return np.asarray(np.maximum.accumulate(longest))


def step_priorities(
    steps: int | Ints, errors_px: Floats, nearness: Floats
) -> NDArray[np.float32]:
    """Order chunks that share a step: worst and nearest to the centre first.

    Parameters
    ----------
    steps : int or ndarray, shape (n,), int64
        Levels that go before: 0 for the coarsest; of the base level, 0 for what is
        in view and 1 for the rest.
    errors_px : ndarray, shape (n,), float64
        Screen-space size of a voxel, pixels.
    nearness : ndarray, shape (n,), float64
        To the centre of attention, 0 to 1.

    Returns
    -------
    ndarray, shape (n,), float32
        From `steps` to ``steps + 1``, smaller is wanted sooner.
    """
    fraction = 1.0 / (1.0 + errors_px * nearness)
    return np.asarray(steps + fraction, dtype=np.float32)


def loading_order(
    categories: NDArray[np.uint8],
    priorities: NDArray[np.float32],
    sites: Ints | None = None,
) -> Ints:
    """Order rows by category, then by priority; equal rows keep their order.

    Parameters
    ----------
    categories : ndarray, shape (n,), uint8
        Smaller goes first.
    priorities : ndarray, shape (n,), float32
        From 0 on; smaller goes first.
    sites : ndarray, shape (n,), int64, optional
        Comes before the category: smaller goes first.

    Returns
    -------
    ndarray, shape (n,), int64
        Row numbers.
    """
    # One number that holds both and its place is sorted far quicker than two keys:
    # the bits of floats from 0 on order as they do.
    n_bits = len(categories).bit_length()
    bits = priorities.view(np.uint32).astype(np.int64)
    coded = categories.astype(np.int64)
    if sites is not None:
        coded |= sites << _CATEGORY_BITS
    coded = (coded << 32 | bits) << n_bits
    coded |= np.arange(len(coded))
    coded.sort()
    return coded & ((1 << n_bits) - 1)
