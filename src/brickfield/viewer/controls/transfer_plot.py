"""Geometry of the plot of how values become colours, and what a drag does.

Across lie data values, upwards shares of 1. The contrast window, the gamma, the
opacity curve and the threshold of a surface have grips in it. Everything is drawn
over data values, so an opacity curve, whose positions come after contrast and
gamma, bends with them. Pure functions of frozen values; logical pixels, y down.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import pairwise
from math import hypot, isfinite, log
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from brickfield.viewer.controls import transfer
from brickfield.viewer.live.ports import Curve

__all__ = [
    "BAR",
    "GAMMA_ENDS",
    "TOP",
    "Grip",
    "Look",
    "Plot",
    "bar_entries",
    "curve_line",
    "gamma_line",
    "grip_at",
    "grips",
    "whole_range",
    "with_point",
]

Kind = Literal["low", "high", "window", "gamma", "threshold", "point"]
SIDE, TOP, BAR, GAP = 8.0, 8.0, 10.0, 3.0
"""Room beside the plot and above it; height of the colour bar and the gap to it."""
REACH = 7.0
"""How far from a grip a hand may be."""
GAMMA_ENDS = (0.1, 10.0)


@dataclass(frozen=True, slots=True)
class Grip:
    """Something in the plot that can be dragged.

    Attributes
    ----------
    kind : str
    index : int
        Of a point of the opacity curve.
    """

    kind: Kind
    index: int = 0


@dataclass(frozen=True, slots=True)
class Look:
    """What the plot shows of a layer.

    Attributes
    ----------
    contrast : tuple of float
    gamma : float
    curve : tuple of (float, float) or None
        Opacity curve; None where it plays no part.
    threshold : float or None
        Value of the drawn surface; None where none is drawn.
    is_whole : bool
        Whether values are whole numbers.
    """

    contrast: tuple[float, float]
    gamma: float = 1.0
    curve: Curve | None = None
    threshold: float | None = None
    is_whole: bool = False

    def value_at(self, position: float) -> float:
        """Return the value with a position in the table of colours, 0 to 1."""
        low, high = self.contrast
        return float(low + (high - low) * max(position, 0.0) ** (1 / self.gamma))

    def position_of(self, value: float) -> float:
        """Return the position in the table of colours, 0 to 1, of a value."""
        low, high = self.contrast
        share = min(max((value - low) / (high - low), 0.0), 1.0)
        return float(share**self.gamma)


@dataclass(frozen=True, slots=True)
class Plot:
    """The plot's size and the values at its ends.

    Attributes
    ----------
    width, height : float
        Of all, with the colour bar.
    low, high : float
        Values at the left and the right end.
    """

    width: float
    height: float
    low: float
    high: float

    @property
    def bottom(self) -> float:
        """Row of share 0."""
        return self.height - BAR - GAP

    def x(self, value: float) -> float:
        """Return the column of a value."""
        share = (value - self.low) / (self.high - self.low)
        return SIDE + share * (self.width - 2 * SIDE)

    def value(self, x: float) -> float:
        """Return the value of a column."""
        share = (x - SIDE) / max(self.width - 2 * SIDE, 1.0)
        return self.low + share * (self.high - self.low)

    def y(self, share: float) -> float:
        """Return the row of a share."""
        return self.bottom - share * (self.bottom - TOP)

    def share(self, y: float) -> float:
        """Return the share of a row."""
        return (self.bottom - y) / max(self.bottom - TOP, 1.0)

    def zoomed(self, factor: float, x: float, ends: tuple[float, float]) -> Plot:
        """Show a narrower or wider range; the value under a column stays in place.

        The range never leaves `ends` and stays wide enough for numbers to differ.

        Parameters
        ----------
        factor : float
            Above 1 shows a narrower range.
        x : float
            Column, pixels.
        ends : tuple of float
            Smallest and largest value that may be shown.
        """
        low, high = ends
        span = min((self.high - self.low) / factor, high - low)
        span = max(span, 1e-6 * (high - low), 1e-12 * max(abs(low), abs(high)))
        share = (x - SIDE) / max(self.width - 2 * SIDE, 1.0)
        start = self.value(x) - share * span
        start = min(max(start, low), high - span)
        return replace(self, low=start, high=start + span)


def whole_range(
    contrast: tuple[float, float], values: tuple[float, float] | None
) -> tuple[float, float]:
    """Return the range that shows all values and the contrast window, with a margin.

    Parameters
    ----------
    contrast : tuple of float
        Limits.
    values : tuple of float or None
        Smallest and largest; None where they are not known.
    """
    ends = [v for v in (*contrast, *(values or ())) if isfinite(v)]
    low, high = min(ends), max(ends)
    room = 0.02 * (high - low) or max(abs(low), 1.0) * 0.5
    return low - room, high + room


def grips(plot: Plot, look: Look) -> list[tuple[Grip, float, float]]:
    """Return every grip that is a point, with column and row; the topmost last.

    Parameters
    ----------
    plot : Plot
    look : Look
    """
    found = []
    middle = look.value_at(0.5**look.gamma)
    found.append((Grip("gamma"), plot.x(middle), plot.y(0.5**look.gamma)))
    if look.threshold is not None:
        found.append((Grip("threshold"), plot.x(look.threshold), TOP))
    for i, (position, opacity) in enumerate(look.curve or ()):
        x = plot.x(look.value_at(position))
        found.append((Grip("point", i), x, plot.y(opacity)))
    return found


def grip_at(plot: Plot, look: Look, x: float, y: float) -> Grip | None:
    """Return the grip at a place; None where there is none.

    Parameters
    ----------
    plot : Plot
    look : Look
    x : float
        Column, pixels.
    y : float
        Row, pixels.
    """
    near = [
        (hypot(gx - x, gy - y), -i, grip)
        for i, (grip, gx, gy) in enumerate(grips(plot, look))
        if hypot(gx - x, gy - y) <= REACH
    ]
    if near:
        return min(near)[2]
    if look.threshold is not None and abs(plot.x(look.threshold) - x) <= REACH / 2:
        return Grip("threshold")
    low, high = (plot.x(v) for v in look.contrast)
    sides: list[tuple[float, Kind]] = [(abs(low - x), "low"), (abs(high - x), "high")]
    distance, side = min(sides)
    if distance <= REACH:
        # Where both lie together, the side of the hand decides.
        return (
            Grip("low" if x < (low + high) / 2 else "high")
            if high - low < REACH
            else Grip(side)
        )
    if low < x < high and y >= plot.bottom:
        return Grip("window")
    return None


def dragged(
    plot: Plot,
    look: Look,
    grip: Grip,
    start: tuple[float, float],
    to: tuple[float, float],
) -> Look:
    """Return the look that a drag makes of the look when it began.

    Parameters
    ----------
    plot : Plot
    look : Look
    grip : Grip
    start, to : tuple of float
        Where the drag began and where the hand is now.
    """
    way = plot.value(to[0]) - plot.value(start[0])
    if not (isfinite(way) and isfinite(to[1])):
        return look
    if grip.kind in ("low", "high", "window"):
        return replace(look, contrast=_contrast(plot, look, grip.kind, way))
    if grip.kind == "threshold" and look.threshold is not None:
        value = min(max(look.threshold + way, plot.low), plot.high)
        return replace(look, threshold=_rounded(value, look))
    if grip.kind == "gamma":
        return replace(look, gamma=gamma_through(plot.share(to[1])))
    if grip.kind == "point" and look.curve is not None:
        position, opacity = look.curve[grip.index]
        value = look.value_at(position) + way
        rise = plot.share(to[1]) - plot.share(start[1])
        place = (look.position_of(value), opacity + rise)
        return replace(look, curve=transfer.moved(look.curve, grip.index, place))
    return look


def _contrast(plot: Plot, look: Look, kind: Kind, way: float) -> tuple[float, float]:
    low, high = look.contrast
    least = 1.0 if look.is_whole else 1e-5 * (plot.high - plot.low)
    if kind == "window":
        low, high = _rounded(low + way, look), _rounded(high + way, look)
    elif kind == "low":
        low = _rounded(max(min(low + way, high - least), plot.low), look)
        low = min(low, high - least)
    else:
        high = _rounded(min(max(high + way, low + least), plot.high), look)
        high = max(high, low + least)
    return (low, high) if low < high else look.contrast


def _rounded(value: float, look: Look) -> float:
    return float(round(value)) if look.is_whole else value


def gamma_through(share: float) -> float:
    """Return the gamma that shows the middle of the contrast window at a share."""
    low, high = GAMMA_ENDS
    if not share > 0:
        return high
    if share >= 1:
        return low
    return min(max(log(share) / log(0.5), low), high)


def gamma_line(plot: Plot, look: Look, *, n: int = 48) -> NDArray[np.float64]:
    """Return the line of the gamma curve over the values.

    Parameters
    ----------
    plot : Plot
    look : Look
    n : int
        Points.

    Returns
    -------
    ndarray, shape (n, 2), float64
        Column and row (x, y), pixels.
    """
    low, high = look.contrast
    t = np.linspace(0.0, 1.0, n)
    x = [plot.x(low + (high - low) * share) for share in t]
    return np.column_stack([x, [plot.y(share**look.gamma) for share in t]])


def curve_line(plot: Plot, look: Look, *, n: int = 24) -> NDArray[np.float64]:
    """Return the opacity curve; empty without one.

    Parameters
    ----------
    plot : Plot
    look : Look
    n : int
        Points between two points of the curve.

    Returns
    -------
    ndarray, shape (m, 2), float64
        Column and row (x, y), pixels.
    """
    parts = []
    for (p0, o0), (p1, o1) in pairwise(look.curve or ()):
        t = np.linspace(0.0, 1.0, n)
        x = [plot.x(look.value_at(p0 + (p1 - p0) * s)) for s in t]
        parts.append(np.column_stack([x, [plot.y(o0 + (o1 - o0) * s) for s in t]]))
    return np.concatenate(parts) if parts else np.empty((0, 2))


def with_point(plot: Plot, look: Look, x: float, y: float) -> Look:
    """Return the look with one more point in its opacity curve.

    Parameters
    ----------
    plot : Plot
    look : Look
    x : float
        Column, pixels.
    y : float
        Row, pixels.
    """
    if look.curve is None:
        return look
    place = (look.position_of(plot.value(x)), plot.share(y))
    return replace(look, curve=transfer.added(look.curve, place)[0])


def bar_entries(plot: Plot, look: Look, n: int) -> NDArray[np.int64]:
    """Return the entry of the colour table at each column of the bar.

    Parameters
    ----------
    plot : Plot
    look : Look
    n : int
        Columns.

    Returns
    -------
    ndarray, shape (n,), int64
    """
    values = np.linspace(plot.low, plot.high, n)
    low, high = look.contrast
    shares = np.clip((values - low) / (high - low), 0.0, 1.0) ** look.gamma
    return np.rint(255 * shares).astype(np.int64)
