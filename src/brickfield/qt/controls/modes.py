"""The choice of the rendering mode, by a name and an explanation."""

from __future__ import annotations

from qtpy.QtCore import QEvent, Qt, Signal
from qtpy.QtGui import QPaintEvent
from qtpy.QtWidgets import (
    QComboBox,
    QStyle,
    QStyleOptionComboBox,
    QStylePainter,
    QWidget,
)

MODE_WORDS: dict[str, tuple[str, str]] = {
    "mip": ("Maximum", "The brightest value along each ray (mip)."),
    "minip": ("Minimum", "The darkest value along each ray (minip)."),
    "average": ("Average", "The mean of all values along each ray."),
    "attenuated_mip": (
        "Attenuated maximum",
        "The brightest value, what lies behind bright things dimmed (attenuated_mip).",
    ),
    "iso": ("Surface", "A lit surface where the value passes a threshold (iso)."),
    "translucent": (
        "Translucent",
        "Every voxel lets some light through, as opaque as its colour says.",
    ),
    "additive": ("Additive", "The light of all voxels along each ray, added up."),
}
"""Name and explanation of every mode."""
LONG = "attenuated_mip"
"""Its name alone may be shortened in the box; all others are whole."""
_HINT = "How a ray becomes a pixel, for all image layers"
_IN_SLICES = "Slice"
"""Stands for a mode where no volume is shown."""
_NO_RAYS = "Slices show the values in their plane; the mode is for the volume (3D)"
_NO_IMAGE = "Label layers are drawn as surfaces; add an image layer to choose a mode"


class ModeCombo(QComboBox):
    """Shows and changes a mode.

    Attributes
    ----------
    chosen : Signal
        Emits a mode (str) that the user chose.
    """

    chosen = Signal(str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        role = Qt.ItemDataRole
        for mode, (name, what) in MODE_WORDS.items():
            self.addItem(name, mode)
            self.setItemData(self.count() - 1, what, role.ToolTipRole)
        widest = max(self.fontMetrics().horizontalAdvance(n) for n, _ in words())
        self.view().setMinimumWidth(widest + 40)
        self.setToolTip(_HINT)
        self.setAccessibleName("Mode")
        self.setPlaceholderText(_IN_SLICES)
        # The wheel over a toolbar is meant for something else.
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.activated.connect(self._on_activated)
        self._fit()

    # -- the room for a name -----------------------------------------------------

    def _fit(self) -> None:
        """Take the room that every name needs, but for the longest."""
        names = [name for mode, (name, _) in MODE_WORDS.items() if mode != LONG]
        metrics = self.fontMetrics()
        text = max(metrics.horizontalAdvance(name) for name in [*names, _IN_SLICES])
        # What themes put beside it: padding, frame and arrow.
        wide = 400
        width = text + wide - self._room(wide) + 2
        if width != self.minimumWidth():
            self.setMinimumWidth(width)

    def _room(self, width: int) -> int:
        """Return the pixels that a name has in a box of this width."""
        option = QStyleOptionComboBox()
        self.initStyleOption(option)
        option.rect.setWidth(width)
        what, part = QStyle.ComplexControl, QStyle.SubControl
        rect = self.style().subControlRect(
            what.CC_ComboBox, option, part.SC_ComboBoxEditField, self
        )
        return int(rect.width())

    def changeEvent(self, event: QEvent) -> None:  # noqa: N802 - Qt's name
        """Measure the texts again after a change of font or theme."""
        super().changeEvent(event)
        if event.type() in (QEvent.Type.FontChange, QEvent.Type.StyleChange):
            self._fit()

    def paintEvent(self, _event: QPaintEvent) -> None:  # noqa: N802 - Qt's name
        """Draw as any combo box, a name that has no room with dots at its end."""
        painter = QStylePainter(self)
        option = QStyleOptionComboBox()
        self.initStyleOption(option)
        if self.currentIndex() < 0:
            option.currentText = self.placeholderText()
        option.currentText = self.fontMetrics().elidedText(
            option.currentText, Qt.TextElideMode.ElideRight, self._room(self.width())
        )
        painter.drawComplexControl(QStyle.ComplexControl.CC_ComboBox, option)
        painter.drawControl(QStyle.ControlElement.CE_ComboBoxLabel, option)

    # -- the choice --------------------------------------------------------------

    def _on_activated(self, index: int) -> None:
        self.chosen.emit(self.itemData(index))

    def show_mode(self, mode: str | None, *, has_volume: bool = True) -> None:
        """Show a mode.

        Parameters
        ----------
        mode : str or None
            None when there is no image layer whose mode it could be.
        has_volume : bool
            Whether a volume is shown at all; slices alone have no mode.
        """
        self.setEnabled(mode is not None and has_volume)
        if not has_volume:
            self.setCurrentIndex(-1)
            self.setToolTip(_NO_RAYS)
            return
        self.setToolTip(_NO_IMAGE)
        if mode is not None:
            self.setCurrentIndex(self.findData(mode))
            what = MODE_WORDS.get(mode, ("", ""))[1]
            self.setToolTip(f"{_HINT}.\n{what}" if what else _HINT)


def words() -> list[tuple[str, str]]:
    """Return names and explanations of all modes."""
    return list(MODE_WORDS.values())
