"""E9: what a plan costs, whatever the size of the volume.

CPU times of the planning thread, since other work on the machine lengthens those on
the wall, which stand in the note. A camera change is all that the render thread does
for it before it draws.
"""

from __future__ import annotations

import tracemalloc
from time import perf_counter, thread_time

import numpy as np

from benchmarks.clock import median, p99
from benchmarks.peers import CELLIER, ask_cellier
from benchmarks.rows import Row, Setting, at_most
from benchmarks.scenes import layer_of, view_of, virtual_store
from brickfield.loading import PRECEDENCE
from brickfield.model import AffineTransform, CameraState, Pyramid
from brickfield.planning import (
    EXPLORATION,
    FramePlan,
    PlanRequest,
    plan_frame,
    plan_layers,
)
from brickfield.rendering import LayerRenderer
from brickfield.sample import VirtualImage, VirtualSource

VIEWPORT = (1404, 1080)
BUDGET = 4000 * 66**3
PLACES = {"inside": 0.02, "near": 0.6, "far": 2.0}


def plan_time(setting: Setting) -> list[Row]:
    """E9."""
    source = VirtualSource(VirtualImage((100_000,) * 3, is_hollow=False))
    pyramid = source.info.pyramid
    n = 300 if setting.is_full else 80
    rows = []
    for place, distance in PLACES.items():
        times, cpu, plan = _fly(pyramid, distance, n)
        note = f"{plan.n_chunks} chunks planned; on the wall {median(times):.2f} ms"
        what = f"plan of a 100,000³ volume, camera {place}, CPU"
        rows += [
            at_most(
                "E9",
                f"{what}, median",
                median(cpu),
                5,
                unit="ms",
                repeats=n,
                note=note,
            ),
            at_most("E9", f"{what}, p99", p99(cpu), 10, unit="ms", repeats=n),
        ]
    sparse = VirtualSource(VirtualImage((100_000,) * 3))
    times, cpu, _ = _fly(pyramid, 0.6, n, sparse)
    note = f"on the wall {median(times):.2f} ms"
    what = "plan of a 100,000³ volume, 4 % occupied, camera near, CPU, median"
    rows.append(at_most("E9", what, median(cpu), 5, unit="ms", repeats=n, note=note))
    rows += _memory()
    rows += _camera_change(is_hollow=False) + _camera_change(is_hollow=True)
    return rows + _of_many_layers() + _beside_cellier(setting)


def _of_many_layers(n_layers: int = 50) -> list[Row]:
    """Plan many layers that share one budget, in one place and each in its own."""
    pyramid = VirtualSource(VirtualImage((4096,) * 3, is_hollow=False)).info.pyramid
    rows = []
    for what, apart in (("channels in one place", 0.0), ("layers side by side", 10.0)):
        worlds = [
            AffineTransform.from_scale((1, 1, 1), (apart * i, 0, 0))
            for i in range(n_layers)
        ]
        cpu: list[float] = []
        plans: list[FramePlan | None] = [None] * n_layers
        for i in range(23):
            camera = _camera(pyramid, 0.6, 0.5 + 0.01 * i)
            requests = [
                PlanRequest(
                    pyramid,
                    world,
                    camera,
                    (66**3,) * pyramid.n_levels,
                    policy=EXPLORATION,
                    previous=plan,
                )
                for world, plan in zip(worlds, plans, strict=True)
            ]
            began = thread_time()
            plans = [*plan_layers(requests, BUDGET)]
            cpu.append(1e3 * (thread_time() - began))
        rows.append(
            at_most(
                "E9",
                f"plan of {n_layers} {what}, 4096³, CPU, median",
                median(cpu[3:]),
                10,
                unit="ms",
                repeats=20,
                note=f"{sum(p.n_chunks for p in plans if p)} chunks of one budget",
            )
        )
    return rows


def _fly(
    pyramid: Pyramid, distance: float, n: int, sparse: VirtualSource | None = None
) -> tuple[list[float], list[float], FramePlan]:
    """Plan along a slow turn; return ms on the wall, ms of CPU, and the last plan."""
    times: list[float] = []
    cpu: list[float] = []
    plan = None
    for i in range(n + 3):
        request = PlanRequest(
            pyramid,
            AffineTransform(),
            _camera(pyramid, distance, 0.5 + 0.01 * i),
            (66**3,) * pyramid.n_levels,
            policy=EXPLORATION,
            occupancy=None if sparse is None else sparse.missing_chunks,
            previous=plan,
        )
        start, began = perf_counter(), thread_time()
        plan = plan_frame(request, BUDGET)
        times.append(1e3 * (perf_counter() - start))
        cpu.append(1e3 * (thread_time() - began))
    assert plan is not None
    return times[3:], cpu[3:], plan


