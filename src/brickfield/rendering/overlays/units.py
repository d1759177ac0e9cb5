"""Round lengths and how people write them.

A length is kept as ``mantissa * 10**exponent``, so that its label never shows a
rounding error, whatever the prefix.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import floor, log10

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
        return f"{value:.0f}"
    return f"{value:.4g}"
