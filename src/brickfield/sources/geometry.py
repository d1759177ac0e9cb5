"""Axes and levels from what files say: names to kinds, ratios to voxel sizes.

Every function is pure. A *centre-aligned* pyramid lies over one extent: the edges of
all levels coincide, so voxel 0 of a level whose voxels are f times as large has its
centre (f - 1) / 2 fine voxels further in.

Parsers note what is odd in :class:`Findings`.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import isfinite

import numpy as np

from brickfield.errors import OptionError, StoreFormatError
from brickfield.model import (
    Axis,
    AxisKind,
    Finding,
    Int3,
    ScaleLevel,
    Severity,
    choose_chunk_shape,
)
from brickfield.sources.limits.chunk_sizes import check_sizes
from brickfield.sources.protocol import ArrayHeader

_KINDS: dict[str, AxisKind] = {
    "z": "space",
    "y": "space",
    "x": "space",
    "t": "time",
    "time": "time",
    "c": "channel",
    "channel": "channel",
    "ch": "channel",
}
MAX_LIKELY_CHANNELS = 16
"""A leading axis longer than this is taken for time, not for channels."""
MASKED = "masked"
"""Code of the finding that voxels below a mask are drawn."""
ROOM_LEFT_OUT = "room-left-out"
"""Code of the finding that a mosaic ends with its tiles, to be written."""
PREVIEW = "session-preview"
"""Code of the finding that an image is the preview that a session keeps of it."""
NUMERIC_KINDS = "biuf"
"""Kinds of numpy data types whose values can be drawn."""


def axis_named(name: str, unit: str | None = None) -> Axis:
    """Make an axis; its kind follows from its name.

    Parameters
    ----------
    name : str
    unit : str, optional
        Name or symbol.
    """
    return Axis(name, _KINDS.get(name.lower(), "other"), unit)


def default_axes(shape: Sequence[int]) -> tuple[Axis, ...]:
    """Guess the axes of an array by its rank.

    Two axes are (y, x), three (z, y, x). A fourth in front is ``c`` when at most
    16 long, else ``t``; five are (t, c, z, y, x); more get the names d0, d1, ….
    """
    n = len(shape)
    if n <= 3:
        return tuple(axis_named(name) for name in "zyx"[3 - n :])
    if n == 4:
        lead = ["c" if shape[0] <= MAX_LIKELY_CHANNELS else "t"]
    else:
        lead = [f"d{i}" for i in range(n - 5)] + ["t", "c"]
    return tuple(axis_named(name) for name in (*lead, "z", "y", "x"))


def parse_axes(
    axes: str | Sequence[str | Axis] | None, shape: Sequence[int]
) -> tuple[Axis, ...]:
    """Read axes as a user gives them.

    Parameters
    ----------
    axes : str, sequence of str, Axis or None
        Names or axes in the array's order; None guesses them from the rank.
    shape : sequence of int
        Of the array.

    Raises
    ------
    OptionError
        If their number is not the array's rank, or names repeat.
    """
    if axes is None:
        return default_axes(shape)
    parsed = tuple(a if isinstance(a, Axis) else axis_named(str(a)) for a in axes)
    if len(parsed) != len(shape):
        msg = (
            f"expected one axis name for each of the array's {len(shape)} axes;"
            f" found {len(parsed)} ({', '.join(a.name for a in parsed)})"
        )
        raise OptionError(msg)
    if len({a.name for a in parsed}) != len(parsed):
        names = ", ".join(a.name for a in parsed)
        msg = f"expected different axis names; found {names}"
        raise OptionError(msg)
    if not any(a.kind == "space" for a in parsed):
        msg = "expected at least one of the axes z, y, x; found none of them"
        raise OptionError(msg)
    return parsed


def spatial_positions(axes: Sequence[Axis]) -> Int3:
    """Positions of z, y and x among the axes; -1 for an absent one.

    Axes of space with other names are taken in their order, the last one as x.
    """
    space = [i for i, a in enumerate(axes) if a.kind == "space"]
    names = {axes[i].name.lower(): i for i in space}
    if names.keys() <= set("zyx"):
        z, y, x = (names.get(name, -1) for name in "zyx")
        return (z, y, x)
    z, y, x = [-1] * (3 - len(space[-3:])) + space[-3:]
    return (z, y, x)


def over_axes(
    values_zyx: Sequence[float], axes: Sequence[Axis], others: float
) -> tuple[float, ...]:
    """Spread (z, y, x) values over all axes.

    Parameters
    ----------
    values_zyx : sequence of float
        One value per spatial axis.
    axes : sequence of Axis
        In stored order.
    others : float
        Value for the other axes.
    """
    result = [others] * len(axes)
    for value, position in zip(values_zyx, spatial_positions(axes), strict=True):
        if position >= 0:
            result[position] = float(value)
    return tuple(result)


def values_zyx(
    values: Sequence[float], axes: Sequence[Axis], absent: float
) -> tuple[float, float, float]:
    """Pick the (z, y, x) values out of one value per axis.

    Parameters
    ----------
    values : sequence of float
        One per axis, in stored order.
    axes : sequence of Axis
        In stored order.
    absent : float
        Value for a spatial axis that the image does not have.
    """
    z, y, x = (float(values[p]) if p >= 0 else absent for p in spatial_positions(axes))
    return (z, y, x)


def make_level(
    path: str,
    header: ArrayHeader,
    axes: Sequence[Axis],
    *,
    voxel_size: Sequence[float],
    translation: Sequence[float],
) -> ScaleLevel:
    """Make a level and choose the chunks it is planned in.

    Parameters
    ----------
    path : str
    header : ArrayHeader
        Of the stored array, all axes.
    axes : sequence of Axis
    voxel_size, translation : sequence of float
        World units, all axes.

    Raises
    ------
    StoreFormatError
        If an axis or a chunk has no voxels, or sizes cannot be true.
    """
    check_sizes(path, header.shape, header.chunk_shape, header.dtype.itemsize)
    spatial = spatial_positions(axes)
    if min(header.shape, default=1) < 1 or min(header.chunk_shape, default=1) < 1:
        msg = (
            f"expected one voxel or more on every axis of {path}; found the shape"
            f" {header.shape} in chunks of {header.chunk_shape}"
        )
        raise StoreFormatError(msg)
    shape = _pick(header.shape, spatial)
    storage = _pick(header.chunk_shape, spatial)
    return ScaleLevel(
        path=path,
        shape=header.shape,
        dtype=header.dtype,
        storage_chunk_shape=header.chunk_shape,
        voxel_size=tuple(float(v) for v in voxel_size),
        translation=tuple(float(v) for v in translation),
        spatial_axes=spatial,
        chunk_shape=choose_chunk_shape(shape, storage),
        fill_value=header.fill_value,
    )


def virtual_chunk_shape(shape: Sequence[int], axes: Sequence[Axis]) -> tuple[int, ...]:
    """Choose storage chunks for an array that has none: the planned chunks themselves.

    Parameters
    ----------
    shape : sequence of int
        All axes, voxels.
    axes : sequence of Axis
        In stored order.
    """
    spatial = spatial_positions(axes)
    whole = _pick(shape, spatial)
    chunk = [1] * len(shape)
    for edge, position in zip(choose_chunk_shape(whole, whole), spatial, strict=True):
        if position >= 0:
            chunk[position] = edge
    return tuple(chunk)


def aligned_geometry(
    voxel_size: Sequence[float],
    translation: Sequence[float],
    factors: Sequence[float],
) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Voxel size and translation of a coarser level over the same extent.

    Parameters
    ----------
    voxel_size, translation : sequence of float
        Of level 0.
    factors : sequence of float
        Voxel size of the level over level 0's, same axes.
    """
    size, shift, factor = (
        np.asarray(v, dtype=np.float64) for v in (voxel_size, translation, factors)
    )
    start = shift + (factor - 1) / 2 * size
    return tuple((size * factor).tolist()), tuple(start.tolist())


