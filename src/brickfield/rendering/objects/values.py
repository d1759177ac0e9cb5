"""Points, surfaces and lines as frozen values, in data order (z, y, x).

Nothing here needs a GPU. Arrays are checked and made plain once, when a value is
made; drawing does not check them again. A value is compared by identity: the
same value again costs nothing to show.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal, TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray

from brickfield.errors import OptionError
from brickfield.model import AffineTransform

LengthUnit = Literal["world", "px"]
Shading = Literal["none", "flat", "smooth"]
SYMBOLS = (
    "disc",
    "ring",
    "square",
    "diamond",
    "cross",
    "x",
    "star",
    "triangle_up",
    "triangle_down",
    "clobber",
    "arrow",
)
"""Shapes of points, by napari's names."""
_IDENTITY = AffineTransform()


def _white() -> NDArray[np.float32]:
    return np.ones((1, 4), np.float32)


def _black() -> NDArray[np.float32]:
    return np.array([[0, 0, 0, 1]], np.float32)


@dataclass(frozen=True, eq=False, kw_only=True)
class SceneObject:
    """What all kinds have.

    Attributes
    ----------
    world : AffineTransform
        The space of the given coordinates to world.
    opacity : float
        0 to 1; below 1 a share of the pixels is left out (see the package).
    visible : bool
    """

    world: AffineTransform = _IDENTITY
    opacity: float = 1.0
    visible: bool = True

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing to draw."""
        return not self.visible or self.opacity <= 0

    def _keep(self, name: str, value: object) -> None:
        object.__setattr__(self, name, value)


@dataclass(frozen=True, eq=False, kw_only=True)
class Points(SceneObject):
    """Markers that face the eye.

    Attributes
    ----------
    positions : ndarray, shape (n, 3), float64
        (z, y, x). Rows that are not finite are not drawn.
    sizes : ndarray, shape (n,), float32
        Diameters; one number means all.
    size_unit : {"world", "px"}
        Of sizes and borders; pixels are logical.
    colors : ndarray, shape (n, 4), float32
        sRGB and alpha, 0 to 1; one row means all.
    symbols : str or sequence of str
        One of :data:`SYMBOLS` for all, or for each point.
    border_width : float
        Share of the size.
    border_colors : ndarray, shape (n, 4), float32
    """

    positions: NDArray[np.float64]
    sizes: NDArray[np.float32] = field(default_factory=lambda: np.full(1, 10, "f4"))
    size_unit: LengthUnit = "world"
    colors: NDArray[np.float32] = field(default_factory=_white)
    symbols: Sequence[str] = ("disc",)
    border_width: float = 0.0
    border_colors: NDArray[np.float32] = field(default_factory=_black)

    def __post_init__(self) -> None:
        positions = table("positions", self.positions, 3)
        positions[~np.isfinite(positions).all(axis=1)] = np.nan
        n = len(positions)
        symbols = (self.symbols,) if isinstance(self.symbols, str) else self.symbols
        _one_of("size_unit", self.size_unit, ("world", "px"))
        for symbol in set(symbols):
            _one_of("symbol", symbol, SYMBOLS)
        if len(symbols) not in (1, n):
            raise _refusal(f"one symbol, or one for each of {n} points", len(symbols))
        self._keep("positions", positions)
        self._keep("symbols", tuple(symbols))
        self._keep("sizes", numbers_of("sizes", self.sizes, n))
        self._keep("colors", colors_of(self.colors, n))
        self._keep("border_colors", colors_of(self.border_colors, n))

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing to draw."""
        return super().is_empty or not np.isfinite(self.positions).all(axis=1).any()


