"""What mouse and keys do to a view of the volume, and to a slice.

In the volume, left drag turns, right drag or the wheel zooms, middle or shift drag
pans, a double click makes what lies there the centre; one of several pictures takes all
the room and gives it back. In fly mode the left drag looks round and W A S D, E and Q
move.

Invariant: keys go to the picture under the pointer, unless the user is typing; plain
keys that it does not know are refused there with a hint, for the window behind would
act on layers that are not looked at.

In a slice, left click and drag move the cross-hair where it is shown. Where it is not,
a left drag tilts an oblique slice and moves the picture of any other. The wheel zooms,
shift and wheel (or the page and arrow keys) go through the slices, middle or shift drag
pans. Right drag pans, too, or turns the plane of an oblique slice.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from typing import Any

from qtpy.QtCore import QEvent, QObject, QPointF, Qt, Signal
from qtpy.QtGui import QKeySequence
from qtpy.QtWidgets import (
    QAbstractSpinBox,
    QApplication,
    QLineEdit,
    QPlainTextEdit,
    QTextEdit,
    QWidget,
)

from brickfield.camera import navigation, preset, toggle_projection
from brickfield.model import CameraState
from brickfield.viewer.live import LiveView, SlicePlane

STYLES = ("orbit", "trackball", "fly")
"""How the left button turns."""
WHEEL_STEP = 1.0015
"""Zoom a unit of wheel travel (120 a notch)."""
DRAG_ZOOM = 1.006
"""Zoom a pixel of right drag."""
_PRESET_KEYS = {
    Qt.Key.Key_1: "xy",
    Qt.Key.Key_2: "xz",
    Qt.Key.Key_3: "yz",
    Qt.Key.Key_7: "3D",
}
_FLY_KEYS = {
    Qt.Key.Key_W: (1, 0, 0),
    Qt.Key.Key_S: (-1, 0, 0),
    Qt.Key.Key_D: (0, 1, 0),
    Qt.Key.Key_A: (0, -1, 0),
    Qt.Key.Key_E: (0, 0, 1),
    Qt.Key.Key_Q: (0, 0, -1),
}


class Gestures(QObject):
    """Turns events of a widget into moves of a view's camera.

    Parameters
    ----------
    view : LiveView
    widget : QWidget
        Where the view's picture is shown.

    Attributes
    ----------
    style : str
        One of :data:`STYLES`.
    key_pressed : Signal
        Emits keys (int) that are for the dock, not for the camera.
    key_refused : Signal
        Emits the text of a key that does nothing here.
    maximise_asked : Signal
        This picture shall have all the room, or give it back.
    is_one_of_several : callable
        Tells whether there are other pictures beside this one.
    can_paste, paste : callable
        Tells whether the clipboard holds something for here, and takes it; what it
        holds for others is left to them.
    """

    key_pressed = Signal(int)
    key_refused = Signal(str)
    maximise_asked = Signal()

    def __init__(self, view: LiveView, widget: QWidget) -> None:
        super().__init__(widget)
        self.view = view
        self.style = "orbit"
        self._widget = widget
        self._last: QPointF | None = None
        self._lender: QWidget | None = None
        self.is_one_of_several: Callable[[], bool] = lambda: False
        self.can_paste: Callable[[], bool] = lambda: False
        self.paste: Callable[[], object] = lambda: None
        self._handlers = {
            QEvent.Type.MouseButtonPress: self._press,
            QEvent.Type.MouseMove: self._move,
            QEvent.Type.MouseButtonRelease: self._release,
            QEvent.Type.MouseButtonDblClick: self._double_click,
            QEvent.Type.Wheel: self._wheel,
            QEvent.Type.KeyPress: self._any_key,
            QEvent.Type.ShortcutOverride: self._claim,
            QEvent.Type.Enter: self._enter,
            QEvent.Type.Leave: self._leave,
        }

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:  # noqa: N802
        """Handle an event; return True to hold it back from everyone else.

        Parameters
        ----------
        watched : QObject
        event : QEvent
        """
        handler = self._handlers.get(event.type())
        if handler is None or self.view.is_closed:
            return False
        return handler(event)

    @property
    def _ratio(self) -> float:
        return float(self._widget.devicePixelRatioF())

    def _px(self, at: QPointF) -> tuple[float, float]:
        """Return a place in the camera's (physical) pixels."""
        return (at.x() * self._ratio, at.y() * self._ratio)

    # -- the keyboard ------------------------------------------------------------

    def _enter(self, _event: Any) -> bool:
        """Take the keyboard focus, unless the user is typing."""
        has_it = QApplication.focusWidget()
        if has_it is not self._widget and not _is_typed_in(has_it):
            self._lender = has_it
            self._widget.setFocus(Qt.FocusReason.MouseFocusReason)
        return False

    def _leave(self, _event: Any) -> bool:
        """Return the keyboard focus to the widget that had it."""
        self.view.cursor.hover(None)
        lender, self._lender = self._lender, None
        if lender is not None and self._widget.hasFocus():
            with suppress(RuntimeError):  # Qt has deleted it meanwhile
                lender.setFocus(Qt.FocusReason.OtherFocusReason)
        return False

    def _claim(self, event: Any) -> bool:
        """Keep shortcuts of the window from taking keys that are meant for here."""
        if _is_plain(event) or _undo_of(event) or self._is_paste(event):
            event.accept()
            return True
        return False

    def _any_key(self, event: Any) -> bool:
        if word := _undo_of(event):
            self.view.undo() if word == "undo" else self.view.redo()
            return True
        if self._is_paste(event):
            self.paste()
            return True
        if not _is_plain(event):
            return False
        if not self._key(event) and event.text().strip():
            self.key_refused.emit(event.text().strip().upper())
        return True

    def _is_paste(self, event: Any) -> bool:
        return event.matches(QKeySequence.StandardKey.Paste) and self.can_paste()

    # -- the mouse ---------------------------------------------------------------

    def _press(self, event: Any) -> bool:
        self._last = event.position()
        # After a click the focus stays here.
        self._lender = None
        self.view.history.begin_act()
        self._widget.setFocus(Qt.FocusReason.MouseFocusReason)
        self.view.cursor.hover(None)
        return True

    def _release(self, event: Any) -> bool:
        self._last = None
        self.view.history.end_act()
        return True

    def _move(self, event: Any) -> bool:
        at, buttons = event.position(), event.buttons()
        if self._last is None or buttons == Qt.MouseButton.NoButton:
            self.view.cursor.hover((at.x(), at.y()))
            return True
        before, self._last = self._last, at
        is_shifted = bool(event.modifiers() & Qt.KeyboardModifier.ShiftModifier)
        if buttons & Qt.MouseButton.MiddleButton or (
            buttons & Qt.MouseButton.LeftButton and is_shifted
        ):
            self.pan(before, at)
        elif buttons & Qt.MouseButton.RightButton:
            self._right_drag(before, at)
        elif buttons & Qt.MouseButton.LeftButton:
            self.drag(before, at)
        return True

    def _right_drag(self, before: QPointF, at: QPointF) -> None:
        self.zoom(DRAG_ZOOM ** (before.y() - at.y()))

    def drag(self, before: QPointF, at: QPointF) -> None:
        """Handle a drag of the left button.

        Parameters
        ----------
        before : QPointF
            Where the cursor was, logical pixels.
        at : QPointF
            Where it is.
        """
        start, end = self._px(before), self._px(at)
        dx, dy = end[0] - start[0], end[1] - start[1]

        def turn(camera: CameraState) -> CameraState:
            if self.style == "trackball":
                return navigation.trackball(camera, start, end)
            if self.style == "fly":
                return navigation.fly(camera, yaw_px=dx, pitch_px=dy)
            return navigation.orbit(camera, dx, dy)

        self.view.navigate(turn)

    def pan(self, before: QPointF, at: QPointF) -> None:
        """Shift the picture with the mouse.

        Parameters
        ----------
        before : QPointF
            Where the cursor was, logical pixels.
        at : QPointF
            Where it is.
        """
        start, end = self._px(before), self._px(at)
        self.view.navigate(
            lambda c: navigation.pan(c, end[0] - start[0], end[1] - start[1])
        )

    def zoom(self, factor: float, at: QPointF | None = None) -> None:
        """Enlarge the picture, round a point if there is one.

        Parameters
        ----------
        factor : float
            Above 1 enlarges.
        at : QPointF, optional
            Point that stays in place, logical pixels.
        """
        px = None if at is None else self._px(at)
        size = self.view.framing.scene_size()
        self.view.navigate(lambda c: navigation.zoom(c, factor, px, scene_size=size))

    def _double_click(self, event: Any) -> bool:
        if event.button() != Qt.MouseButton.LeftButton:
            return True
        is_shifted = bool(event.modifiers() & Qt.KeyboardModifier.ShiftModifier)
        if self.is_one_of_several() and not is_shifted:
            self.maximise_asked.emit()
        else:
            self.centre_at(event.position())
        return True

    def centre_at(self, at: QPointF) -> None:
        """Turn the volume about what is under a point from now on.

        Parameters
        ----------
        at : QPointF
            Logical pixels.
        """
        self.view.cursor.set_centre_at(at.x(), at.y())

    def _wheel(self, event: Any) -> bool:
        travel = event.angleDelta().y() or event.angleDelta().x()
        self.zoom(WHEEL_STEP**travel, event.position())
        return True

    def _key(self, event: Any) -> bool:
        key = event.key()
        corners, camera = self.view.framing.corners(), self.view.camera
        if corners is None or camera is None:
            return False
        if self.style == "fly" and key in _FLY_KEYS:
            step = navigation.target_height(camera) / 20
            z, y, x = (step * part for part in _FLY_KEYS[key])
            self.view.navigate(lambda c: navigation.fly(c, (z, y, x)))
        elif key in _PRESET_KEYS:
            self.view.move_to(preset(camera, _PRESET_KEYS[key], corners))
        elif key == Qt.Key.Key_F:
            self.view.framing.fit_again()
        elif key == Qt.Key.Key_P:
            self.view.move_to(toggle_projection(camera))
        else:
            self.key_pressed.emit(int(key))
            return self.is_for_the_dock(key)
        return True

    @staticmethod
    def is_for_the_dock(key: Any) -> bool:
        """Whether a key is the dock's business."""
        return key in _FOR_THE_DOCK


