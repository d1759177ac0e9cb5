"""Virtual detectors: which pixels of a pattern count.

A pixel counts when its centre lies within the shape, edges included. Coordinates are
detector rows and columns, pixels; the centre of the first pixel is (0, 0). Every
detector is a frozen value that JSON can hold (:func:`to_json`, :func:`from_json`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from math import isfinite
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from brickfield.errors import OptionError

Weights = NDArray[Any]


@dataclass(frozen=True)
class Detector:
    """Base of all detectors."""

    kind: ClassVar[str] = ""

    def __post_init__(self) -> None:
        """Refuse what is no number."""
        values = [v for v in asdict(self).values() if isinstance(v, float | int)]
        if not all(map(isfinite, values)):
            msg = f"expected finite numbers for a {self.kind}; found {values}"
            raise OptionError(msg)

    def mask(self, shape: tuple[int, int]) -> Weights:
        """Return which pixels count.

        Parameters
        ----------
        shape : tuple of int
            Rows and columns of a pattern.

        Returns
        -------
        ndarray, shape `shape`, bool, or numbers as weights
        """
        raise NotImplementedError

    def to_plain(self) -> dict[str, Any]:
        """Return plain values, its kind among them."""
        return to_json(self)

    @staticmethod
    def of_plain(values: Mapping[str, Any]) -> Detector:
        """Make a detector of what :meth:`to_plain` returned.

        Parameters
        ----------
        values : mapping

        Raises
        ------
        OptionError
        """
        return from_json(values)


def _distances(
    shape: tuple[int, int], cy: float, cx: float
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    y, x = np.ogrid[: shape[0], : shape[1]]
    return y - float(cy), x - float(cx)


def _check_radii(kind: str, inner: float, outer: float) -> None:
    if not 0 <= inner <= outer:
        msg = f"expected radii of a {kind} with 0 <= inner <= outer; found {inner}, {outer}"
        raise OptionError(msg)


class _Round(Detector):
    """What disc and ring have in common: both radii are included."""

    cy: float
    cx: float

    @property
    def radii(self) -> tuple[float, float]:
        """Inner and outer radius."""
        raise NotImplementedError

    def __post_init__(self) -> None:
        """Refuse radii that make no ring."""
        super().__post_init__()
        _check_radii(self.kind, *self.radii)

    def mask(self, shape: tuple[int, int]) -> Weights:
        """Return which pixels count, of a pattern's `shape`; see :class:`Detector`."""
        dy, dx = _distances(shape, self.cy, self.cx)
        (r0, r1), d2 = self.radii, dy * dy + dx * dx
        return (d2 >= r0**2) & (d2 <= r1**2)


@dataclass(frozen=True)
class Disc(_Round):
    """A disc: bright field.

    Attributes
    ----------
    cy, cx : float
        Centre.
    r : float
        Radius.
    """

    cy: float
    cx: float
    r: float
    kind: ClassVar[str] = "disc"

    @property
    def radii(self) -> tuple[float, float]:
        """0 and the radius."""
        return (0, self.r)


@dataclass(frozen=True)
class Annulus(_Round):
    """A ring: dark field.

    Attributes
    ----------
    cy, cx : float
        Centre.
    r0, r1 : float
        Inner and outer radius, both included.
    """

    cy: float
    cx: float
    r0: float
    r1: float
    kind: ClassVar[str] = "annulus"

    @property
    def radii(self) -> tuple[float, float]:
        """Inner and outer radius."""
        return (self.r0, self.r1)


@dataclass(frozen=True)
class Wedge(Detector):
    """A part of a ring: segments of a detector.

    Attributes
    ----------
    cy, cx : float
        Centre.
    r0, r1 : float
        Inner and outer radius, both included.
    a0, a1 : float
        Angles, degrees: 0 along columns, turning towards rows. The wedge goes from
        `a0` up to `a1`, both included; 360 or more are a whole ring.
    """

    cy: float
    cx: float
    r0: float
    r1: float
    a0: float
    a1: float
    kind: ClassVar[str] = "wedge"

    def __post_init__(self) -> None:
        """Refuse what is no wedge."""
        super().__post_init__()
        _check_radii(self.kind, self.r0, self.r1)

    def mask(self, shape: tuple[int, int]) -> Weights:
        """Return which pixels count; see :class:`Detector`."""
        ring = Annulus(self.cy, self.cx, self.r0, self.r1).mask(shape)
        dy, dx = _distances(shape, self.cy, self.cx)
        # A full turn; the remainder below would make it empty.
        if self.a1 - self.a0 >= 360:
            return ring
        opening = (self.a1 - self.a0) % 360
        # Rounded: a pixel on a diagonal lies at 45 degrees, not at 45 - 7e-15.
        behind = np.round((np.degrees(np.arctan2(dy, dx)) - self.a0) % 360, 9) % 360
        within: Weights = (behind <= opening) | ((dy == 0) & (dx == 0))
        return ring & within


