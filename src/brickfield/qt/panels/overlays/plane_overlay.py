"""The oblique plane over the picture of the volume: its frame, and its handle.

They are there wherever both pictures are, whether the plane's panel is open or not.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from qtpy.QtCore import Qt
from qtpy.QtGui import QColor, QPainter, QPen, QPolygonF

from brickfield.camera.drag_line import Pixel, pixel_at
from brickfield.camera.plane_handle import (
    Part,
    PlaneHandle,
    box_round,
    handle,
    in_front,
    outline,
    part_under,
    shifted,
    tilted,
)
from brickfield.model import CameraState, Plane
from brickfield.qt.host import Host, oblique_of
from brickfield.qt.panels.overlays.picture_overlay import REACH, SHADE, PictureOverlay
from brickfield.qt.port_watch import Connections
from brickfield.qt.theme import ACCENT
from brickfield.qt.view.view_frame import ViewFrame
from brickfield.viewer.live import PlanePose, SlicePlane, corners_of

_HINTS = {
    "foot": "Drag: shifts the oblique plane along its normal",
    "tip": "Drag: tilts the oblique plane",
}


class PlaneOverlay(PictureOverlay[Part]):
    """Shows an oblique plane over a picture of the volume that it cuts.

    Parameters
    ----------
    frame : ViewFrame
        Of the volume.
    oblique : SlicePlane
        The plane.

    Attributes
    ----------
    polygon : ndarray, shape (n, 3)
        Corners of the frame (z, y, x), world; n is 0 without one.
    handle : PlaneHandle or None
        As it is drawn.
    """

    def __init__(self, frame: ViewFrame, oblique: SlicePlane) -> None:
        self._oblique = oblique
        self.polygon: NDArray[np.float64] = np.empty((0, 3))
        self.handle: PlaneHandle | None = None
        self._begun: tuple[CameraState, Plane, PlaneHandle, PlanePose] | None = None
        super().__init__(frame)
        oblique.plane_changed.connect(self.redraw)

    def close(self) -> None:
        """Hide what is drawn, and let all events pass."""
        self._oblique.plane_changed.disconnect(self.redraw, missing_ok=True)
        super().close()

    # -- what is shown -----------------------------------------------------------

    def clear(self) -> None:
        """Forget where frame and handle were."""
        self.polygon, self.handle = np.empty((0, 3)), None

    def _corners(self) -> NDArray[np.float64] | None:
        """Return the corners of what is cut, shape (8, 3); None without layers."""
        seen = self._oblique.cut
        return box_round([corners_of(layer) for layer in seen]) if seen else None

    def paint(self, painter: QPainter, camera: CameraState) -> None:
        """Draw the frame, and above it the handle.

        Parameters
        ----------
        painter : QPainter
        camera : CameraState
        """
        corners = self._corners()
        if corners is None:
            return
        plane = self._oblique.plane
        self.polygon = outline(plane, corners)
        self._paint_frame(painter, camera)
        found = handle(camera, plane, self.polygon, pixel_ratio=self.ratio)
        self.handle = found
        if found is not None:
            self._paint_handle(painter, found)

    def _paint_frame(self, painter: QPainter, camera: CameraState) -> None:
        places = [pixel_at(camera, p) for p in in_front(camera, self.polygon)]
        if not places:
            return
        loop = QPolygonF([self.logical((float(x), float(y))) for x, y in places])
        fill = QColor(ACCENT)
        fill.setAlpha(38)
        painter.setBrush(fill)
        painter.setPen(QPen(SHADE, 3.4))
        painter.drawPolygon(loop)
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.setPen(QPen(QColor(ACCENT).lighter(135), 1.6))
        painter.drawPolygon(loop)

    def _paint_handle(self, painter: QPainter, place: PlaneHandle) -> None:
        foot, tip = self.logical(place.foot), self.logical(place.tip)
        for pen in (QPen(SHADE, 4.4), QPen(QColor("white"), 2.0)):
            painter.setPen(pen)
            painter.drawLine(foot, tip)
        if place.can_shift:
            self.knob(painter, "foot", place.foot, is_square=True)
        self.knob(painter, "tip", place.tip)

    # -- mouse and keys ---------------------------------------------------------

    def hint_of(self, part: Part) -> str:
        """Return what dragging a part does."""
        return _HINTS[part]

    def part_at(self, px: Pixel) -> Part | None:
        """Return the part of the handle under a physical pixel."""
        return part_under(self.handle, px, reach_px=REACH * self.ratio)

    def begin(self, part: Part, camera: CameraState) -> bool:
        """Start to drag the handle; tell whether that is possible.

        Parameters
        ----------
        part : Part
        camera : CameraState
        """
        if self.handle is None or self._oblique.is_closed:
            return False
        oblique = self._oblique
        self._begun = (camera, oblique.plane, self.handle, oblique.pose)
        return True

    def drag(self, part: Part, move_px: Pixel) -> None:
        """Shift or tilt the plane.

        Parameters
        ----------
        part : Part
        move_px : Pixel
            Columns and rows since :meth:`begin`, physical pixels.
        """
        corners = self._corners()
        if self._begun is None or corners is None or self._oblique.is_closed:
            return
        camera, plane, place, pose = self._begun
        if part == "tip":
            self._oblique.turn_from(pose, tilted(camera, plane, place, move_px))
        else:
            after = shifted(camera, plane, place, move_px, corners)
            self._oblique.put_through(after.point, is_going_on=True)


class PlaneInVolume:
    """Shows the oblique slice of a dock in its picture of the volume, if it has both.

    Parameters
    ----------
    host : Host

    Attributes
    ----------
    overlay : PlaneOverlay or None
    connections : Connections
        Connections that end with the dock.
    """

    def __init__(self, host: Host) -> None:
        self._host = host
        self._shown: tuple[ViewFrame, SlicePlane] | None = None
        self.overlay: PlaneOverlay | None = None
        self.connections = Connections()
        self.connections.bind(host.views_changed, self._follow_views)
        self.connections.follow_layers(host.scene, self._on_layers)
        self._follow_views()

    def _follow_views(self) -> None:
        volume, oblique = self._host.frames.get("3D"), oblique_of(self._host)
        wanted = None if volume is None or oblique is None else (volume, oblique)
        if wanted == self._shown:
            return
        if self.overlay is not None:
            self.overlay.close()
        self._shown = wanted
        self.overlay = None if wanted is None else PlaneOverlay(*wanted)

    def _on_layers(self, name: str) -> None:
        if self.overlay is not None and name in ("layers", "visible", "world", "data"):
            self.overlay.redraw()
