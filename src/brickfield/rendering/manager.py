"""Joins the layers of one view: one plan, one GPU budget, one time slice.

Invariant: the textures of all layers together stay within the budget. Each
frame runs sync → plan → upload → prepare; planning is skipped while neither
camera nor layers changed. Thread rule: render thread only.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from contextlib import nullcontext
from dataclasses import dataclass, field, replace
from time import perf_counter

from brickfield.errors import BudgetError
from brickfield.gpu import GpuDevice
from brickfield.loading import PRECEDENCE
from brickfield.model import CameraState, Plane
from brickfield.planning import (
    EXPLORATION,
    FramePlan,
    LodPolicy,
    PlanRequest,
    plan_layers,
)
from brickfield.rendering.frame_uniforms import FrameOptions
from brickfield.rendering.layer_renderer import LayerRenderer
from brickfield.rendering.requests import TimeSlice
from brickfield.store import LayerSnapshot

DEFAULT_GPU_BUDGET = 1 << 30
UPLOAD_SLICE_S = 0.0035
"""A step may take longer than the ones before it: 4 ms is what a frame can spare."""
PLANNED_SHARE = 0.95
"""Share of the budget that plans may use. The rest is rounding to slot grids."""
LEAST_SHARE = 0.92
"""Share that plans may use at any camera."""
TABLE_SHARE = 0.02
"""Share of the budget that is kept free for page tables, which grow with the bricks."""


@dataclass
class FrameStatistics:
    """What frames cost, milliseconds, newest last (bounded)."""

    plan_ms: deque[float] = field(default_factory=lambda: deque(maxlen=10_000))
    upload_ms: deque[float] = field(default_factory=lambda: deque(maxlen=10_000))
    frames: int = 0
    late_frames: int = 0
    planned_share: float = PLANNED_SHARE


class RenderManager:
    """Coordinates the layers of one view; holds no logic of its own.

    Parameters
    ----------
    gpu : GpuDevice
    gpu_budget : int
        Bytes for the textures of all layers.
    policy : LodPolicy
    """

    def __init__(
        self,
        gpu: GpuDevice,
        *,
        gpu_budget: int = DEFAULT_GPU_BUDGET,
        policy: LodPolicy = EXPLORATION,
    ) -> None:
        self.gpu = gpu
        self.gpu_budget = gpu_budget
        self.policy = policy
        self.renderers: list[LayerRenderer] = []
        self.statistics = FrameStatistics()
        self._plane: Plane | None = None
        self._turn = 0
        self._planned_for: tuple[object, ...] | None = None
        self._goes_first = False

    @property
    def plane(self) -> Plane | None:
        """The slice that all layers show; None: their volumes.

        Another plane means another plan and other uniforms, nothing else.
        """
        return self._plane

    @plane.setter
    def plane(self, value: Plane | None) -> None:
        self._plane = value
        for renderer in self.renderers:
            renderer.plane = value

    def set_layers(self, layers: Sequence[LayerSnapshot]) -> list[LayerRenderer]:
        """Keep a renderer for each layer; return those that left (destroyed)."""
        # By identity: renderers own textures, which must survive a change of the list.
        kept = {id(r.layer.layer): r for r in self.renderers}
        share = self.gpu_budget // max(1, len(layers))
        # Destroyed before new ones are made, so that both need not fit the GPU.
        names = {id(x.layer) for x in layers}
        gone = [r for name, r in kept.items() if name not in names]
        for renderer in gone:
            renderer.destroy()
        self.renderers = [
            kept.get(id(x.layer)) or LayerRenderer(x, self.gpu, share, self._plane)
            for x in layers
        ]
        self._planned_for = None
        return gone

    def forget_plan(self) -> None:
        """Plan again at the next frame, because the budget changed."""
        self._planned_for = None

    def sync(self, layers: Sequence[LayerSnapshot]) -> dict[str, set[str]]:
        """Draw other snapshots: do the work they require; return it by visual id.

        Parameters
        ----------
        layers : sequence of LayerSnapshot
            Of the layers that were set, in their order.
        """
        pairs = zip(self.renderers, layers, strict=True)
        work = {r.visual_id: r.sync(layer) for r, layer in pairs}
        # Colours change nothing about which chunks are needed.
        if any(done - {"lut"} for done in work.values()):
            self._planned_for = None
        return work

    def plan(self, camera: CameraState, *, is_moving: bool = False) -> bool:
        """Plan again if anything relevant changed; tell whether it did.

        Parameters
        ----------
        camera : CameraState
        is_moving : bool
            Whether the camera is being moved: new detail waits.
        """
        seen = [r for r in self.renderers if r.layer.visible]
        layers = tuple(map(_planned_state, seen))
        state = (camera, is_moving, self.policy, self._plane, layers)
        # A resting view plans nothing, however often it is drawn.
        if state == self._planned_for and not any(r.wants_plan for r in seen):
            return False
        start = perf_counter()
        # While the camera moves reading threads wait, or they make a plan several times
        # as dear. Of a view that stays they have the data that it waits for.
        is_other_view = self._planned_for is None or camera != self._planned_for[0]
        with PRECEDENCE.taken() if is_other_view else nullcontext():
            requests = [
                r.plan_request(camera, self.policy, is_moving=is_moving) for r in seen
            ]
            self._take(seen, requests)
        self.statistics.plan_ms.append(1e3 * (perf_counter() - start))
        self._planned_for = state
        self._goes_first = is_other_view
        return True

    def _take(
        self, seen: Sequence[LayerRenderer], requests: Sequence[PlanRequest]
    ) -> None:
        """Plan within what the slot grids really hold."""
        share = self._first_share(seen)
        plans: list[FramePlan] = []
        while seen:
            plans = plan_layers(requests, int(self.gpu_budget * share))
            self._share_budget(seen, plans)
            is_bare = any(p.is_coarsened and not p.n_chunks for p in plans)
            fits = not is_bare and self._all_fit(seen, plans)
            if fits:
                break
            # Slots come in grids, so a plan that fits by bytes may not fit by slots: a
            # little less is planned then.
            share *= 0.97
            if is_bare or share < 0.2:
                msg = (
                    "expected a GPU budget for a few bricks of every visible layer;"
                    f" found {self.gpu_budget} bytes: raise it"
                )
                raise BudgetError(msg)
        self.statistics.planned_share = share
        for renderer, plan, request in zip(seen, plans, requests, strict=True):
            renderer.take_plan(plan, request)

    def _first_share(self, seen: Sequence[LayerRenderer]) -> float:
        """Return the share of the budget to plan within, if slots allow.

        Textures that hold nearly as much are not made again for the rest.
        """
        held = sum(r.bricks.atlas.largest_bytes for r in seen) / self.gpu_budget
        return min(held, PLANNED_SHARE) if held >= LEAST_SHARE else PLANNED_SHARE

    def _share_budget(
        self, seen: Sequence[LayerRenderer], plans: Sequence[FramePlan]
    ) -> None:
        tables = sum(r.bricks.table.rows.nbytes for r in self.renderers)
        for_tables = max(tables, int(TABLE_SHARE * self.gpu_budget))
        spare = self.gpu_budget - for_tables - sum(p.cost_bytes for p in plans)
        for renderer in self.renderers:
            if renderer not in seen and renderer.bricks.atlas.gpu_bytes:
                # If it is shown again it is there at once, unless the memory was needed.
                spare -= renderer.bricks.atlas.gpu_bytes
                if spare < 0:
                    spare += renderer.bricks.atlas.gpu_bytes
                    renderer.release_gpu_memory()
        atlases = [renderer.bricks.atlas for renderer in seen]
        shares = [plan.cost_bytes for plan in plans]
        # What a layer has it keeps while nobody needs the room: nothing is rebuilt.
        extra = [max(0, a.gpu_bytes - s) for a, s in zip(atlases, shares, strict=True)]
        if sum(extra) <= spare:
            spare -= sum(extra)
            shares = [s + e for s, e in zip(shares, extra, strict=True)]
        for atlas, share in zip(atlases, shares, strict=True):
            atlas.set_budget(share + max(0, spare) // len(seen))

    @staticmethod
    def _all_fit(seen: Sequence[LayerRenderer], plans: Sequence[FramePlan]) -> bool:
        """Make room in every layer: first in those that have to give some away."""
        pairs = sorted(
            zip(seen, plans, strict=True), key=lambda p: not p[0].bricks.is_too_large
        )
        return all(renderer.fits(plan) for renderer, plan in pairs)

    def upload(self, slice_s: float = UPLOAD_SLICE_S) -> int:
        """Send arrived chunks to the GPU for at most `slice_s`; return how many.

        Layers without their base level come first, the others take turns.
        """
        has_time = TimeSlice(slice_s)
        seen = [r for r in self.renderers if r.layer.visible]
        self._turn += 1
        # Another layer begins each frame, so that a short time slice does not starve
        # the last; layers without an overview go before all others.
        turns = seen[self._turn % max(1, len(seen)) :] + seen
        order = sorted(dict.fromkeys(turns), key=lambda r: r.has_base)
        n = sum(r.upload(has_time) for r in order)
        if n:
            self.statistics.upload_ms.append(1e3 * has_time.elapsed)
        return n

    def prepare(self, camera: CameraState, options: FrameOptions) -> None:
        """Write tables and uniforms of every layer for the coming draw.

        Parameters
        ----------
        camera : CameraState
        options : FrameOptions
            Of this frame.
        """
        self.statistics.frames += 1
        is_lowest = True
        # A new plan changes many rows of the tables; other frames have little to do.
        first = PRECEDENCE.taken() if self._goes_first else nullcontext()
        self._goes_first = False
        with first:
            for renderer in self.renderers:
                renderer.prepare(camera, replace(options, is_lowest=is_lowest))
                is_lowest = is_lowest and not renderer.layer.visible

    @property
    def is_complete(self) -> bool:
        """Whether every visible layer shows all that its plan names."""
        return all(r.is_complete for r in self.renderers if r.layer.visible)

    @property
    def coarser_levels(self) -> tuple[float, int]:
        """Say what a coarser picture of the view would be.

        Returns
        -------
        voxel_px : float
            Edge of the finest voxels that are drawn, pixels, the largest of all layers.
        n_coarser : int
            Levels above theirs that every layer has.
        """
        plans = [r.plan for r in self.renderers if r.layer.visible and r.plan]
        tops = [
            r.bricks.pyramid.n_levels - 1 for r in self.renderers if r.layer.visible
        ]
        finest = [plan.finest for plan in plans]
        if not finest or len(tops) > len(plans):
            return 1.0, 0
        above = [top - level for top, (level, _) in zip(tops, finest, strict=True)]
        return max(px for _, px in finest), min(above)

    @property
    def gpu_bytes(self) -> int:
        """Bytes of all textures and page tables."""
        return sum(
            r.bricks.atlas.gpu_bytes + r.bricks.table.rows.nbytes
            for r in self.renderers
        )

    def destroy(self) -> None:
        """Give everything back."""
        for renderer in self.renderers:
            renderer.destroy()
        self.renderers = []


def _planned_state(renderer: LayerRenderer) -> tuple[object, ...]:
    """Return what of a layer a plan depends on besides its versions."""
    layer, look = renderer.layer, renderer.layer.appearance
    # Only what changes which chunks are needed; contrast, colours and mode do not.
    place = (layer.world, layer.selections)
    return (id(renderer), *place, look.clip_box, look.clip_planes)
