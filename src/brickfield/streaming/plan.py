"""What a stream writes, as one frozen value: axes, arrays, and how frames are grouped.

Frames come in C order of the *leading* axes (all but y and x). The unit on disk is
the *storage unit*: a chunk, or a shard where there are shards. Frames are gathered in
*slabs*: one storage unit along the leading axes and the whole plane. Where so many
slabs are open at once that they would not fit in half the buffer, a slab holds fewer
frames than a storage unit (`slab_shape`), and storage units are written more than
once. So the buffer bounds the memory whatever the other axes are.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import ceil, prod
from typing import Any

import numpy as np
from numpy.typing import DTypeLike

from brickfield.blockwise import format_bytes, parse_bytes
from brickfield.errors import BudgetError, OptionError
from brickfield.model import Axis, AxisKind, Int3
from brickfield.writing import COMPRESSORS, VERSIONS, LevelOptions, check_known
from brickfield.writing.level_plans import LevelPlan, image_levels

Shape = tuple[int, ...]
KINDS: dict[str, AxisKind] = {
    "t": "time",
    "c": "channel",
    "z": "space",
    "y": "space",
    "x": "space",
}
MOST_AXES = 5
"""Of an OME-Zarr image."""
DEFAULT_EDGE = 256
DEFAULT_DEPTH = 16


@dataclass(frozen=True)
class StreamOptions:
    """What the caller chose, plain values that can be written as JSON.

    Attributes
    ----------
    shape : tuple of (int or None)
        None for a first axis that grows.
    axes : str
    dtype : str
    scale, translation : tuple of float
    units : tuple of (str or None)
    channels : tuple of str
    chunks : tuple of int or None
    shards : tuple of int or None
    version, compressor : str
    levels : int or None
        Levels in all; None for as many as lead to one small chunk.
    factors : tuple of int or None
        Voxels (z, y, x) joined into one of the next level; None to halve.
    """

    shape: tuple[int | None, ...]
    axes: str
    dtype: str
    scale: tuple[float, ...] | None = None
    translation: tuple[float, ...] | None = None
    units: tuple[str | None, ...] | None = None
    channels: tuple[str, ...] = ()
    chunks: tuple[int, ...] | None = None
    shards: tuple[int, ...] | None = None
    version: str = "0.5"
    compressor: str = "blosc"
    levels: int | None = None
    factors: tuple[int, ...] | None = None

    @classmethod
    def of(cls, *, dtype: DTypeLike, **given: Any) -> StreamOptions:
        """Make plain values of what a caller gives.

        Parameters
        ----------
        dtype : dtype
        **given
            By the names of the attributes; sequences of any kind.
        """
        try:
            name = str(np.dtype(dtype).newbyteorder("="))
        except TypeError:
            name = str(dtype)
        kinds: dict[str, type] = dict.fromkeys(("scale", "translation"), float)
        kinds |= dict.fromkeys(("chunks", "shards", "factors"), int)
        for key, kind in kinds.items():
            if given.get(key) is not None:
                given[key] = tuple(kind(v) for v in given[key])
        for key in ("units", "channels"):
            if given.get(key) is not None:
                given[key] = tuple(given[key])
        return cls(dtype=name, **given)


@dataclass(frozen=True)
class StreamPlan:
    """How an image is written.

    Attributes
    ----------
    options : StreamOptions
    axes : tuple of Axis
    dtype : numpy.dtype
    levels : tuple of LevelPlan
        The length of a first axis that grows is 1 in them.
    slab_shape : tuple of int
        Frames of one slab along the leading axes.
    buffer_bytes : int
    """

    options: StreamOptions
    axes: tuple[Axis, ...]
    dtype: np.dtype[Any]
    levels: tuple[LevelPlan, ...]
    slab_shape: Shape
    buffer_bytes: int

    @property
    def grows(self) -> bool:
        """Whether the first axis gets longer while frames come."""
        return self.options.shape[0] is None

    @property
    def shape(self) -> Shape:
        """Of level 0; 1 along a first axis that grows."""
        return self.levels[0].shape

    @property
    def frame_shape(self) -> tuple[int, int]:
        """Rows and columns of a frame."""
        y, x = self.shape[-2:]
        return (y, x)

    @property
    def unit(self) -> Shape:
        """Storage unit of level 0, all axes: a chunk, or a shard."""
        return self.levels[0].write_shape

    @property
    def n_frames(self) -> int | None:
        """How many frames there can be; None without end."""
        return None if self.grows else prod(self.shape[:-2])

    def index_of(self, frame: int) -> Shape:
        """Return where a frame lies on the leading axes."""
        index = []
        for n in reversed(self.shape[1:-2]):
            frame, i = divmod(frame, n)
            index.append(i)
        if len(self.shape) > 2:
            index.append(frame)
        return tuple(reversed(index))

    def length_for(self, frames: int) -> int:
        """Return the length of the first axis that so many frames need, at least 1."""
        return max(1, ceil(frames / prod(self.shape[1:-2])))


def check_age(max_age: float) -> None:
    """Refuse an age after which nothing could be gathered.

    Raises
    ------
    OptionError
    """
    if not max_age > 0:
        msg = f"expected max_age above 0 seconds; found {max_age}"
        raise OptionError(msg)


def make_plan(options: StreamOptions, buffer: str | int) -> StreamPlan:
    """Check what the caller chose and plan the arrays.

    Parameters
    ----------
    options : StreamOptions
    buffer : str or int
        Memory for frames, such as "256 MiB".

    Raises
    ------
    OptionError
        Naming the option that cannot be used.
    BudgetError
        When the buffer does not hold one frame.
    """
    axes = _axes(options)
    dtype = _dtype(options.dtype)
    check_known("version", options.version, VERSIONS)
    check_known("compressor", options.compressor, COMPRESSORS)
    _check_shape(options, axes)
    _check_channels(options, axes)
    levels = _levels(options, axes)
    buffer_bytes = parse_bytes(buffer)
    slab = _slab_shape(levels[0], dtype.itemsize, buffer_bytes, grows=options.shape[0])
    return StreamPlan(options, axes, dtype, levels, slab, buffer_bytes)


def _axes(options: StreamOptions) -> tuple[Axis, ...]:
    names = list(options.axes)
    n = len(options.shape)
    units = options.units or (None,) * len(names)
    kinds = [KINDS.get(name, "other") for name in names]
    is_right = (
        len(names) == n <= MOST_AXES
        and len(set(names)) == n
        and "".join(a for a in names if a in "zyx") in ("yx", "zyx")
        and all(k == "space" for k in kinds[kinds.index("space") :])
        and kinds[1:].count("time") == 0
    )
    if not is_right:
        msg = (
            f'expected axes in the order of OME-Zarr, as "tczyx", one letter for each of'
            f" the {n} axes of the shape, with y and x last; found {options.axes!r}"
        )
        raise OptionError(msg)
    if len(units) != n:
        msg = f"expected {n} units, one for each axis; found {len(units)}"
        raise OptionError(msg)
    return tuple(
        Axis(name, kind, unit)
        for name, kind, unit in zip(names, kinds, units, strict=True)
    )


def _dtype(name: str) -> np.dtype[Any]:
    try:
        dtype = np.dtype(name)
    except TypeError:
        dtype = np.dtype("V1")
    if dtype.kind not in "buif" or dtype.itemsize > 8:
        msg = (
            f"expected a data type of whole numbers, booleans or floats, as uint16;"
            f" found {name}"
        )
        raise OptionError(msg)
    return dtype.newbyteorder("=")


def _check_shape(options: StreamOptions, axes: tuple[Axis, ...]) -> None:
    first, *rest = options.shape
    lengths = [1 if first is None else first, *rest]
    if any(n is None or int(n) != n or n < 1 for n in lengths) or (
        first is None and len(lengths) < 3
    ):
        msg = (
            "expected lengths of 1 or more, None only for a first axis before y and x;"
            f" found {options.shape}"
        )
        raise OptionError(msg)
    for name in ("scale", "translation", "chunks", "shards"):
        given = getattr(options, name)
        if given is not None and len(given) != len(axes):
            msg = f"expected {name} with {len(axes)} numbers, one for each axis; found {given}"
            raise OptionError(msg)
    if options.scale is not None and not all(s > 0 for s in options.scale):
        msg = f"expected a scale above 0 on every axis; found {options.scale}"
        raise OptionError(msg)
    _check_chunks(options)
    factors = options.factors
    if factors is not None and (len(factors) != 3 or min(factors) < 1):
        msg = f"expected factors of 1 or more along z, y and x; found {factors}"
        raise OptionError(msg)
    if options.levels is not None and options.levels < 1:
        msg = f"expected 1 level or more; found {options.levels}"
        raise OptionError(msg)


def _check_chunks(options: StreamOptions) -> None:
    chunks, shards = options.chunks, options.shards
    if chunks is not None and not all(int(c) == c and c >= 1 for c in chunks):
        msg = f"expected chunks of 1 voxel or more on every axis; found {chunks}"
        raise OptionError(msg)
    if shards is None:
        return
    if options.version == "0.4":
        msg = "expected no shards in OME-Zarr 0.4; found some: leave them out"
        raise OptionError(msg)
    if chunks is None or any(
        s < c or s % c for s, c in zip(shards, chunks, strict=True)
    ):
        msg = (
            f"expected shards that are multiples of the chunks {chunks}; found {shards}"
        )
        raise OptionError(msg)


def _check_channels(options: StreamOptions, axes: tuple[Axis, ...]) -> None:
    if not options.channels:
        return
    kinds = [a.kind for a in axes]
    n = options.shape[kinds.index("channel")] if "channel" in kinds else 1
    if n is not None and len(options.channels) != n:
        msg = f"expected {n} names of channels; found {len(options.channels)}"
        raise OptionError(msg)


def _levels(options: StreamOptions, axes: tuple[Axis, ...]) -> tuple[LevelPlan, ...]:
    n = len(axes)
    shape = tuple(1 if s is None else int(s) for s in options.shape)
    chunks = options.chunks or _default_chunks(axes)
    spatial = _spatial(axes)
    edges = [chunks[a] if a >= 0 else 1 for a in spatial]
    factors = options.factors
    fixed = None if factors is None else (factors[0], factors[1], factors[2])
    planned = image_levels(
        shape,
        (options.scale or (1.0,) * n, options.translation or (0.0,) * n),
        spatial,
        LevelOptions((edges[0], edges[1], edges[2]), fixed_factors=fixed),
        options.levels,
    )
    return tuple(_cut(level, options, chunks) for level in planned)


def _cut(level: LevelPlan, options: StreamOptions, chunks: Shape) -> LevelPlan:
    """Give a level its chunks along all axes, time and channels too."""
    lengths = [
        None if i == 0 and options.shape[0] is None else n
        for i, n in enumerate(level.shape)
    ]
    chunk = tuple(
        c if n is None else min(c, n) for c, n in zip(chunks, lengths, strict=True)
    )
    write = chunk
    if options.shards is not None:
        # As many whole chunks as the level has room for, and the shard holds.
        write = tuple(
            c * max(1, min(s // c0, s if n is None else ceil(n / c)))
            for s, c0, c, n in zip(options.shards, chunks, chunk, lengths, strict=True)
        )
    return replace(level, chunk_shape=chunk, write_shape=write)


def _default_chunks(axes: tuple[Axis, ...]) -> Shape:
    edges = {"z": DEFAULT_DEPTH, "y": DEFAULT_EDGE, "x": DEFAULT_EDGE}
    return tuple(edges.get(a.name, 1) for a in axes)


def _spatial(axes: tuple[Axis, ...]) -> Int3:
    names = [a.name for a in axes]
    z, y, x = (names.index(a) if a in names else -1 for a in "zyx")
    return (z, y, x)


def _slab_shape(
    level: LevelPlan, itemsize: int, buffer_bytes: int, *, grows: int | None
) -> Shape:
    """Choose how many frames a slab holds, so that two sets of open ones fit."""
    frame = itemsize * prod(
        ceil(n / u) * u
        for n, u in zip(level.shape[-2:], level.write_shape[-2:], strict=True)
    )
    # A part of a frame may be written alone, with one byte per voxel for what is there.
    least = max(frame, prod(level.write_shape[-2:]) * (itemsize + 1))
    if least > buffer_bytes:
        msg = (
            f"expected a buffer of at least {format_bytes(least)}, which holds one frame;"
            f" found {format_bytes(buffer_bytes)}"
        )
        raise BudgetError(msg)
    lead = level.shape[:-2]
    slab = [
        u if i == 0 and grows is None else min(u, n)
        for i, (u, n) in enumerate(zip(level.write_shape[:-2], lead, strict=True))
    ]
    while prod(slab) > 1:
        axis = next(i for i, s in enumerate(slab) if s > 1)
        inner = zip(lead[axis + 1 :], slab[axis + 1 :], strict=True)
        n_open = prod(ceil(n / s) for n, s in inner)
        if 2 * n_open * prod(slab) * frame <= buffer_bytes:
            break
        slab[axis] -= 1
        while level.write_shape[axis] % slab[axis]:
            slab[axis] -= 1
    return tuple(slab)
