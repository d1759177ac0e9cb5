"""Slices side by side share one zoom and line up.

Invariant: while slices are linked, a world unit is equally many pixels in all of
them, and what two of them have in common (x for xy and xz) is at the same place in
both. Whichever the user moved last leads. Main thread only.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from functools import partial

import numpy as np
from numpy.typing import NDArray

from brickfield.model import CameraState, Vec3
from brickfield.viewer.live import LiveView

PRECISION = 1e-9
"""Differences below this, of a picture's height, are rounding."""


class SliceLink:
    """Keeps slices of the same scene together.

    Parameters
    ----------
    views : iterable of LiveView
        Those that are no slices across an axis are left alone.
    """

    def __init__(self, views: Iterable[LiveView]) -> None:
        self._views = [view for view in views if in_plane(view)]
        self._is_leading = False
        self._connections = [(view, partial(self._lead, view)) for view in self._views]
        if len(self._views) > 1:
            for view, lead in self._connections:
                view.camera_changed.connect(lead)
            self._lead(self._views[0])

    def close(self) -> None:
        """Unlink the slices."""
        for view, lead in self._connections:
            view.camera_changed.disconnect(lead, missing_ok=True)
        self._connections = []

    def _lead(self, leader: LiveView) -> None:
        """Move the other slices after one."""
        if self._is_leading or leader.camera is None:
            return
        self._is_leading = True
        try:
            if leader.framing.is_fitting and all(
                view.framing.is_fitting for view in self._views
            ):
                self._fit_together()
            else:
                for view in self._views:
                    if view is not leader and view.camera is not None:
                        camera = _after(leader, leader.camera, view.camera, view)
                        # A camera that was put back stays to the last bit.
                        if not _are_close(camera, view.camera):
                            view.framing.follow(camera)
        finally:
            self._is_leading = False

    def _fit_together(self) -> None:
        """Give all slices the zoom at which the largest fits."""
        fitted: list[tuple[LiveView, CameraState]] = []
        for view in self._views:
            camera = view.framing.fitting_camera()
            if camera is not None:
                fitted.append((view, camera))
        if not fitted:
            return
        unit = max(c.height / c.viewport[1] for _, c in fitted)
        for view, camera in fitted:
            view.framing.follow(replace(camera, height=unit * camera.viewport[1]))


def in_plane(view: LiveView) -> tuple[int, ...]:
    """Return the world axes (0 is z) that a slice shows; none if it is oblique."""
    across = None if view.slice is None else view.slice.axis
    return () if across is None else tuple(a for a in range(3) if a != across)


def _after(
    leader: LiveView, led: CameraState, camera: CameraState, view: LiveView
) -> CameraState:
    """Return a slice's camera with the zoom of another and what both show in line."""
    shared = [a for a in in_plane(view) if a in in_plane(leader)]
    shift = np.zeros(3)
    for axis in shared:
        shift[axis] = led.target[axis] - camera.target[axis]
    unit = led.height / led.viewport[1]
    return replace(
        camera,
        position=_vec(np.array(camera.position) + shift),
        target=_vec(np.array(camera.target) + shift),
        height=unit * camera.viewport[1],
    )


def _are_close(a: CameraState, b: CameraState) -> bool:
    """Tell whether two cameras of one slice differ by rounding alone."""
    least = PRECISION * a.height
    return (
        abs(a.height - b.height) <= least
        and bool(np.allclose(a.target, b.target, rtol=PRECISION, atol=least))
        and bool(np.allclose(a.position, b.position, rtol=PRECISION, atol=least))
    )


def _vec(values: NDArray[np.float64]) -> Vec3:
    z, y, x = (float(v) for v in values)
    return (z, y, x)
