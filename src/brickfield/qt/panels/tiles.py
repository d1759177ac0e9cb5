"""Tiles: the images of a mosaic listed, moved by numbers, keys or a knob, and saved.

Invariant: nothing here is written to the files of the tiles: where they lie is saved to a
new file. All acts are steps of the view's own undo.
"""

from __future__ import annotations

from functools import partial
from pathlib import Path

from qtpy.QtCore import QEvent, QItemSelectionModel, QObject, Qt
from qtpy.QtWidgets import (
    QAbstractItemView,
    QCheckBox,
    QComboBox,
    QFileDialog,
    QGridLayout,
    QHBoxLayout,
    QHeaderView,
    QLabel,
    QPushButton,
    QTableView,
    QVBoxLayout,
)

from brickfield.errors import BrickfieldError
from brickfield.model import AffineTransform, Vec3
from brickfield.model.secrets import hide_secrets
from brickfield.model.units import unit_symbol
from brickfield.qt.host import Host
from brickfield.qt.panels.overlays.tile_hand import TileHand
from brickfield.qt.panels.overlays.tile_overlay import (
    MOST_BOXES,
    ShownTiles,
    TileOverlay,
)
from brickfield.qt.panels.panel import Panel, active_layer
from brickfield.qt.panels.tile_table import TileModel
from brickfield.qt.panels.widgets import NumberBox, label, quiet
from brickfield.viewer.controls import MosaicTiles, corners_of_tile, mosaic_of
from brickfield.viewer.live import LayerPort

AXES = ("z", "y", "x")
OVERLAPS = {
    "max": "Largest",
    "mean": "Mean",
    "feather": "Faded",
    "first": "First tile",
    "difference": "Difference",
}
"""How voxels of several tiles at one place become one, in words."""
SHOWN_STEP = 1e-3
"""Share of a voxel that is told of a shift."""
LARGE_STEP = 10
"""Voxels of a step with Shift held."""
_STEPS = {
    Qt.Key.Key_PageUp: (0, 1),
    Qt.Key.Key_PageDown: (0, -1),
    Qt.Key.Key_Down: (1, 1),
    Qt.Key.Key_Up: (1, -1),
    Qt.Key.Key_Right: (2, 1),
    Qt.Key.Key_Left: (2, -1),
}
"""Axis of the world and direction of each key, with Alt held."""


