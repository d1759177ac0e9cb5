"""What values options of overlays may have; each check returns the clean value."""

from __future__ import annotations

import math
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
    return OptionError(f"expected {name} to be {expected}; found {found!r}")


def flag(name: str, value: Any) -> bool:
    """Check that an option is true or false.

    Parameters
    ----------
    name : str
        Of the option.
    value

    Raises
    ------
    OptionError
        If it is anything else.
    """
    if isinstance(value, bool):
        return value
    raise refusal(name, "True or False", value)


def number(low: float, high: float) -> Check:
    """Return a check that accepts numbers from `low` to `high`.

    Parameters
    ----------
    low, high : float

    Raises
    ------
    OptionError
        By the check, for anything else.
    """

    def check(name: str, value: Any) -> float:
        if not isinstance(value, bool):
            try:
                clean = float(value)
            except (TypeError, ValueError):
                clean = math.nan
            if low <= clean <= high:
                return clean
        raise refusal(name, f"a number from {low:g} to {high:g}", value)

    return check


def choice(*names: str) -> Check:
    """Return a check that accepts some names.

    Raises
    ------
    OptionError
        By the check, for anything else.
    """

    def check(name: str, value: Any) -> str:
        if isinstance(value, str) and value in names:
            return value
        raise refusal(name, f"one of {', '.join(names)}", value)

    return check


def text(name: str, value: Any) -> str:
    """Check that an option is text of a length that fits a picture.

    Parameters
    ----------
    name : str
        Of the option.
    value

    Raises
    ------
    OptionError
        If it is anything else.
    """
    if isinstance(value, str) and len(value) <= MAX_TEXT:
        return value
    if isinstance(value, str):
        raise refusal(name, f"at most {MAX_TEXT} characters", f"{len(value)} of them")
    raise refusal(name, "text", value)


def index(name: str, value: Any) -> int:
    """Check that an option is a non-negative integer.

    Parameters
    ----------
    name : str
        Of the option.
    value

    Raises
    ------
    OptionError
        If it is anything else.
    """
    clean = None if isinstance(value, bool) else getattr(value, "__index__", None)
    if clean is not None and clean() >= 0:
        return int(clean())
    raise refusal(name, "a whole number of 0 or more", value)


def index_or_none(name: str, value: Any) -> int | None:
    """Check that an option is a non-negative integer or None.

    Parameters
    ----------
    name : str
        Of the option.
    value

    Raises
    ------
    OptionError
        If it is anything else.
    """
    return None if value is None else index(name, value)


def point_or_none(name: str, value: Any) -> tuple[float, float, float] | None:
    """Check that an option is a world point (z, y, x) or None.

    Parameters
    ----------
    name : str
        Of the option.
    value

    Raises
    ------
    OptionError
        If it is anything else.
    """
    if value is None:
        return None
    try:
        z, y, x = (float(v) for v in value)
    except (TypeError, ValueError):
        z = y = x = math.nan
    if all(map(math.isfinite, (z, y, x))):
        return (z, y, x)
    raise refusal(name, "a world point (z, y, x) or None", value)


def color(name: str, value: Any) -> str | tuple[int, int, int]:
    """Check that an option is a colour or "auto".

    Parameters
    ----------
    name : str
        Of the option.
    value
        "auto", a colour's name, "#rrggbb", or red, green, blue of 0 to 255.

    Raises
    ------
    OptionError
        If it is anything else.
    """
    if isinstance(value, str) and value.strip() == "auto":
        return "auto"
    try:
        return parse_color(value)
    except (TypeError, ValueError):
        expected = "'auto' or a colour such as white, '#ffcc00' or (255, 204, 0)"
        raise refusal(name, expected, value) from None


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
