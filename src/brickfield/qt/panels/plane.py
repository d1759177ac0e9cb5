"""The oblique plane in numbers: a point that it goes through, and its normal.

The plane belongs to the view "plane"; its point is the scene's cross-hair. Where there
is no such view the panel is not offered.
"""

from __future__ import annotations

from functools import partial

from qtpy.QtWidgets import QGridLayout, QPushButton

from brickfield.model.scales import Vec3
from brickfield.qt.panels.host import Host, Panel
from brickfield.qt.panels.parts import NumberBox, label
from brickfield.viewer.quantities import unit_symbol
from brickfield.viewer.slice_view import NORMALS, LiveSliceView

AXES = "zyx"


class PlanePanel(Panel):
    """Writes to the oblique slice of the dock.

    Parameters
    ----------
    host : Host

    Attributes
    ----------
    position, normal : list of NumberBox
        Along z, y and x.
    """

    title = "Oblique plane"
    tooltip = "Where the oblique slice lies, in numbers"

    def __init__(self, host: Host) -> None:
        super().__init__(host)
        self._view: LiveSliceView | None = None
        self.position = [self._box("position", axis) for axis in range(3)]
        self.normal = [self._box("normal", axis) for axis in range(3)]
        self.unit = label("", "Unit of world coordinates")
        self.reset = QPushButton("Reset", self)
        self.reset.setToolTip("Turn the plane as it was at first")
        self.reset.clicked.connect(self._reset)
        self._lay_out()
        self.bonds.bind(host.views_changed, self._follow_views)
        self.bonds.bind(self.scene.cross_hair_changed, self.when_open)
        self._follow_views()

    def _box(self, name: str, axis: int) -> NumberBox:
        what = {
            "position": "Point that the plane goes through, world units",
            "normal": "Direction that the plane faces; its length does not matter",
        }[name]
        box = NumberBox("{:.4g}".format, tooltip=f"{what}: along {AXES[axis]}")
        box.typed.connect(partial(self._type, name, axis))
        return box

    def _lay_out(self) -> None:
        grid = QGridLayout(self)
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setHorizontalSpacing(6)
        grid.setVerticalSpacing(4)
        grid.setColumnStretch(5, 1)
        for i, name in enumerate(AXES):
            grid.addWidget(label(name, f"Along {name}"), 0, i + 1)
        for row, (name, boxes) in enumerate(
            (("Position", self.position), ("Normal", self.normal)), 1
        ):
            grid.addWidget(label(name, boxes[0].toolTip().split(":")[0]), row, 0)
            for i, box in enumerate(boxes):
                grid.addWidget(box, row, i + 1)
        grid.addWidget(self.unit, 1, 4)
        grid.addWidget(self.reset, 2, 4)

    # -- following ---------------------------------------------------------------

    @classmethod
    def is_useful_in(cls, host: Host) -> bool:
        """Whether an oblique slice is shown."""
        return _oblique(host) is not None

    def _follow_views(self) -> None:
        view = _oblique(self.host)
        if view is not self._view:
            if self._view is not None:
                self.bonds.unbind(self._view.camera_changed)
            if view is not None:
                self.bonds.bind(view.camera_changed, self.when_open)
            self._view = view
        self.when_open()

    def follow(self) -> None:
        """Show what there is now."""
        if self._view is None:
            return
        self.unit.setText(unit_symbol(self.scene.unit))
        for boxes, values in (
            (self.position, self._view.position),
            (self.normal, self._view.normal),
        ):
            for box, value in zip(boxes, values, strict=True):
                box.follow(value)

    # -- the hand ----------------------------------------------------------------

    def _type(self, name: str, axis: int, value: float) -> None:
        if self._view is None:
            return
        values = list(getattr(self._view, name))
        values[axis] = value
        z, y, x = values
        if name == "position" or any(values):
            self._put(name, (z, y, x))
        # A normal without length means nothing: what there was stays.
        self.follow()

    def _put(self, name: str, value: Vec3) -> None:
        if self._view is not None:
            self._view.history.begin_act()
            setattr(self._view, name, value)
            self._view.history.end_act()

    def _reset(self) -> None:
        self._put("normal", NORMALS["plane"])
        self.follow()


def _oblique(host: Host) -> LiveSliceView | None:
    for view in host.views:
        if isinstance(view, LiveSliceView) and view.is_oblique:
            return view
    return None
