"""Colormaps and colours by name.

The tables are those of the `cmap` package, which knows the maps of matplotlib,
napari and the scientific literature. ``gray`` is exactly the identity, so that a
picture can be compared with numbers.
"""

from __future__ import annotations

import difflib
from functools import cache

import numpy as np
from numpy.typing import NDArray

from brickfield.errors import OptionError
from brickfield.model.appearance import color_lut, gray_lut

COMMON = (
    "gray",
    "viridis",
    "magma",
    "inferno",
    "plasma",
    "turbo",
    "cividis",
    "red",
    "green",
    "blue",
    "cyan",
    "magenta",
    "yellow",
    "orange",
)
"""Names worth offering first; many more are known."""

_RAMPS: dict[str, tuple[int, int, int]] = {
    "red": (255, 0, 0),
    "green": (0, 255, 0),
    "blue": (0, 0, 255),
    "cyan": (0, 255, 255),
    "magenta": (255, 0, 255),
    "yellow": (255, 255, 0),
    "orange": (255, 165, 0),
}

CHANNEL_COLORS: tuple[tuple[int, int, int], ...] = (
    (0, 158, 115),
    (213, 94, 0),
    (0, 114, 178),
    (230, 159, 0),
    (204, 121, 167),
    (86, 180, 233),
    (240, 228, 66),
)
"""Colours of channels that have none: Okabe and Ito's, told apart by most
colour-blind people."""


def channel_color(index: int) -> tuple[int, int, int]:
    """Give the default colour of a channel, red, green and blue, 0 to 255."""
    return CHANNEL_COLORS[index % len(CHANNEL_COLORS)]


@cache
def lut(name: str) -> NDArray[np.uint8]:
    """Look a colormap up by name.

    Parameters
    ----------
    name : str
        A colormap ("viridis") or a colour ("tomato", "#ff8000"), which gives the
        ramp from black to it.

    Returns
    -------
    ndarray, shape (256, 4), uint8
        Red, green, blue and alpha, sRGB, straight alpha; read-only.

    Raises
    ------
    OptionError
        For an unknown name; the message lists known ones.
    """
    table = _table(name.strip())
    table.setflags(write=False)
    return table


def _table(name: str) -> NDArray[np.uint8]:
    if name.lower() in ("gray", "grey"):
        return gray_lut()
    if name.lower() in _RAMPS:
        return color_lut(_RAMPS[name.lower()])
    # The whole of cmap is only needed for its tables.
    from cmap import Colormap

    try:
        colors: NDArray[np.float64] = Colormap(name).lut(256)
    except (ValueError, TypeError, KeyError):
        pass
    else:
        rounded: NDArray[np.uint8] = np.rint(colors * 255).astype(np.uint8)
        return rounded
    try:
        return color_lut(color(name))
    except OptionError:
        close = difflib.get_close_matches(name, COMMON, n=1)
        hint = f" (did you mean {close[0]!r}?)" if close else ""
        msg = (
            f"expected a colormap such as {', '.join(COMMON)} or the name of a"
            f" colour; found {name!r}{hint}"
        )
        raise OptionError(msg) from None


def color(value: str | tuple[int, int, int]) -> tuple[int, int, int]:
    """Understand a colour.

    Parameters
    ----------
    value : str or tuple of int
        A CSS name ("black"), "#rrggbb", or red, green and blue from 0 to 255.

    Raises
    ------
    OptionError
        For anything else.
    """
    try:
        if isinstance(value, str):
            return _named(value.strip())
        r, g, b = (int(part) for part in value)
    except (ValueError, TypeError):
        r = g = b = -1
    if not all(0 <= part <= 255 for part in (r, g, b)):
        msg = (
            "expected a colour such as black, '#202020' or (32, 32, 32); found"
            f" {value!r}"
        )
        raise OptionError(msg)
    return (r, g, b)


def _named(text: str) -> tuple[int, int, int]:
    """Understand a colour written as text; ValueError for any other text."""
    # The background of every picture: importing cmap takes a fiftieth of a cold one.
    if text in ("black", "white"):
        return (0, 0, 0) if text == "black" else (255, 255, 255)
    from cmap import Color

    rgba = Color(text).rgba8
    return (int(rgba.r), int(rgba.g), int(rgba.b))
