"""Axes, voxel sizes and factors from the attributes of N5 levels.

Pure: takes parsed JSON and gives values in z, y, x order, never an error. Whatever
cannot be used is noted as a finding and replaced by the next best convention.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from brickfield.model import Axis, Finding
from brickfield.sources.geometry import (
    aligned_geometry,
    axis_named,
    default_axes,
    is_usable_scale,
    spatial_positions,
)


@dataclass(frozen=True, slots=True)
class LevelAttributes:
    """What JSON files say of one level.

    Attributes
    ----------
    folder : str
    number : int
        Position among the levels.
    own, group : dict
        Attributes of the array and of the group that holds the levels.
    """

    folder: str
    number: int
    own: dict[str, Any]
    group: dict[str, Any]

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape in reversed order, the last axis is x."""
        return tuple(int(n) for n in reversed(self.own["dimensions"]))


@dataclass(frozen=True, slots=True)
class N5Scales:
    """Geometry of all levels, axes in reversed order (… z, y, x)."""

    axes: tuple[Axis, ...]
    voxel_sizes: tuple[tuple[float, ...], ...]
    translations: tuple[tuple[float, ...], ...]
    findings: tuple[Finding, ...] = ()


def read_scales(levels: Sequence[LevelAttributes]) -> N5Scales:
    """Read the geometry of an image from the attributes of its levels."""
    axes = _axes(levels[0])
    cosem = [_transform(level, axes) for level in levels]
    known = [t for t in cosem if t is not None]
    if len(known) == len(levels):
        units = known[0][2]
        named = tuple(
            Axis(a.name, a.kind, u or a.unit) for a, u in zip(axes, units, strict=True)
        )
        return N5Scales(named, tuple(t[0] for t in known), tuple(t[1] for t in known))
    size, unit, findings = _resolution(levels[0], axes)
    axes = tuple(
        Axis(a.name, a.kind, a.unit or unit) if a.kind == "space" else a for a in axes
    )
    shift = _vector(levels[0], "offset", axes, usable=np.isfinite)
    start = (0.0,) * len(axes) if shift is None else shift
    sizes, shifts = [], []
    for level in levels:
        level_size, level_shift = aligned_geometry(
            size, start, _factors(level, levels[0], axes)
        )
        sizes.append(level_size)
        shifts.append(level_shift)
    return N5Scales(axes, tuple(sizes), tuple(shifts), tuple(findings))


def _axes(level: LevelAttributes) -> tuple[Axis, ...]:
    n = len(level.shape)
    for said in (level.own, level.group):
        names: Any = said.get("axes")
        units: Any = said.get("units")
        if not isinstance(names, list) or len(names) != n or len(set(names)) != n:
            continue
        is_full = isinstance(units, list) and len(units) == n
        named = [
            axis_named(str(a), str(u) if is_full else None)
            for a, u in zip(names, units if is_full else names, strict=True)
        ]
        if {"x", "y"} <= {a.name for a in named}:
            return tuple(reversed(named))
    return default_axes(level.shape)


def _transform(
    level: LevelAttributes, axes: tuple[Axis, ...]
) -> tuple[tuple[float, ...], tuple[float, ...], tuple[str | None, ...]] | None:
    """Scale, translation and units of a COSEM transform, in the order of the axes."""
    said: Any = level.own.get("transform")
    multiscales = level.group.get("multiscales")
    if not isinstance(said, dict) and isinstance(multiscales, list) and multiscales:
        datasets: list[Any] = multiscales[0].get("datasets") or []
        said = dict(enumerate(datasets)).get(level.number, {}).get("transform")
    if not isinstance(said, dict):
        return None
    try:
        names = [str(n) for n in said["axes"]]
        order = [names.index(a.name) for a in axes]
        scale = tuple(float(said["scale"][i]) for i in order)
        zero = [0.0] * len(names)
        translate: Any = said.get("translate") or said.get("translation") or zero
        shift = tuple(float(translate[i]) for i in order)
        listed: Any = said.get("units") or [""] * len(names)
        ordered = tuple(str(listed[i]) or None for i in order)
    except (KeyError, ValueError, TypeError, IndexError):
        return None
    return (scale, shift, ordered) if is_usable_scale(scale) else None


def _resolution(
    level: LevelAttributes, axes: tuple[Axis, ...]
) -> tuple[tuple[float, ...], str | None, list[Finding]]:
    unit: str | None = None
    for said in (level.own, level.group):
        pixel = said.get("pixelResolution")
        if isinstance(pixel, dict) and pixel.get("unit"):
            unit = str(pixel["unit"])
            break
    found: tuple[float, ...] | None = None
    for name in ("pixelResolution", "resolution"):
        found = found or _vector(level, name, axes, usable=lambda v: v > 0)
    if found is not None:
        return found, unit, []
    text = "expected pixelResolution or resolution; found none usable: voxels are 1"
    finding = Finding("info", "no-voxel-size", f"{level.folder}/attributes.json", text)
    return (1.0,) * len(axes), unit, [finding]


def _factors(
    level: LevelAttributes, first: LevelAttributes, axes: tuple[Axis, ...]
) -> tuple[float, ...]:
    """Voxel size over level 0's, in the order of the axes."""
    own = _reversed(level.own.get("downsamplingFactors"), axes, 1.0)
    if own is not None and is_usable_scale(own):
        return own
    for name in ("downsamplingFactors", "scales"):
        rows = level.group.get(name)
        if isinstance(rows, list) and level.number < len(rows):
            row = _reversed(rows[level.number], axes, 1.0)
            if row is not None and is_usable_scale(row):
                return row
    return tuple(n / m for n, m in zip(first.shape, level.shape, strict=True))


def _vector(
    level: LevelAttributes, name: str, axes: tuple[Axis, ...], *, usable: Any
) -> tuple[float, ...] | None:
    for said in (level.own, level.group):
        value = said.get(name)
        if isinstance(value, dict):
            value = value.get("dimensions")
        others = 0.0 if name == "offset" else 1.0
        full = _reversed(value, axes, others)
        if full is None or not np.isfinite(full).all():
            continue
        if np.all(usable(np.array(full))):
            return full
    return None


def _reversed(
    values: Any, axes: tuple[Axis, ...], others: float
) -> tuple[float, ...] | None:
    """Turn x, y, z values round; three values fill the spatial axes of more."""
    try:
        numbers = [float(v) for v in values][::-1]
    except (TypeError, ValueError):
        return None
    if len(numbers) == len(axes):
        return tuple(numbers)
    spatial = [p for p in spatial_positions(axes) if p >= 0]
    if len(numbers) != len(spatial):
        return None
    full = [others] * len(axes)
    for value, position in zip(numbers, spatial, strict=True):
        full[position] = value
    return tuple(full)
