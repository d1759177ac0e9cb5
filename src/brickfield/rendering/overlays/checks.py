"""What values options of overlays may have; each check returns the clean value."""

from __future__ import annotations

import math
import operator
from collections.abc import Callable
from typing import Any

from brickfield.errors import OptionError

Check = Callable[[str, Any], Any]
"""Takes an option's name and value; returns the value or raises OptionError."""
MAX_TEXT = 2000
"""Characters; more would fill any picture."""


def refusal(name: str, expected: str, found: object) -> OptionError:
    """Return the error for an option that cannot have a value.

    Parameters
    ----------
    name : str
        Of the option.
    expected : str
        In words.
    found
    """
    return OptionError(f"expected {name} to be {expected}; found {found!r:.200}")


def check(expected: str, clean: Callable[[Any], Any]) -> Check:
    """Return a check that tells what it expected.

    Parameters
    ----------
    expected : str
        In words.
    clean : callable
        Takes the value and returns it as it is kept; raises TypeError or ValueError if
        the option cannot have it.

    Raises
    ------
    OptionError
        By the check, where `clean` raises.
    """

    def checked(name: str, value: Any) -> Any:
        try:
            return clean(value)
        except (TypeError, ValueError, OverflowError):
            raise refusal(name, expected, value) from None

    return checked


def or_none(expected: str, clean: Callable[[Any], Any]) -> Check:
    """Return a check that also accepts None; see :func:`check`.

    Parameters
    ----------
    expected : str
    clean : callable
    """
    return check(
        f"{expected} or None", lambda value: None if value is None else clean(value)
    )


def number(low: float, high: float) -> Check:
    """Return a check that accepts numbers from `low` to `high`.

    Parameters
    ----------
    low, high : float
    """

    def clean(value: Any) -> float:
        found = math.nan if isinstance(value, bool) else float(value)
        return float(_kept(found, low <= found <= high))

    return check(f"a number from {low:g} to {high:g}", clean)


def choice(*names: str) -> Check:
    """Return a check that accepts some names."""
    return check(
        f"one of {', '.join(names)}",
        lambda value: _kept(value, isinstance(value, str) and value in names),
    )


def _kept(value: Any, is_good: bool) -> Any:
    if not is_good:
        raise ValueError(value)
    return value


def _index(value: Any) -> int:
    if isinstance(value, bool):
        raise TypeError(value)
    found = operator.index(value)
    return int(_kept(found, found >= 0))


def _point(value: Any) -> tuple[float, float, float]:
    z, y, x = (float(v) for v in value)
    point = (z, y, x)
    return tuple(_kept(point, all(map(math.isfinite, point))))


def _color(value: Any) -> str | tuple[int, int, int]:
    is_auto = isinstance(value, str) and value.strip() == "auto"
    return "auto" if is_auto else parse_color(value)


flag = check("True or False", lambda value: _kept(value, isinstance(value, bool)))
text = check(
    f"text of at most {MAX_TEXT} characters",
    lambda value: _kept(value, isinstance(value, str) and len(value) <= MAX_TEXT),
)
index = check("a whole number of 0 or more", _index)
index_or_none = or_none("a whole number of 0 or more", _index)
point_or_none = or_none("a world point (z, y, x)", _point)
color = check("'auto' or a colour such as white, '#ffcc00' or (255, 204, 0)", _color)
"""The colour is kept as "auto" or as red, green and blue of 0 to 255."""


def parse_color(value: Any) -> tuple[int, int, int]:
    """Return red, green and blue, 0 to 255, of a name, "#rrggbb" or three numbers.

    Raises
    ------
    ValueError
        If it is no colour.
    """
    from cmap import Color

    if isinstance(value, str):
        rgba = Color(value.strip()).rgba8
        return (int(rgba.r), int(rgba.g), int(rgba.b))
    r, g, b = (int(part) for part in value)
    if not all(0 <= part <= 255 for part in (r, g, b)):
        msg = "expected parts of 0 to 255"
        raise ValueError(msg)
    return (r, g, b)
