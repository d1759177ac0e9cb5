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
    """Make the error for an option that cannot have a value."""
    return OptionError(f"expected {name} to be {expected}; found {found!r}")


def flag(name: str, value: Any) -> bool:
    """Allow true and false only."""
    if isinstance(value, bool):
        return value
    raise refusal(name, "True or False", value)


def number(low: float, high: float) -> Check:
    """Allow numbers from `low` to `high`."""

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
    """Allow one of these names."""

    def check(name: str, value: Any) -> str:
        if isinstance(value, str) and value in names:
            return value
        raise refusal(name, f"one of {', '.join(names)}", value)

    return check


def text(name: str, value: Any) -> str:
    """Allow text of a length that fits a picture."""
    if isinstance(value, str) and len(value) <= MAX_TEXT:
        return value
    if isinstance(value, str):
        raise refusal(name, f"at most {MAX_TEXT} characters", f"{len(value)} of them")
    raise refusal(name, "text", value)


def index(name: str, value: Any) -> int:
    """Allow 0, 1, 2 and so on."""
    clean = None if isinstance(value, bool) else getattr(value, "__index__", None)
    if clean is not None and clean() >= 0:
        return int(clean())
    raise refusal(name, "a whole number of 0 or more", value)


def index_or_none(name: str, value: Any) -> int | None:
    """Allow an index, or None."""
    return None if value is None else index(name, value)


def point_or_none(name: str, value: Any) -> tuple[float, float, float] | None:
    """Allow a world point (z, y, x), or None."""
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
    """Allow "auto", a colour's name, "#rrggbb", or red, green, blue of 0 to 255."""
    if isinstance(value, str) and value.strip() == "auto":
        return "auto"
    try:
        return parse_color(value)
    except (TypeError, ValueError):
        expected = "'auto' or a colour such as white, '#ffcc00' or (255, 204, 0)"
        raise refusal(name, expected, value) from None


def parse_color(value: Any) -> tuple[int, int, int]:
    """Return red, green and blue, 0 to 255, of a name, "#rrggbb" or three numbers."""
    from cmap import Color

    if isinstance(value, str):
        rgba = Color(value.strip()).rgba8
        return (int(rgba.r), int(rgba.g), int(rgba.b))
    r, g, b = (int(part) for part in value)
    if not all(0 <= part <= 255 for part in (r, g, b)):
        msg = "expected parts of 0 to 255"
        raise ValueError(msg)
    return (r, g, b)
