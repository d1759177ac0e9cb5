"""What mouse and keys do to a view.

Left drag turns, right drag or the wheel zooms, middle or shift drag pans, a double
click makes what lies there the centre. In fly mode the left drag looks round and
W A S D, E and Q move. Keys that are no business of the view go on to the window.
"""

from __future__ import annotations

from typing import Any

from qtpy.QtCore import QEvent, QObject, QPointF, Qt, Signal
from qtpy.QtWidgets import QWidget

from brickfield.model.camera import CameraState
from brickfield.viewer import navigation
from brickfield.viewer.live_view import LiveView
from brickfield.viewer.presets import preset, toggle_projection
from brickfield.viewer.slice_view import LiveSliceView

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
    """

    key_pressed = Signal(int)

    def __init__(self, view: LiveView, widget: QWidget) -> None:
        super().__init__(widget)
        self.view = view
        self.style = "orbit"
        self._widget = widget
        self._last: QPointF | None = None
        self._handlers = {
            QEvent.Type.MouseButtonPress: self._press,
            QEvent.Type.MouseMove: self._move,
            QEvent.Type.MouseButtonRelease: self._release,
            QEvent.Type.MouseButtonDblClick: self._double_click,
            QEvent.Type.Wheel: self._wheel,
            QEvent.Type.KeyPress: self._key,
            QEvent.Type.Leave: self._leave,
        }

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:  # noqa: N802
        """Handle an event; True when nobody else shall see it."""
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

    def _press(self, event: Any) -> bool:
        self._last = event.position()
        self._widget.setFocus(Qt.FocusReason.MouseFocusReason)
        self.view.hover(None)
        return True

    def _release(self, event: Any) -> bool:
        self._last = None
        return True

    def _leave(self, _event: Any) -> bool:
        self.view.hover(None)
        return False

    def _move(self, event: Any) -> bool:
        at, buttons = event.position(), event.buttons()
        if self._last is None or buttons == Qt.MouseButton.NoButton:
            self.view.hover((at.x(), at.y()))
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
        """Follow a drag of the left button."""
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
        """Shift the picture with the mouse."""
        start, end = self._px(before), self._px(at)
        self.view.navigate(
            lambda c: navigation.pan(c, end[0] - start[0], end[1] - start[1])
        )

    def zoom(self, factor: float, at: QPointF | None = None) -> None:
        """Enlarge the picture, round a point if there is one."""
        px = None if at is None else self._px(at)
        size = self.view.scene_size()
        self.view.navigate(lambda c: navigation.zoom(c, factor, px, scene_size=size))

    def _double_click(self, event: Any) -> bool:
        if event.button() == Qt.MouseButton.LeftButton:
            at = event.position()
            self.view.set_centre_at(at.x(), at.y())
        return True

    def _wheel(self, event: Any) -> bool:
        travel = event.angleDelta().y() or event.angleDelta().x()
        self.zoom(WHEEL_STEP**travel, event.position())
        return True

    def _key(self, event: Any) -> bool:
        key = event.key()
        if event.modifiers() & Qt.KeyboardModifier.ControlModifier:
            return False
        corners, camera = self.view.corners(), self.view.camera
        if corners is None or camera is None:
            return False
        if self.style == "fly" and key in _FLY_KEYS:
            step = navigation.target_height(camera) / 20
            z, y, x = (step * part for part in _FLY_KEYS[key])
            self.view.navigate(lambda c: navigation.fly(c, (z, y, x)))
        elif key in _PRESET_KEYS:
            self.view.move_to(preset(camera, _PRESET_KEYS[key], corners))
        elif key == Qt.Key.Key_F:
            self.view.fit()
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


def gestures_for(view: LiveView, widget: QWidget) -> Gestures:
    """Make the gestures that fit a view."""
    from brickfield.qt.slice_gestures import SliceGestures

    if isinstance(view, LiveSliceView):
        return SliceGestures(view, widget)
    return Gestures(view, widget)


_FOR_THE_DOCK = frozenset(
    {Qt.Key.Key_Space, Qt.Key.Key_C, Qt.Key.Key_R, Qt.Key.Key_Question}
)
