"""Where a scan lies in an HDF5 file, and which of its axes are which.

EMD 1.0 (py4DSTEM), py4DSTEM's older files, ``version_1``, Prismatic and Berkeley's
EMD all keep a dataset beside vectors ``dim1`` … ``dim4`` (EMD 1.0 counts from 0).
Axes are taken as they are stored, scan rows first, for that is what all of these
programs write; only where names or units of the vectors say that the detector comes
first (files written column by column) are they exchanged.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from brickfield.errors import StoreFormatError
from brickfield.sources.hdf5.file import (
    DatasetSummary,
    list_datasets,
    text_attribute,
    vector_attribute,
)
from brickfield.sources.hdf5.links import HDF5Links
from brickfield.sources.hdf5.listing import is_computed, linked_datasets
from brickfield.sources.scans.source import AXES, AxisCalibration

_RECIPROCAL_NAMES = ("q", "k", "det", "recip")
_LENGTHS = ("m", "mm", "um", "µm", "μm", "nm", "pm", "a", "å", "ang", "angstrom")
_REAL_NAMES = ("r", "x", "y", "scan", "pos", "probe")
C_ORDER = (0, 1, 2, 3)


@dataclass(frozen=True, slots=True)
class Dimension:
    """What a vector ``dimN`` says of one axis of a dataset."""

    name: str
    unit: str
    size: float
    origin: float

    @property
    def is_reciprocal(self) -> bool | None:
        """Whether it is one of the detector's; None where that cannot be told."""
        unit = self.unit.replace(" ", "").lower()
        if "mrad" in unit or unit.startswith("1/") or "^-1" in unit or "-1" in unit:
            return True
        name = self.name.lower()
        if name.startswith(_RECIPROCAL_NAMES):
            return True
        is_real = name.startswith(_REAL_NAMES) or unit in _LENGTHS
        return False if is_real else None


def find_scans(file: Any, links: HDF5Links) -> list[DatasetSummary]:
    """List the datasets that may be a scan, the likeliest first; call with the HDF5 lock held.

    Datasets of four axes come first, then of five, then stacks of three; the larger
    before the smaller.

    Parameters
    ----------
    file : h5py.File
    links : HDF5Links
        Access to files that it links to.

    Raises
    ------
    StoreFormatError
        If there is none; Velox files are named.
    """
    found = [*list_datasets(file), *linked_datasets(file, links)]
    found = [s for s in found if not is_computed(s.path) and s.dtype[1:2] != "b"]
    _refuse_velox(file, found)
    scans = [s for s in found if len(s.shape) in (3, 4, 5) and min(s.shape[-2:]) > 1]
    if not scans:
        msg = (
            "expected a scan, a dataset of four axes, in"
            f" {links.root.document}; found none: name one with --dataset"
        )
        raise StoreFormatError(msg)
    rank = {4: 0, 5: 1, 3: 2}
    least = min(rank[len(s.shape)] for s in scans)
    scans = [s for s in scans if rank[len(s.shape)] == least]
    return sorted(scans, key=lambda s: (-s.size, s.path))


def _refuse_velox(file: Any, found: Sequence[DatasetSummary]) -> None:
    is_velox = any(s.path.startswith("/Data/Image/") for s in found)
    if is_velox and not any(len(s.shape) in (4, 5) for s in found):
        msg = (
            "expected a scan of patterns; found the images of a Velox file in"
            f' {file.filename}: "brickfield info" and "view" open these'
        )
        raise StoreFormatError(msg)


def dimensions_of(dataset: Any) -> list[Dimension]:
    """Read the vectors beside a dataset; the caller holds the HDF5 lock.

    Returns
    -------
    list of Dimension
        One for each axis, with steps of 1 where nothing is said.
    """
    n, group = len(dataset.shape), dataset.parent
    first = next((i for i in (0, 1) if _vector(group, f"dim{i}") is not None), 1)
    found = [_vector(group, f"dim{i + first}") for i in range(n)]
    known = [Dimension("", "", 1.0, 0.0) if d is None else _read(d) for d in found]
    return _with_calibration(dataset, known)


