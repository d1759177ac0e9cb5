"""A plate: rows and columns of wells with pictures.

Invariant: the plate stands at once, whatever its size; pictures are asked for of the
wells in sight alone, those in the middle of attention first. A well that was never
imaged is empty, one that is listed without data is crossed out; neither can be
chosen. Arrow keys move, Shift and Ctrl choose several, as in every table. Main
thread only.
"""

from __future__ import annotations

from typing import Any

from qtpy.QtCore import (
    QAbstractTableModel,
    QItemSelection,
    QModelIndex,
    QSize,
    Qt,
    QTimer,
    Signal,
)
from qtpy.QtGui import QColor, QPainter, QPen, QPixmap, QResizeEvent, QShowEvent
from qtpy.QtWidgets import (
    QHeaderView,
    QStyle,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QTableView,
    QWidget,
)

from brickfield.qt.chooser.pixmaps import framed
from brickfield.qt.chooser.reading import MOST_KEPT, ImageReading, Look
from brickfield.qt.icons import text_color
from brickfield.qt.theme import ACCENT
from brickfield.sources.images import Plate, WellPlace

SMALLEST, LARGEST = 22, 96
"""Edge of a well, pixels."""


class PlateModel(QAbstractTableModel):
    """Wells by row and column."""

    def __init__(self, plate: Plate, reading: ImageReading, parent: QWidget) -> None:
        super().__init__(parent)
        self.plate = plate
        self._reading = reading
        self._wells = {(w.row, w.column): w for w in plate.wells}
        self._places = {w.path: w for w in plate.wells}

    def well_at(self, index: Any) -> WellPlace | None:
        """Return the well of a cell; None where nothing was imaged."""
        return self._wells.get((index.row(), index.column()))

    def index_of(self, path: str) -> QModelIndex:
        """Return the cell of a well; an invalid index for none."""
        well = self._places.get(path)
        return QModelIndex() if well is None else self.index(well.row, well.column)

    def look_at(self, index: Any) -> Look | None:
        """Return what was seen of a cell's well."""
        well = self.well_at(index)
        return None if well is None else self._reading.look_at(well.path)

    def tell(self, path: str) -> None:
        """Say that something new was seen of a well."""
        index = self.index_of(path)
        if index.isValid():
            self.dataChanged.emit(index, index)

    # -- Qt's names --------------------------------------------------------------

    def rowCount(self, parent: Any = None) -> int:  # noqa: N802
        """Count the rows."""
        return len(self.plate.rows)

    def columnCount(self, parent: Any = None) -> int:  # noqa: N802
        """Count the columns."""
        return len(self.plate.columns)

    def flags(self, index: Any) -> Qt.ItemFlag:
        """Tell what can be done with a cell."""
        look = self.look_at(index)
        is_absent = look is not None and not look.entries
        if self.well_at(index) is None or is_absent:
            return Qt.ItemFlag.NoItemFlags
        return Qt.ItemFlag.ItemIsEnabled | Qt.ItemFlag.ItemIsSelectable

    def data(self, index: Any, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        """Return the text of a cell; the delegate draws the picture.

        Parameters
        ----------
        index : QModelIndex
        role : int
        """
        if role not in (
            Qt.ItemDataRole.ToolTipRole,
            Qt.ItemDataRole.AccessibleTextRole,
        ):
            return None
        well = self.well_at(index)
        if well is None:
            return "never imaged"
        look = self.look_at(index)
        why = look.why if look is not None else "not read yet"
        return f"{well.path}: {why}" if why else well.path

    def headerData(  # noqa: N802
        self,
        section: int,
        orientation: Qt.Orientation,
        role: int = Qt.ItemDataRole.DisplayRole,
    ) -> Any:
        """Return the name of a row or column.

        Parameters
        ----------
        section : int
            Row or column.
        orientation : Qt.Orientation
        role : int
        """
        if role != Qt.ItemDataRole.DisplayRole:
            return None
        is_row = orientation == Qt.Orientation.Vertical
        return (self.plate.rows if is_row else self.plate.columns)[section]


class _Cell(QStyledItemDelegate):
    """Draws a well. A picture is made small once, not with every drawing."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self._made: dict[object, tuple[Look | None, QPixmap]] = {}

    def _picture(self, look: Look | None, size: QSize, text: QColor) -> QPixmap:
        has_picture = look is not None and look.picture is not None
        kind = id(look) if has_picture else look is not None
        key = (kind, size.width(), size.height(), text.rgb())
        if key not in self._made:
            if len(self._made) >= MOST_KEPT:
                self._made.clear()
            # With what it shows, whose identity must not become another's.
            self._made[key] = (look, framed(look, size, text))
        return self._made[key][1]

    def paint(
        self, painter: QPainter, option: QStyleOptionViewItem, index: Any
    ) -> None:
        model, table = index.model(), self.parent()
        assert isinstance(model, PlateModel)
        assert isinstance(table, QWidget)
        if model.well_at(index) is None:
            return
        rect = option.rect.adjusted(2, 2, -2, -2)
        text = text_color(table)
        picture = self._picture(model.look_at(index), rect.size(), text)
        painter.drawPixmap(rect.topLeft(), picture)
        state = option.state
        if state & QStyle.StateFlag.State_Selected:
            painter.setPen(QPen(QColor(ACCENT), 3))
            painter.drawRect(rect)
        elif state & QStyle.StateFlag.State_HasFocus:
            painter.setPen(QPen(text, 1, Qt.PenStyle.DotLine))
            painter.drawRect(rect)


class PlateTable(QTableView):
    """The plate.

    Attributes
    ----------
    wells_changed : Signal
        Other wells are chosen.
    opened : Signal
        A well was double-clicked, or Enter was pressed.
    """

    wells_changed = Signal()
    opened = Signal()

    def __init__(
        self, plate: Plate, reading: ImageReading, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self._reading = reading
        self._model = PlateModel(plate, reading, self)
        self.setModel(self._model)
        self.setItemDelegate(_Cell(self))
        self.setSelectionMode(QTableView.SelectionMode.ExtendedSelection)
        self.setShowGrid(False)
        self.setCornerButtonEnabled(False)
        self.setTabKeyNavigation(False)
        self.setAccessibleName("Wells of the plate")
        for header in (self.horizontalHeader(), self.verticalHeader()):
            header.setSectionResizeMode(QHeaderView.ResizeMode.Fixed)
            header.setMinimumSectionSize(SMALLEST)
            header.setHighlightSections(False)
        reading.looked.connect(self._on_looked)
        self._ask = QTimer(self)
        self._ask.setSingleShot(True)
        self._ask.timeout.connect(self._want_visible)
        for bar in (self.horizontalScrollBar(), self.verticalScrollBar()):
            bar.valueChanged.connect(self._ask_soon)
        self.doubleClicked.connect(lambda _index: self.opened.emit())

    # -- what is chosen ----------------------------------------------------------

    @property
    def current(self) -> str:
        """Path of the well that the cursor is on; "" for none."""
        well = self._model.well_at(self.currentIndex())
        return "" if well is None else well.path

    @property
    def chosen(self) -> list[str]:
        """Paths of the chosen wells, row by row."""
        cells = sorted((i.row(), i.column(), i) for i in self.selectedIndexes())
        wells = [self._model.well_at(index) for _row, _column, index in cells]
        return [well.path for well in wells if well is not None]

    def looks(self) -> list[Look]:
        """Return what was seen of the wells so far."""
        paths = [well.path for well in self._model.plate.wells]
        looks = [self._reading.look_at(path) for path in paths]
        return [look for look in looks if look is not None]

    def choose(self, path: str) -> None:
        """Put the cursor on a well and choose it alone."""
        index = self._model.index_of(path)
        if index.isValid():
            self.setCurrentIndex(index)

    def selectionChanged(  # noqa: N802 - Qt's name
        self, selected: QItemSelection, deselected: QItemSelection
    ) -> None:
        """Emit that other wells are chosen.

        Parameters
        ----------
        selected, deselected : QItemSelection
        """
        super().selectionChanged(selected, deselected)
        self.wells_changed.emit()

    def keyPressEvent(self, event: Any) -> None:  # noqa: N802 - Qt's name
        """Open with Enter."""
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self.opened.emit()
            return
        super().keyPressEvent(event)

    # -- pictures ----------------------------------------------------------------

    def _on_looked(self, path: str, _look: object) -> None:
        self._model.tell(path)

    def _ask_soon(self, *_: object) -> None:
        self._ask.start(30)

    def _want_visible(self) -> None:
        """Request the wells in sight; the last request is read first."""
        sight = self.viewport().rect()
        for well in reversed(self._model.plate.wells):
            rect = self.visualRect(self._model.index(well.row, well.column))
            if rect.intersects(sight):
                self._reading.want_well(well.path)
        if self.current:
            self._reading.want_well(self.current)

    def _fit_cells(self) -> None:
        n = max(1, self._model.columnCount())
        edge = min(LARGEST, max(SMALLEST, self.viewport().width() // n))
        for header in (self.horizontalHeader(), self.verticalHeader()):
            if header.defaultSectionSize() != edge:
                header.setDefaultSectionSize(edge)
        self._ask_soon()

    def sizeHint(self) -> QSize:  # noqa: N802 - Qt's name
        """Return the size that wells need to be recognised."""
        return QSize(480, 320)

    def resizeEvent(self, event: QResizeEvent) -> None:  # noqa: N802 - Qt's name
        """Let the columns fill the width."""
        super().resizeEvent(event)
        self._fit_cells()

    def showEvent(self, event: QShowEvent) -> None:  # noqa: N802 - Qt's name
        """Request what is in sight now."""
        super().showEvent(event)
        self._fit_cells()
