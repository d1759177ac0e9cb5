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
from dataclasses import dataclass, field
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from brickfield.errors import OptionError
from brickfield.model import (
    MAX_LEVELS,
    AffineTransform,
    CameraState,
    Pyramid,
    Vec3,
)
from brickfield.planning.base_level import is_kept_whole, lay_bases
from brickfield.planning.culling import is_invertible
from brickfield.planning.frame_plan import (
    FramePlan,
    assemble,
    no_keys,
    prefetched_parts,
    wanted_parts,
)
from brickfield.planning.grid import cell_grid
from brickfield.planning.layer import Layer, Occupancy
from brickfield.planning.policy import EXPLORATION, LodPolicy
from brickfield.planning.projection import DataView
from brickfield.planning.refine import refine
from brickfield.planning.sites import MOST_SITES, NodeCode
from brickfield.planning.steps import passed_nodes

_CAUTION = 0.98
"""Share of the previous floor that is guessed: most cameras move on by little."""


def _no_planes() -> NDArray[np.float64]:
    return np.empty((0, 4))


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
                f"expected {n} positive brick sizes, one per level; found"
                f" {self.brick_bytes}"
            )
            raise OptionError(msg)
        planes = np.asarray(self.clip_planes, dtype=np.float64).reshape(-1, 4)
        object.__setattr__(self, "clip_planes", planes)
        if not is_invertible(self.world):
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
    return (
        # Equal pyramids have one grid, which is compared by identity.
        cell_grid(request.pyramid),
        request.world,
        request.camera,
        request.brick_bytes,
        request.policy,
        request.clip_planes.tobytes(),
        request.occupancy,
        request.hidden,
        # All that a plan takes over from the one before.
        before and (before.refined.tobytes(), before.floor),
        request.is_moving,
        request.focus,
        request.slice_normal,
    )


def _plan_apart(
    requests: Sequence[PlanRequest], n_alike: Sequence[int], budget_bytes: int
) -> list[FramePlan]:
    """Plan layers of which each stands for `n_alike` equal ones."""
    # Base levels first, then refinement of all layers in one ranking, then what is
    # left: each step spends what the one before left over, so the sum always fits.
    kinds = _kinds(requests, n_alike, budget_bytes)
    layers = [_prepare([requests[i] for i in rows], n_alike[rows[0]]) for rows in kinds]
    bases, used = lay_bases(layers, budget_bytes)
    room = budget_bytes - used
    # One call for all layers: they get the same error, not the same share.
    used, floor = refine(layers, room, floor_guess=_guess_floor(requests))
    room -= used
    plans: dict[int, FramePlan] = {}
    for rows, layer, base in zip(kinds, layers, bases, strict=True):
        # Levels on the way and prefetched chunks come last: they cost only what no
        # refinement could use.
        is_passed, cost = passed_nodes(layer, room)
        room -= cost
        parts = wanted_parts(layer, base, is_passed)
        share = min(room, int(budget_bytes * layer.policy.prefetch_share))
        if share > 0:
            extra = prefetched_parts(layer, parts, share)
            room -= sum(part.cost(layer) for part in extra)
            parts += extra
        assembled = assemble(layer, base, parts, floor)
        plans |= dict(zip(rows, assembled, strict=True))
    return [plans[i] for i in range(len(requests))]