def is_finite(value: float) -> bool:
    """Whether a number of any size is finite as a float."""
    try:
        return isfinite(value)
    except OverflowError:
        return False


def is_usable_scale(values: Sequence[float]) -> bool:
    """Whether all values are finite and above zero."""
    array = np.asarray(values, dtype=np.float64)
    return bool(np.isfinite(array).all() and (array > 0).all())


def _pick(values: Sequence[int], spatial: Int3) -> Int3:
    z, y, x = (int(values[p]) if p >= 0 else 1 for p in spatial)
    return (z, y, x)


class Findings:
    """Collects findings while a store is opened. Not thread-safe."""

    def __init__(self) -> None:
        self._items: list[Finding] = []

    def info(self, code: str, path: str, text: str) -> None:
        """Record something harmless.

        Parameters
        ----------
        code : str
            Short name, stable between versions.
        path : str
            Where in the metadata.
        text : str
            What was expected and found.
        """
        self._add("info", code, path, text)

    def warning(self, code: str, path: str, text: str) -> None:
        """Record something that was corrected by a guess.

        Parameters
        ----------
        code : str
            Short name, stable between versions.
        path : str
            Where in the metadata.
        text : str
            What was expected, found and done.
        """
        self._add("warning", code, path, text)

    def error(self, code: str, path: str, text: str) -> None:
        """Record something that was left out or is likely wrong on screen.

        Parameters
        ----------
        code : str
            Short name, stable between versions.
        path : str
            Where in the metadata.
        text : str
            What was expected, found and done.
        """
        self._add("error", code, path, text)

    def _add(self, severity: Severity, code: str, path: str, text: str) -> None:
        finding = Finding(severity, code, path, text)
        if finding not in self._items:
            self._items.append(finding)

    def forget(self, code: str) -> None:
        """Take back what was recorded, since it turned out not to be odd.

        Parameters
        ----------
        code : str
            Short name.
        """
        self._items = [finding for finding in self._items if finding.code != code]

    def as_tuple(self) -> tuple[Finding, ...]:
        """Everything noted, in order."""
        return tuple(self._items)