@dataclass(frozen=True, eq=False, kw_only=True)
class Surface(SceneObject):
    """Triangles, seen and lit from both sides.

    Attributes
    ----------
    vertices : ndarray, shape (n, 3), float64
        (z, y, x).
    faces : ndarray, shape (m, 3), uint32
        Rows of vertices.
    colors : ndarray, shape (n, 4), float32
        sRGB and alpha, 0 to 1, a vertex; one row means all.
    shading : {"none", "flat", "smooth"}
        Colours as they are, or lit from the eye: face by face, or rounded.
    """

    vertices: NDArray[np.float64]
    faces: NDArray[np.uint32]
    colors: NDArray[np.float32] = field(default_factory=_white)
    shading: Shading = "smooth"

    def __post_init__(self) -> None:
        vertices = table("vertices", self.vertices, 3)
        faces = table("faces", self.faces, 3).astype(np.int64)
        _one_of("shading", self.shading, ("none", "flat", "smooth"))
        n = len(vertices)
        if len(faces) and (faces.min() < 0 or faces.max() >= n):
            found = f"{faces.min()} to {faces.max()}"
            raise _refusal(f"faces of rows 0 to {n - 1} of vertices", found)
        bad = np.asarray(~np.isfinite(vertices).all(axis=1))
        if bad.any():
            faces = faces[~bad[faces].any(axis=1)]
            vertices = np.where(bad[:, None], 0.0, vertices)
        self._keep("vertices", vertices)
        self._keep("faces", faces.astype(np.uint32))
        self._keep("colors", colors_of(self.colors, n))

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing to draw."""
        return super().is_empty or not len(self.faces)


@dataclass(frozen=True, eq=False, kw_only=True)
class Lines(SceneObject):
    """Paths, each a row of points joined by straight lines.

    Attributes
    ----------
    paths : tuple of ndarray, shape (k, 3), float64
        (z, y, x).
    closed : bool
        Whether the last point of each path is joined with its first.
    width : float
    width_unit : {"world", "px"}
        Pixels are logical.
    colors : ndarray, float32
        sRGB and alpha, 0 to 1: shape (4,) for all, (number of paths, 4), or one row
        for each point of all paths.
    """

    paths: tuple[NDArray[np.float64], ...]
    closed: bool = False
    width: float = 2.0
    width_unit: LengthUnit = "px"
    colors: NDArray[np.float32] = field(default_factory=_white)

    def __post_init__(self) -> None:
        paths = tuple(table("a path", path, 3) for path in self.paths)
        _one_of("width_unit", self.width_unit, ("world", "px"))
        if not 0 < self.width < np.inf:
            raise _refusal("a width above 0", self.width)
        lengths = [len(path) for path in paths]
        n = sum(lengths)
        given = np.atleast_2d(np.asarray(self.colors, dtype=np.float32))
        if len(given) == len(paths) != n:
            given = np.repeat(given, lengths, axis=0)
        self._keep("paths", paths)
        self._keep("colors", colors_of(given, n))

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing to draw."""
        return super().is_empty or not any(len(path) > 1 for path in self.paths)


ObjectValue: TypeAlias = Points | Surface | Lines


def _refusal(expected: str, found: object) -> OptionError:
    return OptionError(f"expected {expected}; found {found}")


def _one_of(name: str, value: object, known: Sequence[str]) -> None:
    if value not in known:
        raise _refusal(f"{name} to be one of {', '.join(known)}", repr(value))


def table(name: str, values: ArrayLike, columns: int) -> NDArray[np.float64]:
    """Return values as float64 of shape (n, columns), or refuse them.

    Parameters
    ----------
    name : str
        For the message.
    values : array-like, shape (n, columns)
    columns : int

    Raises
    ------
    OptionError
        If they are no numbers or of another shape.
    """
    try:
        rows = np.array(values, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise _refusal(f"{name} as numbers of shape (n, {columns})", error) from error
    if rows.size == 0:
        return np.empty((0, columns))
    if rows.ndim != 2 or rows.shape[1] != columns:
        raise _refusal(f"{name} of shape (n, {columns})", f"shape {rows.shape}")
    return rows


def numbers_of(name: str, values: ArrayLike, n: int) -> NDArray[np.float32]:
    """Return n non-negative numbers as float32, shape (n,); one value is repeated.

    Parameters
    ----------
    name : str
        For the message.
    values : array-like, one value or shape (n,)
    n : int

    Raises
    ------
    OptionError
        If one is negative or not finite, or their number differs.
    """
    row = np.atleast_1d(np.asarray(values, dtype=np.float32)).ravel()
    if len(row) not in (1, n):
        raise _refusal(f"one of {name}, or {n} of them", len(row))
    if not (np.isfinite(row).all() and (row >= 0).all()):
        raise _refusal(f"{name} of 0 or more", f"{row.min()} to {row.max()}")
    return np.ascontiguousarray(np.broadcast_to(row, (n,)))


def colors_of(values: ArrayLike, n: int) -> NDArray[np.float32]:
    """Return n colours, one value is repeated.

    Parameters
    ----------
    values : array-like, shape (3,), (4,), (n, 3) or (n, 4)
        Red, green, blue (and alpha), 0 to 1.
    n : int

    Returns
    -------
    ndarray, shape (n, 4), float32
        Clipped to 0 to 1.

    Raises
    ------
    OptionError
        If the shape is another.
    """
    rows = np.atleast_2d(np.asarray(values, dtype=np.float32))
    if rows.ndim == 2 and rows.shape[1] == 3:
        rows = np.hstack([rows, np.ones((len(rows), 1), np.float32)])
    if rows.ndim != 2 or rows.shape[1] != 4 or len(rows) not in (1, n):
        raise _refusal(f"colours of shape (4,) or ({n}, 4)", f"shape {rows.shape}")
    clean = np.clip(np.nan_to_num(rows), 0.0, 1.0)
    return np.ascontiguousarray(np.broadcast_to(clean, (n, 4)))
