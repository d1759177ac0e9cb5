"""Numbers with their units as people write them.

A number has as many digits as mean something, its unit stands behind it, and a
number that is none is said to be so instead of being printed as ``nan``.
"""

from __future__ import annotations

from math import floor, isfinite, log10

from brickfield.model.scales import Vec3

_RATES = ("B/s", "kB/s", "MB/s", "GB/s", "TB/s")
_SYMBOLS = {
    "angstrom": "Å",
    "attometer": "am",
    "centimeter": "cm",
    "decimeter": "dm",
    "femtometer": "fm",
    "foot": "ft",
    "hectometer": "hm",
    "inch": "in",
    "kilometer": "km",
    "meter": "m",
    "micrometer": "µm",
    "micron": "µm",
    "microns": "µm",
    "um": "µm",
    "millimeter": "mm",
    "nanometer": "nm",
    "picometer": "pm",
    "pixel": "px",
    "microsecond": "µs",
    "millisecond": "ms",
    "nanosecond": "ns",
    "second": "s",
    "minute": "min",
    "hour": "h",
    "day": "d",
}


def percent(value: float) -> str:
    """Write a share of 0 to 100; 100 only when nothing is left."""
    if not isfinite(value):
        return "0 %"
    return f"{min(max(floor(value), 0), 100)} %"


def duration(seconds: float) -> str:
    """Write a duration roughly, as people say it: 12 s, 3 min, 2 h."""
    if not isfinite(seconds) or seconds >= 100 * 3600:
        return "very long"
    if seconds < 1:
        return "under 1 s"
    for unit, size, limit in (("s", 1, 91), ("min", 60, 91 * 60)):
        if seconds < limit:
            return f"{round(seconds / size)} {unit}"
    return f"{round(seconds / 3600)} h"


def rate(bytes_a_second: float) -> str:
    """Write a speed with two digits, in powers of 1000 as disks and networks do."""
    speed = max(bytes_a_second, 0.0) if isfinite(bytes_a_second) else 0.0
    power = 0
    while speed >= 999.5 and power < len(_RATES) - 1:
        speed, power = speed / 1000, power + 1
    digits = 1 if 0 < speed < 9.95 and power else 0
    return f"{speed:.{digits}f} {_RATES[power]}"


def unit_symbol(unit: str | None) -> str:
    """Return a unit as people write it: micrometer is µm; "" without a unit."""
    if not unit:
        return ""
    return _SYMBOLS.get(unit.strip().lower(), unit.strip())


def length(value: float, unit: str | None = "", *, digits: int = 3) -> str:
    """Write a length with so many digits and its unit: 33.0 µm."""
    symbol = unit_symbol(unit)
    if not isfinite(value):
        return "unknown"
    places = digits - 1 - (floor(log10(abs(value))) if value else 0)
    # A row of zeros cannot be counted: very small lengths are written with a power.
    if value and places > digits + 3:
        text = f"{value:.{digits - 1}e}"
    else:
        text = f"{value:.{max(places, 0)}f}"
    return f"{text} {symbol}" if symbol else text


def coordinates(
    world: Vec3, unit: str | None = "", *, voxel_size: Vec3 = (1.0, 1.0, 1.0)
) -> str:
    """Write a point as (z 12.4, y 80.1, x 33.0 µm), a tenth of a voxel exact."""
    parts = [
        f"{name} {value:.{_places(size)}f}" if isfinite(value) else f"{name} –"
        for name, value, size in zip("zyx", world, voxel_size, strict=True)
    ]
    symbol = unit_symbol(unit)
    return f"({', '.join(parts)}{f' {symbol}' if symbol else ''})"


def _places(voxel_size: float) -> int:
    if not (isfinite(voxel_size) and voxel_size > 0):
        return 1
    return min(max(1 - floor(log10(voxel_size)), 0), 9)
