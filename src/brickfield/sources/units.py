"""One unit of length for all axes of space.

World space has one unit: a file that gives x and y in nanometres and z in
micrometres would be drawn a thousand times too flat. Lengths are converted to the
unit of the last axis of space that has one.
"""

from __future__ import annotations

from dataclasses import replace

from brickfield.model.image import Finding
from brickfield.model.scales import Pyramid, ScaleLevel
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
        Whether the voxel size comes from the user, who means one unit already.
    """
    pyramid = source.info.pyramid
    spatial = [p for p in pyramid.spatial_axes if p >= 0]
    units = [pyramid.axes[p].unit for p in spatial]
    named = [unit for unit in units if unit]
    if len(set(units)) < 2 or not named:
        return source
    target = named[-1]
    factors, finding = _factors(units, target)
    if keeps_numbers:
        factors = [1.0] * len(units)
    ratio = [1.0] * len(pyramid.axes)
    axes = list(pyramid.axes)
    for position, factor in zip(spatial, factors, strict=True):
        ratio[position] = factor
        axes[position] = replace(axes[position], unit=target)
    levels = tuple(_rescaled(level, ratio) for level in pyramid.levels)
    source.info = replace(
        source.info,
        pyramid=Pyramid(tuple(axes), levels),
        findings=(*source.info.findings, finding),
    )
    return source


def _factors(units: list[str | None], target: str) -> tuple[list[float], Finding]:
    """Lengths of one of each unit in the target's, and what to say of them."""
    listed = ", ".join(str(unit or "none") for unit in units)
    unit_m = metres(target)
    known = [metres(unit) if unit else unit_m for unit in units]
    if unit_m is None or None in known:
        text = (
            f"expected one unit of length for all axes of space; found {listed}, of which"
            f" not all are known: took all for {target}"
        )
        return [1.0] * len(units), Finding("error", "mixed-units", "axes", text)
    text = (
        f"expected one unit of length for all axes of space; found {listed}: all are"
        f" given in {target}"
    )
    factors = [value / unit_m for value in known if value is not None]
    return factors, Finding("info", "mixed-units", "axes", text)


def _rescaled(level: ScaleLevel, ratio: list[float]) -> ScaleLevel:
    size = tuple(s * r for s, r in zip(level.voxel_size, ratio, strict=True))
    shift = tuple(t * r for t, r in zip(level.translation, ratio, strict=True))
    return replace(level, voxel_size=size, translation=shift)
