"""Copies the voxels of a storage chunk to all chunks that need them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from brickfield.loading.assembly import Assembly
from brickfield.loading.cache.voxel_memory import rows_of
from brickfield.loading.storage_layout import FlatIndex, Pieces
from brickfield.model import Selection

THIN = 8
"""Planes up to which a storage chunk is cut into many small pieces."""


def scatter(
    flat: FlatIndex, data: NDArray[np.generic], assemblies: Sequence[Assembly]
) -> None:
    """Copy the voxels of one storage chunk, any shape, to all chunks that need them.

    Parameters
    ----------
    flat : int
    data : ndarray
        Voxels, all axes in stored order.
    assemblies : sequence of Assembly
        Of the storage chunk's level, with buffers, of any selections.
    """
    by_selection: dict[Selection, list[Assembly]] = {}
    for assembly in assemblies:
        by_selection.setdefault(assembly.selection, []).append(assembly)
    for selection, group in by_selection.items():
        layout = group[0].layout
        # The same storage chunk may hold several selections (channels in one chunk):
        # one view of each.
        view = layout.view_zyx(data, flat, selection)
        if len(group) == 1:
            # Array arithmetic pays only from several chunks on.
            source, target = layout.piece(flat, group[0].origin, group[0].shape)
            group[0].fill(view[source], target, data)
            continue
        pieces = layout.pieces(flat, np.array([a.origin for a in group]))
        by_rows = _scatter_rows(view, pieces, group)
        sources, sizes = pieces.source.tolist(), pieces.size.tolist()
        for n, target in enumerate(
            pieces.target.tolist() if len(by_rows) < len(group) else ()
        ):
            if n in by_rows:
                continue
            (z, y, x), (d, h, w) = sources[n], sizes[n]
            group[n].fill(view[z : z + d, y : y + h, x : x + w], target, data)


def _scatter_rows(
    view: NDArray[np.generic], pieces: Pieces, group: Sequence[Assembly]
) -> set[int]:
    """Copy whole pieces of a thin storage chunk, rows as single elements.

    Parameters
    ----------
    view : ndarray, shape (z, y, x)
        Of the storage chunk.
    pieces : Pieces
    group : sequence of Assembly
        With buffers.

    Returns
    -------
    set of int
        Which of the group have got their piece.
    """
    (_, height, width), depth = group[0].layout.chunk_zyx, view.shape[0]
    like = group[0].buffer
    rows = rows_of(view, width) if depth <= THIN else None
    if rows is None or like is None or like.dtype != view.dtype:
        return set()
    _, y, x = pieces.source.T
    is_whole = (pieces.size == (depth, height, width)).all(axis=1)
    chosen = np.flatnonzero(is_whole & (y % height == 0) & (x % width == 0))
    n = rows.shape[1] // height
    blocks = rows[:, : n * height].reshape(depth, n, height, rows.shape[2])
    done = set(chosen.tolist())
    places = zip(
        chosen.tolist(),
        (y[chosen] // height).tolist(),
        (x[chosen] // width).tolist(),
        pieces.target[chosen, 0].tolist(),
        strict=True,
    )
    for i, j, k, z in places:
        own = group[i].rows
        if own is None:
            done.discard(i)
        else:
            own[z : z + depth] = blocks[:, j, :, k]
    return done