_MOVING = frozenset(
    {
        Qt.Key.Key_Up,
        Qt.Key.Key_Down,
        Qt.Key.Key_Left,
        Qt.Key.Key_Right,
        Qt.Key.Key_PageUp,
        Qt.Key.Key_PageDown,
    }
)
_TYPED_IN = (QLineEdit, QTextEdit, QPlainTextEdit)


def _is_typed_in(widget: QWidget | None) -> bool:
    """Whether the user is writing; a number that was only clicked is not being typed."""
    if isinstance(widget, QAbstractSpinBox):
        field = widget.findChild(QLineEdit)
        return field is None or field.isModified()
    numbers = Qt.InputMethodHint.ImhFormattedNumbersOnly
    if isinstance(widget, QLineEdit) and widget.inputMethodHints() & numbers:
        return bool(widget.isModified())
    return isinstance(widget, _TYPED_IN)


def _is_plain(event: Any) -> bool:
    """Whether a key that writes or moves was pressed without Control, Alt or Meta."""
    held = Qt.KeyboardModifier
    others = held.ControlModifier | held.AltModifier | held.MetaModifier
    if not (event.text() or event.key() in _MOVING):
        return False  # function keys, and Shift alone
    is_alone = event.key() not in (
        Qt.Key.Key_Escape,
        Qt.Key.Key_Tab,
        Qt.Key.Key_Backtab,
    )
    return is_alone and not event.modifiers() & others


