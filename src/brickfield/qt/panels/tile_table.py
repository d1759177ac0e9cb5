"""The tiles of a mosaic as rows: a hundred thousand cost what is seen of them."""

from __future__ import annotations

from typing import Any

from qtpy.QtCore import QAbstractTableModel, QModelIndex, QObject, Qt, Signal

from brickfield.viewer.controls import MosaicTiles

_ROLE = Qt.ItemDataRole


class TileModel(QAbstractTableModel):
    """Names, sizes and attributes of tiles, with a mark for those that are shown.

    Attributes
    ----------
    switched : Signal(str, bool)
        The user wants a tile shown, or left out.
    names : list of str
        One a row.
    """

    switched = Signal(str, bool)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._tiles: MosaicTiles | None = None
        self._kinds: list[str] = []
        self.names: list[str] = []

    def take(self, tiles: MosaicTiles | None) -> None:
        """Show other tiles.

        Parameters
        ----------
        tiles : MosaicTiles or None
        """
        self.beginResetModel()
        self._tiles = tiles
        places = () if tiles is None else tiles.store.places
        self.names = [place.name for place in places]
        self._kinds = [
            kind
            for kind in ("angle", "channel", "illumination", "tile")
            if self._tells(kind, [dict(p.attributes).get(kind, "") for p in places])
        ]
        self._has_times = any(place.time is not None for place in places)
        self.endResetModel()

    def _tells(self, kind: str, values: list[str]) -> bool:
        """Whether an attribute tells tiles apart, and not just as their names do."""
        is_name = kind == "tile" and values == self.names
        return len(set(values)) > 1 and not is_name

    def refresh(self) -> None:
        """Say that tiles were moved, shown or left out."""
        if self.names:
            last = self.index(len(self.names) - 1, self.columnCount() - 1)
            self.dataChanged.emit(self.index(0, 0), last)

    @property
    def columns(self) -> list[str]:
        """Titles."""
        more = ["time"] if self.names and self._has_times else []
        return ["tile", *self._kinds, *more, "voxels z, y, x", "lies at z, y, x"]

    def rowCount(self, parent: QModelIndex | None = None) -> int:  # noqa: N802 - Qt's name
        """Return the number of tiles."""
        return 0 if parent is not None and parent.isValid() else len(self.names)

    def columnCount(self, parent: QModelIndex | None = None) -> int:  # noqa: N802 - Qt's name
        """Return the number of columns."""
        return 0 if parent is not None and parent.isValid() else len(self.columns)

    def headerData(  # noqa: N802 - Qt's name
        self, section: int, orientation: Any, role: int = _ROLE.DisplayRole
    ) -> Any:
        """Return the title of a column.

        Parameters
        ----------
        section : int
        orientation : Qt.Orientation
        role : int
        """
        is_title = role == _ROLE.DisplayRole
        if is_title and orientation == Qt.Orientation.Horizontal:
            return self.columns[section]
        return None

    def data(self, index: QModelIndex, role: int = _ROLE.DisplayRole) -> Any:
        """Return what a cell shows.

        Parameters
        ----------
        index : QModelIndex
        role : int
        """
        tiles = self._tiles
        if tiles is None or tiles.is_closed or not index.isValid():
            return None
        name = self.names[index.row()]
        if role == _ROLE.CheckStateRole and index.column() == 0:
            is_shown = tiles.store.is_shown(name)
            return Qt.CheckState.Checked if is_shown else Qt.CheckState.Unchecked
        if role != _ROLE.DisplayRole:
            return None
        return self._text(name, self.columns[index.column()])

    def _text(self, name: str, column: str) -> str:
        assert self._tiles is not None
        if column == "tile":
            return name
        place = self._tiles.store.place_of(name)
        if column == "time":
            return "all" if place.time is None else str(place.time)
        if column == "voxels z, y, x":
            return " × ".join(map(str, place.shape))
        if column == "lies at z, y, x":
            low, _ = place.box()
            return ", ".join(f"{v:z.5g}" for v in low)
        return dict(place.attributes).get(column, "")

    def setData(  # noqa: N802 - Qt's name
        self, index: QModelIndex, value: Any, role: int = _ROLE.EditRole
    ) -> bool:
        """Take a mark that the user made or took away.

        Parameters
        ----------
        index : QModelIndex
        value : object
        role : int
        """
        if role != _ROLE.CheckStateRole or index.column() != 0:
            return False
        is_shown = Qt.CheckState(value) == Qt.CheckState.Checked
        self.switched.emit(self.names[index.row()], is_shown)
        return True

    def flags(self, index: QModelIndex) -> Any:
        """Return what can be done with a cell.

        Parameters
        ----------
        index : QModelIndex
        """
        usual = Qt.ItemFlag.ItemIsEnabled | Qt.ItemFlag.ItemIsSelectable
        is_first = index.column() == 0
        return usual | Qt.ItemFlag.ItemIsUserCheckable if is_first else usual
