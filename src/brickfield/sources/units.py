"""One unit of length for all axes of space.

World space has one unit: a file that gives x and y in nanometres and z in
micrometres would be drawn a thousand times too flat. Lengths are converted to the
unit of the last axis of space that has one.
"""

from __future__ import annotations

from dataclasses import replace

from brickfield.model import Finding, Pyramid, ScaleLevel, Severity
from brickfield.sources.protocol import ChunkSource

METRES = {
    "angstrom": 1e-10,
    "femtometer": 1e-15,
    "picometer": 1e-12,
    "nanometer": 1e-9,
    "micrometer": 1e-6,
    "millimeter": 1e-3,
    "centimeter": 1e-2,
    "decimeter": 1e-1,
    "meter": 1.0,
    "kilometer": 1e3,
    "inch": 0.0254,
    "foot": 0.3048,
    "yard": 0.9144,
    "mile": 1609.344,
}
_SHORT = {
    "å": "angstrom",
    "a": "angstrom",
    "pm": "picometer",
    "nm": "nanometer",
    "um": "micrometer",
    "µm": "micrometer",
    "μm": "micrometer",
    "\\u00b5m": "micrometer",
    "micron": "micrometer",
    "microns": "micrometer",
    "mm": "millimeter",
    "cm": "centimeter",
    "m": "meter",
    "km": "kilometer",
    "in": "inch",
}


ODD_PROPORTION = 1000
"""Voxels that are longer than this along one axis than along another look wrong."""


def metres(unit: str | None) -> float | None:
    """Length of a unit, None if it is not known.

    Parameters
    ----------
    unit : str or None
        Written out in the singular or plural, American or British, or short.
    """
    if unit is None:
        return None
    name = unit.strip().lower()
    name = _SHORT.get(name, name).removesuffix("s")
    if name.endswith("metre"):
        name = f"{name.removesuffix('metre')}meter"
    return METRES.get(name)


def in_one_unit(source: ChunkSource, *, keeps_numbers: bool = False) -> ChunkSource:
    """Convert lengths of a source to one unit, with a finding.

    Parameters
    ----------
    source : ChunkSource
        Its ``info`` is replaced where units differ.
    keeps_numbers : bool
        Whether the voxel size comes from the user, and so is in one unit already.
    """
    pyramid = source.info.pyramid
    spatial = [p for p in pyramid.spatial_axes if p >= 0]
    units = [pyramid.axes[p].unit for p in spatial]
    named = [unit for unit in units if unit]
    if len(set(units)) < 2 or not named:
        return source
    target = named[-1]
    lengths = [metres(unit) for unit in units]
    if None in lengths:
        return _with_finding(source, units, "not all are known: left as they are")
    if len(set(lengths)) == 1:  # one unit in two spellings
        return source
    factors = [1.0 if keeps_numbers else _ratio(unit, target) for unit in units]
    ratio = [1.0] * len(pyramid.axes)
    axes = list(pyramid.axes)
    for position, factor in zip(spatial, factors, strict=True):
        ratio[position] = factor
        axes[position] = replace(axes[position], unit=target)
    levels = tuple(_rescaled(level, ratio) for level in pyramid.levels)
    source.info = replace(source.info, pyramid=Pyramid(tuple(axes), levels))
    return _with_finding(source, units, f"all are given in {target}")


def with_proportions(source: ChunkSource) -> ChunkSource:
    """Add a finding where voxels are so long that the picture can hardly show them."""
    pyramid = source.info.pyramid
    level = pyramid.levels[0]
    spatial = [p for p in pyramid.spatial_axes if p >= 0 and level.shape[p] > 1]
    sizes = [abs(level.voxel_size[p]) for p in spatial]
    if len(sizes) < 2 or max(sizes) <= ODD_PROPORTION * min(sizes):
        return source
    named = ", ".join(
        f"{pyramid.axes[p].name} {s:g}" for p, s in zip(spatial, sizes, strict=True)
    )
    text = (
        f"expected voxels of similar length along the axes; found {named}: if that is"
        " wrong, give the voxel size with --scale (scale=)"
    )
    finding = Finding("warning", "odd-proportions", "axes", text)
    source.info = replace(source.info, findings=(*source.info.findings, finding))
    return source


def _ratio(unit: str | None, target: str) -> float:
    return (metres(unit) or 1.0) / (metres(target) or 1.0)


def _with_finding(
    source: ChunkSource, units: list[str | None], done: str
) -> ChunkSource:
    listed = ", ".join(str(unit or "none") for unit in units)
    text = f"expected one unit of length for all axes of space; found {listed}: {done}"
    # A z without a unit is common and mostly harmless.
    severity: Severity = "info" if None in units else "warning"
    finding = Finding(severity, "mixed-units", "axes", text)
    findings = (*source.info.findings, finding)
    source.info = replace(source.info, findings=findings)
    return source


def _rescaled(level: ScaleLevel, ratio: list[float]) -> ScaleLevel:
    size = tuple(s * r for s, r in zip(level.voxel_size, ratio, strict=True))
    shift = tuple(t * r for t, r in zip(level.translation, ratio, strict=True))
    return replace(level, voxel_size=size, translation=shift)
