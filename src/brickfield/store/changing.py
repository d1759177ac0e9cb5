"""What a store that changes works out from a box of voxels or a new shape."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from brickfield.errors import OptionError
from brickfield.loading import LevelLayout
from brickfield.model import Int3, Pyramid
from brickfield.model.changes import ChunkChange, Range
from brickfield.sources import ChunkSource, ReplaceableSource

MOST_ASKED = 1 << 16
"""Storage chunks that are looked at to learn whether they were there before."""


def change_of(pyramid: Pyramid, level: int, box: Sequence[slice] | None) -> ChunkChange:
    """Return which chunks lie under a changed box.

    Parameters
    ----------
    pyramid : Pyramid
    level : int
        Level whose voxels changed.
    box : sequence of slice or None
        Changed voxels, one slice per axis, or the spatial axes (z, y, x) alone; None
        for the whole level.

    Raises
    ------
    OptionError
        If there is no such level or box.
    """
    if not 0 <= level < pyramid.n_levels:
        msg = f"expected a level from 0 to {pyramid.n_levels - 1}; found {level}"
        raise OptionError(msg)
    about, layout = pyramid.levels[level], LevelLayout.of(pyramid, level)
    whole: list[Range] = [(0, n) for n in about.shape]
    if box is not None:
        axes = _axes_of(pyramid, len(box))
        for axis, part in zip(axes, box, strict=True):
            if axis >= 0:
                whole[axis] = _range(part, about.shape[axis])
    low, high = [0, 0, 0], [1, 1, 1]
    for k, axis in enumerate(pyramid.spatial_axes):
        if axis >= 0:
            edge = layout.chunk_zyx[k]
            low[k], high[k] = whole[axis][0] // edge, -(-whole[axis][1] // edge)
    others = tuple(whole[a] for a in pyramid.other_axes)
    return ChunkChange(level, tuple(whole), others, _int3(low), _int3(high))


def reopened_for(source: ChunkSource, change: ChunkChange) -> ChunkSource | None:
    """Reopen a source if it takes a changed chunk for one that is not stored.

    Sources remember which chunks are stored.

    Parameters
    ----------
    source : ChunkSource
    change : ChunkChange

    Returns
    -------
    ChunkSource or None
        The old source, for the caller to close; None if nothing was reopened.
    """
    if not isinstance(source, ReplaceableSource):
        return None
    shape = source.info.pyramid.levels[change.level].storage_chunk_shape
    ranges = [
        range(a // n, -(-b // n)) for n, (a, b) in zip(shape, change.box, strict=True)
    ]
    if int(np.prod([len(r) for r in ranges], dtype=np.float64)) <= MOST_ASKED:
        grids = np.meshgrid(*map(np.array, ranges), indexing="ij")
        indices = np.stack([g.ravel() for g in grids], axis=-1).astype(np.int64)
        missing = source.missing_chunks(change.level, indices)
        if missing is None or not missing.any():
            return None
    return source.reopen(may_be_longer=True)


def reopened_grown(
    source: ChunkSource, shape: Sequence[int], layouts: Sequence[LevelLayout]
) -> ChunkSource | None:
    """Reopen a source whose axes got longer.

    Parameters
    ----------
    source : ChunkSource
    shape : sequence of int
        Of level 0 then, all stored axes.
    layouts : sequence of LevelLayout
        By which storage chunks are named; refused where they do not suffice.

    Returns
    -------
    ChunkSource or None
        The old source, for the caller to close; None where it has that shape already.

    Raises
    ------
    OptionError
        If the source cannot grow to that shape.
    StoreFormatError
        If the stored image is shorter or has another geometry.
    """
    pyramid = source.info.pyramid
    before, after = pyramid.levels[0].shape, tuple(int(n) for n in shape)
    is_longer = len(after) == len(before) and all(
        n >= m if axis != pyramid.channel_axis else n == m
        for axis, (n, m) in enumerate(zip(after, before, strict=True))
    )
    if not is_longer:
        msg = (
            f"expected a shape like {before} with longer axes and the same channels;"
            f" found {after}: open the image again"
        )
        raise OptionError(msg)
    if not isinstance(source, ReplaceableSource):
        msg = (
            "expected an image that was opened by its address, so that it can be opened"
            f" again; found {source.info.format}"
        )
        raise OptionError(msg)
    if after == before:
        return None
    return source.reopen_grown(after, lambda new: [own.grown(new) for own in layouts])


def ends_grown(before: Pyramid, after: Pyramid) -> list[ChunkChange]:
    """Return which chunks reach further where an image has grown.

    They are those that the old end of an axis of space cut short. All others are what
    they were.

    Parameters
    ----------
    before, after : Pyramid
    """
    changes = []
    for number, (old, new) in enumerate(zip(before.levels, after.levels, strict=True)):
        for k, axis in enumerate(before.spatial_axes):
            edge = old.chunk_shape[k]
            if (
                axis < 0
                or old.shape[axis] == new.shape[axis]
                or not old.shape[axis] % edge
            ):
                continue
            box = [slice(0, n) for n in old.shape]
            box[axis] = slice(old.shape[axis] // edge * edge, old.shape[axis])
            changes.append(change_of(before, number, box))
    return changes


def _axes_of(pyramid: Pyramid, n: int) -> Sequence[int]:
    if n == len(pyramid.axes):
        return range(n)
    if n == 3:
        return pyramid.spatial_axes
    msg = (
        f"expected a box along the {len(pyramid.axes)} stored axes or along z, y and x;"
        f" found one of {n} axes"
    )
    raise OptionError(msg)


def _range(part: slice, n: int) -> Range:
    first, last, step = part.indices(n)
    if step != 1 or last <= first:
        msg = f"expected a part of an axis of {n} voxels; found {part}"
        raise OptionError(msg)
    return first, last


def _int3(values: list[int]) -> Int3:
    z, y, x = values
    return (z, y, x)
