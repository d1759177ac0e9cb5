"""Numbers with their units as people write them.

A number has as many digits as mean something, its unit follows it, and a number that is
none is said to be so instead of being printed as ``nan``. What is rounded to zero is
written without a sign.

The length of a scale bar is a :class:`RoundLength`. It is kept as ``mantissa *
10**exponent``, so that its label never shows a rounding error, whatever the prefix.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import floor, isfinite, log10

from brickfield.model.scales import Vec3

__all__ = [
    "coordinates",
    "counted",
    "duration",
    "length",
    "percent",
    "rate",
    "round_length",
    "short_number",
    "unit_symbol",
]

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


def counted(n: int, noun: str) -> str:
    """Write a number of things: 1 chunk, 3 chunks, 1,200 chunks.

    Parameters
    ----------
    n : int
    noun : str
        In the singular; the plural ends in s.
    """
    return f"{n:,} {noun}" if n == 1 else f"{n:,} {noun}s"


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
    """Write a length with a number of digits and its unit: 33.0 µm.

    Parameters
    ----------
    value : float
        In `unit`.
    unit : str or None
        Name or symbol; "" or None writes the number alone.
    digits : int
        Significant digits.
    """
    symbol = unit_symbol(unit)
    if not isfinite(value):
        return "unknown"
    places = digits - 1 - (floor(log10(abs(value))) if value else 0)
    # A row of zeros cannot be counted: very small lengths are written with a power.
    if value and places > digits + 3:
        text = f"{value:z.{digits - 1}e}"
    else:
        text = f"{value:z.{max(places, 0)}f}"
    return f"{text} {symbol}" if symbol else text


def coordinates(
    world: Vec3,
    unit: str | None = "",
    *,
    voxel_size: Vec3 = (1.0, 1.0, 1.0),
    axes: str = "zyx",
) -> str:
    """Write a point as (z 12.4, y 80.1, x 33.0 µm), a tenth of a voxel exact.

    Parameters
    ----------
    world : Vec3
        Point (z, y, x).
    unit : str or None
        Name or symbol of the world's unit.
    voxel_size : Vec3
        Of the finest level (z, y, x): it decides how many digits are written.
    axes : str
        Those that are written; flat data have no z.
    """
    parts = [
        f"{name} {value:z.{_places(size)}f}" if isfinite(value) else f"{name} –"
        for name, value, size in zip("zyx", world, voxel_size, strict=True)
        if name in axes
    ]
    symbol = unit_symbol(unit)
    return f"({', '.join(parts)}{f' {symbol}' if symbol else ''})"


def _places(voxel_size: float) -> int:
    if not (isfinite(voxel_size) and voxel_size > 0):
        return 1
    return min(max(1 - floor(log10(voxel_size)), 0), 9)


_PREFIXES = {
    "yotta": 24,
    "zetta": 21,
    "exa": 18,
    "peta": 15,
    "tera": 12,
    "giga": 9,
    "mega": 6,
    "kilo": 3,
    "hecto": 2,
    "deca": 1,
    "": 0,
    "deci": -1,
    "centi": -2,
    "milli": -3,
    "micro": -6,
    "nano": -9,
    "pico": -12,
    "femto": -15,
    "atto": -18,
    "zepto": -21,
    "yocto": -24,
}
_EXPONENTS = {f"{prefix}meter": exponent for prefix, exponent in _PREFIXES.items()} | {
    "micron": -6,
    "angstrom": -10,
    "m": 0,
    "km": 3,
    "dm": -1,
    "cm": -2,
    "mm": -3,
    "um": -6,
    "µm": -6,
    "nm": -9,
    "pm": -12,
    "å": -10,
}
"""Powers of ten of a metre, by names in lower case."""
_SHOWN = {3: "km", 0: "m", -3: "mm", -6: "µm", -9: "nm", -12: "pm", -15: "fm"}
_OTHERS = {"inch": "in", "foot": "ft", "yard": "yd", "mile": "mi", "parsec": "pc"}
_PIXELS = ("", "pixel", "px", "voxel", "dimensionless")


@dataclass(frozen=True, slots=True)
class RoundLength:
    """A length ``mantissa * 10**exponent`` in world units.

    Attributes
    ----------
    mantissa : int
        1, 2 or 5.
    exponent : int
    """

    mantissa: int
    exponent: int

    @property
    def value(self) -> float:
        """World units."""
        return float(f"{self.mantissa}e{self.exponent}")

    def label(self, unit: str | None) -> str:
        """Write the length in a readable unit, for example "50 µm".

        Parameters
        ----------
        unit : str or None
            Name or sign of the world's unit. Metric ones change their prefix;
            without one the length is in pixels (of the finest level).
        """
        name = (unit or "").strip()
        key = name.lower().replace("metre", "meter").replace("μ", "µ").removesuffix("s")
        if key in _PIXELS:
            return f"{self._number(0)} px"
        power = _EXPONENTS.get(key)
        if power is None:
            return f"{self._number(0)} {_OTHERS.get(key, name)}"
        if power == -10 and self.exponent < 3:
            return f"{self._number(0)} Å"
        metres = self.exponent + power
        prefix = min(max(3 * floor(metres / 3), min(_SHOWN)), max(_SHOWN))
        return f"{self._number(power - prefix)} {_SHOWN[prefix]}"

    def _number(self, shift: int) -> str:
        exponent = self.exponent + shift
        if -4 <= exponent < 0:
            return f"{float(f'{self.mantissa}e{exponent}'):.{-exponent}f}"
        if 0 <= exponent < 9:
            # A narrow gap between groups reads in every language.
            return f"{self.mantissa * 10**exponent:,}".replace(
                ",", "\N{NO-BREAK SPACE}"
            )
        return f"{self.mantissa}e{exponent}"


def round_length(most: float) -> RoundLength:
    """Return the largest length of the series 1, 2, 5, 10, … up to `most`.

    Parameters
    ----------
    most : float
        World units, above 0 and finite.
    """
    exponent = floor(log10(most))
    fraction = most / float(f"1e{exponent}")
    # A limit that is itself round must not be lost to the last bit.
    fraction *= 1 + 1e-9
    if fraction >= 10:
        return RoundLength(1, exponent + 1)
    return RoundLength(5 if fraction >= 5 else 2 if fraction >= 2 else 1, exponent)


def short_number(value: float) -> str:
    """Write a data value in a few characters, for example "65535" or "0.0123"."""
    if value == int(value) and abs(value) < 1e7:
        return str(int(value))
    if 1000 <= abs(value) < 1e7:
        return f"{value:z.0f}"
    return f"{value:z.4g}"
