"""Axes, voxel sizes and channels of a TIFF series, from OME-XML or ImageJ notes.

tifffile names the axes; where it found no name for the planes of a stack (I or Q),
they are taken as z. Plain TIFF resolution tags mostly speak of printing and are
not used.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any
from xml.etree import ElementTree as ET

import numpy as np

from brickfield.model import Axis, Channel, Finding
from brickfield.sources.geometry import axis_named, is_usable_scale, spatial_positions

_IMAGEJ_UNITS = {"\\u00b5m": "micrometer", "µm": "micrometer", "um": "micrometer"} | {
    "micron": "micrometer",
    "microns": "micrometer",
    "nm": "nanometer",
    "mm": "millimeter",
    "cm": "centimeter",
    "m": "meter",
}
_OME_UNITS = {"µm": "micrometer", "nm": "nanometer", "mm": "millimeter"} | {
    "m": "meter",
    "Å": "angstrom",
    "s": "second",
    "ms": "millisecond",
    "min": "minute",
}


_PRINTED = (2, 3)
_MIN_IS_WHITE, _PALETTE, _RGB = 0, 3, (2, 6)
_COLORS = {"red": (255, 0, 0), "green": (0, 255, 0), "blue": (0, 0, 255)}


@dataclass
class TiffScales:
    """Geometry and channels of one series.

    Attributes
    ----------
    axes : tuple of Axis
    voxel_size : tuple of float
        All axes, level 0.
    channels : list of Channel
        Those the file describes; may be fewer than there are.
    findings : list of Finding
    """

    axes: tuple[Axis, ...]
    voxel_size: tuple[float, ...]
    channels: list[Channel] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)


def read_scales(tiff: Any, number: int) -> TiffScales:
    """Read what a file says of one of its series.

    Parameters
    ----------
    tiff : tifffile.TiffFile
    number : int
        Position of the series.
    """
    series = tiff.series[number]
    findings: list[Finding] = []
    names = _axis_names(series.axes, findings)
    sizes: dict[str, tuple[float, str | None]] = {}
    channels: list[Channel] = []
    if tiff.is_ome:
        sizes, channels = _ome(tiff.ome_metadata, number, findings)
    elif tiff.is_imagej:
        sizes = _imagej(tiff, series) | _scifio(tiff.imagej_metadata or {})
        channels = _imagej_channels(tiff.imagej_metadata or {}, series, findings)
    channels = channels or _samples(series, findings)
    axes = [axis_named(name, sizes.get(name, (1.0, None))[1]) for name in names]
    steps = [sizes.get(name, (1.0, None))[0] for name in names]
    for i, step in enumerate(steps):
        if not is_usable_scale([step]):
            text = f"expected a step above 0 along {names[i]}; found {step}: 1 is used"
            findings.append(Finding("warning", "no-voxel-size", names[i], text))
            steps[i] = 1.0
    return TiffScales(tuple(axes), tuple(steps), channels, findings)


def _samples(series: Any, findings: list[Finding]) -> list[Channel]:
    """Channels of red, green, blue, wherever the samples lie; notes other colours."""
    axes, photometric = series.axes, int(series.keyframe.photometric)
    if "S" in axes and "C" not in axes and photometric in _RGB:
        if series.shape[axes.index("S")] in (3, 4):
            return [Channel(name, rgb) for name, rgb in _COLORS.items()]
    elif photometric == _MIN_IS_WHITE:
        text = "expected 0 to be black; found that it is white: drawn without inversion"
        findings.append(Finding("warning", "min-is-white", "photometric", text))
    elif photometric == _PALETTE:
        text = "expected voxels; found indices of a palette: drawn as numbers"
        findings.append(Finding("warning", "palette", "photometric", text))
    return []


def _axis_names(letters: str, findings: list[Finding]) -> list[str]:
    names = [letter.lower() for letter in letters]
    if "c" not in names and "s" in names:
        names[names.index("s")] = "c"
    planes = [i for i, name in enumerate(names) if name in "iq"]
    if "z" not in names and planes:
        names[planes[-1]] = "z"
        text = f"expected named axes; found {letters}: the planes are taken as z"
        findings.append(Finding("info", "planes-as-z", "axes", text))
    seen: dict[str, int] = {}
    for i, name in enumerate(names):
        seen[name] = seen.get(name, 0) + 1
        if seen[name] > 1:
            names[i] = f"{name}{seen[name]}"
    if not any(p >= 0 for p in spatial_positions([axis_named(n) for n in names])):
        names[-1] = "x"
    return names


def _ome(
    text: str, number: int, findings: list[Finding]
) -> tuple[dict[str, tuple[float, str | None]], list[Channel]]:
    if "<!DOCTYPE" in text or "<!ENTITY" in text:
        return {}, []
    try:
        root = ET.fromstring(text)  # noqa: S314 - entities were refused just before
    except ET.ParseError as error:
        note = f"expected OME-XML in the description; found: {error}: sizes are 1"
        findings.append(Finding("warning", "bad-ome-xml", "ImageDescription", note))
        return {}, []
    images = [e for e in root.iter() if e.tag.endswith("}Pixels") or e.tag == "Pixels"]
    if number >= len(images):
        return {}, []
    pixels = images[number]
    sizes: dict[str, tuple[float, str | None]] = {}
    for name in "XYZ":
        value = _number(pixels.get(f"PhysicalSize{name}"))
        if value is not None:
            unit = pixels.get(f"PhysicalSize{name}Unit", "µm")
            sizes[name.lower()] = (value, _OME_UNITS.get(unit, unit))
    step = _number(pixels.get("TimeIncrement"))
    if step is not None:
        unit = pixels.get("TimeIncrementUnit", "s")
        sizes["t"] = (step, _OME_UNITS.get(unit, unit))
    described = [e for e in pixels if e.tag.rpartition("}")[2] == "Channel"]
    channels = [
        Channel(e.get("Name") or str(i), _ome_color(e.get("Color")))
        for i, e in enumerate(described)
    ]
    return sizes, channels


def _ome_color(text: str | None) -> tuple[int, int, int] | None:
    """Red, green, blue of a signed RGBA integer."""
    value = _number(text)
    if value is None:
        return None
    rgba = int(value) & 0xFFFFFFFF
    return (rgba >> 24, rgba >> 16 & 255, rgba >> 8 & 255)


def _imagej(tiff: Any, series: Any) -> dict[str, tuple[float, str | None]]:
    """Sizes as ImageJ notes them.

    Without a unit of length the numbers still give the proportions, unless the
    resolution is one for printing (dots an inch or centimetre).
    """
    notes = tiff.imagej_metadata or {}
    units = {"x": _imagej_unit(notes.get("unit"))}
    for name in "yz":
        units[name] = _imagej_unit(notes.get(f"{name}unit")) or units["x"]
    spacing = _number(notes.get("spacing"))
    tags = series.keyframe.tags
    kind = tags.get("ResolutionUnit")
    is_print = kind is not None and int(kind.value) in _PRINTED
    counts = units["x"] is not None or spacing is not None or not is_print
    sizes: dict[str, tuple[float, str | None]] = {}
    for name, tag in (("x", "XResolution"), ("y", "YResolution")):
        found = tags.get(tag)
        pixels, per = (1, 1) if found is None else found.value
        step = per / pixels if counts and pixels and per else 1.0
        sizes[name] = (step, units[name])
    sizes["z"] = (abs(spacing or 1.0), units["z"])
    interval = _number(notes.get("finterval"))
    if interval:
        sizes["t"] = (interval, "second")
    return sizes


def _scifio(notes: dict[str, Any]) -> dict[str, tuple[float, str | None]]:
    """Sizes as SCIFIO lists them for the axes that it names (X,Y,Z; 0.5,0.5,2)."""
    if "SCIFIO" not in notes:
        return {}
    axes, scales, units = (
        [part.strip() for part in str(notes.get(name, "")).split(",")]
        for name in ("axes", "scales", "units")
    )
    sizes: dict[str, tuple[float, str | None]] = {}
    for i, (axis, text) in enumerate(zip(axes, scales, strict=False)):
        step = _number(text)
        if axis.lower() not in ("x", "y", "z") or step is None or step == 0:
            continue
        unit = units[i] if i < len(units) else None
        sizes[axis.lower()] = (abs(step), _imagej_unit(unit))
    return sizes


def _imagej_channels(
    notes: dict[str, Any], series: Any, findings: list[Finding]
) -> list[Channel]:
    """Channels with ImageJ's display ranges and, where they are ramps, its colours."""
    n = series.shape[series.axes.index("C")] if "C" in series.axes else 1
    stored: Any = notes.get("LUTs", ())
    # A single table comes without a list round it.
    tables = [stored] if isinstance(stored, np.ndarray) else list(stored)
    ranges = [_number(v) for v in notes.get("Ranges", ())]
    if "S" in series.axes or not (tables or ranges):
        return []
    channels = []
    for i in range(n):
        table = np.asarray(tables[i]) if i < len(tables) else None
        window = _window(ranges[2 * i : 2 * i + 2])
        channels.append(Channel(str(i), _ramp_color(table, findings), window))
    return channels


def _window(ends: list[float | None]) -> tuple[float, float] | None:
    low, high = ends if len(ends) == 2 else (None, None)
    return None if low is None or high is None or low >= high else (low, high)


def _ramp_color(table: Any, findings: list[Finding]) -> tuple[int, int, int] | None:
    """Last colour of a table that rises evenly from black; None for another."""
    if table is None or table.shape != (3, 256):
        return None
    last = table[:, -1].astype(float)
    even = np.outer(last, np.arange(256) / 255)
    if np.abs(table - even).max() > 2 or not last.any():
        text = "expected a colour that rises from black; found another table of colours"
        note = Finding("info", "lut", "LUTs", f"{text}: drawn in gray")
        if note not in findings:
            findings.append(note)
        return None
    red, green, blue = (int(v) for v in last)
    return red, green, blue


def _imagej_unit(text: Any) -> str | None:
    name = str(text or "").strip().strip('"')
    unit = _IMAGEJ_UNITS.get(name.lower(), name)
    return None if unit.lower() in ("", "pixel", "pixels") else unit


def _number(text: Any) -> float | None:
    try:
        return float(text)
    except (TypeError, ValueError):
        return None
