"""Opacity over the contrast window: a curve of points, and the alpha of a table.

A curve's points have ascending positions from 0 to 1, the first at 0 and the last
at 1; position and opacity never leave 0 to 1. Between points opacity is straight.
A table holds it in 256 steps, and :func:`curve_of` finds points that give exactly
the table again, so that setting and reading do not make a curve drift.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache
from math import isfinite

import numpy as np
from numpy.typing import NDArray

Point = tuple[float, float]
Curve = tuple[Point, ...]
"""Points (position, opacity)."""
OPAQUE: Curve = ((0.0, 1.0), (1.0, 1.0))
"""No curve."""
RAMP: Curve = ((0.0, 0.0), (1.0, 1.0))
N_ENTRIES = 256
GAP = 1 / (N_ENTRIES - 1)
"""Least distance of two points: one entry of the table, which is a sharp step."""


def normal(points: Iterable[Point]) -> Curve:
    """Return any points as a curve: sorted, within bounds, from end to end."""
    usable = sorted(
        ((_share(x), _share(y)) for x, y in points if isfinite(x) and isfinite(y)),
        key=lambda point: point[0],
    )
    if not usable:
        return OPAQUE
    if usable[0][0] > 0:
        usable.insert(0, (0.0, usable[0][1]))
    if usable[-1][0] < 1:
        usable.append((1.0, usable[-1][1]))
    if len(usable) == 1:
        usable.append((1.0, usable[0][1]))
    inner = range(1, len(usable) - 1)
    # Of several points at one position only the first and the last can be seen.
    hidden = {i for i in inner if usable[i - 1][0] == usable[i][0] == usable[i + 1][0]}
    return tuple(point for i, point in enumerate(usable) if i not in hidden)


def _share(value: float) -> float:
    return min(max(float(value), 0.0), 1.0)


def alpha_of(curve: Iterable[Point]) -> NDArray[np.uint8]:
    """Return the alpha column of a table, shape (256,), uint8."""
    points = np.array(normal(curve))
    places = points[:, 0]
    # Equal positions are a step: the later point holds from there on.
    is_step = np.append(np.diff(places) == 0, False)
    places = np.where(is_step, np.nextafter(places, -1), places)
    shares = np.interp(np.linspace(0, 1, N_ENTRIES), places, points[:, 1])
    # Half steps go up: np.rint would send neighbours to different sides.
    alpha: NDArray[np.uint8] = np.floor(shares * 255 + 0.5 + 1e-9).astype(np.uint8)
    return alpha


def with_curve(lut: NDArray[np.uint8], curve: Iterable[Point]) -> NDArray[np.uint8]:
    """Return a table of colours with the alpha of a curve.

    Parameters
    ----------
    lut : ndarray, shape (256, 3 or 4), uint8
        An alpha that is there is replaced.
    curve : iterable of (float, float)

    Returns
    -------
    ndarray, shape (256, 4), uint8
    """
    return np.column_stack([lut[:, :3], alpha_of(curve)])


def curve_of(lut: NDArray[np.uint8], hint: Curve | None = None) -> Curve:
    """Return a curve that gives a table's alpha exactly, with few points.

    Parameters
    ----------
    lut : ndarray, shape (256, 4), uint8
    hint : tuple of (float, float), optional
        The curve that it probably was; returned where it fits.
    """
    alpha = np.asarray(lut)[:, 3]
    if hint is not None and np.array_equal(alpha_of(hint), alpha):
        return hint
    return _curve_of(alpha.astype(np.uint8).tobytes())


@lru_cache(maxsize=64)
def _curve_of(alpha: bytes) -> Curve:
    knots = _fewest_knots(np.frombuffer(alpha, np.uint8).astype(np.float64))
    return tuple((i * GAP, alpha[i] / 255) for i in knots)


def _fewest_knots(values: NDArray[np.float64]) -> list[int]:
    """Find the fewest entries between which straight lines give all others.

    Of equally few those whose lines lie nearest to the values: a corner that was
    set is found where it was set, though rounding blurs it.
    """
    n = len(values)
    if values.min() == values.max():
        # Opaque as nearly all are: no search of a hundredth of a second is needed.
        return [0, n - 1]
    cost, before = np.full(n, np.inf), np.zeros(n, np.int64)
    cost[0] = 0.0
    for i in range(n - 1):
        away, rise = np.arange(1, n - i), values[i + 1 :] - values[i]
        slopes = rise / away
        # A slope rounds to the values in between if it stays below and above these.
        low = np.maximum.accumulate((rise - 0.5) / away)
        high = np.minimum.accumulate((rise + 0.5) / away)
        fits = (slopes >= low - 1e-12) & (slopes < high - 1e-8)
        off = np.cumsum(rise**2) - 2 * slopes * np.cumsum(rise * away)
        off += slopes**2 * np.cumsum(away**2)
        # One line more weighs more than anything that lines can be off.
        total = np.where(fits, cost[i] + n + off, np.inf)
        better = np.flatnonzero(total < cost[i + 1 :] - 1e-9) + i + 1
        cost[better], before[better] = total[better - i - 1], i
    knots = [n - 1]
    while knots[-1] > 0:
        knots.append(int(before[knots[-1]]))
    return knots[::-1]


def point_at(curve: Curve, at: Point, *, reach: Point) -> int | None:
    """Return the point nearest to a place, None if none is within reach.

    Parameters
    ----------
    curve : tuple of (float, float)
    at : tuple of float
        Position and opacity.
    reach : tuple of float
        How far one may be off in either, a few pixels' worth.
    """
    off = (np.array(curve) - at) / np.maximum(reach, 1e-9)
    distances = np.hypot(off[:, 0], off[:, 1])
    nearest = int(np.argmin(distances))
    return nearest if distances[nearest] <= 1 else None


def moved(curve: Curve, index: int, to: Point) -> Curve:
    """Move a point as far as its neighbours allow; the ends move only up and down.

    Parameters
    ----------
    curve : Curve
    index : int
        Of the point.
    to : Point
        Position and opacity, 0 to 1.
    """
    if not (0 <= index < len(curve) and isfinite(to[0]) and isfinite(to[1])):
        return curve
    x, y = curve[index][0], _share(to[1])
    if 0 < index < len(curve) - 1:
        low, high = curve[index - 1][0] + GAP, curve[index + 1][0] - GAP
        x = min(max(_share(to[0]), low), high) if low <= high else x
    return (*curve[:index], (x, y), *curve[index + 1 :])


def added(curve: Curve, at: Point) -> tuple[Curve, int | None]:
    """Add a point; return the curve and the index of the point.

    Where another point is too near, the curve stays and the index is None.

    Parameters
    ----------
    curve : Curve
    at : Point
        Position and opacity, 0 to 1.
    """
    if not (isfinite(at[0]) and isfinite(at[1])):
        return curve, None
    x, y = _share(at[0]), _share(at[1])
    if min(abs(x - place) for place, _ in curve) < GAP:
        return curve, None
    index = sum(place < x for place, _ in curve)
    return (*curve[:index], (x, y), *curve[index:]), index


def removed(curve: Curve, index: int) -> Curve:
    """Remove a point; the two ends stay.

    Parameters
    ----------
    curve : Curve
    index : int
        Of the point.
    """
    if not 0 < index < len(curve) - 1:
        return curve
    return (*curve[:index], *curve[index + 1 :])
