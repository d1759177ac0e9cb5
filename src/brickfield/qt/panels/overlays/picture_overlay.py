"""Lines and knobs over a picture that can be dragged.

What is drawn belongs to the picture that is shown, not to a newer camera than that of
it, so that knobs and data never come apart. A drag that takes hold of a knob is one
act that can be undone, and moves nothing else. Main thread only.
"""

from __future__ import annotations

from typing import Any, Generic, TypeVar

from qtpy.QtCore import QEvent, QObject, QPointF, QRectF, Qt
from qtpy.QtGui import QColor, QPainter, QPen, QPixmap
from qtpy.QtWidgets import QLabel

from brickfield.camera import resized
from brickfield.camera.drag_line import Pixel
from brickfield.model import CameraState
from brickfield.qt.theme import ACCENT
from brickfield.qt.view.view_frame import ViewFrame

RADIUS = 6.0
"""Of a knob, logical pixels."""
REACH = 11.0
"""How far from a knob's middle it can be taken hold of."""
SHADE = QColor(0, 0, 0, 150)
_Part = TypeVar("_Part")


class PictureOverlay(QObject, Generic[_Part]):
    """Draws over one picture, and lets a hand drag parts of what is drawn.

    Parameters
    ----------
    frame : ViewFrame

    Attributes
    ----------
    canvas : QLabel
        What is drawn on; above the lines of text, which would hide a knob.
    held : object or None
        The part that is dragged.
    """

    def __init__(self, frame: ViewFrame) -> None:
        super().__init__(frame.picture)
        self._picture = frame.picture
        self._view = frame.view
        self._camera: CameraState | None = None
        self._hovered: _Part | None = None
        self._start = QPointF()
        self.held: _Part | None = None
        self.canvas = QLabel(frame.picture)
        self.canvas.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self.canvas.setStyleSheet("background: transparent;")
        self.canvas.raise_()
        self.canvas.show()
        # Before the gestures: what takes hold of a knob does not turn the volume.
        frame.picture.installEventFilter(self)
        self._view.reported.connect(self._on_report)
        self.redraw()

    def close(self) -> None:
        """Hide what is drawn, and let all events pass."""
        self._release()
        self._view.reported.disconnect(self._on_report, missing_ok=True)
        self._picture.removeEventFilter(self)
        self._show_cursor(None)
        self.canvas.hide()
        self.canvas.deleteLater()
        self.deleteLater()

    # -- for subclasses ----------------------------------------------------------

    def paint(self, painter: QPainter, camera: CameraState) -> None:
        """Place the parts for a camera of the canvas's size, and draw.

        Parameters
        ----------
        painter : QPainter
        camera : CameraState
        """
        raise NotImplementedError

    def clear(self) -> None:
        """Clear the places of the parts; called before they are placed again."""
        raise NotImplementedError

    def part_at(self, px: Pixel) -> _Part | None:
        """Return the part under a physical pixel."""
        raise NotImplementedError

    def begin(self, part: _Part, camera: CameraState) -> bool:
        """Start to drag a part; tell whether that is possible.

        Parameters
        ----------
        part : _Part
        camera : CameraState
        """
        raise NotImplementedError

    def drag(self, part: _Part, move_px: Pixel) -> None:
        """Move a part.

        Parameters
        ----------
        part : _Part
        move_px : Pixel
            Columns and rows since :meth:`begin`, physical pixels.
        """
        raise NotImplementedError

    def end(self) -> None:
        """Take note that a drag has ended."""

    def hint_of(self, part: _Part) -> str:
        """Return what dragging a part does; "" says nothing."""
        return ""

    # -- what is shown -----------------------------------------------------------

    def _on_report(self, _report: object) -> None:
        if self._shown_camera() is not self._camera:
            self.redraw()

    def _shown_camera(self) -> CameraState | None:
        """Return the camera of the picture that is shown."""
        report = self._view.report
        return self._view.camera if report.image is None else report.state.camera

    @property
    def ratio(self) -> float:
        """Physical pixels a logical one."""
        return float(self._picture.devicePixelRatioF())

    def redraw(self) -> None:
        """Draw what there is now."""
        ratio, size = self.ratio, self._picture.size()
        self._camera = self._shown_camera()
        pixmap = QPixmap(size * ratio)
        pixmap.setDevicePixelRatio(ratio)
        pixmap.fill(Qt.GlobalColor.transparent)
        self.clear()
        if self._camera is not None:
            viewport = (max(1, pixmap.width()), max(1, pixmap.height()))
            painter = QPainter(pixmap)
            painter.setRenderHint(QPainter.RenderHint.Antialiasing)
            self.paint(painter, resized(self._camera, viewport))
            painter.end()
        self.canvas.resize(size)
        self.canvas.setPixmap(pixmap)

    def logical(self, px: Pixel) -> QPointF:
        """Return where a physical pixel is on the widget."""
        return QPointF(px[0] / self.ratio, px[1] / self.ratio)

    def knob(
        self,
        painter: QPainter,
        part: _Part,
        px: Pixel,
        alpha: int = 255,
        *,
        is_square: bool = False,
    ) -> None:
        """Draw a knob, highlighted while it is dragged or under the cursor.

        Parameters
        ----------
        painter : QPainter
        part : _Part
        px : Pixel
            Column and row, physical pixels.
        alpha : int
            Opacity, 0 to 255.
        is_square : bool
        """
        is_lit = part == (self._hovered if self.held is None else self.held)
        fill = QColor("white") if is_lit else QColor(ACCENT)
        fill.setAlpha(alpha)
        painter.setPen(QPen(SHADE if is_lit else QColor("white"), 1.6))
        painter.setBrush(fill)
        at, edge = self.logical(px), RADIUS - 0.5
        if is_square:
            size = 2 * edge
            box = QRectF(at.x() - edge, at.y() - edge, size, size)
            painter.drawRoundedRect(box, 1.5, 1.5)
        else:
            painter.drawEllipse(at, RADIUS, RADIUS)

    # -- mouse and keys ---------------------------------------------------------

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:  # noqa: N802
        """Handle the mouse on knobs, and let everything else pass to the gestures.

        Parameters
        ----------
        watched : QObject
        event : QEvent
        """
        kinds = QEvent.Type
        kind = event.type()
        if kind == kinds.MouseButtonPress:
            return self._press(event)
        if kind == kinds.MouseMove:
            return self._drag_to(event)
        if kind == kinds.MouseButtonRelease and self.held is not None:
            self._release()
            self.redraw()
            return True
        if kind == kinds.MouseButtonDblClick:
            return self.part_at(self._px(event.position())) is not None
        if kind == kinds.Leave and self.held is None:
            self._light(None)
        if kind == kinds.Resize:
            self.redraw()
        return False

    def _px(self, at: QPointF) -> Pixel:
        return (at.x() * self.ratio, at.y() * self.ratio)

    def _press(self, event: Any) -> bool:
        if self.held is not None:
            return True  # another button, while one holds a knob
        part = self.part_at(self._px(event.position()))
        is_left = event.button() == Qt.MouseButton.LeftButton
        if part is None or self._camera is None or not is_left:
            return False
        size = self._picture.size() * self.ratio
        if not self.begin(part, resized(self._camera, (size.width(), size.height()))):
            return False
        self.held, self._start = part, event.position()
        self._view.history.begin_act()
        self._view.cursor.hover(None)
        return True

    def _release(self) -> None:
        if self.held is not None:
            self.held = None
            # What the end still does belongs to the act.
            self.end()
            self._view.history.end_act()

    def _drag_to(self, event: Any) -> bool:
        if self.held is None:
            part = self.part_at(self._px(event.position()))
            is_free = event.buttons() == Qt.MouseButton.NoButton
            if is_free:
                self._light(part)
            return False
        a, b = self._px(self._start), self._px(event.position())
        self.drag(self.held, (b[0] - a[0], b[1] - a[1]))
        return True

    def _light(self, part: _Part | None) -> None:
        """Show which part is under the cursor."""
        if part != self._hovered:
            self._hovered = part
            self._show_cursor(part)
            self.redraw()

    def _show_cursor(self, part: _Part | None) -> None:
        if part is None:
            self._picture.unsetCursor()
            self._picture.setToolTip("")
        else:
            self._picture.setCursor(Qt.CursorShape.SizeAllCursor)
            self._picture.setToolTip(self.hint_of(part))