@dataclass(frozen=True)
class Rectangle(Detector):
    """A rectangle.

    Attributes
    ----------
    y0, y1, x0, x1 : float
        First and last row and column, included.
    """

    y0: float
    y1: float
    x0: float
    x1: float
    kind: ClassVar[str] = "rectangle"

    def mask(self, shape: tuple[int, int]) -> Weights:
        """Return which pixels count; see :class:`Detector`."""
        y, x = np.ogrid[: shape[0], : shape[1]]
        return ((y >= self.y0) & (y <= self.y1)) & ((x >= self.x0) & (x <= self.x1))


@dataclass(frozen=True)
class Points(Detector):
    """Single pixels.

    Attributes
    ----------
    pixels : tuple of (int, int)
        Rows and columns; those outside a pattern do not count.
    """

    pixels: tuple[tuple[int, int], ...]
    kind: ClassVar[str] = "points"

    def mask(self, shape: tuple[int, int]) -> Weights:
        """Return which pixels count; see :class:`Detector`."""
        mask = np.zeros(shape, np.bool_)
        for y, x in self.pixels:
            if 0 <= y < shape[0] and 0 <= x < shape[1]:
                mask[y, x] = True
        return mask


@dataclass(frozen=True)
class Mask(Detector):
    """Any pixels, or weights.

    Attributes
    ----------
    rows : tuple of tuple of float
        A weight for each pixel; see :meth:`of`.
    is_bool : bool
        Whether all weights are 0 or 1.
    """

    rows: tuple[tuple[float, ...], ...]
    is_bool: bool = False
    kind: ClassVar[str] = "mask"

    @classmethod
    def of(cls, array: NDArray[Any]) -> Mask:
        """Make a mask of an array, shape (rows, columns), bool or numbers.

        Raises
        ------
        OptionError
        """
        if array.ndim != 2 or array.dtype.kind not in "biuf" or not array.size:
            msg = (
                "expected a mask of rows and columns of numbers; found"
                f" {array.dtype} of shape {array.shape}"
            )
            raise OptionError(msg)
        if not np.isfinite(array).all():
            msg = "expected finite weights in a mask; found others"
            raise OptionError(msg)
        # Zeros and ones are a choice of pixels: those sums are exact integers.
        is_bool = bool(((array == 0) | (array == 1)).all())
        return cls(tuple(map(tuple, array.astype(np.float64).tolist())), is_bool)

    def mask(self, shape: tuple[int, int]) -> Weights:
        """Return the weights; see :class:`Detector`.

        Raises
        ------
        OptionError
            If patterns have another shape.
        """
        weights = np.asarray(self.rows, np.float64)
        if weights.shape != tuple(shape):
            msg = (
                f"expected a mask of the patterns' shape {tuple(shape)}; found"
                f" {weights.shape}"
            )
            raise OptionError(msg)
        return weights.astype(np.bool_) if self.is_bool else weights


_KINDS: dict[str, type[Detector]] = {
    d.kind: d for d in (Disc, Annulus, Wedge, Rectangle, Points, Mask)
}


def to_json(detector: Detector) -> dict[str, Any]:
    """Return a detector as plain values, its kind among them."""
    return {"kind": detector.kind, **asdict(detector)}


def from_json(values: Mapping[str, Any]) -> Detector:
    """Make a detector of what :func:`to_json` returned.

    Raises
    ------
    OptionError
    """
    given = dict(values)
    kind = _KINDS.get(str(given.pop("kind", "")))
    if kind is None:
        msg = (
            f"expected a detector of the kind {', '.join(_KINDS)}; found"
            f" {values.get('kind')!r}"
        )
        raise OptionError(msg)
    for name in ("pixels", "rows"):
        if name in given:
            given[name] = tuple(map(tuple, given[name]))
    try:
        return kind(**given)
    except TypeError as error:
        names = ", ".join(kind.__dataclass_fields__)
        msg = f"expected the values {names} of a {kind.kind}; found {list(given)}"
        raise OptionError(msg) from error
