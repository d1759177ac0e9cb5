"""E10, E11 and E13: when a picture comes, and what streaming costs a frame."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter, process_time, thread_time

import numpy as np
import tensorstore as ts
import wgpu

from benchmarks.clock import median, p99
from benchmarks.peers import CELLIER, ask_cellier
from benchmarks.rows import Row, Setting, at_most
from benchmarks.scenes import (
    MIB,
    halved,
    layer_of,
    light_sheet,
    orbit,
    ortho,
    own_cache,
    view_of,
    virtual_store,
    write_pyramid,
)
from brickfield.planning import EXPLORATION, LodPolicy
from brickfield.rendering import DEFAULT_GPU_BUDGET, OffscreenView
from brickfield.sample import VirtualImage
from brickfield.sources import open_source
from brickfield.testing.http_server import FaultServer, Rule

SIZE = (256, 256)
ROUND_TRIP_S = 0.05
FEWEST = 30
"""Frames of a flight, however slow the machine."""
EDGE, FULL_BUDGET = 512, 640 * MIB
"""Room for level 0, but too little to take it as the base level."""
LEVEL_0 = LodPolicy(target_error_px=1.0)


@dataclass(frozen=True)
class Timing:
    """One opening: seconds to the base level on screen and to the last brick.

    Pictures that are drawn meanwhile are left out of the latter.
    """

    first_s: float
    full_s: float
    cpu_s: float
    """Of all threads, as `full_s`."""
    rounds: int
    n_chunks: int
    n_sent: float
    """Bytes sent to textures over those of the bricks that are drawn."""


def first_picture(setting: Setting) -> list[Row]:
    """E10."""
    path = _pyramid(setting)
    rows = []
    for name, is_remote, limit in (("local", False, 100), ("HTTP, 50 ms", True, 200)):
        found = [
            once(
                path,
                256,
                is_remote=is_remote,
                gpu_budget=DEFAULT_GPU_BUDGET,
                policy=EXPLORATION,
            )
            for _ in range(5)
        ]
        note = (
            "default budget, 256³, pipeline and drivers warm, 256² on software Vulkan,"
        )
        note += " drawing included"
        if is_remote:
            note += f"; {max(t.rounds for t in found)} round trips to the full picture"
        rows.append(
            at_most(
                "E10",
                f"base level on screen after the view asks, {name}",
                1e3 * median([t.first_s for t in found]),
                limit,
                unit="ms",
                repeats=len(found),
                note=note,
            )
        )
    what = "round trips until the base level is on screen, HTTP, default budget"
    rows.append(at_most("E10", what, rounds_to_base(path), 2))
    return rows


def rounds_to_base(path: Path) -> int:
    """Count the round trips to the first picture at the budget of a user."""
    with _served(path, is_remote=True) as (uri, server):
        assert server is not None
        layer = layer_of(own_cache(open_source(uri)), (0, 4000))
        with view_of(layer, SIZE, gpu_budget=DEFAULT_GPU_BUDGET) as view:
            server.clear()
            server.add(Rule("*", "delay", seconds=ROUND_TRIP_S))
            view.camera = orbit((256,) * 3, SIZE, distance=1.4)
            rounds: list[int] = []
            view.wait_until_complete(60, on_base=lambda: rounds.append(server.n_rounds))
    return rounds[0]


def full_picture(setting: Setting) -> list[Row]:
    """E11."""
    path = _pyramid(setting, EDGE)
    rows = []
    for name, is_remote in (("local", False), ("HTTP, 50 ms", True)):
        ours, bare = [], []
        for _ in range(5):
            ours.append(once(path, EDGE, is_remote=is_remote, gpu_budget=FULL_BUDGET))
            bare.append(bare_read(path, ours[-1].n_chunks, is_remote=is_remote))
        rows += _full_rows(name, ours, bare, is_remote=is_remote)
    answer = ask_cellier(setting.peers, "cellier_reads", {"path": str(path)})
    if answer is not None:
        local = once(path, EDGE, is_remote=False, gpu_budget=FULL_BUDGET)
        rows.append(
            Row(
                "E11",
                "time to all data of the finest level, local",
                1e3 * local.full_s,
                unit="ms",
                limit="faster",
                reached=local.full_s < answer["seconds"],
                peer=f"{CELLIER} (reads alone)",
                theirs=1e3 * answer["seconds"],
            )
        )
    return rows


def _full_rows(
    name: str,
    ours: list[Timing],
    bare: list[tuple[float, float]],
    *,
    is_remote: bool,
) -> list[Row]:
    """Make the rows of one kind of storage: locally CPU counts, over HTTP the wall."""
    wall = median([t.full_s for t in ours]), median([w for w, _ in bare])
    cpu = median([t.cpu_s for t in ours]), median([c for _, c in bare])
    chunks = f"{ours[-1].n_chunks} storage chunks; frames are not counted"
    note = "{:.0f} ms against {:.0f} ms of tensorstore alone with the same chunks and"
    note += f" concurrency; {chunks}"
    what = f"{EDGE}³ on the GPU, submitted and carried out ÷ a bare reader, {name}"
    walls = [1e3 * s for s in wall]
    rows = []
    if is_remote:
        ratio = wall[0] / wall[1]
        rows.append(
            at_most("E11", what, ratio, 1.15, repeats=5, note=note.format(*walls))
        )
    else:
        spent = [1e3 * s for s in cpu]
        rows = [
            at_most(
                "E11",
                f"{what}, CPU",
                cpu[0] / cpu[1],
                1.6,
                repeats=5,
                note=note.format(*spent),
            ),
            Row(
                "E11",
                f"{what}, on the wall",
                wall[0] / wall[1],
                limit="≤ 1.25 on 4 cores",
                repeats=5,
                note=note.format(*walls),
            ),
        ]
    what = f"uploads of a brick, cold, {name}"
    sent = median([t.n_sent for t in ours])
    return [*rows, at_most("E11", what, sent, 1.05, repeats=5)]


def _pyramid(setting: Setting, edge: int = 256) -> Path:
    data = np.tile(light_sheet(256), (edge // 256,) * 3)
    levels = [data, halved(data), halved(halved(data))]
    return write_pyramid(setting.folder / "image.zarr", levels, 64)


@contextmanager
def _served(path: Path, *, is_remote: bool) -> Iterator[tuple[str, FaultServer | None]]:
    if not is_remote:
        yield str(path), None
        return
    delay = Rule("*", "delay", seconds=ROUND_TRIP_S)
    with FaultServer(path.parent, delay) as server:
        yield f"{server.url}/{path.name}", server


def once(
    path: Path,
    edge: int,
    *,
    is_remote: bool,
    gpu_budget: int,
    policy: LodPolicy = LEVEL_0,
) -> Timing:
    """Open, show and load once, in a view whose pipeline is warm.

    Parameters
    ----------
    path : Path
        Of the image.
    edge : int
        Voxels of level 0 along each axis; as many pixels are drawn.
    is_remote : bool
    gpu_budget : int
        Bytes of textures.
    policy : LodPolicy, optional
        Mostly all of level 0 is loaded.
    """
    with _served(path, is_remote=is_remote) as (uri, server):
        store = own_cache(open_source(uri))
        layer = layer_of(store, (0, 4000))
        size = (edge, edge)
        with view_of(layer, size, gpu_budget=gpu_budget, policy=policy) as view:
            _warm(view, size)
            if server is not None:
                server.clear()
                server.add(Rule("*", "delay", seconds=ROUND_TRIP_S))
            start, cpu_start = perf_counter(), process_time()
            view.set_layers([layer])
            view.camera = ortho((edge,) * 3, size)
            first: list[float] = []
            drawing: list[float] = []
            drawing_cpu: list[float] = []

            def on_base() -> None:
                before, cpu_before = perf_counter(), process_time()
                view.image()
                drawing.append(perf_counter() - before)
                drawing_cpu.append(process_time() - cpu_before)
                first.append(perf_counter() - start)

            done = view.wait_until_complete(60, on_base=on_base)
            # Until the device has carried out what it was given, textures included.
            fence(view)
            full = perf_counter() - start - sum(drawing)
            cpu = process_time() - cpu_start - sum(drawing_cpu)
            assert done
            n_chunks = store.manager.counters.decoded_chunks
            (renderer,) = view.manager.renderers
            atlas = renderer.bricks.atlas
            least = len(atlas.resident()) * atlas.layouts[0].slot_bytes
            rounds = server.n_rounds if server is not None else 0
    return Timing(first[0], full, cpu, rounds, n_chunks, atlas.upload_bytes / least)


def fence(view: OffscreenView) -> None:
    """Wait until the device has done all that it was given."""
    queue = view.gpu.device.queue
    queue.submit([])
    usage = wgpu.BufferUsage.COPY_SRC | wgpu.BufferUsage.COPY_DST
    queue.read_buffer(view.gpu.device.create_buffer(size=4, usage=usage))


def _warm(view: OffscreenView, size: tuple[int, int]) -> None:
    """Draw something else of the same kind first."""
    image = VirtualImage((256, 256, 256), n_levels=3, dtype="u2", is_hollow=False)
    other = layer_of(virtual_store(image))
    view.set_layers([other])
    view.camera = ortho((256,) * 3, size)
    view.wait_until_complete(60)
    view.image()
    other.store.close()


def bare_read(path: Path, n_chunks: int, *, is_remote: bool) -> tuple[float, float]:
    """Read the chunks of level 0, then of level 1, 2, with tensorstore alone.

    Returns
    -------
    wall_s, cpu_s : float
    """
    with _served(path, is_remote=is_remote) as (uri, _):
        arrays = []
        for level in ("0", "1", "2"):
            base = f"{uri}/{level}/" if is_remote else f"file://{uri}/{level}/"
            spec = {"driver": "zarr3", "kvstore": base}
            arrays.append(ts.open(spec, recheck_cached_data=False).result())
        boxes = [
            (array, z, y, x)
            for array in arrays
            for z in range(0, array.shape[0], 64)
            for y in range(0, array.shape[1], 64)
            for x in range(0, array.shape[2], 64)
        ][:n_chunks]

        def read(box: tuple[ts.TensorStore, int, int, int]) -> None:
            array, z, y, x = box
            array[z : z + 64, y : y + 64, x : x + 64].read().result()

        with ThreadPoolExecutor(16 if is_remote else 4) as pool:
            start, cpu_start = perf_counter(), process_time()
            list(pool.map(read, boxes))
            return perf_counter() - start, process_time() - cpu_start


def streaming_work(setting: Setting) -> list[Row]:
    """E13."""
    seconds = 60 if setting.is_full else 10
    upload, plan, n = stream(seconds)
    note = f"{n} frames of flight, so p99 is about the slowest one"
    late = (
        "software Vulkan draws on the same two cores: frames are late whatever streams;"
        " needs a GPU"
    )
    what = {"main-thread work of taking in chunks a frame": upload}
    what["the same of versions, plan, diff and requests"] = plan
    rows = []
    for name, (cpu, wall) in what.items():
        more = f"{note}; median {median(cpu):.1f} ms"
        rows.append(
            at_most(
                "E13",
                f"{name}, CPU of the thread, p99",
                p99(cpu),
                4,
                unit="ms",
                repeats=n,
                note=more,
            )
        )
        rows.append(
            Row("E13", f"{name}, on the wall, p99", p99(wall), unit="ms", repeats=n)
        )
    return [
        *rows,
        Row("E13", "late frames in 60 s", None, limit="0", note=late),
    ]


Times = tuple[list[float], list[float]]
"""Milliseconds of the thread's CPU and on the wall."""