class TilesPanel(Panel):
    """Lists and moves the tiles of the mosaic that is the active layer.

    Parameters
    ----------
    host : Host

    Attributes
    ----------
    tiles : MosaicTiles or None
        None while no layer is a mosaic.
    overlays : dict of str to TileOverlay
        Over each picture, by kind of view, while the panel is open.
    """

    title = "Tiles"
    tooltip = "The images of a mosaic: show, hide, move"

    def __init__(self, host: Host) -> None:
        super().__init__(host)
        self.tiles: MosaicTiles | None = None
        self.overlays: dict[str, TileOverlay] = {}
        self._layer: LayerPort | None = None
        self._begun: dict[str, AffineTransform] = {}
        self._hand = TileHand(self, lambda: host.views, self._drag)
        self._make()
        self._lay_out()
        self.connections.follow_layers(self.scene, self._on_layers)
        self.connections.bind(host.views_changed, self._follow_views)

    @classmethod
    def is_useful_in(cls, host: Host) -> bool:
        """Whether any layer is a mosaic."""
        return any(mosaic_of(layer) is not None for layer in host.scene.layers)

    # -- making ------------------------------------------------------------------

    def _make(self) -> None:
        self._make_table()
        self._make_buttons()
        self._make_numbers()
        self.told = QLabel(self)
        self.told.setWordWrap(True)

    def _make_table(self) -> None:
        self.model = TileModel(self)
        self.model.switched.connect(self._switch)
        self.table = QTableView(self)
        self.table.setModel(self.model)
        self.table.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.table.setMinimumHeight(110)
        self.table.verticalHeader().hide()
        self.table.verticalHeader().setDefaultSectionSize(20)
        header = self.table.horizontalHeader()
        header.setSectionResizeMode(QHeaderView.ResizeMode.Interactive)
        header.setStretchLastSection(True)
        self.table.setToolTip(
            "Alt and arrow or page keys move the chosen tiles by a voxel,\n"
            "with Shift by ten"
        )
        self.table.installEventFilter(self)
        self.table.selectionModel().selectionChanged.connect(self._on_chosen)

    def _make_buttons(self) -> None:
        self.buttons: dict[str, QPushButton] = {}
        for name, hint in (
            ("Show", "Take the chosen tiles into the picture"),
            ("Hide", "Leave the chosen tiles out of the picture"),
            ("Solo", "Show the chosen tiles alone"),
            ("All", "Show all tiles"),
            ("Reset", "Put the chosen tiles, or all, back where the file has them"),
            ("Save…", "Write where the tiles lie to a new file"),
        ):
            button = QPushButton(name, self)
            button.setToolTip(hint)
            button.clicked.connect(partial(self._press, name))
            self.buttons[name] = button
        self.boxes = QCheckBox("Boxes", self)
        self.boxes.setChecked(True)
        self.names = QCheckBox("Names", self)
        for box, hint in (
            (self.boxes, "Draw the boxes of the tiles"),
            (self.names, "Write the names of the tiles into the picture"),
        ):
            box.setToolTip(hint)
            box.toggled.connect(self._redraw)
        self.overlap = QComboBox(self)
        self.overlap.addItems(list(OVERLAPS.values()))
        self.overlap.setToolTip("What is shown where tiles overlap")
        self.overlap.activated.connect(self._choose_overlap)
        self.colours = QComboBox(self)
        self.colours.setToolTip(
            "Tiles as they are, or in colours that mix where they overlap"
        )
        self.colours.activated.connect(self._choose_colours)

    def _make_numbers(self) -> None:
        self.shift = [
            NumberBox(
                "{:z.6g}".format,
                tooltip=f"Shift along {name} from where the file has the tile",
            )
            for name in AXES
        ]
        for axis, box in enumerate(self.shift):
            box.typed.connect(partial(self._shift_to, axis))
        self.axis = QComboBox(self)
        self.axis.addItems([f"about {name}" for name in AXES])
        self.axis.setToolTip(
            "About z +x goes to +y, about x +y to +z, about y +z to +x"
        )
        self.angle = NumberBox("{:z.4g}°".format, tooltip="Turn further by degrees")
        self.angle.typed.connect(self._turn)

    def _lay_out(self) -> None:
        row = QHBoxLayout()
        row.setSpacing(4)
        for button in self.buttons.values():
            row.addWidget(button)
        looks = QHBoxLayout()
        looks.addWidget(label("Overlaps", "What is shown where tiles overlap"))
        looks.addWidget(self.overlap)
        looks.addWidget(label("Colours", "How tiles are told apart"))
        looks.addWidget(self.colours)
        looks.addStretch(1)
        looks.addWidget(self.boxes)
        looks.addWidget(self.names)
        grid = QGridLayout()
        grid.setHorizontalSpacing(4)
        grid.addWidget(label("Shift", "From where the file has the tile"), 0, 0)
        for axis, (name, box) in enumerate(zip(AXES, self.shift, strict=True)):
            grid.addWidget(label(name, f"Along {name}"), 0, 1 + 2 * axis)
            grid.addWidget(box, 0, 2 + 2 * axis)
        self.unit = label("", "Unit of world coordinates")
        grid.addWidget(self.unit, 0, 7)
        grid.addWidget(label("Turn", "About the middle of the chosen tiles"), 1, 0)
        grid.addWidget(self.axis, 1, 1, 1, 4)
        grid.addWidget(self.angle, 1, 6)
        grid.setColumnStretch(8, 1)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(4)
        column.addWidget(self.table)
        column.addLayout(row)
        column.addLayout(grid)
        column.addLayout(looks)
        column.addWidget(self.told)

    # -- what there is -----------------------------------------------------------

    def _on_layers(self, name: str) -> None:
        if name in ("layers", "active"):
            self.when_open()

    def set_open(self, value: bool) -> None:
        """Take note of whether anybody can see the panel."""
        super().set_open(value)
        self._follow_views()

    def follow(self) -> None:
        """Show the mosaic that is the active layer."""
        layer = active_layer(self.scene, lambda port: mosaic_of(port) is not None)
        store = None if layer is None else mosaic_of(layer)
        # What is moved is the mosaic, whatever look of it is the active layer.
        store = None if store is None else store.original
        before = (
            None if self.tiles is None or self.tiles.is_closed else self.tiles.store
        )
        self._layer = layer
        if store is not before:
            if before is not None:
                self.connections.unbind(before.tiles_changed)
            self.tiles = None if store is None else MosaicTiles(store, self.scene)
            self.model.take(self.tiles)
            self.table.resizeColumnsToContents()
            if store is not None:
                self.connections.bind(store.tiles_changed, self._on_tiles)
                at = list(OVERLAPS).index(store.overlap)
                with quiet(self.overlap):
                    self.overlap.setCurrentIndex(at)
        self._follow_colours()
        self.unit.setText(unit_symbol(self.scene.unit) or self.scene.unit)
        self._on_tiles()

    def _on_tiles(self) -> None:
        """Show where the tiles lie now."""
        self.model.refresh()
        self._follow_numbers()
        self._redraw()

    @property
    def chosen(self) -> list[str]:
        """Names of the tiles that are chosen in the list."""
        rows = self.table.selectionModel().selectedRows()
        return [self.model.names[index.row()] for index in rows]

    def choose(self, *names: str) -> None:
        """Choose tiles in the list.

        Parameters
        ----------
        *names : str
        """
        selection = self.table.selectionModel()
        selection.clearSelection()
        flags = QItemSelectionModel.SelectionFlag
        for row, name in enumerate(self.model.names):
            if name in names:
                index = self.model.index(row, 0)
                selection.select(index, flags.Select | flags.Rows)

    def _on_chosen(self) -> None:
        self._follow_numbers()
        self._redraw()

    def _follow_numbers(self) -> None:
        chosen, tiles = self.chosen, self.tiles
        is_any = bool(chosen) and tiles is not None
        for name in ("Show", "Hide", "Solo"):
            self.buttons[name].setEnabled(is_any)
        for box in (*self.shift, self.angle, self.axis):
            box.setEnabled(is_any)
        if tiles is not None and chosen:
            sizes = tiles.store.pyramid.levels[0].voxel_size_zyx
            shift = tiles.shift_of(chosen[0])
            for box, value, size in zip(self.shift, shift, sizes, strict=True):
                # A drag in the plane of a picture leaves traces across it.
                step = SHOWN_STEP * size
                box.follow(round(value / step) * step)

    # -- acts --------------------------------------------------------------------

    def _try(self, act: object, *args: object, **how: object) -> None:
        """Act, or say why it cannot be."""
        assert callable(act)
        try:
            act(*args, **how)
        except BrickfieldError as error:
            self.told.setText(hide_secrets(str(error)))
        else:
            self.told.setText("")

    def _press(self, name: str) -> None:
        tiles, chosen = self.tiles, self.chosen
        if tiles is None:
            return
        if name in ("Show", "Hide"):
            self._try(tiles.show, chosen, is_shown=name == "Show")
        elif name == "Solo":
            self._try(tiles.solo, chosen)
        elif name == "All":
            self._try(tiles.show, tiles.names, is_shown=True)
        elif name == "Reset":
            self._try(tiles.reset, chosen or tiles.names)
        else:
            self._ask_file()

    def _switch(self, name: str, is_shown: bool) -> None:
        if self.tiles is not None:
            self._try(self.tiles.show, [name], is_shown=is_shown)

    def _shift_to(self, axis: int, value: float) -> None:
        tiles, chosen = self.tiles, self.chosen
        if tiles is None or not chosen:
            return
        by = [0.0, 0.0, 0.0]
        by[axis] = value - tiles.shift_of(chosen[0])[axis]
        self._step_by((by[0], by[1], by[2]))
        self._follow_numbers()

    def _turn(self, degrees: float) -> None:
        if self.tiles is not None:
            axis = AXES[self.axis.currentIndex()]
            self._try(self.tiles.turn, self.chosen, axis, degrees)
        # What is typed next turns further.
        self.angle.setModified(False)
        self.angle.follow(0.0)

    def _choose_overlap(self, index: int) -> None:
        if self.tiles is not None:
            self._try(self.tiles.store.set_overlap, list(OVERLAPS)[index])

    def _follow_colours(self) -> None:
        tiles = self.tiles
        ways = [] if tiles is None else tiles.ways_to_colour
        by = None if tiles is None else tiles.colour_by
        with quiet(self.colours):
            self.colours.clear()
            self.colours.addItem("As they are", None)
            for way in ways:
                self.colours.addItem(f"By {way}", way)
            self.colours.setCurrentIndex(1 + ways.index(by) if by in ways else 0)

    def _choose_colours(self, index: int) -> None:
        if self.tiles is not None:
            self._try(setattr, self.tiles, "colour_by", self.colours.itemData(index))
            self._follow_colours()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:  # noqa: N802
        """Move the chosen tiles by keys with Alt held.

        Parameters
        ----------
        watched : QObject
        event : QEvent
        """
        kinds = (QEvent.Type.KeyPress, QEvent.Type.ShortcutOverride)
        if watched is not self.table or event.type() not in kinds:
            return bool(super().eventFilter(watched, event))
        step = _STEPS.get(event.key())
        held = event.modifiers()
        if step is None or not held & Qt.KeyboardModifier.AltModifier:
            return False
        event.accept()
        if event.type() == QEvent.Type.KeyPress:
            n = LARGE_STEP if held & Qt.KeyboardModifier.ShiftModifier else 1
            self._step(step[0], step[1] * n)
        return True

    def _step(self, axis: int, n_voxels: int) -> None:
        if self.tiles is None or not self.chosen:
            return
        size = self.tiles.store.pyramid.levels[0].voxel_size_zyx
        by = [0.0, 0.0, 0.0]
        by[axis] = n_voxels * size[axis]
        self._step_by((by[0], by[1], by[2]))

    def _step_by(self, by: Vec3) -> None:
        assert self.tiles is not None
        self._hand.take(self.tiles, self.chosen)
        self._try(self.tiles.shift, self.chosen, by)
        self._hand.wait()

    # -- saving ------------------------------------------------------------------

    def _ask_file(self) -> None:
        dialog = QFileDialog(self, "Where the tiles lie")
        dialog.setAcceptMode(QFileDialog.AcceptMode.AcceptSave)
        dialog.setNameFilters(
            [
                "Matrices (*.json)",
                "BigDataViewer project (*.xml)",
                "OME-Zarr scene (*.zarr)",
            ]
        )
        dialog.setDefaultSuffix("json")
        dialog.filterSelected.connect(
            lambda text: dialog.setDefaultSuffix(text.rpartition("*.")[2].rstrip(")"))
        )
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.fileSelected.connect(self.save)
        dialog.open()

    def save(self, path: str) -> None:
        """Write where the tiles lie.

        Parameters
        ----------
        path : str
            New file.
        """
        if self.tiles is None:
            return
        try:
            made = self.tiles.store.save_transforms(path)
        except BrickfieldError as error:
            self.told.setText(hide_secrets(str(error)))
            return
        self.told.setText(f"Written: {Path(made).name}")

    # -- the pictures ------------------------------------------------------------

    def _follow_views(self) -> None:
        frames = self.host.frames if self.is_open else {}
        for kind in [k for k in self.overlays if k not in frames]:
            self.overlays.pop(kind).close()
        for kind, frame in frames.items():
            if kind not in self.overlays:
                self.overlays[kind] = TileOverlay(
                    frame,
                    self._shown,
                    self._begin,
                    self._hand.drag,
                    self._hand.rest,
                )

    def _redraw(self) -> None:
        for overlay in self.overlays.values():
            overlay.redraw()

    def _shown(self) -> ShownTiles | None:
        tiles, layer = self.tiles, self._layer
        if tiles is None or layer is None or tiles.is_closed:
            return None
        chosen = self.chosen
        names = list(chosen)
        if self.boxes.isChecked():
            known = set(chosen)
            names += [n for n in self.model.names[:MOST_BOXES] if n not in known]
        corners = {name: corners_of_tile(layer, name) for name in names[:MOST_BOXES]}
        return ShownTiles(corners, chosen, self.names.isChecked())

    def _begin(self) -> None:
        if self.tiles is not None:
            store = self.tiles.store
            self._hand.take(self.tiles, self.chosen)
            self._begun = {n: store.place_of(n).matrix for n in self.chosen}

    def _drag(self, by: Vec3) -> None:
        if self.tiles is None or self._layer is None:
            return
        self._try(self.tiles.drag, self._begun, by, self._layer)
