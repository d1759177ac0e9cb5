"""Best-first refinement of several layers within one budget.

Invariant: after every step the accepted refinements are a prefix of one ranking by
error, over all levels and all layers, in which a chunk never stands before the chunk it
came from. So the accepted set is always closed upward (a cover), always fits the
budget, and no refinement that was left out has a larger error than one that was taken.
Only at the very end is a remainder of the budget, too small for the next in the
ranking, spent on later ones that fit.

Chunks are looked at only where the error is above the *floor*: the error of the first
refinement that did not fit. Deeper levels cost more, so the floor only rises, and work
is bounded by what fits the budget, not by what could be seen. A chunk with several
parents (non-nested pyramids) belongs to the one ranked first.

The children of all chunks that the previous plan looked into are measured in one go, of
all levels: mostly the new plan has to look into few others. That spares time, and can
only change how the last remainder of the budget is spent.

:func:`prefetch_nodes` adds chunks just outside of the view, which the next camera move
is likely to need. Candidates are the face neighbours of the leaves, of the same level,
that cannot be seen now. They cost only budget that the view leaves over and stand in
the last category, so they never delay or displace anything that is seen.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from brickfield.model import unpack_keys
from brickfield.planning.grid import Bools, Floats, Ints
from brickfield.planning.layer import Layer
from brickfield.planning.nodes import Nodes

_BATCH_CELLS = 8192
"""Cells tested at once: enough for numpy to be quick, few enough to stop early."""
_MOST_CHILDREN = 1 << 18
"""Chunks of more children, which no budget holds, stay as they are."""
_LOWER = np.array([1.0, 0.85, 0.6])
"""Shares of a guessed floor that are tried before 0."""
_FEWEST = 32
"""Chunks looked into at once, also where they have many children."""


class Ranking:
    """All refinements explored so far, and how many of them fit.

    Parameters
    ----------
    layers : sequence of Layer
    room_bytes : int
        What refinement may cost beyond the base levels.
    """

    def __init__(self, layers: Sequence[Layer], room_bytes: int) -> None:
        self._layers = layers
        self._room = room_bytes
        self._ranks = np.empty(0)
        self._refs = np.empty((2, 0), dtype=np.int64)
        self._bytes = np.empty(0, dtype=np.int64)
        self._left_out: list[tuple[Floats, Ints, Ints]] = []
        self.floor = 0.0
        self.used_bytes = 0

    @property
    def is_full(self) -> bool:
        """Whether the budget left refinements out."""
        return bool(self._left_out)

    def add(self, found: Sequence[tuple[int, Ints]]) -> None:
        """Enter refinements; keep the prefix that fits.

        Parameters
        ----------
        found : sequence of (int, ndarray)
            Position in the layers, and rows of the refined nodes, shape (n,), int64;
            none before the one it came from.
        """
        ranks, refs, costs = [self._ranks], [self._refs], [self._bytes]
        for number, rows in found:
            nodes = self._layers[number].nodes
            # Accepted at first; what exceeds the budget is taken back by `_cut`.
            nodes.is_refined[rows] = True
            ref = np.empty((2, len(rows)), dtype=np.int64)
            ref[0], ref[1] = number, rows
            ranks.append(nodes.ranks[rows])
            refs.append(ref)
            costs.append(nodes.costs[rows])
        self._ranks = np.concatenate(ranks)
        self._refs = np.concatenate(refs, axis=1)
        self._bytes = np.concatenate(costs)
        self.used_bytes = int(self._bytes.sum())
        if self.used_bytes > self._room:
            self._cut()

    def _cut(self) -> None:
        # Stable: what came from a chunk of equal rank stays after it.
        order = (-self._ranks).argsort(kind="stable")
        ranks, refs, costs = (
            self._ranks[order],
            self._refs[:, order],
            self._bytes[order],
        )
        # The last position at which the sum fits, not the first at which it does not:
        # replacing a chunk by children that are known to be empty makes a plan cheaper.
        fits = (costs.cumsum() <= self._room).nonzero()[0]
        n = int(fits[-1]) + 1 if len(fits) else 0
        # Deeper refinements have at most the rank of what they come from, so nothing
        # below this rank can be accepted any more.
        self.floor = max(self.floor, float(ranks[n]))
        # Kept for `fill`: one large refinement may hide small ones that still fit.
        self._left_out.append((ranks[n:], refs[:, n:], costs[n:]))
        self._mark(refs[:, n:], is_refined=False)
        self._ranks, self._refs, self._bytes = ranks[:n], refs[:, :n], costs[:n]
        self.used_bytes = int(self._bytes.sum())

    def _mark(self, refs: Ints, *, is_refined: bool) -> None:
        for layer, rows in self._by_layer(refs):
            self._layers[layer].nodes.is_refined[refs[1, rows]] = is_refined

    def fill(self) -> None:
        """Spend what is left on refinements that were left out and fit now."""
        if not self._left_out:
            return
        ranks, refs, costs = (
            np.concatenate([part[i] for part in self._left_out], axis=-1)
            for i in range(3)
        )
        room = self._room - self.used_bytes
        fits = (costs <= room) & self._can_refine(refs)
        ranks, refs, costs = ranks[fits], refs[:, fits], costs[fits]
        order = np.argsort(-ranks, kind="stable")
        # What a refinement would save is not spent on others: they may not be refined
        # then.
        order = order[np.cumsum(np.maximum(costs[order], 0)) <= room]
        self._mark(refs[:, order], is_refined=True)
        self.used_bytes += int(costs[order].sum())

    def _can_refine(self, refs: Ints) -> Bools:
        """Tell which nodes are leaves now, with children of their own only."""
        can = np.zeros(refs.shape[1], dtype=bool)
        for number, at in self._by_layer(refs):
            layer, rows = self._layers[number], refs[1, at]
            # Children that are shared with another parent were assigned by rank; taking
            # their owner back now would leave a hole.
            is_nested = np.array(layer.grid.is_nested)[layer.nodes.levels[rows]]
            can[at] = is_nested & layer.nodes.is_present[rows]
        return can

    def _by_layer(self, refs: Ints) -> Iterator[tuple[int, slice | Ints]]:
        """Divide references by layer: its position, and the columns."""
        if len(self._layers) == 1:
            yield 0, slice(None)
            return
        for number in np.flatnonzero(np.bincount(refs[0])).tolist():
            yield number, np.flatnonzero(refs[0] == number)


def refine(
    layers: Sequence[Layer], room_bytes: int, *, floor_guess: float = 0.0
) -> tuple[int, float]:
    """Refine the layers' trees from their base levels within a budget.

    Parameters
    ----------
    layers : sequence of Layer
        Each with its visible base chunks as the only nodes, which grow.
    room_bytes : int
        What may be added to the cost of the base levels.
    floor_guess : float
        About where the floor will end. It saves exploring what will not fit; a
        wrong guess costs time, and the cover keeps all that is promised of it.

    Returns
    -------
    used_bytes : int
        What was added.
    floor : float
        Rank of the first refinement that did not fit, 0 if all did.
    """
    # A guess from the last frame spares the walk through most of what will not fit. If
    # the budget is not used up above it, the walk goes on, in steps: from 0 on it would
    # look into far more than fits.
    ranking = Ranking(layers, room_bytes)
    for layer in layers:
        layer.expand_as_before()
    for floor in (*(_LOWER * floor_guess), 0.0) if floor_guess > 0 else (0.0,):
        ranking.floor = floor
        _explore(ranking, layers)
        if ranking.is_full:
            break
    ranking.fill()
    return ranking.used_bytes, ranking.floor


def _explore(ranking: Ranking, layers: Sequence[Layer]) -> None:
    """Look into all chunks above the floor, until none is left."""
    left = list(enumerate(layers))
    while left:
        # One ranking of all layers in each round: the floor that one raises stops the
        # others.
        found = [(i, _open_rows(layer.nodes, ranking.floor)) for i, layer in left]
        found = [(i, rows) for i, rows in found if len(rows)]
        for i, rows in found:
            layers[i].nodes.is_ranked[rows] = True
        if found:
            ranking.add(found)
        left = [(i, layer) for i, layer in left if _look_further(ranking, layer)]


def _look_further(ranking: Ranking, layer: Layer) -> bool:
    """Look into the next chunks of one layer; tell whether there were any."""
    nodes = layer.nodes
    is_open = nodes.is_wanting & ~nodes.is_expanded & (nodes.ranks > ranking.floor)
    rows = is_open.nonzero()[0]
    owners = nodes.owners[rows]
    rows = _highest(layer, rows[(owners < 0) | nodes.is_refined[owners]])
    if not len(rows):
        return False
    layer.expand(rows)
    return True


def _open_rows(nodes: Nodes, floor: float) -> Ints:
    """Return the expanded nodes that are to be refined, parents before children."""
    is_open = nodes.is_wanting & nodes.is_expanded & (nodes.ranks > floor)
    is_open &= ~nodes.is_ranked
    rows = is_open.nonzero()[0]
    is_root = nodes.owners[rows] < 0
    # Where a chunk is to be refined, so mostly is what it came from.
    while True:
        owners = nodes.owners[rows]
        is_kept = is_root | is_open[owners] | nodes.is_refined[owners]
        if is_kept.all():
            return rows
        is_open[rows[~is_kept]] = False
        rows, is_root = rows[is_kept], is_root[is_kept]


def _highest(layer: Layer, rows: Ints) -> Ints:
    """Return the rows to look into next, highest rank first."""
    grid = layer.grid
    levels = layer.nodes.levels[rows]
    if not grid.are_nested or grid.most_fanout > _MOST_CHILDREN:
        # A single step of a strange pyramid must not make millions of nodes.
        is_good = grid.fanouts[levels] <= _MOST_CHILDREN
        if not grid.are_nested:
            # A chunk that two parents share belongs to the first of the ranking: were
            # the second accepted without it, there would be a hole. So all of a level
            # are known before its children are.
            is_good &= levels == levels[is_good].max(initial=0)
        rows, levels = rows[is_good], levels[is_good]
    order = (-layer.nodes.ranks[rows]).argsort(kind="stable")
    if len(rows) * grid.most_fanout <= _BATCH_CELLS:
        return rows[order]
    # Large enough for numpy, small enough that a rising floor stops it early.
    n_cells = grid.fanouts[levels[order]].cumsum()
    n_few = max(1, min(_FEWEST, int(n_cells.searchsorted(_MOST_CHILDREN, "right"))))
    n_batch = max(n_few, int(n_cells.searchsorted(_BATCH_CELLS, "right")))
    return rows[order[:n_batch]]


_FACES = np.hstack([np.eye(3, dtype=np.int64), -np.eye(3, dtype=np.int64)])[:, None]


def prefetch_nodes(layer: Layer, leaf_keys: Ints, room_bytes: int) -> list[Nodes]:
    """Choose chunks round the leaves of a layer.

    Parameters
    ----------
    layer : Layer
        Refined.
    leaf_keys : ndarray, shape (n,), int64
        Packed keys of the chunks that are drawn.
    room_bytes : int
        What may be spent.

    Returns
    -------
    list of Nodes
        One for each level that gets some, coarse before fine.
    """
    levels, indices = unpack_keys(leaf_keys)
    chosen: list[Nodes] = []
    base = len(layer.brick_bytes) - 1
    for level in sorted(set(levels.tolist()) - {base}, reverse=True):
        nodes = _neighbours(layer, level, indices[levels == level])
        n_fit = int(room_bytes // layer.brick_bytes[level])
        order = np.argsort(-nodes.errors_px * nodes.nearness, kind="stable")[:n_fit]
        if len(order):
            chosen.append(nodes.take(order))
            room_bytes -= len(order) * int(layer.brick_bytes[level])
    return chosen


def _neighbours(layer: Layer, level: int, indices: Ints) -> Nodes:
    shape = layer.grid.shapes[level][:, None]
    cells = (indices.T[:, :, None] + _FACES).reshape(3, -1)
    cells = cells[:, ((cells >= 0) & (cells < shape)).all(axis=0)]
    cells = np.unique(cells, axis=1)
    cells = cells[:, layer.grid.has_volume(level, cells)]
    is_seen, values = layer.view.measure(layer.grid.edges(level, cells))
    cells, values = cells[:, ~is_seen], values[:, ~is_seen]
    owners = np.full(cells.shape[1], -1, dtype=np.int64)
    nodes = layer.make_nodes(layer.code.pack(level, cells), values, owners)
    return nodes.take(~nodes.is_empty)
