"""What mouse and keys do to a slice.

Left click and drag move the cross-hair where it is shown. Where it is not, a left drag
tilts an oblique slice and moves the picture of any other. The wheel zooms, shift and wheel (or the
page and arrow keys) go through the slices, middle or shift drag pans. Right drag
pans, too, or turns the plane of an oblique slice.
"""

from __future__ import annotations

from typing import Any

from qtpy.QtCore import QPointF, Qt

from brickfield.qt.view.gestures import Gestures
from brickfield.viewer.live.slice_view import LiveSliceView

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
    """Turns events of a widget into moves of cross-hair, slice and camera."""

    view: LiveSliceView

    def __init__(self, view: LiveSliceView, widget: Any) -> None:
        super().__init__(view, widget)
        self._travel = 0.0

    def _press(self, event: Any) -> bool:
        super()._press(event)
        is_shifted = bool(event.modifiers() & Qt.KeyboardModifier.ShiftModifier)
        is_left = event.button() == Qt.MouseButton.LeftButton and not is_shifted
        if is_left and self._has_cross_hair:
            self._cross_hair_to(event.position())
        return True

    @property
    def _has_cross_hair(self) -> bool:
        """Whether it is to be seen: what nobody sees is not moved."""
        return self.view.has_cross_hair and self.view.overlay_options("marker").visible

    def _cross_hair_to(self, at: QPointF) -> None:
        if self.view.camera is not None:
            self.view.scene.move_cross_hair(self.view.point_at(self._px(at)))

    def drag(self, before: QPointF, at: QPointF) -> None:
        """Follow a drag of the left button: the cross-hair goes along, if shown."""
        if self._has_cross_hair:
            self._cross_hair_to(at)
        else:
            self._right_drag(before, at)

    def _right_drag(self, before: QPointF, at: QPointF) -> None:
        if self.view.is_oblique:
            start, end = self._px(before), self._px(at)
            self.view.tilt(end[0] - start[0], end[1] - start[1])
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
            self.view.scroll(n_steps)
        return True

    def _key(self, event: Any) -> bool:
        if event.key() in _STEPS:
            self.view.scroll(_STEPS[event.key()])
            return True
        if event.key() == Qt.Key.Key_F:
            self.view.fit_again()
            return True
        self.key_pressed.emit(int(event.key()))
        return self.is_for_the_dock(event.key())
