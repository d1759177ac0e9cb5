"""The oblique plane in numbers: a point that it goes through, its normal, its angles.

The plane belongs to the view "plane"; its point is the scene's cross-hair until its
handle shifts it. Where there is no such view the panel is not offered.
"""

from __future__ import annotations

from functools import partial

from qtpy.QtWidgets import QGridLayout, QPushButton

from brickfield.model.units import unit_symbol
from brickfield.qt.host import Host, oblique_of
from brickfield.qt.panels.panel import Panel
from brickfield.qt.panels.widgets import NumberBox, label
from brickfield.viewer.live import SlicePlane, history_of

AXES = "zyx"
_ANGLES = {
    "Tilt": "Angle between the normal and the z axis, degrees: 0 lies across z, 90 along it",
    "Turn": "Direction in which the normal leans, degrees: 0 towards x, 90 towards y,"
    " -90 away from y",
}
"""Angles and their convention; see :attr:`SlicePlane.angles`."""
_UPRIGHT_DEG = 1e-6
"""Tilt from the z axis below which the normal leans in no direction."""


class PlanePanel(Panel):
    """Writes to the oblique slice of the dock.

    Parameters
    ----------
    host : Host

    Attributes
    ----------
    position, normal : list of NumberBox
        Along z, y and x.
    angles : list of NumberBox
        Tilt and turn, degrees.
    """

    title = "Oblique plane"
    tooltip = "Where the oblique slice lies, in numbers"

    def __init__(self, host: Host) -> None:
        super().__init__(host)
        self._plane: SlicePlane | None = None
        self.position = [self._box("position", axis) for axis in range(3)]
        self.normal = [self._box("normal", axis) for axis in range(3)]
        self.angles = [self._angle_box(i) for i in range(2)]
        self._turn = 0.0
        self.unit = label("", "Unit of world coordinates")
        self.reset = QPushButton("Reset", self)
        self.reset.setToolTip(
            "Turn the plane as it was at first, and put it through the cross-hair"
        )
        self.reset.clicked.connect(self._reset)
        self._lay_out()
        self.connections.bind(host.views_changed, self._follow_views)
        self._follow_views()

    def _box(self, name: str, axis: int) -> NumberBox:
        what = {
            "position": "Point that the plane goes through, world units",
            "normal": "Direction that the plane faces; its length does not matter",
        }[name]
        box = NumberBox("{:z.4g}".format, tooltip=f"{what}: along {AXES[axis]}")
        box.typed.connect(partial(self._type, name, axis))
        return box

    def _angle_box(self, i: int) -> NumberBox:
        box = NumberBox("{:z.4g}°".format, tooltip=list(_ANGLES.values())[i])
        box.typed.connect(partial(self._type_angle, i))
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
        for i, (name, what) in enumerate(_ANGLES.items()):
            grid.addWidget(label(name, what), 3 + i, 0)
            grid.addWidget(self.angles[i], 3 + i, 1)
        grid.addWidget(self.unit, 1, 4)
        grid.addWidget(self.reset, 2, 4)

    # -- following ---------------------------------------------------------------

    @classmethod
    def is_useful_in(cls, host: Host) -> bool:
        """Whether an oblique slice is shown."""
        return oblique_of(host) is not None

    def _follow_views(self) -> None:
        plane = oblique_of(self.host)
        if plane is not self._plane:
            if self._plane is not None:
                self.connections.unbind(self._plane.plane_changed)
            if plane is not None:
                self.connections.bind(plane.plane_changed, self.when_open)
            self._plane = plane
        self.when_open()

    def follow(self) -> None:
        """Show what there is now."""
        if self._plane is None:
            return
        self.unit.setText(unit_symbol(self.scene.unit))
        for boxes, values in (
            (self.position, self._plane.position),
            (self.normal, self._plane.normal),
        ):
            for box, value in zip(boxes, values, strict=True):
                box.follow(value)
        for box, value in zip(self.angles, self._shown_angles(), strict=True):
            box.follow(value)

    def _shown_angles(self) -> tuple[float, float]:
        """Return tilt and turn; the last turn where the normal leans nowhere."""
        assert self._plane is not None
        tilt, turn = self._plane.angles
        if _UPRIGHT_DEG < tilt < 180 - _UPRIGHT_DEG:
            self._turn = turn
        return tilt, self._turn

    # -- mouse and keys ---------------------------------------------------------

    def _type(self, name: str, axis: int, value: float) -> None:
        if self._plane is None:
            return
        values = list(getattr(self._plane, name))
        values[axis] = value
        if name == "position" or any(values):
            self._put(name, tuple(values))
        # A normal without length means nothing: what there was stays.
        self.follow()

    def _type_angle(self, i: int, value: float) -> None:
        if self._plane is None:
            return
        angles = list(self._shown_angles())
        angles[i] = value
        # Kept also where the plane lies across z and its normal leans nowhere.
        self._turn = angles[1]
        self._put("angles", (angles[0], angles[1]))
        self.follow()

    def _put(self, name: str, value: tuple[float, ...]) -> None:
        if self._plane is not None:
            history = history_of(self.scene)
            history.begin_act()
            setattr(self._plane, name, value)
            history.end_act()

    def _reset(self) -> None:
        if self._plane is not None:
            self._plane.reset()
        self.follow()
