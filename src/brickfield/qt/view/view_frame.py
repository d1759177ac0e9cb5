"""One view in a window: its picture, its name and what lies under the cursor.

Invariant: what is written over the picture is one line high, is never wider than
the picture, keeps away from overlays, and never takes mouse events from it.
What was said of a place goes as soon as the place has moved.
"""

from __future__ import annotations

from typing import Any

from qtpy.QtCore import QEvent, QObject, QPointF, Qt
from qtpy.QtWidgets import QLabel, QVBoxLayout, QWidget

from brickfield.model import PickInfo
from brickfield.model.units import length
from brickfield.qt.patience import patience_of
from brickfield.qt.view.picture import PictureWidget
from brickfield.rendering.overlays import NAMES
from brickfield.viewer.live import LiveView, ViewReport, are_flat, readout
from brickfield.viewer.receipts import DOT

MARGIN = 6
"""Room between a line and the picture's edge, pixels."""
GAP = 4
"""Room between two lines side by side."""
PADDING = 18
"""What a line is wider than its text."""
OVERLAY_ROOM = 84
"""Pixels that an overlay at the other end may take from the line."""
_SHEET = (
    "background: rgba(0, 0, 0, 165); color: #f0f0f0; padding: 1px 6px;"
    "border-radius: 3px;"
)
PLANE_HINT = f"plane{DOT}right drag tilts{DOT}Shift + wheel moves it along its normal"
"""How an oblique slice is moved; said shorter where there is no room."""
PLANE_HINTS = (
    PLANE_HINT,
    f"plane{DOT}right drag tilts{DOT}Shift + wheel shifts",
    f"plane{DOT}right drag tilts",
    "plane",
)
FLAT = "flat data: one slice along z"
"""Said where a view shows next to nothing of them."""


class ViewFrame(QWidget):
    """A picture with a line of text over its edge.

    Parameters
    ----------
    view : LiveView

    Attributes
    ----------
    picture : PictureWidget
    readout : QLabel
        Value and place under the cursor.
    tag : QLabel
        Which slice it is; hidden for the volume.
    """

    def __init__(self, view: LiveView, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.view = view
        view.client.wait_for = patience_of(self)
        self.picture = PictureWidget(view, self)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        layout.addWidget(self.picture)
        self._said: tuple[str, ...] = ()
        self._at: QPointF | None = None
        self._seen: Any = None
        self.readout = self._line()
        self.tag = self._line()
        self.picture.installEventFilter(self)
        view.picked.connect(self._on_picked)
        view.camera_changed.connect(self._on_moved)
        view.options_changed.connect(self._place)
        view.reported.connect(self._on_reported)
        if view.slice is not None and view.slice.axis is not None:
            view.scene.cross_hair_changed.connect(self._show_tag)
            view.scene.layers_changed.connect(self._show_tag)
        self._show_tag()

    def _line(self) -> QLabel:
        line = QLabel(self.picture)
        line.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        line.setTextFormat(Qt.TextFormat.PlainText)
        line.setStyleSheet(_SHEET)
        line.hide()
        return line

    # -- what is said ------------------------------------------------------------

    def say(self, *texts: str) -> None:
        """Show a line over the picture; nothing takes it away.

        Parameters
        ----------
        *texts : str
            The same in shorter and shorter forms: the first that fits is shown, the
            last is cut where it must be.
        """
        self._said = tuple(" ".join(text.split()) for text in texts if text)
        self._place()

    @property
    def said(self) -> str:
        """The full text of the line; "" without one."""
        return self._said[0] if self._said else ""

    def _show_tag(self) -> None:
        view = self.view
        if view.is_closed:  # this window is on its way out
            return
        text = "" if view.slice is None else view.kind
        axis = None if view.slice is None else view.slice.axis
        ports = view.scene.layers
        is_flat = are_flat(p.data for p in ports)
        if axis is not None and is_flat:
            # Flat data have no third axis to be anywhere along.
            text += "" if axis == 0 else f"{DOT}{FLAT}"
        elif axis is not None and ports:
            at = length(view.scene.cross_hair[axis], view.scene.unit)
            text += f"{DOT}{'zyx'[axis]} {at}"
        self.tag.setText(text)
        self._place()

    def _place(self) -> None:
        """Put every line where it disturbs least."""
        if self.view.is_closed:
            return
        is_low = self._is_taken("top_left")
        right = OVERLAY_ROOM if not is_low and self._is_taken("top_right") else 0
        room = self.picture.width() - 2 * MARGIN - right
        self._choose(room)
        x = MARGIN
        for line in (self.tag, self.readout):
            if not line.isHidden():
                line.adjustSize()
                low = self.picture.height() - line.height() - MARGIN
                line.move(x, low if is_low else MARGIN)
                x += line.width() + GAP

    def _choose(self, room: int) -> None:
        """Choose the longest text that fits; if none does, the tag makes room for it."""
        texts = self._said
        if self.view.slice is not None and self.view.slice.is_oblique:
            fitting = (t for t in PLANE_HINTS if self._width(self.tag, t) <= room)
            self.tag.setText("plane" if texts else next(fitting, "plane"))
        tag = self._width(self.tag, self.tag.text()) + GAP if self.tag.text() else 0
        beside = [t for t in texts if self._width(self.readout, t) <= room - tag]
        alone = [t for t in texts if self._width(self.readout, t) <= room]
        text = next(iter(beside or alone), texts[-1] if texts else "")
        self.tag.setVisible(bool(self.tag.text()) and (not text or bool(beside)))
        mode, metrics = Qt.TextElideMode.ElideRight, self.readout.fontMetrics()
        self.readout.setText(metrics.elidedText(text, mode, room - PADDING))
        self.readout.setVisible(bool(text))

    @staticmethod
    def _width(line: QLabel, text: str) -> int:
        line.ensurePolished()
        return int(line.fontMetrics().horizontalAdvance(text)) + PADDING

    def _is_taken(self, corner: str) -> bool:
        found: list[Any] = [self.view.overlay_options(name) for name in NAMES]
        return any(o.visible and getattr(o, "corner", "") == corner for o in found)

    # -- what lies under the cursor ----------------------------------------------

    def _on_picked(self, info: PickInfo | None) -> None:
        scene = self.view.scene
        self.say(*(() if info is None else readout(info, scene.layers, scene.unit)))

    def _on_moved(self) -> None:
        # Also drops an answer that is on its way.
        self.view.cursor.hover(None)

    def _on_reported(self, report: ViewReport) -> None:
        """Pick again at the resting cursor when the picture under it changes.

        Also of the same picture where nothing is said: a camera may be set to where
        it is, and a question is left open when another picture is asked for.
        """
        is_new = report.image is not self._seen or not self._said
        self._seen = report.image
        is_there = report.image is not None and not report.is_moving
        is_of_now = report.state.camera == self.view.camera
        if is_new and is_there and is_of_now and self._at is not None:
            self.view.cursor.hover((self._at.x(), self._at.y()))

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:  # noqa: N802
        """Record where the cursor is; no event is held back.

        Parameters
        ----------
        watched : QObject
        event : QEvent
        """
        kind, kinds = event.type(), QEvent.Type
        if kind == kinds.MouseMove:
            is_free = event.buttons() == Qt.MouseButton.NoButton
            self._at = event.position() if is_free else None
        elif kind in (kinds.Leave, kinds.MouseButtonPress):
            self._at = None
        elif kind == kinds.MouseButtonRelease:
            self._at = event.position()
        elif kind == kinds.Resize:
            self._place()
        return False
