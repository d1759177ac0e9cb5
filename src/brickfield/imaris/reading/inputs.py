"""What was given, as channels that can be read: one place for every kind of source.

Addresses are opened (and closed again by the caller), stores give their source, arrays
and layers of napari become sources. Several of them become the channels of one image:
all have the same voxels, and the first one's place in space and time.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from itertools import pairwise
from math import prod
from pathlib import Path
from typing import Any

import numpy as np

from brickfield.blockwise import open_executor
from brickfield.errors import OptionError
from brickfield.imaris.options import ImarisOptions
from brickfield.imaris.reading.cluster import ClusterSource
from brickfield.imaris.reading.irregular import IrregularArray, is_irregular
from brickfield.imaris.reading.layers import Rgb, is_layer, sources_of_layers
from brickfield.imaris.reading.staging import Scratch
from brickfield.model import Int3, ScaleLevel, Vec3
from brickfield.sources import ChunkSource
from brickfield.sources.images import notes_on_choice, refuse_preview

_COLORS: tuple[Rgb, ...] = (
    (255, 0, 0),
    (0, 255, 0),
    (0, 0, 255),
    (255, 0, 255),
    (0, 255, 255),
    (255, 255, 0),
)
_WHITE: Rgb = (255, 255, 255)


@dataclass(frozen=True, eq=False)
class ChannelInput:
    """One channel to write.

    Attributes
    ----------
    source : ChunkSource
    level : int
        Of the source, the finest to be written.
    index : int
        On the source's channel axis, 0 without one.
    name : str
    color : tuple of int
        Red, green, blue, 0 to 255.
    window : (float, float) or None
        In values of the source.
    is_labels : bool
    """

    source: ChunkSource
    level: int
    index: int
    name: str
    color: Rgb
    window: tuple[float, float] | None
    is_labels: bool

    @property
    def about(self) -> ScaleLevel:
        """The level that is read."""
        return self.source.info.pyramid.levels[self.level]

    @property
    def is_costly(self) -> bool:
        """Whether keeping what was read costs less than reading it again.

        So it is for what lies on servers and for what is computed, not for files and
        arrays in memory.
        """
        info = self.source.info
        is_array = info.uri.startswith("memory:")
        return self.source.is_remote or (is_array and info.format != "numpy array")


@dataclass(frozen=True, eq=False)
class ImarisInput:
    """An image to write.

    Attributes
    ----------
    channels : tuple of ChannelInput
    time_points : tuple of int
        On the sources' time axis.
    origin, shape : tuple of int
        First voxel and voxels (z, y, x) of the region.
    voxel_size, translation : tuple of float
        (z, y, x) of the region's voxels and of the centre of its first one.
    unit : str or None
        As the source names it.
    time_step : float
        Between time points, in `time_unit`.
    time_unit : str or None
    name : str
    """

    channels: tuple[ChannelInput, ...]
    time_points: tuple[int, ...]
    origin: Int3
    shape: Int3
    voxel_size: Vec3
    translation: Vec3
    unit: str | None
    time_step: float
    time_unit: str | None
    name: str


def open_sources(
    given: Any, options: ImarisOptions, scratch: Scratch, opened: ExitStack
) -> list[ChunkSource]:
    """Open what was given.

    Parameters
    ----------
    given : address, ChunkSource, ChunkedImageStore, array, list of levels, layer, or
    list of layers
    options : ImarisOptions
    scratch : Scratch
        For blocks of dask arrays that form no grid.
    opened : ExitStack
        Closes what is opened here.

    Raises
    ------
    OptionError, StoreNotFoundError, StoreFormatError
    """

    def regular(array: Any) -> Any:
        if options.scheduler is None and is_irregular(array):
            return IrregularArray(array, scratch)
        return array

    is_whole = options.region is None
    if is_layer(given):
        given = [given]
    if isinstance(given, Sequence) and not isinstance(given, str) and given:
        if all(is_layer(item) for item in given):
            return sources_of_layers(given, options.level, regular, is_whole=is_whole)
        if all(_is_source(item) for item in given):
            return _without_room(given, options)
        if all(isinstance(item, str | Path) or _is_source(item) for item in given):
            found = [
                [item] if _is_source(item) else _open(item, options, opened)
                for item in given
            ]
            return [source for several in found for source in several]
    if _is_source(given) or _is_source(getattr(given, "source", None)):
        source = given if _is_source(given) else given.source
        return _without_room([source], options)
    if isinstance(given, str | Path):
        return _open(str(given), options, opened)
    (source,) = _open(regular(given), options, opened)
    _check_levels(source)
    return [source]


def _open(given: Any, options: ImarisOptions, opened: ExitStack) -> list[ChunkSource]:
    """Open an address or arrays."""
    from brickfield.sources import open_source

    source = open_source(
        str(given) if isinstance(given, Path) else given, **options.reading
    )
    opened.callback(source.close)
    return [source]


def notes_on_taking(
    given: Any, sources: Sequence[ChunkSource], options: ImarisOptions
) -> tuple[str, ...]:
    """Say which image of several was taken from an address that holds more.

    Parameters
    ----------
    given : object
        As for :func:`open_sources`. A layer or a source is an image already.
    sources : sequence of ChunkSource
        What was opened.
    options : ImarisOptions
    """
    several = given if isinstance(given, list | tuple) else [given]
    if not all(isinstance(item, str | Path) for item in several):
        return ()
    return tuple(n for s in sources for n in notes_on_choice(s.info, options.reading))


def read_on_cluster(
    sources: Sequence[ChunkSource], options: ImarisOptions, opened: ExitStack
) -> list[ChunkSource]:
    """Have sources read by the workers of the dask scheduler that was named, if any.

    Parameters
    ----------
    sources : sequence of ChunkSource
    options : ImarisOptions
    opened : ExitStack
        Ends the connection.

    Raises
    ------
    OptionError, StoreUnreachableError, MissingExtraError
    """
    if options.scheduler is None:
        return list(sources)
    executor = open_executor(options.scheduler, options.workers)
    opened.callback(executor.close)
    return [ClusterSource(s, executor, options.reading) for s in sources]


def choose_input(sources: Sequence[ChunkSource], options: ImarisOptions) -> ImarisInput:
    """Choose channels, time points and region of sources.

    Parameters
    ----------
    sources : sequence of ChunkSource
        The images; several become channels of one.
    options : ImarisOptions

    Raises
    ------
    OptionError
        When something asked for is not there, or the sources do not fit each other.
    """
    first = sources[0].info
    about = _level_of(sources[0], options.level)
    for source in sources:
        refuse_preview(source.info)
        _check_axes(source, options.level, about)
    origin, shape = _region(about.shape_zyx, options)
    size = about.voxel_size_zyx if options.spacing is None else _spacing(options)
    z, y, x = (
        t + o * s if options.spacing is None else (t / v + o) * s
        for t, o, s, v in zip(
            about.translation_zyx, origin, size, about.voxel_size_zyx, strict=True
        )
    )
    t = first.pyramid.time_axis
    return ImarisInput(
        channels=_channels(sources, options),
        time_points=_time_points(sources[0], options),
        origin=origin,
        shape=shape,
        voxel_size=size,
        translation=(z, y, x),
        unit=first.pyramid.unit if options.spacing is None else options.units,
        time_step=1.0 if t is None else about.voxel_size[t],
        time_unit=None if t is None else first.pyramid.axes[t].unit,
        name=options.name or first.name or "image",
    )


def _check_levels(source: ChunkSource) -> None:
    """Refuse a list of arrays that are no levels: all but one would not be written."""
    shapes = [level.shape for level in source.info.pyramid.levels]
    for fine, coarse in pairwise(shapes):
        if prod(coarse) >= prod(fine) or any(
            c > f for f, c in zip(fine, coarse, strict=True)
        ):
            msg = (
                "expected a list of levels, each coarser than the one before; found"
                f" {fine} and {coarse}: join channels along an axis c instead, as"
                " numpy.stack does"
            )
            raise OptionError(msg)


def _is_source(item: Any) -> bool:
    return hasattr(item, "read_storage_chunk") and hasattr(item, "info")


def _without_room(
    sources: Sequence[ChunkSource], options: ImarisOptions
) -> list[ChunkSource]:
    """Leave out the room round the tiles of mosaics, where they end alike then.

    A region is told in voxels of what was given.
    """
    if options.region is not None:
        return list(sources)
    found: list[ChunkSource] = []
    for source in sources:
        last = source.info.pyramid.n_levels - 1
        trim = getattr(source, "without_room", None)
        tight = source if trim is None else trim(min(max(options.level, 0), last))
        found.append(tight)
    ends = {
        (level.shape_zyx, level.translation_zyx)
        for level in (s.info.pyramid.levels[0] for s in found)
    }
    return found if len(ends) == 1 else list(sources)


def _level_of(source: ChunkSource, level: int) -> ScaleLevel:
    levels = source.info.pyramid.levels
    if not 0 <= level < len(levels):
        msg = f"expected a level from 0 to {len(levels) - 1}; found {level}"
        raise OptionError(msg)
    return levels[level]


def _check_axes(source: ChunkSource, level: int, first: ScaleLevel) -> None:
    pyramid, about = source.info.pyramid, _level_of(source, level)
    for axis in pyramid.other_axes:
        is_known = axis in (pyramid.time_axis, pyramid.channel_axis)
        if not is_known and about.shape[axis] > 1:
            msg = (
                f"expected the axes t, c, z, y, x; found {pyramid.axes[axis].name!r} of"
                f" length {about.shape[axis]}: choose one position of it first"
            )
            raise OptionError(msg)
    if about.shape_zyx != first.shape_zyx:
        msg = (
            f"expected channels of one shape; found {first.shape_zyx} and"
            f" {about.shape_zyx} ({source.info.name}): resample one of them first"
        )
        raise OptionError(msg)


def _region(shape: Int3, options: ImarisOptions) -> tuple[Int3, Int3]:
    bounds = options.bounds_zyx or ((None, None),) * 3
    starts, stops = [], []
    for (low, high), n, axis in zip(bounds, shape, "zyx", strict=True):
        start, stop = low or 0, n if high is None else high
        if not 0 <= start < stop <= n:
            msg = f"expected a region within 0:{n} along {axis}; found {start}:{stop}"
            raise OptionError(msg)
        starts.append(start)
        stops.append(stop)
    z, y, x = (b - a for a, b in zip(starts, stops, strict=True))
    return (starts[0], starts[1], starts[2]), (z, y, x)


def _spacing(options: ImarisOptions) -> Vec3:
    try:
        values = np.asarray(options.spacing, np.float64).reshape(-1)
    except (ValueError, TypeError):
        values = np.array([0.0])
    if values.size == 1:
        values = np.repeat(values, 3)
    if values.size != 3 or not (np.isfinite(values) & (values > 0)).all():
        msg = f"expected a spacing (z, y, x) above 0; found {options.spacing}"
        raise OptionError(msg)
    z, y, x = values.tolist()
    return (z, y, x)


def _time_points(source: ChunkSource, options: ImarisOptions) -> tuple[int, ...]:
    pyramid = source.info.pyramid
    t = pyramid.time_axis
    n = 1 if t is None else pyramid.levels[options.level].shape[t]
    return _chosen("time point", options.time_points, n)


def _chosen(what: str, wanted: Sequence[int] | None, n: int) -> tuple[int, ...]:
    chosen = tuple(range(n)) if wanted is None else tuple(int(i) for i in wanted)
    if (
        not chosen
        or not all(0 <= i < n for i in chosen)
        or len(set(chosen)) < len(chosen)
    ):
        msg = f"expected each {what} once, from 0 to {n - 1}; found {list(chosen)}"
        raise OptionError(msg)
    return chosen


def _channels(
    sources: Sequence[ChunkSource], options: ImarisOptions
) -> tuple[ChannelInput, ...]:
    every = [
        (source, i) for source in sources for i in range(_n_channels(source, options))
    ]
    chosen = [every[i] for i in _chosen("channel", options.channels, len(every))]
    for name in ("channel_names", "colors", "windows"):
        given = getattr(options, name)
        if given is not None and len(given) != len(chosen):
            msg = f"expected {name} for each of {len(chosen)} channels; found {len(given)}"
            raise OptionError(msg)
    return tuple(
        _channel(source, i, number, len(chosen), options)
        for number, (source, i) in enumerate(chosen)
    )


def _n_channels(source: ChunkSource, options: ImarisOptions) -> int:
    pyramid = source.info.pyramid
    c = pyramid.channel_axis
    n = 1 if c is None else pyramid.levels[options.level].shape[c]
    is_rgba = n == 4 and c == len(pyramid.axes) - 1
    return 3 if is_rgba else n  # opacity is no channel


def _channel(
    source: ChunkSource, index: int, number: int, n_chosen: int, options: ImarisOptions
) -> ChannelInput:
    info = source.info
    told = info.channels[index] if index < len(info.channels) else None
    # One channel of an array is called "0", which tells nothing.
    is_numbered = told is None or (len(info.channels) < 2 and told.name.isdigit())
    name = info.name if told is None or is_numbered else told.name
    color = told.color if told is not None else None
    if color is None:
        color = _WHITE if n_chosen == 1 else _COLORS[number % len(_COLORS)]
    window = None if told is None else told.window
    if options.channel_names is not None:
        name = str(options.channel_names[number])
    if options.colors is not None:
        color = _as_color(options.colors[number])
    if options.windows is not None and options.windows[number] is not None:
        window = _as_window(options.windows[number])
    return ChannelInput(
        source, options.level, index, name, color, window, info.is_labels
    )


def _as_color(color: Any) -> Rgb:
    from cmap import Color

    given = color
    try:
        if not isinstance(color, str):
            values = [float(v) for v in color][:3]
            is_bytes = max(values) > 1
            if not all(0 <= v <= 255 for v in values):
                raise ValueError(values)
            color = [v / 255 for v in values] if is_bytes else values
        r, g, b = (round(v * 255) for v in tuple(Color(color).rgba)[:3])
    except (ValueError, TypeError) as error:
        msg = f'expected a colour as "magenta", "#ff00ff" or (r, g, b); found {given!r}'
        raise OptionError(msg) from error
    return (r, g, b)


def _as_window(window: Any) -> tuple[float, float]:
    try:
        low, high = (float(v) for v in window)
    except (TypeError, ValueError):
        low = high = 0.0
    if not (np.isfinite([low, high]).all() and low < high):
        msg = f"expected a window of two rising numbers; found {window!r}"
        raise OptionError(msg)
    return (low, high)
