"""Which chunks are wanted next when somebody goes through planes or time points.

Invariant: nothing is fetched ahead before a move has shown where it goes, and then
one step ahead at most: the next chunk along a spatial axis, the next index along
any other. A change of level, or of more than one axis, is no such move.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from brickfield.model.chunks import pack_keys, unpack_keys
from brickfield.model.scales import Pyramid
from brickfield.store.lazy_level import LazyLevel
from brickfield.store.mosaic import Name

Move = tuple[int, int]
"""Which of the picks moved (non-spatial axes, then z, y and x), and by how much."""


def move_between(before: LazyLevel, now: LazyLevel) -> Move | None:
    """Tell along which axis a view moved, if along one that is not displayed.

    Parameters
    ----------
    before, now : LazyLevel
        Views that were asked for one after the other.
    """
    if before.level != now.level or before.hold is not now.hold:
        return None
    moved = [
        (axis, _first(b) - _first(a))
        for axis, (a, b) in enumerate(zip(before.picks, now.picks, strict=True))
        if a != b
    ]
    if len(moved) != 1:
        return None
    pick = now.picks[moved[0][0]]
    is_thin = isinstance(pick, int) or len(pick) == 1
    return moved[0] if is_thin and moved[0][1] else None


def names_ahead(names: Iterable[Name], move: Move, view: LazyLevel) -> list[Name]:
    """Return the chunks that the next step of a move needs.

    Parameters
    ----------
    names : iterable of (selection, key)
        Chunks of the view.
    move : tuple of int
    view : LazyLevel
    """
    axis, step = move
    pyramid: Pyramid = view.pyramid
    n_others = len(pyramid.other_axes)
    if axis < n_others:
        length = pyramid.levels[view.level].shape[pyramid.other_axes[axis]]
        return [
            ((*sel[:axis], sel[axis] + step, *sel[axis + 1 :]), key)
            for sel, key in names
            if 0 <= sel[axis] + step < length
        ]
    known = list(names)
    keys = np.array([key for _, key in known], dtype=np.int64)
    _, indices = unpack_keys(keys)
    indices[:, axis - n_others] += 1 if step > 0 else -1
    grid = np.array(pyramid.levels[view.level].grid_zyx)
    outside = ((indices < 0) | (indices >= grid)).any(axis=1)
    rows = np.flatnonzero(~np.asarray(outside)).tolist()
    ahead = pack_keys(view.level, indices).tolist()
    return [(known[i][0], ahead[i]) for i in rows]


def _first(pick: range | int) -> int:
    return pick if isinstance(pick, int) else pick.start
