"""The clip box over a picture: its edges, and knobs that drag its faces."""

from __future__ import annotations

from collections.abc import Callable

from qtpy.QtCore import Qt
from qtpy.QtGui import QColor, QPainter, QPen

from brickfield.camera.drag_line import Pixel
from brickfield.model import CameraState
from brickfield.qt.panels.overlays.picture_overlay import REACH, SHADE, PictureOverlay
from brickfield.qt.view.view_frame import ViewFrame
from brickfield.viewer.controls import Face, Knob, edges, face_under, knobs
from brickfield.viewer.controls import dragged_clip_handle as dragged
from brickfield.viewer.live import Box


class ClipOverlay(PictureOverlay[Face]):
    """Shows a box over one picture and lets a hand move its faces.

    Parameters
    ----------
    frame : ViewFrame
    box : callable
        Returns the box of now and its bounds; None shows nothing.
    move : callable
        Takes the box that a hand made.

    Attributes
    ----------
    knobs : dict of Face to Knob
        As they are drawn; physical pixels.
    """

    def __init__(
        self,
        frame: ViewFrame,
        box: Callable[[], tuple[Box, Box] | None],
        move: Callable[[Box], object],
    ) -> None:
        self._box = box
        self._move = move
        self.knobs: dict[Face, Knob] = {}
        self._begun: tuple[Box, CameraState] | None = None
        super().__init__(frame)

    def clear(self) -> None:
        """Forget where the knobs were."""
        self.knobs = {}

    def paint(self, painter: QPainter, camera: CameraState) -> None:
        """Draw edges and knobs of the box, what is nearer over what is behind.

        Parameters
        ----------
        painter : QPainter
        camera : CameraState
        """
        found = self._box()
        if found is None:
            return
        box, _ = found
        self.knobs = knobs(camera, box, pixel_ratio=self.ratio)
        for start, end, is_front in edges(camera, box):
            a, b = self.logical(start), self.logical(end)
            painter.setPen(QPen(SHADE, 3.2))
            painter.drawLine(a, b)
            line = QPen(QColor(255, 255, 255, 235 if is_front else 110), 1.4)
            line.setStyle(Qt.PenStyle.SolidLine if is_front else Qt.PenStyle.DashLine)
            painter.setPen(line)
            painter.drawLine(a, b)
        back_to_front = sorted(self.knobs.items(), key=lambda pair: -pair[1].depth)
        for face, knob in back_to_front:
            self.knob(painter, face, knob.px, 255 if knob.is_front else 130)

    def part_at(self, px: Pixel) -> Face | None:
        """Return the face whose knob lies under a physical pixel."""
        return face_under(self.knobs, px, reach_px=REACH * self.ratio)

    def begin(self, part: Face, camera: CameraState) -> bool:
        """Start to drag a face; tell whether that is possible.

        Parameters
        ----------
        part : Face
        camera : CameraState
        """
        found = self._box()
        self._begun = None if found is None else (found[0], camera)
        return found is not None

    def drag(self, part: Face, move_px: Pixel) -> None:
        """Move a face along its normal.

        Parameters
        ----------
        part : Face
        move_px : Pixel
            Columns and rows since :meth:`begin`, physical pixels.
        """
        found = self._box()
        if found is not None and self._begun is not None:
            box, camera = self._begun
            self._move(dragged(camera, box, part, move_px, found[1]))
