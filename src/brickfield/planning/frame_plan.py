"""What a plan says of one layer, and how it is put together from its nodes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, fields
from functools import cached_property
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from brickfield.model import INDEX_BITS
from brickfield.model.requests import Category
from brickfield.planning.base_level import Base
from brickfield.planning.grid import Bools, Floats, Ints
from brickfield.planning.layer import Layer
from brickfield.planning.nodes import Nodes
from brickfield.planning.projection import loading_order, step_priorities
from brickfield.planning.refine import prefetch_nodes
from brickfield.planning.sites import levels_of, sites_of


def no_keys() -> NDArray[np.int64]:
    """Return an array of no keys."""
    return np.empty(0, dtype=np.int64)


@dataclass(frozen=True, eq=False)
class FramePlan:
    """The chunks that one frame of one layer needs, most important first.

    Attributes
    ----------
    keys : ndarray, shape (n,), int64
        Packed chunk keys (see :mod:`brickfield.model.chunks`), each once.
    priorities : ndarray, shape (n,), float32
        Ascending within a category.
    categories : ndarray, shape (n,), uint8
        :class:`~brickfield.model.requests.Category`, ascending.
    errors_px : ndarray, shape (n,), float32
        Length on the screen of the longest voxel edge, at the chunk's nearest
        visible point, pixels.
    is_leaf : ndarray, shape (n,), bool
        What shall finally be drawn. The others are drawn until that is there
        (coarser levels), or kept for the next move (prefetch).
    cost_bytes : int
        GPU bytes of all chunks together.
    is_coarsened : bool
        Whether the budget stopped refinement above the target.
    max_error_px : float
        Largest error of a leaf, 0 without leaves. Above the target also where
        level 0 itself is too coarse for the view.
    base_level : int
        The finest level that costs little of the budget. What the plan names of it and
        of coarser ones is an overview that can stand for the view.
    refined : ndarray, shape (m,), int64
        Keys of chunks replaced by finer ones, ascending (for hysteresis).
    ranked : ndarray, shape (m,), int64
        Keys of chunks whose finer ones were looked at, ascending. The next plan looks
        at these at once, which spares it time; of its result it can only change how the
        last remainder of the budget is spent.
    empty_keys : ndarray, shape (k,), int64
        Leaves that the store is known not to hold: drawn as the fill value, at no
        cost.
    is_forced : bool
        Whether the policy asked for one level everywhere.
    target_error_px : float
        What the plan aimed at.
    floor : float
        Error over target where the budget ended, 0 if it sufficed. It spares the
        next plan work; of its result it can only change how the last remainder of
        the budget is spent.
    """

    keys: NDArray[np.int64]
    priorities: NDArray[np.float32]
    categories: NDArray[np.uint8]
    errors_px: NDArray[np.float32]
    is_leaf: NDArray[np.bool_]
    cost_bytes: int
    is_coarsened: bool
    max_error_px: float
    base_level: int
    refined: NDArray[np.int64] = field(default_factory=no_keys)
    ranked: NDArray[np.int64] = field(default_factory=no_keys)
    empty_keys: NDArray[np.int64] = field(default_factory=no_keys)
    is_forced: bool = False
    target_error_px: float = 1.0
    floor: float = 0.0

    @cached_property
    def levels(self) -> NDArray[np.int64]:
        """Level of every chunk, shape (n,)."""
        return self.keys >> (3 * INDEX_BITS)

    @cached_property
    def by_key(self) -> NDArray[np.int64]:
        """Rows in the order of their keys, shape (n,)."""
        return np.argsort(self.keys)

    @cached_property
    def leaf_keys(self) -> NDArray[np.int64]:
        """Keys of the leaves, shape (n,), most wanted first."""
        return self.keys[self.is_leaf]

    @cached_property
    def base_keys(self) -> list[int]:
        """Keys of the base level."""
        keys: list[int] = self.keys[self.categories == Category.BASE].tolist()
        return keys

    @cached_property
    def overview_keys(self) -> list[int]:
        """Keys of the base level, and of what is seen of :attr:`base_level` and coarser."""
        is_seen = self.categories == Category.VISIBLE
        is_coarse = is_seen & (self.levels >= self.base_level)
        keys: list[int] = self.keys[is_coarse].tolist()
        return [*self.base_keys, *keys]

    @cached_property
    def finest(self) -> tuple[int, float]:
        """The finest level of a leaf, and the median error of its leaves, pixels.

        Without leaves the coarsest that is planned, and 1.
        """
        leaves = self.levels[self.is_leaf]
        if not len(leaves):
            return int(self.levels.max(initial=0)), 1.0
        level = int(leaves.min())
        return level, float(np.median(self.errors_px[self.is_leaf][leaves == level]))

    @property
    def n_chunks(self) -> int:
        """Chunks of the plan."""
        return len(self.keys)


@dataclass(frozen=True, eq=False)
class Part:
    """Some chunks of a plan, arrays of shape (n,).

    Attributes
    ----------
    keys, heads : ndarray, int64
        Of nodes.
    priorities : ndarray, float32
    categories : ndarray, uint8
    errors_px : ndarray, float64
    is_leaf : ndarray, bool
    """

    keys: Ints
    heads: Ints
    priorities: NDArray[np.float32]
    categories: NDArray[np.uint8]
    errors_px: Floats
    is_leaf: Bools

    def cost(self, layer: Layer) -> int:
        """Return the GPU bytes of the chunks."""
        return int(layer.brick_bytes[levels_of(self.heads)].sum())


def wanted_parts(layer: Layer, base: Base, is_passed: Bools) -> list[Part]:
    """List what is drawn, on the way and in the end, and kept; coarse before fine.

    Parameters
    ----------
    layer : Layer
        Refined.
    base : Base
    is_passed : ndarray, shape (n,), bool
        Refined nodes that are wanted besides the leaves.
    """
    nodes, hidden = layer.nodes, base.hidden
    is_leaf = nodes.is_present & ~nodes.is_refined & ~nodes.is_empty
    rows = (is_leaf | is_passed).nonzero()[0]
    seen = _part(layer, nodes, rows, Category.VISIBLE, is_leaf=is_leaf[rows])
    # What is seen of the base level stands first among the nodes.
    seen.categories[: rows.searchsorted(layer.n_base)] = Category.BASE
    rest = (~hidden.is_empty).nonzero()[0]
    nothing = np.zeros(len(rest), dtype=bool)
    return [seen, _part(layer, hidden, rest, Category.BASE, is_leaf=nothing, step=1)]


def _part(
    layer: Layer,
    nodes: Nodes,
    rows: Ints,
    category: Category,
    *,
    is_leaf: Bools,
    step: int = 0,
) -> Part:
    errors_px, heads = nodes.errors_px[rows], nodes.heads[rows]
    steps = step + len(layer.brick_bytes) - 1 - levels_of(heads)
    return Part(
        keys=nodes.keys[rows],
        heads=heads,
        priorities=step_priorities(steps, errors_px, nodes.nearness[rows]),
        categories=np.full(len(rows), category, dtype=np.uint8),
        errors_px=errors_px,
        is_leaf=is_leaf,
    )


def prefetched_parts(
    layer: Layer, parts: Sequence[Part], room_bytes: int
) -> list[Part]:
    """List what is kept for the next move of the camera, of a layer of one site.

    Parameters
    ----------
    layer : Layer
    parts : sequence of Part
        What is wanted anyway.
    room_bytes : int
    """
    leaf_keys = np.concatenate([part.keys[part.is_leaf] for part in parts])
    return [
        _part(
            layer,
            nodes,
            np.arange(len(nodes)),
            Category.PREFETCH,
            is_leaf=np.zeros(len(nodes), dtype=bool),
        )
        for nodes in prefetch_nodes(layer, leaf_keys, room_bytes)
    ]


def assemble(
    layer: Layer, base: Base, parts: Sequence[Part], floor: float
) -> list[FramePlan]:
    """Put the plans of a layer's sites together.

    Parameters
    ----------
    layer : Layer
    base : Base
    parts : sequence of Part
        All that is planned.
    floor : float
        Error over target where the budget ended.

    Returns
    -------
    list of FramePlan
        One of each site.
    """
    whole, ends = _ordered(layer, parts)
    # Of all rows before one, so that the cost of each site is a difference.
    costs = layer.brick_bytes[levels_of(whole.heads)].cumsum()
    costs = np.concatenate([[0], costs])
    errors = whole.errors_px.astype(np.float32)
    kept = _kept(layer)
    plans = []
    for site, (first, end) in enumerate(pairwise([0, *ends])):
        rows = slice(first, end)
        is_leaf = whole.is_leaf[rows]
        plans.append(
            FramePlan(
                keys=whole.keys[rows],
                priorities=whole.priorities[rows],
                categories=whole.categories[rows],
                errors_px=errors[rows],
                is_leaf=is_leaf,
                cost_bytes=int(costs[end] - costs[first]) // layer.n_alike,
                is_coarsened=base.is_cut or kept.is_stopped[site],
                max_error_px=float(whole.errors_px[rows][is_leaf].max(initial=0.0)),
                base_level=base.overview,
                refined=kept.refined[site],
                ranked=kept.ranked[site],
                empty_keys=kept.empty[site],
                is_forced=layer.policy.forced_level is not None,
                target_error_px=layer.target_px,
                floor=floor,
            )
        )
    return plans


def _ordered(layer: Layer, parts: Sequence[Part]) -> tuple[Part, list[int]]:
    """Join parts by chunk keys, site after site; return where each site ends, too."""
    # Often one of them has something.
    parts = [part for part in parts if len(part.keys)] or parts[:1]
    columns = {
        f.name: np.concatenate([getattr(part, f.name) for part in parts])
        if len(parts) > 1
        else getattr(parts[0], f.name)
        for f in fields(Part)
    }
    n_sites, ends = layer.code.n_sites, [len(columns["keys"])]
    sites = None
    if n_sites > 1:
        sites = sites_of(columns["heads"])
        ends = np.cumsum(np.bincount(sites, minlength=n_sites)).tolist()
    # One order for all parts, found by site, category and priority alone.
    order = loading_order(columns["categories"], columns["priorities"], sites)
    columns["keys"] = layer.code.keys_of(columns["keys"])
    return Part(**{name: values[order] for name, values in columns.items()}), ends


@dataclass(frozen=True, eq=False)
class _Kept:
    """What a plan says of nodes that it does not name, by site."""

    refined: list[Ints]
    ranked: list[Ints]
    empty: list[Ints]
    is_stopped: list[bool]


def _kept(layer: Layer) -> _Kept:
    nodes, is_present, code = layer.nodes, layer.nodes.is_present, layer.code

    def by_site(names: Ints) -> list[Ints]:
        keys, ends = code.keys_of(names), code.split(names)
        return [keys[first:end] for first, end in pairwise([0, *ends])]

    empty = nodes.keys[is_present & nodes.is_empty]
    if code.n_sites > 1:
        empty = np.sort(empty)
    # Above the target and yet a leaf: the budget, not the wish, decided.
    is_stopped = is_present & nodes.is_wanting & ~nodes.is_refined
    n_stopped = np.bincount(sites_of(nodes.heads[is_stopped]), minlength=code.n_sites)
    return _Kept(
        refined=by_site(np.sort(nodes.keys[is_present & nodes.is_refined])),
        ranked=by_site(np.sort(nodes.keys[nodes.is_ranked])),
        empty=by_site(empty),
        is_stopped=(n_stopped > 0).tolist(),
    )
