"""Axes, voxel sizes and origins that programs write beside HDF5 datasets.

HDF5 itself knows no geometry. The conventions read here, in this order, are the
``dim1`` … ``dimN`` vectors of EMD, the axis tags of ilastik, labels and scales of
dimensions (NetCDF, NeXus), ``element_size_um`` and ``resolution``/``offset``.
Whatever is absent or unreadable leaves index units.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from brickfield.model import Axis
from brickfield.sources.geometry import (
    axis_named,
    default_axes,
    is_usable_scale,
    over_axes,
    spatial_positions,
)
from brickfield.sources.hdf5.file import text_attribute, vector_attribute

_VELOX = re.compile(r"^/Data/Image/[^/]+/Data$")


@dataclass(frozen=True, slots=True)
class DatasetGeometry:
    """Axes of a dataset, size of a step and place of index 0 along each."""

    axes: tuple[Axis, ...]
    voxel_size: tuple[float, ...]
    translation: tuple[float, ...]


def geometry_of(dataset: Any) -> DatasetGeometry:
    """Read what is known of a dataset's axes; the caller holds the HDF5 lock."""
    shape = tuple(int(n) for n in dataset.shape)
    axes = _default_axes(dataset, shape)
    n = len(shape)
    plain = DatasetGeometry(axes, (1.0,) * n, (0.0,) * n)
    for read in (_emd_dimensions, _axis_tags, _dimension_labels):
        found = read(dataset, plain)
        if found is not None:
            return _with_sizes(dataset, found)
    return _with_sizes(dataset, plain)


def _default_axes(dataset: Any, shape: Sequence[int]) -> tuple[Axis, ...]:
    if _VELOX.match(str(dataset.name)) and len(shape) == 3:
        return (axis_named("y"), axis_named("x"), axis_named("t"))
    if "MATLAB_class" in dataset.attrs and len(shape) <= 5:
        # MATLAB writes (y, x, z, …) column by column, which HDF5 sees reversed.
        return tuple(axis_named(name) for name in "ctzxy"[-len(shape) :])
    if len(shape) == 4 and _is_scan(dataset):
        scan = (Axis("scan_y", "other"), Axis("scan_x", "other"))
        return (*scan, axis_named("y"), axis_named("x"))
    return default_axes(shape)


def _is_scan(dataset: Any) -> bool:
    """Tell whether four axes are a scan of diffraction patterns, as EMD keeps them."""
    if "/datacubes/" in str(dataset.name):
        return True
    kind = dataset.parent.attrs.get("emd_group_type")
    return isinstance(kind, int | np.integer) and int(kind) == 1


def _emd_dimensions(dataset: Any, plain: DatasetGeometry) -> DatasetGeometry | None:
    n = len(plain.axes)
    group = dataset.parent
    for first in (1, 0):
        dims = [_own(group, f"dim{i + first}") for i in range(n)]
        if all(d is not None and hasattr(d, "shape") for d in dims):
            break
    else:
        return None
    names = [text_attribute(d.attrs, "name") or "" for d in dims]
    units = [_plain_unit(text_attribute(d.attrs, "units")) for d in dims]
    axes = _named_axes(names, units, plain.axes)
    steps = [_step_and_origin(d) for d in dims]
    return DatasetGeometry(axes, tuple(s for s, _ in steps), tuple(o for _, o in steps))


def _own(group: Any, name: str) -> Any:
    """Return a member of a group, None when it is a link to somewhere else."""
    import h5py

    is_hard = isinstance(group.get(name, getlink=True), h5py.HardLink)
    return group.get(name) if is_hard else None


