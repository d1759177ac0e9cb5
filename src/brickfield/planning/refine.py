"""Best-first refinement of several layers within one budget.

Invariant: after every step the accepted refinements are a prefix of one
ranking by error, over all levels and all layers, in which a chunk never stands
before the chunk it came from. So the accepted set is always closed upward (a
cover), always fits the budget, and no refinement that was left out has a larger
error than one that was taken. Only at the very end is a remainder of the budget,
too small for the next in the ranking, spent on later ones that fit.

Trees are walked level by level, but only where the error is above the *floor*:
the error of the first refinement that did not fit. Deeper levels cost more, so
the floor only rises, and work is bounded by what fits the budget, not by what
could be seen. A chunk with several parents (non-nested pyramids) belongs to the
one ranked first.

Chunks just outside of the view, which the next camera move is likely to need.

Candidates are the face neighbours of the leaves, of the same level, that cannot
be seen now. They cost only budget that the view leaves over and stand in the
last category, so they never delay or displace anything that is seen.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from brickfield.model import MAX_LEVELS, unpack_keys
from brickfield.planning.grid import Bools, Floats, Ints
from brickfield.planning.nodes import Layer, Nodes, join_nodes

_NO_KEYS = np.empty(0, dtype=np.int64)
_BATCH_CELLS = 8192
"""Cells tested at once: enough for numpy to be quick, few enough to stop early."""
_MOST_CHILDREN = 1 << 18
"""Chunks of more children, which no budget holds, stay as they are."""


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
        self._refs = np.empty((3, 0), dtype=np.int64)
        self._bytes = np.empty(0, dtype=np.int64)
        self._left_out: list[tuple[Floats, Ints, Ints]] = []
        self.floor = 0.0
        self.used_bytes = 0

    @property
    def is_full(self) -> bool:
        """Whether the budget left refinements out."""
        return bool(self._left_out)

    def add(self, layer: int, depth: int, rows: Ints, bytes_added: Ints) -> None:
        """Enter refinements of one layer and depth; keep the prefix that fits.

        Parameters
        ----------
        layer : int
            Position in the layers.
        depth : int
            Of the tree, 0 for the base level.
        rows : ndarray, shape (n,), int64
            Rows of the refined nodes at that depth.
        bytes_added : ndarray, shape (n,), int64
            What each refinement costs.
        """
        nodes = self._layers[layer].tree[depth]
        # Accepted at first; what exceeds the budget is taken back by `_cut`.
        nodes.is_refined[rows] = True
        refs = np.empty((3, len(rows)), dtype=np.int64)
        refs[0], refs[1], refs[2] = layer, depth, rows
        self._ranks = np.concatenate([self._ranks, nodes.ranks[rows]])
        self._refs = np.concatenate([self._refs, refs], axis=1)
        self._bytes = np.concatenate([self._bytes, bytes_added])
        self.used_bytes = int(self._bytes.sum())
        if self.used_bytes > self._room:
            self._cut()

    def _cut(self) -> None:
        # Stable: what came from a chunk of equal rank stays behind it.
        order = np.argsort(-self._ranks, kind="stable")
        ranks, refs, costs = (
            self._ranks[order],
            self._refs[:, order],
            self._bytes[order],
        )
        # The last position at which the sum fits, not the first at which it does not:
        # replacing a chunk by children that are known to be empty makes a plan cheaper.
        fits = np.flatnonzero(np.cumsum(costs) <= self._room)
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
        for layer, depth, at in _groups(refs):
            self._layers[layer].tree[depth].is_refined[refs[2, at]] = is_refined

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
        for number, depth, at in _groups(refs):
            layer = self._layers[number]
            # Children that are shared with another parent were assigned by rank; taking
            # their owner back now would leave a hole.
            if layer.grid.is_nested[layer.tree[depth].level]:
                can[at] = layer.present_rows(depth)[refs[2, at]]
        return can


def _groups(refs: Ints) -> Iterator[tuple[int, int, Ints]]:
    """Divide references by layer and depth: both, and the columns."""
    codes = refs[0] * MAX_LEVELS + refs[1]
    for code in np.flatnonzero(np.bincount(codes)).tolist():
        layer, depth = divmod(code, MAX_LEVELS)
        yield layer, depth, np.flatnonzero(codes == code)


def refine(
    layers: Sequence[Layer], room_bytes: int, *, floor_guess: float = 0.0
) -> tuple[int, float]:
    """Refine the layers' trees from their base levels within a budget.

    Parameters
    ----------
    layers : sequence of Layer
        Each with its visible base chunks as the only nodes; their trees grow.
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
    # the budget is not used up above it, the walk goes on down to 0.
    ranking = Ranking(layers, room_bytes)
    for floor in (floor_guess, 0.0) if floor_guess > 0 else (0.0,):
        ranking.floor = floor
        _explore(ranking, layers)
        if ranking.is_full:
            break
    ranking.fill()
    return ranking.used_bytes, ranking.floor


def _explore(ranking: Ranking, layers: Sequence[Layer]) -> None:
    """Walk all trees down to the floor, coarse before fine."""
    # Level by level over all layers: numpy works on thousands of chunks at once, and
    # the floor that one layer raises stops the others.
    depth = 0
    while any(len(layer.tree) > depth for layer in layers):
        for i, layer in enumerate(layers):
            if len(layer.tree) > depth and layer.tree[depth].level > 0:
                _descend(ranking, layer, i, depth)
        depth += 1


def _descend(ranking: Ranking, layer: Layer, number: int, depth: int) -> None:
    """Explore one level of one layer, highest rank first, down to the floor."""
    nodes = layer.tree[depth]
    fanout = layer.grid.fanout(nodes.level)
    # A single step of a strange pyramid must not make millions of nodes.
    if fanout > _MOST_CHILDREN:
        return
    is_open = nodes.is_wanting & ~nodes.is_refined & (nodes.ranks > ranking.floor)
    rows = np.flatnonzero(is_open & layer.present_rows(depth))
    rows = rows[np.argsort(-nodes.ranks[rows], kind="stable")]
    # Large enough for numpy, small enough that a rising floor stops it early.
    n_batch = max(min(32, _MOST_CHILDREN // fanout), _BATCH_CELLS // fanout)
    parts = layer.tree[depth + 1 : depth + 2]
    is_nested = layer.grid.is_nested[nodes.level]
    known = np.sort(parts[0].keys) if parts and not is_nested else _NO_KEYS
    for start in range(0, len(rows), n_batch):
        batch = rows[start : start + n_batch]
        # A chunk that two parents share belongs to the first of the ranking: were
        # the second accepted without it, there would be a hole.
        batch = batch[nodes.ranks[batch] > ranking.floor]
        if len(batch) == 0:
            break
        children, bytes_added = layer.expand(depth, batch, known)
        parts.append(children)
        if not is_nested:
            known = np.sort(np.concatenate([known, children.keys]))
        ranking.add(number, depth, batch, bytes_added)
    if parts:
        layer.tree[depth + 1 :] = [join_nodes(parts), *layer.tree[depth + 2 :]]


_FACES = np.hstack([np.eye(3, dtype=np.int64), -np.eye(3, dtype=np.int64)])[:, None]


def prefetch_nodes(layer: Layer, leaf_keys: Ints, room_bytes: int) -> list[Nodes]:
    """Choose chunks round the leaves of a layer.

    Parameters
    ----------
    layer : Layer
        With its base level as first nodes of the tree.
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
    base = layer.tree[0].level
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
    nodes = layer.make_nodes(level, cells, values, owners)
    return nodes.take(~nodes.is_empty)
