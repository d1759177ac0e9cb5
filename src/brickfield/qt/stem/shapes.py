"""Detectors, as outlines that are drawn and as guesses from a pattern.

Vertices are rows and columns of detector pixels. A rectangle of an outline has its
corners in order; an ellipse is given by the corners of the box round it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from brickfield.stem4d import Annulus, Detector, Disc, Mask, Rectangle, Wedge

KINDS = ("disc", "annulus", "wedge", "rectangle", "mask")
ELLIPSE, BOX, POLYGON = "ellipse", "rectangle", "polygon"
_ARC_STEPS = 24
Outline = tuple[str, NDArray[np.float64]]
ADF = (1.5, 4.0)
"""Inner and outer radius of the dark field, in radii of the bright disc."""
LEAST_PX = 0.5


def outlines(detector: Detector) -> list[Outline]:
    """Return what is drawn of a detector: kind of shape and corners, outer first.

    Returns
    -------
    list of (str, ndarray of shape (4, 2))
    """
    if isinstance(detector, Disc):
        return [(ELLIPSE, _box(detector.cy, detector.cx, detector.r))]
    if isinstance(detector, Annulus):
        at = (detector.cy, detector.cx)
        return [(ELLIPSE, _box(*at, r)) for r in (detector.r1, detector.r0)]
    if isinstance(detector, Rectangle):
        ends = (detector.y0, detector.y1, detector.x0, detector.x1)
        return [(BOX, _corners(*ends))]
    if isinstance(detector, Wedge):
        return [(POLYGON, _sector(detector))]
    return []


def _sector(wedge: Wedge) -> NDArray[np.float64]:
    """Return the corners of a part of a ring, inner arc first; shape (n, 2)."""
    opening = wedge.a1 - wedge.a0
    opening = 360.0 if opening >= 360 else opening % 360
    angles = np.radians(np.linspace(wedge.a0, wedge.a0 + opening, _ARC_STEPS))
    arcs = [(wedge.r0, angles), (wedge.r1, angles[::-1])]
    return np.concatenate(
        [
            np.stack([wedge.cy + r * np.sin(a), wedge.cx + r * np.cos(a)], axis=1)
            for r, a in arcs
        ]
    )


def _box(cy: float, cx: float, r: float) -> NDArray[np.float64]:
    return _corners(cy - r, cy + r, cx - r, cx + r)


def _corners(y0: float, y1: float, x0: float, x1: float) -> NDArray[np.float64]:
    return np.array([[y0, x0], [y0, x1], [y1, x1], [y1, x0]], np.float64)


def mask_of(detector: Detector, shape: tuple[int, int]) -> Mask:
    """Return the pixels that a detector counts, to be painted on.

    Parameters
    ----------
    detector : Detector
    shape : tuple of int
        Rows and columns of a pattern.
    """
    return Mask.of(detector.mask(shape))


def detector_of(
    kind: str, shapes: Sequence[Any], last: Detector | None = None
) -> Detector | None:
    """Make a detector from outlines that the user moved.

    Parameters
    ----------
    kind : {"disc", "annulus", "wedge", "rectangle"}
    shapes : sequence of array-like, shape (n, 2)
        Corners, in the order of :func:`outlines`.
    last : Detector, optional
        As it was: of a ring, the circle that was moved takes the other one along; a
        wedge is moved, and keeps its radii and angles.

    Returns
    -------
    Detector or None
        None where there is no outline.
    """
    if kind == "wedge" and isinstance(last, Wedge) and len(shapes):
        return _moved(last, np.asarray(shapes[0])[:, -2:])
    boxes = [_ends(np.asarray(shape)[:, -2:]) for shape in shapes]
    if not boxes:
        return None
    if kind == "rectangle":
        return Rectangle(*boxes[0])
    circles = [_circle(*box) for box in boxes]
    if kind == "disc" or len(circles) < 2:
        return Disc(*circles[0])
    centre = circles[0][:2]
    if isinstance(last, Annulus) and np.allclose(centre, (last.cy, last.cx), atol=1e-3):
        centre = circles[1][:2]
    r0, r1 = sorted((circles[1][2], circles[0][2]))
    return Annulus(*centre, r0, r1)


def _moved(wedge: Wedge, corners: NDArray[Any]) -> Wedge:
    dy, dx = corners.mean(axis=0) - _sector(wedge).mean(axis=0)
    at = {"cy": wedge.cy + float(dy), "cx": wedge.cx + float(dx)}
    return replace(wedge, **{name: round(v, 3) for name, v in at.items()})


def _ends(corners: NDArray[Any]) -> tuple[float, float, float, float]:
    (y0, x0), (y1, x1) = corners.min(axis=0), corners.max(axis=0)
    # napari keeps corners as float32: finer differences are rounding errors.
    return (*(round(float(v), 3) for v in (y0, y1, x0, x1)),)  # type: ignore[return-value]


def _circle(y0: float, y1: float, x0: float, x1: float) -> tuple[float, float, float]:
    # An ellipse that was drawn freely becomes the circle of the same area.
    r = float(np.sqrt((y1 - y0) * (x1 - x0))) / 2
    return (
        round((y0 + y1) / 2, 3),
        round((x0 + x1) / 2, 3),
        max(round(r, 3), LEAST_PX),
    )


def bright_disc(pattern: NDArray[Any]) -> Disc:
    """Find the bright disc of a pattern.

    Pixels of at least half the 99.5th percentile count; the disc has their centre of
    mass and their area.

    Parameters
    ----------
    pattern : ndarray, shape (rows, columns)

    Returns
    -------
    Disc
        In the middle, an eighth of the shorter edge wide, where nothing is bright.
    """
    values = np.nan_to_num(pattern.astype(np.float64))
    rows, columns = values.shape
    most = float(np.percentile(values, 99.5))
    bright = values >= max(most / 2, 1e-300)
    share = bright.mean()
    if not 0 < share <= 0.5:
        r = max(min(rows, columns) / 8, LEAST_PX)
        return Disc((rows - 1) / 2, (columns - 1) / 2, r)
    y, x = np.nonzero(bright)
    weights = np.minimum(values[y, x], most)  # hot pixels draw nothing to them
    cy, cx = np.average(y, weights=weights), np.average(x, weights=weights)
    r = max(float(np.sqrt(bright.sum() / np.pi)), 1.0)
    return Disc(round(float(cy), 1), round(float(cx), 1), round(r, 1))


def dark_field(disc: Disc, shape: Sequence[int]) -> Annulus:
    """Return a ring round a bright disc, within the edges of a pattern.

    Parameters
    ----------
    disc : Disc
    shape : sequence of int
        Of the scan; the last two axes are the detector's.
    """
    most = max(min(shape[-2:]) / 2, disc.r + 1)
    outer = min(ADF[1] * disc.r, most)
    return Annulus(disc.cy, disc.cx, min(ADF[0] * disc.r, outer * 0.8), outer)


def of_kind(kind: str, like: Disc, shape: Sequence[int]) -> Detector:
    """Return a detector of a kind, at the place of a disc.

    Parameters
    ----------
    kind : str
        "disc", "annulus", "wedge" or "rectangle".
    like : Disc
        Gives centre and radius.
    shape : sequence of int
        Of the scan; the last two axes are the detector's.
    """
    if kind in ("annulus", "wedge"):
        ring = dark_field(like, shape)
        wedge = Wedge(ring.cy, ring.cx, ring.r0, ring.r1, 0.0, 90.0)
        return ring if kind == "annulus" else wedge
    if kind == "rectangle":
        return Rectangle(
            like.cy - like.r, like.cy + like.r, like.cx - like.r, like.cx + like.r
        )
    return like


def middle_of(detector: Detector) -> Disc:
    """Return the disc from which a detector of another kind is made.

    Raises
    ------
    ValueError
        If it is no disc, ring, wedge or rectangle.
    """
    if isinstance(detector, Disc):
        return detector
    if isinstance(detector, Annulus | Wedge):
        return Disc(detector.cy, detector.cx, max(detector.r0 / ADF[0], LEAST_PX))
    if isinstance(detector, Rectangle):
        y0, y1, x0, x1 = detector.y0, detector.y1, detector.x0, detector.x1
        return Disc(*_circle(y0, y1, x0, x1))
    msg = f"expected a disc, ring, wedge or rectangle; found {detector.kind}"
    raise ValueError(msg)
