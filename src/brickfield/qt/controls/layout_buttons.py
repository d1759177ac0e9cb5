"""The choice of views: a row of buttons, or one button with a menu where it is narrow.

A layout says which views are shown, and where each stands (:func:`cells_of`).
"""

from __future__ import annotations

from qtpy.QtCore import Signal
from qtpy.QtGui import QAction, QActionGroup
from qtpy.QtWidgets import QHBoxLayout, QMenu, QToolButton, QWidget

from brickfield.errors import OptionError

LAYOUTS: dict[str, dict[str, tuple[int, int]]] = {
    "3D": {"3D": (0, 0)},
    "xy": {"xy": (0, 0)},
    "xz": {"xz": (0, 0)},
    "yz": {"yz": (0, 0)},
    "plane": {"plane": (0, 0)},
    "3D+plane": {"3D": (0, 0), "plane": (0, 1)},
    # xy and xz share x from left to right, xz and yz share z from top to bottom.
    "2x2": {"xy": (0, 0), "yz": (1, 1), "xz": (1, 0), "3D": (0, 1)},
}
"""Kind of view to row and column, for each layout."""
SHARES = {"3D": 0.55, "xy": 0.15, "xz": 0.15, "yz": 0.15, "plane": 0.3}
"""How views side by side divide the GPU budget."""

OVERLAYS: dict[str, tuple[str, ...]] = {
    "3D": ("scale_bar", "axes"),
    "xy": ("scale_bar", "marker"),
    "xz": ("scale_bar", "marker"),
    "yz": ("scale_bar", "marker"),
    "plane": ("scale_bar", "axes"),
}
"""What decorates a new view of each kind at first."""


def cells_of(layout: str) -> dict[str, tuple[int, int]]:
    """Return the place of each view of a layout.

    Raises
    ------
    OptionError
        For an unknown layout.
    """
    if layout not in LAYOUTS:
        msg = f"expected a layout out of {', '.join(LAYOUTS)}; found {layout!r}"
        raise OptionError(msg)
    return LAYOUTS[layout]


def budget_shares(kinds: list[str], total: int) -> dict[str, int]:
    """Divide a GPU budget between the views that are shown.

    Parameters
    ----------
    kinds : list of str
        Of the views.
    total : int
        Bytes.

    Returns
    -------
    dict of str to int
        Bytes of each kind.
    """
    whole = sum(SHARES[k] for k in kinds)
    return {k: int(total * SHARES[k] / whole) for k in kinds}


LAYOUT_WORDS: dict[str, tuple[str, str]] = {
    "3D": ("3D", "The volume"),
    "xy": ("xy", "Slice across z"),
    "xz": ("xz", "Slice across y"),
    "yz": ("yz", "Slice across x"),
    "2x2": ("2×2", "Three slices and the volume, side by side"),
    "plane": ("Oblique slice", "A slice in any direction: right drag tilts it"),
    "3D+plane": (
        "3D + oblique slice",
        "The volume and an oblique slice side by side: the arrow in the volume tilts"
        " and shifts the slice",
    ),
}
"""Name and explanation of every layout; the last two have buttons of their own."""
COMPACT = {"2x2": "2×2", "plane": "obl.", "3D+plane": "3D+obl."}
WITH_DEPTH = frozenset({"xz", "yz", "2x2", "plane", "3D+plane"})
"""Layouts with a view that flat data, one voxel thick along z, are a line in."""
_IS_FLAT = "These data have one slice along z: there is nothing to see across it"
SEGMENTS = ("3D", "xy", "xz", "yz", "2x2")


class LayoutButtons(QWidget):
    """A row of buttons, one of which is down.

    Attributes
    ----------
    chosen : Signal
        Emits a layout (str) that the user chose.
    actions_by_name : dict of str to QAction
        One checkable action a layout.
    compact : QToolButton
        A stand-in: one button with a menu.
    """

    chosen = Signal(str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._group = QActionGroup(self)
        # The oblique slice has buttons elsewhere: then none of the row is down.
        self._group.setExclusionPolicy(QActionGroup.ExclusionPolicy.ExclusiveOptional)
        self.actions_by_name: dict[str, QAction] = {}
        for name in LAYOUTS:
            text, what = LAYOUT_WORDS[name]
            action = QAction(text, self._group)
            action.setCheckable(True)
            action.setToolTip(what)
            action.setData(name)
            self.actions_by_name[name] = action
        self._group.triggered.connect(self._on_triggered)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(0)
        for name in SEGMENTS:
            button = QToolButton(self)
            button.setProperty("segment", True)
            button.setDefaultAction(self.actions_by_name[name])
            row.addWidget(button)
        self.compact = QToolButton(parent)
        self.compact.setProperty("segment", True)
        self.compact.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        self.compact.setToolTip("Which views are shown")
        menu = QMenu(self.compact)
        menu.setToolTipsVisible(True)
        menu.addActions([self.actions_by_name[name] for name in LAYOUT_WORDS])
        self.compact.setMenu(menu)

    def _on_triggered(self, action: QAction) -> None:
        name = str(action.data())
        # A click on the one that is down must not let it up.
        self.show_layout(name)
        self.chosen.emit(name)

    def show_depth(self, *, is_flat: bool) -> None:
        """Offer flat data no views of an axis that they do not have."""
        for name in WITH_DEPTH:
            action = self.actions_by_name[name]
            action.setEnabled(not is_flat)
            action.setToolTip(_IS_FLAT if is_flat else LAYOUT_WORDS[name][1])

    def show_layout(self, name: str) -> None:
        """Show which layout there is."""
        for key, action in self.actions_by_name.items():
            action.setChecked(key == name)
        self.compact.setText(f"{COMPACT.get(name, name)} ▾")
