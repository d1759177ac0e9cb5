"""Copies the voxels of a storage chunk to all chunks that need them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.lib.stride_tricks import as_strided
from numpy.typing import NDArray

from brickfield.loading.assembly import Assembly
from brickfield.loading.cache.voxel_memory import rows_of
from brickfield.loading.needs import Needs, members_of
from brickfield.loading.storage_layout import FlatIndex
from brickfield.model import Int3, Selection

THIN = 8
"""Planes up to which a storage chunk is cut into many small pieces."""
MOST_ELEMENTS = 500
"""Of one copy: numpy hands the interpreter to another thread at each larger one."""


def scatter(
    flat: FlatIndex, data: NDArray[np.generic], records: Sequence[Needs]
) -> None:
    """Copy the voxels of one storage chunk, any shape, to all chunks that need them.

    Parameters
    ----------
    flat : int
    data : ndarray
        Voxels, all axes in stored order.
    records : sequence of Needs
        Of chunks of the storage chunk's level, with buffers, of any selections.
    """
    by_selection: dict[Selection, list[Needs]] = {}
    for needs in records:
        by_selection.setdefault(needs.selection, []).append(needs)
    for selection, of_one in by_selection.items():
        layout = of_one[0].layout
        # The same storage chunk may hold several selections (channels in one chunk):
        # one view of each.
        view = layout.view_zyx(data, flat, selection)
        group = _scatter_rows(view, flat, of_one)
        if len(group) == 1:
            # Array arithmetic pays only from several chunks on.
            source, at = layout.piece(flat, group[0].origin, group[0].shape)
            group[0].fill(view[source], at, data)
        if len(group) <= 1:
            continue
        pieces = layout.pieces(flat, np.array([a.origin for a in group]))
        sources, sizes = pieces.source.tolist(), pieces.size.tolist()
        for n, target in enumerate(pieces.target.tolist()):
            (z, y, x), (d, h, w) = sources[n], sizes[n]
            group[n].fill(view[z : z + d, y : y + h, x : x + w], target, data)


class _Run(NamedTuple):
    """Chunks side by side along x whose buffers lie at equal distances.

    Attributes
    ----------
    rows : ndarray, shape (n, z, y)
        Rows of voxels of all of them, a view of their buffers.
    place : tuple of int
        Their first plane in the level, and where the first of them is among the pieces
        (y, x) of the storage chunk.
    chunks : list of Assembly
    """

    rows: NDArray[np.void]
    place: Int3
    chunks: list[Assembly]


class _Targets(NamedTuple):
    """How one record's chunks are copied to, from storage chunks at one place.

    Attributes
    ----------
    members : tuple of Assembly
        All of them.
    runs : list of _Run
        Of those that get whole rows.
    rest : list of Assembly
        The others.
    """

    members: tuple[Assembly, ...]
    runs: list[_Run]
    rest: list[Assembly]


def _scatter_rows(
    view: NDArray[np.generic], flat: FlatIndex, records: Sequence[Needs]
) -> list[Assembly]:
    """Copy whole pieces of a thin storage chunk, rows as single elements.

    Parameters
    ----------
    view : ndarray, shape (z, y, x)
        Of the storage chunk.
    flat : int
    records : sequence of Needs
        Of one selection.

    Returns
    -------
    list of Assembly
        Which have not got their piece.
    """
    layout, depth = records[0].layout, view.shape[0]
    (thickness, height, width), at = layout.chunk_zyx, layout.origin_zyx(flat)
    rows = rows_of(view, width) if depth <= THIN else None
    if rows is None or not rows.shape[1] // height:
        return members_of(records)
    n = rows.shape[1] // height
    blocks = rows[:, : n * height].reshape(depth, n, height, rows.shape[2])
    blocks, left = blocks.transpose(1, 3, 0, 2), []
    for needs in records:
        found = _targets_of(needs, at, blocks.shape, view.dtype)
        left += found.rest
        for run in found.runs:
            low, y, x = run.place
            z = at[0] - low
            if 0 <= z <= thickness - depth:
                run.rows[:, z : z + depth] = blocks[y, x : x + len(run.rows)]
            else:
                left += run.chunks
    return left


def _targets_of(
    needs: Needs, at: Int3, pieces: tuple[int, ...], dtype: np.dtype[np.generic]
) -> _Targets:
    """Return how a record's chunks are copied to; found once for each place.

    Parameters
    ----------
    needs : Needs
    at : tuple of int
        First voxel of the storage chunk.
    pieces : tuple of int
        Its whole pieces along y and x, and planes and rows of each.
    dtype : numpy.dtype
        Of its voxels.
    """
    place = at[1:], pieces, dtype
    known: _Targets | None = needs.targets.get(place)
    if known is not None:
        return known
    found = _Targets(tuple(needs.members), [], [])
    whole: dict[Int3, Assembly] = {}
    (_, height, width), (_, top, left) = needs.layout.chunk_zyx, at
    for chunk in found.members:
        y, y_off = divmod(chunk.origin[1] - top, height)
        x, x_off = divmod(chunk.origin[2] - left, width)
        is_there = 0 <= y < pieces[0] and 0 <= x < pieces[1] and not (y_off or x_off)
        is_whole = chunk.shape[1:] == (height, width) and chunk.rows is not None
        if is_there and is_whole and chunk.buffer_dtype == dtype:
            whole[chunk.origin[0], y, x] = chunk
        else:
            found.rest.append(chunk)
    found.runs.extend(_joined(whole, MOST_ELEMENTS // (pieces[2] * pieces[3])))
    needs.targets[place] = found
    if len(needs.members) < len(found.members):
        # One has left meanwhile: nothing may keep its voxels.
        needs.targets.clear()
    return found


def _joined(whole: dict[Int3, Assembly], most: int) -> list[_Run]:
    """Join chunks, by first plane, y and x, up to `most` of them to a run."""
    groups: list[list[tuple[Int3, Assembly, int]]] = []
    for place, chunk in sorted(whole.items()):
        assert chunk.rows is not None
        item = place, chunk, chunk.rows.__array_interface__["data"][0]
        if groups and len(groups[-1]) < most and _continues(groups[-1], item):
            groups[-1].append(item)
        else:
            groups.append([item])
    runs = []
    for group in groups:
        place, chunk, address = group[0]
        rows = chunk.rows
        assert rows is not None
        step = group[1][2] - address if len(group) > 1 else 0
        joined = as_strided(rows, (len(group), *rows.shape), (step, *rows.strides))
        runs.append(_Run(joined, place, [chunk for _, chunk, _ in group]))
    return runs


def _continues(
    group: list[tuple[Int3, Assembly, int]], item: tuple[Int3, Assembly, int]
) -> bool:
    """Tell whether a chunk and its buffer lie beside the last ones of a group."""
    (z, y, x), _, address = group[-1]
    steps = {group[1][2] - group[0][2]} if len(group) > 1 else set()
    return item[0] == (z, y, x + 1) and steps <= {item[2] - address}
