"""A layer, its turn and shift, and what baking takes.

Invariant: the panel only says what was asked for, by signals; whoever made it acts, and
tells it what to show. What cannot be baked is said, with its remedy, before the button
can be pressed. Main thread only.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import partial

from qtpy.QtCore import Qt, Signal
from qtpy.QtWidgets import (
    QCheckBox,
    QComboBox,
    QFrame,
    QGridLayout,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QPushButton,
    QScrollArea,
    QSizePolicy,
    QVBoxLayout,
    QWidget,
)

from brickfield.model import Vec3
from brickfield.qt.panels.widgets import DoubleClicks, NumberBox, NumberSlider, quiet
from brickfield.qt.reports.task_strip import TaskStrip
from brickfield.qt.reports.tasks import task_board
from brickfield.qt.transforms.turn import NOTHING, Turn

AXES = ("z", "y", "x")
LEAST_HEIGHT = 240
"""Pixels of the controls, on however low a screen."""
EMPTY = "Open an image to turn or shift it."
AT_ONCE = "Shown at once; nothing is computed."
WHERE = (
    "The volume view and napari's 3D show every turn,\n"
    "napari's slices those about the axis that they cut across"
)
WHICH_WAY = "About z +x goes to +y, about x +y to +z, about y +z to +x"


class TransformsPanel(QWidget):
    """What the dock *Transforms* shows.

    Attributes
    ----------
    layer_chosen : Signal(int)
        A layer of the list was chosen.
    turned : Signal(object)
        Another :class:`Turn` was chosen.
    reset_asked : Signal
        The image is to lie as its file says.
    target_edited : Signal(str)
        Another place, or another way of writing, was chosen.
    folder_asked : Signal
        Folder… was pressed.
    bake_asked : Signal(str)
        Emits the target: it is to be written.
    """

    layer_chosen = Signal(int)
    turned = Signal(object)
    reset_asked = Signal()
    target_edited = Signal(str)
    folder_asked = Signal()
    bake_asked = Signal(str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._turn = Turn()
        self._middle: Vec3 = NOTHING
        self._deskew: Vec3 = (30.0, 1.0, 1.0)
        self._units: list[QLabel] = []
        self.controls = QWidget()
        self.empty = QLabel(EMPTY, self)
        self.empty.setWordWrap(True)
        self.tasks = TaskStrip(task_board(), self)
        column = QVBoxLayout(self)
        column.setContentsMargins(6, 6, 6, 6)
        column.addWidget(self.empty)
        column.addWidget(self._scrolled(), stretch=1)
        column.addWidget(self.tasks)
        inside = QVBoxLayout(self.controls)
        inside.setContentsMargins(0, 0, 0, 0)
        inside.addLayout(self._first_row())
        inside.addLayout(self._deskew_row())
        inside.addLayout(self._turn_row())
        inside.addLayout(self._numbers())
        self.at_once = QLabel(AT_ONCE, self)
        self.at_once.setToolTip(WHERE)
        self.at_once.setWordWrap(True)
        inside.addWidget(self.at_once)
        line = QFrame(self)
        line.setFrameShape(QFrame.Shape.HLine)
        inside.addWidget(line)
        inside.addLayout(self._target_row())
        inside.addLayout(self._bake_row())
        inside.addStretch(1)
        # The scroll bar must not lie over the controls.
        bar = self.scroll.verticalScrollBar().sizeHint().width()
        self.scroll.setMinimumWidth(self.controls.minimumSizeHint().width() + bar)
        self.show_layers([], -1)

    # -- parts -------------------------------------------------------------------

    def _scrolled(self) -> QScrollArea:
        """Let the controls scroll on a low screen, rather than cut numbers off."""
        self.scroll = QScrollArea(self)
        self.scroll.setWidgetResizable(True)
        self.scroll.setFrameShape(QFrame.Shape.NoFrame)
        self.scroll.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.scroll.setMinimumHeight(LEAST_HEIGHT)
        self.scroll.setWidget(self.controls)
        return self.scroll

    def _first_row(self) -> QHBoxLayout:
        self.layers = QComboBox(self)
        self.layers.setAccessibleName("Layer")
        self.layers.setToolTip("Image that is turned, with all of its channels")
        # Long names must not make the dock wide.
        self.layers.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
        self.layers.activated.connect(self.layer_chosen)
        self.reset = QPushButton("Reset", self)
        self.reset.setToolTip("Let the image lie as its file says")
        self.reset.clicked.connect(lambda: self.reset_asked.emit())
        row = QHBoxLayout()
        row.addWidget(self.layers, stretch=1)
        row.addWidget(self.reset)
        return row

    def _deskew_row(self) -> QHBoxLayout:
        self.oblique = QCheckBox("Deskew", self)
        self.oblique.setToolTip(
            "A stack of oblique planes, as of a light sheet, lies where its voxels were"
        )
        self.oblique.toggled.connect(lambda: self._choose_deskew())
        self.deskew: list[NumberBox] = []
        row = QHBoxLayout()
        row.addWidget(self.oblique)
        for title, hint, text in (
            ("angle", "Between the planes and the movement, degrees", "{:z.6g}°"),
            ("step", "Movement between two planes, world units", "{:z.6g}"),
            ("pixel", "Size of a pixel of the planes, world units", "{:z.6g}"),
        ):
            box = NumberBox(text.format, tooltip=hint)
            box.setAccessibleName(f"Deskew, {title}")
            box.setMinimumWidth(40)
            box.setMaximumWidth(16777215)
            box.typed.connect(partial(self._choose_deskew, len(self.deskew)))
            row.addWidget(QLabel(title, self))
            row.addWidget(box, stretch=1)
            self.deskew.append(box)
        return row

    def _turn_row(self) -> QHBoxLayout:
        self.axis = QComboBox(self)
        self.axis.addItems(AXES)
        self.axis.setCurrentText("y")
        self.axis.setAccessibleName("Axis of the turn")
        self.axis.setToolTip(f"Axis that the image is turned about\n{WHICH_WAY}")
        self.axis.activated.connect(self._choose_axis)
        self.angle = NumberSlider(-180.0, 180.0, 0.0)
        self.angle.limits = (-3600.0, 3600.0)
        self.angle.to_step = lambda value: round(value * 2) / 2
        self.angle.box.write = lambda value: f"{value:z.6g}°"
        self.angle.box.setAccessibleName("Angle, degrees")
        self.angle.slider.setAccessibleName("Angle, degrees")
        self.angle.set_tooltip(f"Angle, degrees; any number can be typed\n{WHICH_WAY}")
        self.angle.follow(0.0)
        self.angle.moved.connect(self._choose_angle)
        row = QHBoxLayout()
        row.addWidget(QLabel("Turn about", self))
        row.addWidget(self.axis)
        row.addWidget(self.angle, stretch=1)
        return row

    def _numbers(self) -> QGridLayout:
        grid = QGridLayout()
        grid.setHorizontalSpacing(4)
        grid.setVerticalSpacing(3)
        self.centre = self._triple(
            grid, 0, "centre", "Centre", "Fixed point of the turn", "voxels"
        )
        self.shift = self._triple(
            grid, 1, "shift", "Shift", "Shift after the turn", "world units"
        )
        self.sigma = self._triple(
            grid, 2, "sigma", "Smooth", "Standard deviation, when it is baked", "voxels"
        )
        for column in (2, 4, 6):
            grid.setColumnStretch(column, 1)
        return grid

    def _triple(
        self, grid: QGridLayout, row: int, field: str, title: str, hint: str, unit: str
    ) -> list[NumberBox]:
        head = QLabel(title, self)
        head.setToolTip(f"{hint}\nDouble click: reset")
        DoubleClicks(head, partial(self._usual, field))
        grid.addWidget(head, row, 0)
        boxes = []
        for i, name in enumerate(AXES):
            box = NumberBox("{:z.6g}".format, tooltip=f"{hint} along {name}, {unit}")
            box.setAccessibleName(f"{title} along {name}, {unit}")
            box.setMinimumWidth(40)
            box.setMaximumWidth(16777215)
            box.typed.connect(partial(self._choose_number, field, i))
            grid.addWidget(QLabel(name, self), row, 1 + 2 * i)
            grid.addWidget(box, row, 2 + 2 * i)
            boxes.append(box)
        told = QLabel(unit, self)
        grid.addWidget(told, row, 7)
        self._units.append(told)
        return boxes

    def _target_row(self) -> QHBoxLayout:
        self.target = QLineEdit(self)
        self.target.setAccessibleName("Folder to write")
        self.target.setToolTip("New OME-Zarr folder for the turned voxels")
        self.target.setMinimumWidth(60)
        self.target.textEdited.connect(self.target_edited)
        folder = QPushButton("Folder…", self)
        folder.setToolTip("Choose the folder in which it is made")
        folder.clicked.connect(lambda: self.folder_asked.emit())
        row = QHBoxLayout()
        row.addWidget(self.target, stretch=1)
        row.addWidget(folder)
        return row

    def _bake_row(self) -> QGridLayout:
        self.fits = QCheckBox("Hold the whole turned image", self)
        self.fits.setChecked(True)
        self.fits.setToolTip(
            "The result holds all of the image where it lies now;\n"
            "else it has the grid of the file, and what leaves that is gone"
        )
        self.fits.toggled.connect(lambda: self.target_edited.emit(self.place))
        self.bake = QPushButton("Bake", self)
        self.bake.setToolTip("Write the voxels as they lie now, all channels and times")
        self.bake.clicked.connect(lambda: self.bake_asked.emit(self.place))
        self.outlook = QLabel(self)
        self.outlook.setWordWrap(True)
        self.outlook.setTextInteractionFlags(
            Qt.TextInteractionFlag.TextSelectableByMouse
        )
        grid = QGridLayout()
        grid.addWidget(self.fits, 0, 0)
        grid.addWidget(self.bake, 0, 1)
        grid.addWidget(self.outlook, 1, 0, 1, 2)
        grid.setColumnStretch(0, 1)
        return grid

    # -- what is shown -----------------------------------------------------------

    @property
    def turn(self) -> Turn:
        """What is shown."""
        return self._turn

    @property
    def place(self) -> str:
        """The target that was typed."""
        return str(self.target.text()).strip()

    def show_layers(self, names: Sequence[str], current: int) -> None:
        """List the images that can be turned.

        Parameters
        ----------
        names : sequence of str
        current : int
            -1 for none.
        """
        with quiet(self.layers):
            self.layers.clear()
            self.layers.addItems(list(names))
            self.layers.setCurrentIndex(current)
        is_any = current >= 0
        self.empty.setVisible(not is_any)
        self.scroll.setVisible(is_any)

    def show_turn(
        self,
        turn: Turn,
        middle: Vec3,
        unit: str,
        missing: Sequence[str] = (),
        usual_deskew: Vec3 = (30.0, 1.0, 1.0),
    ) -> None:
        """Show how an image lies.

        Parameters
        ----------
        turn : Turn
        middle : tuple of float
            Centre of the image (z, y, x), voxels.
        unit : str
            Of the world.
        missing : sequence of str
            Axes that the image lacks.
        usual_deskew : tuple of float
            What is offered for oblique planes: angle, step and pixel.
        """
        self._turn, self._middle = turn, middle
        with quiet(self.oblique):
            self.oblique.setChecked(turn.deskew is not None)
        self.oblique.setEnabled(not missing)
        self._deskew = turn.deskew or usual_deskew
        for box, value in zip(self.deskew, self._deskew, strict=True):
            box.follow(value)
            box.setEnabled(not missing)
        self._units[1].setText(unit)
        for boxes, values in (
            (self.centre, turn.centre),
            (self.shift, turn.shift),
            (self.sigma, turn.sigma),
        ):
            for name, box, value in zip(AXES, boxes, values, strict=True):
                box.follow(value)
                box.setEnabled(name not in missing)
        with quiet(self.axis):
            self.axis.setCurrentText(turn.axis)
        self.axis.setEnabled(not missing)
        self.angle.follow(turn.degrees)
        self.reset.setEnabled(not turn.is_nothing)

    def show_target(self, place: str) -> None:
        """Offer a place to write to."""
        self.target.setText(place)
        self.target.setCursorPosition(len(place))

    def show_outlook(self, text: str, can_bake: bool) -> None:
        """Say what baking takes, or why it is not possible.

        Parameters
        ----------
        text : str
        can_bake : bool
        """
        self.outlook.setText(text)
        self.bake.setEnabled(can_bake)

    # -- actions of the user -----------------------------------------------------

    def _choose(self, turn: Turn) -> None:
        if turn != self._turn:
            self._turn = turn
            self.reset.setEnabled(not turn.is_nothing)
            self.turned.emit(turn)

    def _choose_deskew(self, part: int | None = None, value: float = 0.0) -> None:
        if part is not None:
            values = list(self._deskew)
            values[part] = value
            self._deskew = (values[0], values[1], values[2])
        # A number that is typed is a wish to see it.
        is_on = self.oblique.isChecked() or part is not None
        with quiet(self.oblique):
            self.oblique.setChecked(is_on)
        self._choose(replace(self._turn, deskew=self._deskew if is_on else None))

    def _choose_axis(self, index: int) -> None:
        self._choose(replace(self._turn, axis=AXES[index]))

    def _choose_angle(self, degrees: float) -> None:
        self.angle.follow(degrees)
        self._choose(replace(self._turn, degrees=degrees))

    def _choose_number(self, field: str, axis: int, value: float) -> None:
        value = max(value, 0.0) if field == "sigma" else value
        values = list(getattr(self._turn, field))
        values[axis] = value
        self._set(field, (values[0], values[1], values[2]))

    def _usual(self, field: str) -> None:
        self._set(field, self._middle if field == "centre" else NOTHING)

    def _set(self, field: str, values: Vec3) -> None:
        boxes: list[NumberBox] = getattr(self, field)
        for box, value in zip(boxes, values, strict=True):
            box.follow(value)
        if field == "centre":
            self._choose(replace(self._turn, centre=values))
        elif field == "shift":
            self._choose(replace(self._turn, shift=values))
        else:
            self._choose(replace(self._turn, sigma=values))
