"""Voxel storages of other programs: their channels are read, and set lazily.

A voxel storage is anything with ``channel_ids``, ``channel_names`` (mapping),
``voxel_size``, ``origin``, ``reference_position``, ``channel(id)`` (array-like z, y,
x; sliced, never copied whole) and ``set_channel(id, array)``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from math import isfinite
from typing import Any

import numpy as np
from numpy.typing import NDArray

from brickfield.errors import OptionError
from brickfield.scene import SceneLayer, SceneSource, SceneState
from brickfield.sessions.contents import SessionContents
from brickfield.sessions.document import SessionDocument
from brickfield.sessions.looks import matrix_of
from brickfield.sessions.reading import Layers
from brickfield.sessions.voxels import LayerGrid, LayerReader
from brickfield.sources import ChunkSource, from_arrays
from brickfield.viewer import channel_color

Point = tuple[float, float, float]


def contents_of_storage(storage: Any) -> SessionContents:
    """Take the channels of a storage as layers whose voxels are in memory.

    Raises
    ------
    OptionError
        When a channel is no volume, or a position no three numbers.
    """
    ids = list(storage.channel_ids)
    names = getattr(storage, "channel_names", None) or {}
    size = _point(storage, "voxel_size") or (1.0, 1.0, 1.0)
    origin = _point(storage, "origin") or (0.0, 0.0, 0.0)
    sources: dict[int, ChunkSource] = {}
    layers = []
    for i, number in enumerate(ids):
        name = str(names.get(number, number) if isinstance(names, Mapping) else number)
        array = storage.channel(number)
        if len(np.shape(array)) != 3:
            msg = (
                f"expected channel {number} as an array z, y, x; found"
                f" {len(np.shape(array))} axes"
            )
            raise OptionError(msg)
        sources[i] = from_arrays(
            array, axes="zyx", scale=size, translation=origin, name=name
        )
        red, green, blue = channel_color(i)
        layers.append(
            SceneLayer(
                name=name,
                source="memory",
                colormap=f"#{red:02x}{green:02x}{blue:02x}" if len(ids) > 1 else "gray",
                blending="additive" if len(ids) > 1 else "translucent",
                transform=matrix_of(sources[i].info.pyramid, None),
            )
        )
    return SessionContents(
        SceneState(layers=tuple(layers)),
        sources,
        channels=dict.fromkeys(sources),
        channel_ids={i: _number(number, i) for i, number in enumerate(ids)},
        reference_position=_point(storage, "reference_position"),
    )


def _number(value: Any, position: int) -> int:
    return int(value) if isinstance(value, int | np.integer) else position


def _point(storage: Any, name: str) -> Point | None:
    value = getattr(storage, name, None)
    if value is None:
        return None
    try:
        z, y, x = (float(v) for v in value)
        if not all(map(isfinite, (z, y, x))):
            raise ValueError(value)
    except (TypeError, ValueError) as error:
        msg = f"expected {name} as three finite numbers z, y, x; found {value!r:.60}"
        raise OptionError(msg) from error
    return (z, y, x)


def put_into(storage: Any, document: SessionDocument, layers: Layers) -> None:
    """Set every layer's voxels in a storage; all of them are opened first.

    Parameters
    ----------
    storage : object
        Has ``set_channel``.
    document : SessionDocument
    layers : Layers
        Where data were found.

    Raises
    ------
    SceneSourceError
    """
    from brickfield.sessions.writer import opened_source

    arrays: list[tuple[int, str, LazyVolume]] = []
    for i, layer in enumerate(layers.scene.layers):
        if not isinstance(layer.source, SceneSource):
            continue
        source = opened_source(layer.source, f"layers[{i}].source")
        about = next(
            (c for c in document.channels if c.image == layers.images[i]), None
        )
        number = i if about is None else about.id
        arrays.append((number, layer.name, LazyVolume(source, layer.source.channel)))
    for number, _, array in arrays:
        storage.set_channel(number, array)
    with suppress(AttributeError, TypeError):
        storage.channel_names = {number: name for number, name, _ in arrays}
    with suppress(AttributeError, TypeError):
        storage.reference_position = document.reference_position
    if arrays:
        level = arrays[0][2].source.info.pyramid.levels[0]
        with suppress(AttributeError, TypeError):
            storage.voxel_size = level.voxel_size_zyx
        with suppress(AttributeError, TypeError):
            storage.origin = level.translation_zyx


class LazyVolume:
    """Voxels of a layer that are read when they are asked for, from any thread.

    Parameters
    ----------
    source : ChunkSource
        Open; closed with the last array that reads it.
    channel : int or None

    Attributes
    ----------
    shape : tuple of int
    dtype : numpy.dtype
    """

    def __init__(self, source: ChunkSource, channel: int | None) -> None:
        self.source = source
        grid = LayerGrid.of(source.info.pyramid, channel)
        self._reader = LayerReader.of(source, 0, grid)
        self.shape: tuple[int, ...] = tuple(map(int, self._reader.shape))
        self.dtype = self._reader.dtype

    @property
    def ndim(self) -> int:
        """Number of axes."""
        return len(self.shape)

    def __len__(self) -> int:
        return self.shape[0]

    def __getitem__(self, key: Any) -> NDArray[Any]:
        """Read a part: whole numbers, slices and ``...``, as numpy does."""
        keys = _expanded(key, self.ndim)
        region: list[slice] = []
        after: list[slice | int] = []
        for one, n in zip(keys, self.shape, strict=True):
            if isinstance(one, slice):
                steps = range(*one.indices(n))
                low, high = (min(steps), max(steps) + 1) if steps else (0, 0)
                region.append(slice(low, high))
                after.append(_rest(steps, low))
            else:
                at = int(one)
                if not -n <= at < n:
                    msg = f"index {at} is out of bounds for an axis of {n} voxels"
                    raise IndexError(msg)
                region.append(slice(at % n, at % n + 1))
                after.append(0)
        if any(s.start == s.stop for s in region):
            empty = np.empty([s.stop - s.start for s in region], self.dtype)
            return empty[tuple(after)]
        return self._reader.read(tuple(region))[tuple(after)]

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> NDArray[Any]:
        """Read everything."""
        return self[...].astype(dtype or self.dtype, copy=False)


def _rest(steps: range, low: int) -> slice:
    """Return what is taken of a part that was read from `low` on."""
    if not steps:
        return slice(0, 0)
    start, stop = steps[0] - low, steps[-1] - low + (1 if steps.step > 0 else -1)
    return slice(start, None if stop < 0 else stop, steps.step)


def _expanded(key: Any, n: int) -> Sequence[Any]:
    keys = key if isinstance(key, tuple) else (key,)
    if any(k is Ellipsis for k in keys):
        at = next(i for i, k in enumerate(keys) if k is Ellipsis)
        middle = (slice(None),) * (n - len(keys) + 1)
        keys = keys[:at] + middle + keys[at + 1 :]
    if len(keys) > n:
        msg = f"expected at most {n} indices; found {len(keys)}"
        raise IndexError(msg)
    return [*keys, *(slice(None),) * (n - len(keys))]