def _camera(pyramid: Pyramid, distance: float, angle: float) -> CameraState:
    size = np.array(pyramid.levels[0].shape_zyx, dtype=float)
    middle = size / 2
    direction = np.array([np.sin(angle), 0.3, np.cos(angle)])
    direction /= np.linalg.norm(direction)
    z, y, x = (middle - direction * distance * size).tolist()
    camera = CameraState((z, y, x), _vec(middle), (0, -1, 0), VIEWPORT, fov=50)
    box = np.stack([np.zeros(3), size])
    corners = np.array(np.meshgrid(*box.T)).reshape(3, -1).T
    return camera.with_depth_range(corners)


def _vec(v: np.ndarray) -> tuple[float, float, float]:
    z, y, x = v.tolist()
    return z, y, x


MOVES = 24


def _camera_change(*, is_hollow: bool) -> list[Row]:
    """Measure all that a camera change costs the render thread, not the plan alone."""
    store = virtual_store(
        VirtualImage((100_000,) * 3, is_hollow=is_hollow), ram_budget=3 << 30
    )
    whole: list[float] = []
    plans: list[float] = []
    with view_of(layer_of(store), VIEWPORT, gpu_budget=1 << 30) as view:
        manager = view.manager
        for i in range(MOVES):
            camera = _camera(store.pyramid, 0.6, 0.5 + 0.01 * i)
            view.camera = camera
            began = thread_time()
            view.sync()
            manager.plan(camera)
            # As `RenderManager.prepare` does it after a plan.
            with PRECEDENCE.taken():
                _send(manager.renderers)
            whole.append(1e3 * (thread_time() - began))
            # What a hollow image wants is soon there; of a dense one a part has to do.
            end = perf_counter() + 2
            while not manager.is_complete and perf_counter() < end:
                manager.upload(0.1)
                # What is uploaded is shown by frames of its own, and not by the next move.
                _send(manager.renderers)
            (request,) = (
                r.plan_request(camera, view.manager.policy, is_moving=False)
                for r in manager.renderers
            )
            began = thread_time()
            plan_frame(request, BUDGET)
            plans.append(1e3 * (thread_time() - began))
        n = manager.renderers[0].plan.n_chunks
    rest = median(whole[4:]) - median(plans[4:])
    note = (
        f"{n} chunks; CPU of the render thread: plan, diff, wants, requests and table;"
        f" p99 {p99(whole[4:]):.1f} ms; beyond the plan {rest:.1f} ms, a plan alone"
        f" {median(plans[4:]):.1f} ms"
    )
    kind = "hollow" if is_hollow else "dense"
    return [
        at_most(
            "E9",
            f"a camera change in all, 100,000³, {kind}",
            median(whole[4:]),
            8 if is_hollow else 5,
            unit="ms",
            repeats=MOVES - 4,
            note=note,
        )
    ]


def _send(renderers: list[LayerRenderer]) -> None:
    for renderer in renderers:
        renderer.bricks.retire()
        renderer.bricks.flush()


def _memory() -> list[Row]:
    """Compare the peak of one plan in a small and in a huge volume."""
    peaks = []
    for edge in (4096, 1_000_000):
        pyramid = VirtualSource(VirtualImage((edge,) * 3, is_hollow=False)).info.pyramid
        _fly(pyramid, 0.6, 1)
        tracemalloc.start()
        _fly(pyramid, 0.6, 2)
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    what = "peak memory of a plan, 1,000,000³ over 4,096³"
    note = f"{peaks[1] / 1e6:.1f} MB at 1,000,000³"
    return [at_most("E9", what, peaks[1] / peaks[0], 2, note=note)]


def _beside_cellier(setting: Setting) -> list[Row]:
    """Plan the volumes that cellier can plan, both in this run."""
    rows = []
    for edge in (1024, 2048, 4096) if setting.is_full else (1024, 2048):
        answer = ask_cellier(setting.peers, "cellier_planning", {"edge": edge})
        pyramid = VirtualSource(VirtualImage((edge,) * 3, is_hollow=False)).info.pyramid
        _, times, plan = _fly(pyramid, 0.6, 40)
        theirs = None if answer is None else answer["ms"]
        note = f"CPU times; ours {plan.n_chunks} chunks, none dropped"
        if answer is not None:
            note += (
                f"; cellier sees {answer['visible']:,} and drops"
                f" {answer['dropped']:.0%} of them"
            )
        rows.append(
            Row(
                "E9",
                f"plan of a {edge}³ volume, camera near",
                median(times),
                unit="ms",
                limit="faster",
                reached=None if theirs is None else median(times) < theirs,
                peer="" if theirs is None else CELLIER,
                theirs=theirs,
                repeats=40,
                note=note,
            )
        )
    return rows