def _kinds(
    requests: Sequence[PlanRequest], n_alike: Sequence[int], budget_bytes: int
) -> list[list[int]]:
    """Group the requests that can be planned as sites of one layer."""
    kinds: dict[tuple[object, ...], list[int]] = {}
    n = sum(n_alike)
    for i, request in enumerate(requests):
        policy = request.policy
        kind: tuple[object, ...] = (
            cell_grid(request.pyramid),
            request.camera,
            request.brick_bytes,
            policy,
            len(request.clip_planes),
            request.is_moving,
            request.slice_normal,
            n_alike[i],
        )
        if request.focus is not None or policy.prefetch_share > 0:
            kind = (i,)
        kinds.setdefault(kind, []).append(i)
    return [
        rows
        for members in kinds.values()
        for rows in _sites(requests[members[0]], members, n_alike, budget_bytes // n)
    ]


def _sites(
    request: PlanRequest, members: list[int], n_alike: Sequence[int], share_bytes: int
) -> list[list[int]]:
    """Return requests of one kind, together or each apart."""
    if len(members) > 1:
        grid, n = cell_grid(request.pyramid), n_alike[members[0]]
        coarsest = len(grid.shapes) - 1
        cost = float(grid.shapes[-1].prod()) * request.brick_bytes[-1] * n
        is_whole = is_kept_whole(
            request.policy,
            coarsest,
            cost,
            share_bytes * n,
            is_slice=request.slice_normal is not None,
        )
        # A base level of which only a part is kept is cut for each image in turn.
        n_most = min(MOST_SITES, len(members))
        if is_whole and NodeCode.of(grid.shapes, n_most).is_possible:
            return [members[i : i + n_most] for i in range(0, len(members), n_most)]
    return [[i] for i in members]


def _guess_floor(requests: Sequence[PlanRequest]) -> float:
    """Guess from the previous plans, a little low: too high costs a second walk.

    Not without hysteresis, which promises that nothing depends on the past.
    """
    floors = [
        r.previous.floor if r.previous is not None and r.policy.hysteresis > 0 else 0.0
        for r in requests
    ]
    return _CAUTION * min(floors, default=0.0)


def _prepare(requests: Sequence[PlanRequest], n_alike: int = 1) -> Layer:
    """Begin the plan of one image, or of several of one kind."""
    first = requests[0]
    grid = cell_grid(first.pyramid)
    code = NodeCode()
    if len(requests) > 1:
        code = NodeCode.of(grid.shapes, len(requests))
    refined, ranked = _before(requests, code)
    return Layer(
        grid=grid,
        view=_view_of(requests),
        policy=first.policy,
        brick_bytes=n_alike * np.array(first.brick_bytes, dtype=np.int64),
        n_alike=n_alike,
        occupancy=_of_sites([r.occupancy for r in requests]),
        hidden=_of_sites([r.hidden for r in requests]),
        refined_before=refined,
        expanded_before=ranked,
        is_moving=first.is_moving,
        is_slice=first.slice_normal is not None,
        read_voxels=_read_voxels(first.pyramid),
        is_sampled=first.pyramid.levels[-1].read_factor > 1,
        code=code,
    )


def _before(
    requests: Sequence[PlanRequest], code: NodeCode
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return what the previous plans had refined, and what they had ranked."""
    plans = [
        (site, r.previous) for site, r in enumerate(requests) if r.previous is not None
    ]
    refined = [code.names_of(site, plan.refined) for site, plan in plans]
    # Without hysteresis nothing shall depend on the past, not by a rounding either.
    ranked = [
        code.names_of(site, plan.ranked)
        for site, plan in plans
        if requests[site].policy.hysteresis > 0
    ]
    return _joined(refined), _joined(ranked)


def _joined(parts: Sequence[NDArray[np.int64]]) -> NDArray[np.int64]:
    return np.concatenate(parts) if parts else no_keys()


def _view_of(requests: Sequence[PlanRequest]) -> DataView:
    first = requests[0]
    if len(requests) == 1:
        return DataView.of(
            first.pyramid,
            first.world,
            first.camera,
            clip_planes=first.clip_planes,
            focus=first.focus,
            slice_normal=first.slice_normal,
        )
    return DataView.of_sites(
        first.pyramid,
        [r.world for r in requests],
        first.camera,
        clip_planes=np.stack([r.clip_planes for r in requests]),
        slice_normal=first.slice_normal,
    )


def _of_sites(answers: Sequence[Occupancy | None]) -> Occupancy | None:
    """Join what is known of several images: asked by head in place of level."""
    if len(answers) == 1 or not any(answers):
        return answers[0]
    unknown: set[int] = set()

    def asked(head: int, indices: NDArray[np.int64]) -> NDArray[np.bool_] | None:
        site, level = divmod(head, MAX_LEVELS)
        answer = answers[site]
        if answer is None or head in unknown:
            return None
        found = answer(level, indices)
        # Not asked again within this plan: there are many of them.
        if found is None:
            unknown.add(head)
        return found

    return asked


@lru_cache(maxsize=64)
def _read_voxels(pyramid: Pyramid) -> NDArray[np.float64]:
    # As floats: the number of voxels of the largest images exceeds 64 bits.
    n_chunks = pyramid.grids_zyx.prod(axis=1, dtype=np.float64)
    n_voxels = pyramid.shapes_zyx.prod(axis=1, dtype=np.float64)
    factors = np.array([level.read_factor for level in pyramid.levels])
    voxels: NDArray[np.float64] = factors * n_voxels / n_chunks
    return voxels
