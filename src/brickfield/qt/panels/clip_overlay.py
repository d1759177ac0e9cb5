"""The clip box over a picture: its edges, and knobs that drag its faces.

What is drawn belongs to the picture that is shown, not to a camera that is ahead of
it, so that box and data never come apart. Main thread only.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from qtpy.QtCore import QEvent, QObject, QPointF, Qt
from qtpy.QtGui import QColor, QPainter, QPen, QPixmap
from qtpy.QtWidgets import QLabel

from brickfield.model.camera import CameraState
from brickfield.qt.theme import ACCENT
from brickfield.qt.view_frame import ViewFrame
from brickfield.viewer.clip_handles import (
    Face,
    Knob,
    Pixel,
    dragged,
    edges,
    face_under,
    knobs,
)
from brickfield.viewer.ports import Box
from brickfield.viewer.presets import resized

RADIUS = 6.0
"""Of a knob, logical pixels."""
REACH = 11.0
"""How far from a knob's middle it can be taken hold of."""
_SHADE = QColor(0, 0, 0, 150)


class ClipOverlay(QObject):
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
        super().__init__(frame.picture)
        self._picture = frame.picture
        self._view = frame.view
        self._box = box
        self._move = move
        self._camera: CameraState | None = None
        self.knobs: dict[Face, Knob] = {}
        self._hovered: Face | None = None
        self._drag: tuple[Face, QPointF, Box, CameraState] | None = None
        self.canvas = QLabel(frame.picture)
        self.canvas.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self.canvas.setStyleSheet("background: transparent;")
        # Above the lines of text, which would hide a knob.
        self.canvas.raise_()
        self.canvas.show()
        # Before the gestures: what takes hold of a knob does not turn the volume.
        frame.picture.installEventFilter(self)
        self._view.reported.connect(self._on_report)
        self.redraw()

    def close(self) -> None:
        """Show nothing and feel nothing any more."""
        self._view.reported.disconnect(self._on_report, missing_ok=True)
        self._picture.removeEventFilter(self)
        self._picture.unsetCursor()
        self.canvas.hide()
        self.canvas.deleteLater()
        self.deleteLater()

    # -- what is shown -----------------------------------------------------------

    def _on_report(self, _report: object) -> None:
        camera = self._shown_camera()
        if camera is not self._camera:
            self.redraw()

    def _shown_camera(self) -> CameraState | None:
        """Return the camera of the picture that is shown."""
        report = self._view.report
        return self._view.camera if report.image is None else report.state.camera

    @property
    def _ratio(self) -> float:
        return float(self._picture.devicePixelRatioF())

    def redraw(self) -> None:
        """Draw the box of now."""
        ratio, size = self._ratio, self._picture.size()
        self._camera = self._shown_camera()
        found = self._box()
        pixmap = QPixmap(size * ratio)
        pixmap.setDevicePixelRatio(ratio)
        pixmap.fill(Qt.GlobalColor.transparent)
        self.knobs = {}
        if self._camera is not None and found is not None:
            box, _ = found
            viewport = (max(1, pixmap.width()), max(1, pixmap.height()))
            camera = resized(self._camera, viewport)
            self.knobs = knobs(camera, box, pixel_ratio=ratio)
            self._paint(pixmap, camera, box)
        self.canvas.resize(size)
        self.canvas.setPixmap(pixmap)

    def _paint(self, pixmap: QPixmap, camera: CameraState, box: Box) -> None:
        painter = QPainter(pixmap)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        ratio = self._ratio
        for start, end, is_front in edges(camera, box):
            a, b = (QPointF(x / ratio, y / ratio) for x, y in (start, end))
            painter.setPen(QPen(_SHADE, 3.2))
            painter.drawLine(a, b)
            line = QPen(QColor(255, 255, 255, 235 if is_front else 110), 1.4)
            line.setStyle(Qt.PenStyle.SolidLine if is_front else Qt.PenStyle.DashLine)
            painter.setPen(line)
            painter.drawLine(a, b)
        back_to_front = sorted(self.knobs.items(), key=lambda pair: -pair[1].depth)
        for face, knob in back_to_front:
            held = self._drag[0] if self._drag else self._hovered
            fill = QColor("white") if face == held else QColor(ACCENT)
            fill.setAlpha(255 if knob.is_front else 130)
            painter.setPen(QPen(_SHADE if face == held else QColor("white"), 1.6))
            painter.setBrush(fill)
            at = QPointF(knob.px[0] / ratio, knob.px[1] / ratio)
            painter.drawEllipse(at, RADIUS, RADIUS)
        painter.end()

    # -- the hand ----------------------------------------------------------------

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:  # noqa: N802
        """Take what is for a knob, and let all else pass to the gestures."""
        kinds = QEvent.Type
        kind = event.type()
        if kind == kinds.MouseButtonPress:
            return self._press(event)
        if kind == kinds.MouseMove:
            return self._drag_to(event)
        if kind == kinds.MouseButtonRelease and self._drag is not None:
            self._drag = None
            self.redraw()
            return True
        if kind == kinds.MouseButtonDblClick:
            return self._face_at(event.position()) is not None
        if kind == kinds.Resize:
            self.redraw()
        return False

    def _face_at(self, at: QPointF) -> Face | None:
        return face_under(self.knobs, self._px(at), reach_px=REACH * self._ratio)

    def _px(self, at: QPointF) -> Pixel:
        return (at.x() * self._ratio, at.y() * self._ratio)

    def _press(self, event: Any) -> bool:
        found = self._box()
        face = self._face_at(event.position())
        is_left = event.button() == Qt.MouseButton.LeftButton
        if face is None or found is None or self._camera is None or not is_left:
            return False
        ratio = self._ratio
        size = self._picture.size() * ratio
        camera = resized(self._camera, (size.width(), size.height()))
        self._drag = (face, event.position(), found[0], camera)
        self._view.hover(None)
        return True

    def _drag_to(self, event: Any) -> bool:
        if self._drag is None:
            face = self._face_at(event.position())
            is_free = event.buttons() == Qt.MouseButton.NoButton
            if is_free and face != self._hovered:
                self._hovered = face
                self._show_cursor(face)
                self.redraw()
            return False
        face, start, box, camera = self._drag
        found = self._box()
        if found is not None:
            a, b = self._px(start), self._px(event.position())
            move = (b[0] - a[0], b[1] - a[1])
            self._move(dragged(camera, box, face, move, found[1]))
        return True

    def _show_cursor(self, face: Face | None) -> None:
        if face is None:
            self._picture.unsetCursor()
        else:
            self._picture.setCursor(Qt.CursorShape.SizeAllCursor)