def _undo_of(event: Any) -> str:
    """Return "undo" or "redo" for their keys, else ""."""
    if event.matches(QKeySequence.StandardKey.Undo):
        return "undo"
    is_redo = event.matches(QKeySequence.StandardKey.Redo) or (
        event.key() == Qt.Key.Key_Y
        and event.modifiers() == Qt.KeyboardModifier.ControlModifier
    )
    return "redo" if is_redo else ""


def gestures_for(view: LiveView, widget: QWidget) -> Gestures:
    """Make the gestures that fit a view.

    Parameters
    ----------
    view : LiveView
    widget : QWidget
    """
    if view.slice is None:
        return Gestures(view, widget)
    return SliceGestures(view, view.slice, widget)


_FOR_THE_DOCK = frozenset(
    {Qt.Key.Key_Space, Qt.Key.Key_C, Qt.Key.Key_R, Qt.Key.Key_Question}
)


NOTCH = 120
"""Wheel travel of one notch."""
_STEPS = {
    Qt.Key.Key_PageUp: 1,
    Qt.Key.Key_PageDown: -1,
    Qt.Key.Key_Up: 1,
    Qt.Key.Key_Down: -1,
    Qt.Key.Key_Right: 1,
    Qt.Key.Key_Left: -1,
}


class SliceGestures(Gestures):
    """Turns events of a widget into moves of cross-hair, slice and camera.

    Parameters
    ----------
    view : LiveView
    plane : SlicePlane
        Of the view.
    widget : QWidget
    """

    def __init__(self, view: LiveView, plane: SlicePlane, widget: QWidget) -> None:
        super().__init__(view, widget)
        self._plane = plane
        self._travel = 0.0
        self._cross_hair_was: Any = None
        """Where it was before the last click, world."""

    def centre_at(self, at: QPointF) -> None:
        """Do nothing: a slice has nothing to turn about."""

    def _press(self, event: Any) -> bool:
        super()._press(event)
        self._cross_hair_was = self.view.scene.cross_hair
        is_shifted = bool(event.modifiers() & Qt.KeyboardModifier.ShiftModifier)
        is_left = event.button() == Qt.MouseButton.LeftButton and not is_shifted
        if is_left and self._has_cross_hair:
            self._cross_hair_to(event.position())
        return True

    @property
    def _has_cross_hair(self) -> bool:
        """Whether it is visible: what is hidden is not moved."""
        return (
            self._plane.has_cross_hair and self.view.overlay_options("marker").visible
        )

    def _double_click(self, event: Any) -> bool:
        is_left = event.button() == Qt.MouseButton.LeftButton
        was, self._cross_hair_was = self._cross_hair_was, None
        if is_left and was is not None and self._has_cross_hair:
            # The first of the two clicks has moved it, which was not what they are for.
            self.view.scene.move_cross_hair(was)
        return super()._double_click(event)

    def _cross_hair_to(self, at: QPointF) -> None:
        if self.view.camera is not None:
            self.view.scene.move_cross_hair(self._plane.point_at(self._px(at)))

    def drag(self, before: QPointF, at: QPointF) -> None:
        """Handle a drag of the left button: it moves the cross-hair, if that is shown.

        Parameters
        ----------
        before : QPointF
            Where the cursor was, logical pixels.
        at : QPointF
            Where it is.
        """
        if self._has_cross_hair:
            self._cross_hair_to(at)
        else:
            self._right_drag(before, at)

    def _right_drag(self, before: QPointF, at: QPointF) -> None:
        if self._plane.is_oblique:
            start, end = self._px(before), self._px(at)
            self._plane.tilt(end[0] - start[0], end[1] - start[1])
        else:
            self.pan(before, at)

    def _wheel(self, event: Any) -> bool:
        modifiers = event.modifiers()
        if not modifiers & Qt.KeyboardModifier.ShiftModifier:
            return super()._wheel(event)
        delta = event.angleDelta()
        self._travel += delta.y() or delta.x()
        n_steps = int(self._travel / NOTCH)
        if n_steps:
            self._travel -= n_steps * NOTCH
            self._plane.scroll(n_steps)
        return True

    def _key(self, event: Any) -> bool:
        if event.key() in _STEPS:
            self._plane.scroll(_STEPS[event.key()])
            return True
        if event.key() == Qt.Key.Key_F:
            self.view.framing.fit_again()
            return True
        self.key_pressed.emit(int(event.key()))
        return self.is_for_the_dock(event.key())