def stream(seconds: float) -> tuple[Times, Times, int]:
    """Fly through a store that never runs dry; time uploads and plans of each frame."""
    shape = (20_000, 25_000, 20_000)
    store = virtual_store(VirtualImage(shape, is_hollow=False))
    upload: Times = ([], [])
    plan: Times = ([], [])
    with view_of(layer_of(store), (160, 120), gpu_budget=128 * MIB) as view:
        start = perf_counter()
        while (t := perf_counter() - start) < seconds or len(plan[0]) < FEWEST:
            distance = 0.15 + 0.5 * abs(1 - (t / 7) % 2)
            view.camera = orbit(shape, (160, 120), distance=distance, angle=t / 5)
            # A slice of no time: nothing is sent yet.
            _timed(plan, lambda: view.update(is_moving=True, slice_s=0.0))
            _timed(upload, view.manager.upload)
            view.image()
    cut = [tuple(values[5:] for values in times) for times in (upload, plan)]
    return cut[0], cut[1], len(plan[0]) - 5  # type: ignore[return-value]


def _timed(times: Times, work: Callable[[], object]) -> None:
    cpu, wall = thread_time(), perf_counter()
    work()
    times[0].append(1e3 * (thread_time() - cpu))
    times[1].append(1e3 * (perf_counter() - wall))
