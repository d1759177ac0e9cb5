"""Which levels a view is worth, as one short list from coarse to fine.

This is the simple choice for a whole view: something coarse at once, something
between, and the level that the nearest visible voxel deserves.
:mod:`brickfield.planning.plan` decides the same chunk by chunk. How the finest
level follows from the view is a function that can be exchanged:
:func:`by_screen_error` (the default) or :func:`by_distance`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from brickfield.errors import OptionError
from brickfield.model import LEAST_LENGTH, ScaleLevel, Vec3

Region = tuple[Vec3, Vec3]
"""Lower and upper corner (z, y, x), world."""


@dataclass(frozen=True, eq=False)
class ViewMeasure:
    """What the choice of a level stands on.

    Attributes
    ----------
    distance : float
        From the near plane to the nearest visible part of the region, world.
    voxel_px : ndarray, shape (n_levels,), float64
        Longest voxel edge of every level there, pixels.
    """

    distance: float
    voxel_px: NDArray[np.float64]


TargetChooser = Callable[[ViewMeasure], int]


def by_screen_error(target_px: float = 1.0) -> TargetChooser:
    """Choose the coarsest level whose voxels are at most `target_px` large."""

    def choose(view: ViewMeasure) -> int:
        fine_enough = np.flatnonzero(view.voxel_px <= target_px)
        return int(fine_enough[-1]) if len(fine_enough) else 0

    return choose


def by_distance(thresholds: Sequence[float]) -> TargetChooser:
    """Choose by distance thresholds, world units, ascending.

    Level 0 is chosen below the first threshold, level 1 below the second, and so
    on; beyond the last one the next coarser level.
    """

    def choose(view: ViewMeasure) -> int:
        return int(np.searchsorted(np.asarray(thresholds), view.distance, side="right"))

    return choose


class LevelOfDetailSelector:
    """Chooses levels for a view. Stateless: any thread.

    Parameters
    ----------
    scales : sequence of ScaleLevel
        Level 0 first.
    downscale_factors : array_like, shape (n_levels, 3), optional
        Voxel size of every level over level 0's, (z, y, x); by default as the
        levels say.
    viewport_height : int
        Picture height, pixels.
    choose_target : callable
        ``(ViewMeasure) -> level``, the finest level that is wanted.
    """

    def __init__(
        self,
        scales: Sequence[ScaleLevel],
        downscale_factors: ArrayLike | None = None,
        *,
        viewport_height: int = 1080,
        choose_target: TargetChooser | None = None,
    ) -> None:
        sizes = np.array([lv.voxel_size_zyx for lv in scales], dtype=np.float64)
        if downscale_factors is not None:
            sizes = sizes[0] * np.asarray(downscale_factors, dtype=np.float64)
        self._longest = sizes.max(axis=1)
        first = scales[0]
        low = np.array(first.translation_zyx) - 0.5 * sizes[0]
        self._bounds = np.stack([low, low + sizes[0] * np.array(first.shape_zyx)])
        self._height = viewport_height
        self._choose = choose_target or by_screen_error()

    def select_scales(
        self,
        frustum_corners: ArrayLike,
        region: Region | None = None,
        max_scales: int = 3,
    ) -> list[int]:
        """Choose the levels to load for a view.

        Parameters
        ----------
        frustum_corners : array_like, shape (2, 4, 3)
            Near and far x corner x (z, y, x), world: lower left, lower right, upper
            right, upper left.
        region : tuple of tuple of float, optional
            Box that is looked at, world; by default the whole image.
        max_scales : int
            Largest number of levels.

        Returns
        -------
        list of int
            Levels, coarsest to finest, evenly between the coarsest level there is
            and the one that the view deserves.

        Raises
        ------
        OptionError
            If `max_scales` is below 1.
        """
        if max_scales < 1:
            msg = f"expected max_scales of at least 1; found {max_scales}"
            raise OptionError(msg)
        coarsest = len(self._longest) - 1
        target = min(
            max(self._choose(self.measure(frustum_corners, region)), 0), coarsest
        )
        if max_scales == 1:
            return [target]
        steps = np.linspace(coarsest, target, min(max_scales, coarsest - target + 1))
        return [int(level) for level in np.rint(steps)]

    def measure(
        self, frustum_corners: ArrayLike, region: Region | None = None
    ) -> ViewMeasure:
        """Measure how large voxels are at the nearest visible part of a region.

        Parameters
        ----------
        frustum_corners : array-like, shape (2, 4, 3)
            Near and far quad (z, y, x), world.
        region : array-like, shape (2, 3), optional
            Lower and upper corner of what is looked at, world; default the image.
        """
        near, far = np.asarray(frustum_corners, dtype=np.float64).reshape(2, 4, 3)
        bounds = (
            self._bounds if region is None else np.asarray(region, dtype=np.float64)
        )
        eye, axis = near.mean(axis=0), far.mean(axis=0) - near.mean(axis=0)
        length = float(np.linalg.norm(axis))
        axis = axis / length if length > 0 else axis
        nearest = np.where(axis > 0, bounds[0], bounds[1])
        distance = float(np.clip((nearest - eye) @ axis, 0.0, length))
        edges = [float(np.linalg.norm(quad[3] - quad[0])) for quad in (near, far)]
        share = distance / length if length > 0 else 0.0
        height = edges[0] + (edges[1] - edges[0]) * share
        return ViewMeasure(
            distance, self._longest * self._height / max(height, LEAST_LENGTH)
        )