def _vector(group: Any, name: str) -> Any:
    import h5py

    if not isinstance(group.get(name, getlink=True), h5py.HardLink):
        return None
    item = group[name]
    is_plain = isinstance(item, h5py.Dataset) and len(item.shape or ()) == 1
    return item if is_plain and not item.external and not item.is_virtual else None


def _read(vector: Any) -> Dimension:
    name = text_attribute(vector.attrs, "name") or ""
    unit = text_attribute(vector.attrs, "units") or ""
    size, origin = 1.0, 0.0
    try:
        values = np.asarray(vector[:2], np.float64)
    except (OSError, RuntimeError, TypeError, ValueError):
        values = np.empty(0)
    if len(values) == 2 and np.isfinite(values).all() and values[0] != values[1]:
        size, origin = float(values[1] - values[0]), float(values[0])
    return Dimension(name, _plain(unit), size, origin)


def _plain(unit: str) -> str:
    """EMD writes ``[n_m]`` for nanometre, and ``[n_m^-1]`` for one through it."""
    text = unit.strip().strip("[]").replace("_", "").strip()
    if text.lower() in ("", "pixels", "pixel", "px", "none", "unknown", "n/a"):
        return ""
    return f"1/{text[:-3]}" if text.endswith("^-1") else text


def _with_calibration(dataset: Any, known: list[Dimension]) -> list[Dimension]:
    """Add what py4DSTEM says of a scan in a group of its own."""
    place = dataset.parent.parent
    group = None if place is None else place.get("metadatabundle/calibration")
    if group is None or len(known) != 4:
        return known
    found = list(known)
    for axes, letter in (((0, 1), "R"), ((2, 3), "Q")):
        size = _value(group, f"{letter}_pixel_size")
        unit = _plain(_text(group, f"{letter}_pixel_units") or "")
        for axis in axes:
            if size and unit and not found[axis].unit:
                name = found[axis].name
                found[axis] = Dimension(name, unit, size, 0.0)
    return found


def _value(group: Any, name: str) -> float | None:
    values = vector_attribute(group.attrs, name) or vector_attribute(group, name)
    return values[0] if values and np.isfinite(values[0]) and values[0] > 0 else None


def _text(group: Any, name: str) -> str | None:
    text = text_attribute(group.attrs, name)
    if text is None and name in group:
        value = group[name][()]
        text = value.decode("utf-8", "replace") if isinstance(value, bytes) else None
    return text


def axis_order(dims: Sequence[Dimension]) -> tuple[int, ...]:
    """Return the dataset's axes as (scan y, scan x, detector y, detector x).

    Parameters
    ----------
    dims : sequence of Dimension
        Of the last four axes.
    """
    is_detector = [d.is_reciprocal for d in dims]
    if is_detector != [True, True, False, False]:
        return C_ORDER
    # Column by column the whole order is turned round: rows are behind columns.
    names = [d.name.lower() for d in dims]
    is_turned = names[0].endswith("x") and names[1].endswith("y")
    return (3, 2, 1, 0) if is_turned else (2, 3, 0, 1)


def calibration_of(
    dims: Sequence[Dimension], order: Sequence[int] = C_ORDER
) -> tuple[AxisCalibration, ...]:
    """Return the calibrations of the axes of a scan.

    Parameters
    ----------
    dims : sequence of Dimension
        Of the dataset, in its order.
    order : sequence of int
        Axes of the dataset in the order of the scan: y, x, rows, columns.
    """
    return tuple(
        AxisCalibration(
            dims[axis].name or AXES[i],
            dims[axis].size,
            dims[axis].unit or "px",
            dims[axis].origin,
        )
        for i, axis in enumerate(order)
    )
