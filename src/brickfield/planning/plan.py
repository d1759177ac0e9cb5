"""The pure function from a camera and a budget to the chunks of one frame.

Invariant: a :class:`FramePlan` fits its budget, and its leaves, with the chunks
known to be empty, cover every point that is seen. A view that needs too much
becomes coarser, never holey. (The one exception is an image whose coarsest
level alone exceeds the budget; see :mod:`brickfield.planning.base_level`.)

Nothing here reads, waits, logs or remembers. The previous plan is an argument,
so that a replay of the same requests gives the same plans.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, fields
from functools import cached_property, lru_cache

import numpy as np
from numpy.typing import NDArray

from brickfield.errors import OptionError
from brickfield.model import INDEX_BITS, AffineTransform, CameraState, Pyramid, Vec3
from brickfield.model.requests import Category
from brickfield.planning.base_level import Base, lay_bases
from brickfield.planning.grid import cell_grid
from brickfield.planning.nodes import Layer, Nodes, Occupancy
from brickfield.planning.policy import EXPLORATION, LodPolicy
from brickfield.planning.projection import DataView, loading_order, step_priorities
from brickfield.planning.refine import prefetch_nodes, refine
from brickfield.planning.steps import passed_nodes

_CAUTION = 0.98
"""Share of the previous floor that is guessed: most cameras move on by little."""


def _no_keys() -> NDArray[np.int64]:
    return np.empty(0, dtype=np.int64)


def _no_planes() -> NDArray[np.float64]:
    return np.empty((0, 4))


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
    refined: NDArray[np.int64] = field(default_factory=_no_keys)
    ranked: NDArray[np.int64] = field(default_factory=_no_keys)
    empty_keys: NDArray[np.int64] = field(default_factory=_no_keys)
    is_forced: bool = False
    target_error_px: float = 1.0
    floor: float = 0.0

    @cached_property
    def levels(self) -> NDArray[np.int64]:
        """Level of every chunk, shape (n,)."""
        return self.keys >> (3 * INDEX_BITS)

    @cached_property
    def leaf_keys(self) -> NDArray[np.int64]:
        """Keys of the leaves, shape (n,), most wanted first."""
        return self.keys[self.is_leaf]

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
class PlanRequest:
    """What one layer requires of a plan.

    Attributes
    ----------
    pyramid : Pyramid
    world : AffineTransform
        Data space (level-0 index, z, y, x) to world; may rotate and shear.
    camera : CameraState
    brick_bytes : tuple of int
        GPU bytes of one chunk of each level, all drawn channels together.
    policy : LodPolicy
    clip_planes : ndarray, shape (n, 4), float64
        Rows (nz, ny, nx, d), world: kept where ``n . p + d >= 0``.
    occupancy : callable or None
        ``(level, indices (n, 3)) -> (n,) bool or None``: True where the store is
        known to hold nothing. Such chunks are never refined, cost nothing and
        are left out of the plan, but what they cover counts as covered.
    hidden : callable or None
        ``(level, indices (n, 3)) -> (n,) bool or None``: True where no ray arrives
        (something opaque is in front). Such chunks stay as coarse as they are.
    previous : FramePlan or None
        The plan of the frame before, for hysteresis.
    is_moving : bool
    focus : tuple of float or None
        Centre of attention, world (z, y, x); None is the centre of the screen.
    slice_normal : tuple of float or None
        Normal (world, length 1) of the one plane that the view shows. Clip planes
        keep the chunks near it; no more of the coarsest level than that is kept,
        unless it is cheap.

    Raises
    ------
    OptionError
        If sizes do not match the pyramid or the transform is not invertible.
    """

    pyramid: Pyramid
    world: AffineTransform
    camera: CameraState
    brick_bytes: tuple[int, ...]
    policy: LodPolicy = EXPLORATION
    clip_planes: NDArray[np.float64] = field(default_factory=_no_planes)
    occupancy: Occupancy | None = None
    hidden: Occupancy | None = None
    previous: FramePlan | None = None
    is_moving: bool = False
    focus: Vec3 | None = None
    slice_normal: Vec3 | None = None

    def __post_init__(self) -> None:
        n = self.pyramid.n_levels
        if len(self.brick_bytes) != n or min(self.brick_bytes) <= 0:
            msg = (
                f"expected {n} positive brick sizes, one a level; found"
                f" {self.brick_bytes}"
            )
            raise OptionError(msg)
        planes = np.asarray(self.clip_planes, dtype=np.float64).reshape(-1, 4)
        object.__setattr__(self, "clip_planes", planes)
        if not abs(np.linalg.det(self.world.matrix[:3, :3])) > 0:
            msg = (
                "expected an invertible transform to world; found"
                f" {self.world.rows}: give every axis a size that is not zero"
            )
            raise OptionError(msg)
        forced = self.policy.forced_level
        if forced is not None and not 0 <= forced < n:
            msg = f"expected a level from 0 to {n - 1}; found {forced}: choose one"
            raise OptionError(msg)


def plan_frame(request: PlanRequest, budget_bytes: int) -> FramePlan:
    """Plan one layer alone; see :func:`plan_layers`.

    Parameters
    ----------
    request : PlanRequest
    budget_bytes : int
        GPU memory that the plan may use.
    """
    return plan_layers([request], budget_bytes)[0]


def plan_layers(requests: Sequence[PlanRequest], budget_bytes: int) -> list[FramePlan]:
    """Plan several layers that share one budget and get the same error.

    Parameters
    ----------
    requests : sequence of PlanRequest
    budget_bytes : int
        GPU bytes that all plans together may cost.

    Returns
    -------
    list of FramePlan
        One for each request, in their order.
    """
    # Channels that are layers of their own mostly lie in the same place: what is planned
    # for one holds for all of them.
    groups: dict[tuple[object, ...], list[int]] = {}
    for i, request in enumerate(requests):
        groups.setdefault(_what_is_alike(request), []).append(i)
    firsts = [requests[members[0]] for members in groups.values()]
    plans = _plan_apart(firsts, list(map(len, groups.values())), budget_bytes)
    by_place = {
        i: plan
        for plan, members in zip(plans, groups.values(), strict=True)
        for i in members
    }
    return [by_place[i] for i in range(len(requests))]


def _what_is_alike(request: PlanRequest) -> tuple[object, ...]:
    """Return what plans depend on, to be compared."""
    before = request.previous
    values = {f.name: getattr(request, f.name) for f in fields(request)}
    values["clip_planes"] = request.clip_planes.tobytes()
    # All that a plan takes over from the one before.
    values["previous"] = before and (before.refined.tobytes(), before.floor)
    return tuple(values.values())


def _plan_apart(
    requests: Sequence[PlanRequest], n_alike: Sequence[int], budget_bytes: int
) -> list[FramePlan]:
    """Plan layers of which each stands for `n_alike` equal ones."""
    # Base levels first, then refinement of all layers in one ranking, then what is
    # left: each step spends what the one before left over, so the sum always fits.
    layers = [_prepare(r, n) for r, n in zip(requests, n_alike, strict=True)]
    bases, used = lay_bases(layers, budget_bytes)
    room = budget_bytes - used
    # One call for all layers: they get the same error, not the same share.
    used, floor = refine(layers, room, floor_guess=_guess_floor(requests))
    room -= used
    plans = []
    for layer, base in zip(layers, bases, strict=True):
        # Levels on the way and prefetched chunks come last: they cost only what no
        # refinement could use.
        is_passed, cost = passed_nodes(layer, room)
        room -= cost
        parts = _wanted(layer, base, is_passed)
        share = min(room, int(budget_bytes * layer.policy.prefetch_share))
        if share > 0:
            extra = _prefetched(layer, parts, share)
            room -= sum(_cost(layer, part.keys) for part in extra)
            parts += extra
        plans.append(_assemble(layer, base, parts, floor))
    return plans


def _guess_floor(requests: Sequence[PlanRequest]) -> float:
    """Guess from the previous plans, a little low: too high costs a second walk.

    Not without hysteresis, which promises that nothing depends on the past.
    """
    floors = [
        r.previous.floor if r.previous is not None and r.policy.hysteresis > 0 else 0.0
        for r in requests
    ]
    return _CAUTION * min(floors, default=0.0)


def _prepare(request: PlanRequest, n_alike: int = 1) -> Layer:
    previous = request.previous
    return Layer(
        grid=cell_grid(request.pyramid),
        view=DataView.of(
            request.pyramid,
            request.world,
            request.camera,
            clip_planes=request.clip_planes,
            focus=request.focus,
            slice_normal=request.slice_normal,
        ),
        policy=request.policy,
        brick_bytes=n_alike * np.array(request.brick_bytes, dtype=np.int64),
        n_alike=n_alike,
        occupancy=request.occupancy,
        hidden=request.hidden,
        refined_before=_no_keys() if previous is None else previous.refined,
        # Without hysteresis nothing shall depend on the past, not by a rounding either.
        expanded_before=(
            previous.ranked
            if previous is not None and request.policy.hysteresis > 0
            else _no_keys()
        ),
        is_moving=request.is_moving,
        is_slice=request.slice_normal is not None,
        read_voxels=_read_voxels(request.pyramid),
        is_sampled=request.pyramid.levels[-1].read_factor > 1,
    )


@lru_cache(maxsize=64)
def _read_voxels(pyramid: Pyramid) -> NDArray[np.float64]:
    # As floats: the number of voxels of the largest images exceeds 64 bits.
    n_chunks = pyramid.grids_zyx.prod(axis=1, dtype=np.float64)
    n_voxels = pyramid.shapes_zyx.prod(axis=1, dtype=np.float64)
    factors = np.array([level.read_factor for level in pyramid.levels])
    voxels: NDArray[np.float64] = factors * n_voxels / n_chunks
    return voxels


@dataclass(frozen=True, eq=False)
class _Part:
    """Some chunks of a plan, arrays of shape (n,)."""

    keys: NDArray[np.int64]
    priorities: NDArray[np.float32]
    categories: NDArray[np.uint8]
    errors_px: NDArray[np.float64]
    is_leaf: NDArray[np.bool_]


def _wanted(layer: Layer, base: Base, is_passed: NDArray[np.bool_]) -> list[_Part]:
    """List what is drawn, on the way and in the end, and kept; coarse before fine."""
    nodes, hidden = layer.nodes, base.hidden
    is_leaf = nodes.is_present & ~nodes.is_refined & ~nodes.is_empty
    rows = np.flatnonzero(is_leaf | is_passed)
    seen = _part(layer, nodes, rows, Category.VISIBLE, is_leaf=is_leaf[rows])
    # What is seen of the base level stands first among the nodes.
    seen.categories[: np.searchsorted(rows, layer.n_base)] = Category.BASE
    rest = np.flatnonzero(~hidden.is_empty)
    nothing = np.zeros(len(rest), dtype=bool)
    return [seen, _part(layer, hidden, rest, Category.BASE, is_leaf=nothing, step=1)]


def _part(
    layer: Layer,
    nodes: Nodes,
    rows: NDArray[np.int64],
    category: Category,
    *,
    is_leaf: NDArray[np.bool_],
    step: int = 0,
) -> _Part:
    errors_px, keys = nodes.errors_px[rows], nodes.keys[rows]
    steps = step + len(layer.brick_bytes) - 1 - (keys >> (3 * INDEX_BITS))
    return _Part(
        keys=keys,
        priorities=step_priorities(steps, errors_px, nodes.nearness[rows]),
        categories=np.full(len(rows), category, dtype=np.uint8),
        errors_px=errors_px,
        is_leaf=is_leaf,
    )


def _cost(layer: Layer, keys: NDArray[np.int64]) -> int:
    return int(layer.brick_bytes[keys >> (3 * INDEX_BITS)].sum())


def _prefetched(layer: Layer, parts: Sequence[_Part], room_bytes: int) -> list[_Part]:
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


def _assemble(
    layer: Layer, base: Base, parts: Sequence[_Part], floor: float
) -> FramePlan:
    keys, priorities, categories, errors_px, is_leaf = (
        np.concatenate([getattr(part, name) for part in parts])
        for name in ("keys", "priorities", "categories", "errors_px", "is_leaf")
    )
    # One order for all parts, found by category and priority alone.
    order = loading_order(categories, priorities)
    errors_px, is_leaf = errors_px[order], is_leaf[order]
    nodes, is_present = layer.nodes, layer.nodes.is_present
    # Above the target and yet a leaf: the budget, not the wish, decided.
    is_stopped = (is_present & nodes.is_wanting & ~nodes.is_refined).any()
    return FramePlan(
        keys=keys[order],
        priorities=priorities[order],
        categories=categories[order],
        errors_px=errors_px.astype(np.float32),
        is_leaf=is_leaf,
        cost_bytes=_cost(layer, keys) // layer.n_alike,
        is_coarsened=base.is_cut or bool(is_stopped),
        max_error_px=float(errors_px[is_leaf].max(initial=0.0)),
        base_level=base.overview,
        refined=np.sort(nodes.keys[is_present & nodes.is_refined]),
        ranked=np.sort(nodes.keys[nodes.is_ranked]),
        empty_keys=nodes.keys[is_present & nodes.is_empty],
        is_forced=layer.policy.forced_level is not None,
        target_error_px=layer.target_px,
        floor=floor,
    )
