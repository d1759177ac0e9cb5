"""Images of a store as values: what they are called, and how each is opened.

Invariant: an entry's name opens the entry (``image=`` everywhere), and no two
entries of a store have one name.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

Kind = Literal["image", "labels", "field"]
LABELS = "labels"
"""Stands between an image's name and the name of a label image beside it."""


@dataclass(frozen=True, slots=True)
class ImageEntry:
    """One image of a store.

    Attributes
    ----------
    name : str
        Opens it; a field's is well and field, ``"A/1/0"``.
    kind : {"image", "labels", "field"}
    options : mapping
        The same as options of :func:`brickfield.sources.open_source`.
    shape : tuple of int or None
        Of the finest level, all axes; None where it was not read yet.
    axes : tuple of str or None
        Names of the axes.
    """

    name: str
    kind: Kind
    options: Mapping[str, str] = field(default_factory=dict, hash=False)
    shape: tuple[int, ...] | None = None
    axes: tuple[str, ...] | None = None

    def as_dict(self) -> dict[str, Any]:
        """Return what ``brickfield info --json`` lists."""
        return {
            "name": self.name,
            "kind": self.kind,
            "shape": None if self.shape is None else list(self.shape),
            "axes": None if self.axes is None else list(self.axes),
        }


@dataclass(frozen=True, slots=True)
class WellPlace:
    """One well: its path in the store, and where it is on the plate."""

    path: str
    row: int
    column: int


@dataclass(frozen=True, slots=True)
class Plate:
    """A plate as its metadata draw it.

    Attributes
    ----------
    name : str
        Empty when the metadata give none.
    rows, columns : tuple of str
        Names, in order.
    wells : tuple of WellPlace
        Those that the metadata list, in the order of the metadata; the others were
        never imaged.
    """

    name: str
    rows: tuple[str, ...]
    columns: tuple[str, ...]
    wells: tuple[WellPlace, ...]


def read_plate(plate: Mapping[str, Any], paths: Sequence[str]) -> Plate:
    """Draw a plate from its metadata.

    Parameters
    ----------
    plate : mapping
        As stored; what is odd in it is passed over.
    paths : sequence of str
        Wells that can be opened.

    Returns
    -------
    Plate
        Every path has a place: that of its names where they are rows and columns,
        else one of a row of its own.
    """
    rows, columns = _names(plate.get("rows")), _names(plate.get("columns"))
    wells = []
    for path in paths:
        row, _, column = path.rpartition("/")
        wells.append(WellPlace(path, _at(rows, row), _at(columns, column)))
    name = plate.get("name")
    return Plate(
        name if isinstance(name, str) else "", tuple(rows), tuple(columns), tuple(wells)
    )


def _names(items: Any) -> list[str]:
    listed = items if isinstance(items, list) else []
    found = [item.get("name") for item in listed if isinstance(item, dict)]
    return list(dict.fromkeys(str(n) for n in found if n not in (None, "")))


def _at(names: list[str], name: str) -> int:
    """Position of a name, which is put at the end when it is new."""
    if name not in names:
        names.append(name)
    return names.index(name)