def _named_axes(
    names: Sequence[str], units: Sequence[str | None], default: tuple[Axis, ...]
) -> tuple[Axis, ...]:
    lower = [name.lower() for name in names]
    if len(set(lower)) == len(lower) and {"x", "y"} <= set(lower):
        return tuple(axis_named(n, u) for n, u in zip(lower, units, strict=True))
    if len(names) == 4 and all(name.startswith(("R", "Q")) for name in names):
        # A scan of diffraction patterns: the patterns are the pictures.
        kept = tuple(Axis(n, "other", u) for n, u in zip(names, units, strict=True))
        return (*kept[:2], Axis("y", "space", units[2]), Axis("x", "space", units[3]))
    return tuple(replace(a, unit=u) for a, u in zip(default, units, strict=True))


def _plain_unit(unit: str | None) -> str | None:
    # EMD writes "[n_m]" for nanometre.
    text = (unit or "").strip().strip("[]").replace("_", "")
    return text or None


def _step_and_origin(values: Any) -> tuple[float, float]:
    if getattr(values, "external", None) or getattr(values, "is_virtual", False):
        # A vector of two numbers has no reason to lie in another file.
        return 1.0, 0.0
    try:
        vector = np.asarray(values[:2], dtype=np.float64)
    except (OSError, RuntimeError, TypeError, ValueError):
        return 1.0, 0.0
    if vector.shape != (2,) or not is_usable_scale([vector[1] - vector[0]]):
        return 1.0, 0.0
    return float(vector[1] - vector[0]), float(vector[0])


def _axis_tags(dataset: Any, plain: DatasetGeometry) -> DatasetGeometry | None:
    try:
        tags = json.loads(text_attribute(dataset.attrs, "axistags") or "")["axes"]
        names = [str(tag["key"]) for tag in tags]
        steps = [float(tag.get("resolution") or 1.0) for tag in tags]
    except (ValueError, KeyError, TypeError, AttributeError):
        return None
    axes = tuple(axis_named(name) for name in names)
    if len(axes) != len(plain.axes) or len(set(names)) != len(names):
        return None
    if not any(a.kind == "space" for a in axes) or not is_usable_scale(steps):
        return None
    return replace(plain, axes=axes, voxel_size=tuple(steps))


def _dimension_labels(dataset: Any, plain: DatasetGeometry) -> DatasetGeometry | None:
    labels = [str(d.label).lower() for d in dataset.dims]
    steps = [_dimension_scale(d) for d in dataset.dims]
    is_named = len(set(labels)) == len(labels) and {"x", "y"} <= set(labels)
    if not is_named and all(s == (1.0, 0.0) for s in steps):
        return None
    axes = tuple(axis_named(name) for name in labels) if is_named else plain.axes
    return DatasetGeometry(axes, tuple(s for s, _ in steps), tuple(o for _, o in steps))


def _dimension_scale(dimension: Any) -> tuple[float, float]:
    try:
        return _step_and_origin(dimension[0]) if len(dimension) else (1.0, 0.0)
    except (OSError, RuntimeError, KeyError, IndexError):
        return 1.0, 0.0


def _with_sizes(dataset: Any, found: DatasetGeometry) -> DatasetGeometry:
    """Add voxel sizes from attributes of the dataset, (z, y, x) or all axes."""
    for name, unit in (("element_size_um", "micrometer"), ("resolution", "nanometer")):
        sizes = vector_attribute(dataset.attrs, name)
        if sizes is None or not sizes or not is_usable_scale(sizes):
            continue
        full = _full_rank(sizes, found.axes, 1.0)
        if full is None:
            continue
        axes = tuple(
            replace(a, unit=a.unit or unit) if a.kind == "space" else a
            for a in found.axes
        )
        offset = vector_attribute(dataset.attrs, "offset") or []
        shift = _full_rank(offset, axes, 0.0)
        if shift is None or name != "resolution" or not np.isfinite(shift).all():
            shift = found.translation
        return DatasetGeometry(axes, full, shift)
    return found


def _full_rank(
    values: Sequence[float], axes: Sequence[Axis], others: float
) -> tuple[float, ...] | None:
    if len(values) == len(axes):
        return tuple(values)
    n_spatial = sum(p >= 0 for p in spatial_positions(axes))
    if len(values) != 3 or n_spatial > 3:
        return None
    return over_axes(values, axes, others)
