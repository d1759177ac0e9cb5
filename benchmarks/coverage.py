"""E3, E15 and E16: what of the picture is there, and what was read in vain."""

from __future__ import annotations

from dataclasses import replace
from time import perf_counter, sleep

import numpy as np

from benchmarks.peers import ask_cellier
from benchmarks.rows import Row, Setting, at_most, exactly
from benchmarks.scenes import (
    MIB,
    Array,
    halved,
    layer_of,
    orbit,
    ortho,
    own_cache,
    view_of,
    virtual_store,
)
from brickfield.model import Int3
from brickfield.planning import EXPLORATION, LodPolicy
from brickfield.rendering import OffscreenView
from brickfield.sample import VirtualImage
from brickfield.sources import open_source

SIZE = (320, 240)
CLOSE = 0.2
"""Edges of the volume between camera and middle: most of it is out of sight."""
COARSER, EMPTY = 2, 3
VOLUMES: dict[str, Int3] = {
    "10 TB": (20_000, 25_000, 20_000),
    "100,000³": (100_000,) * 3,
    "1,000,000³": (1_000_000,) * 3,
}


def holes(setting: Setting) -> list[Row]:
    """E3."""
    n_views = n_empty = 0
    budgets = (64, 256, 1024) if setting.is_full else (64, 256)
    for shape in VOLUMES.values():
        for budget in budgets:
            for is_hollow in (True, False):
                n, empty = count_holes(
                    VirtualImage(shape, is_hollow=is_hollow), budget * MIB
                )
                n_views, n_empty = n_views + n, n_empty + empty
    answer = ask_cellier(setting.peers, "cellier_planning", {"edge": 2048})
    dropped = ""
    if answer is not None:
        dropped = (
            f"; cellier drops {answer['dropped']:.0%} of the bricks it sees at 2048³"
        )
    sizes = ", ".join(VOLUMES)
    return [
        exactly(
            "E3",
            "covered pixels without data from the base level on",
            n_empty,
            0,
            note=f"{n_views} pictures of {sizes}, sparse and dense, budgets of"
            f" {', '.join(map(str, budgets))} MiB, cameras inside, near and far, while"
            f" everything loads{dropped}",
        )
    ]


def count_holes(
    image: VirtualImage, gpu_budget: int, size: tuple[int, int] = SIZE
) -> tuple[int, int]:
    """Fly inwards while chunks arrive; count pictures and pixels without data."""
    store = virtual_store(image)
    n_pictures = n_empty = 0
    with view_of(layer_of(store), size, gpu_budget=gpu_budget) as view:
        view.camera = orbit(image.shape, size, distance=1.5)
        end = perf_counter() + 30
        while not view.has_base and perf_counter() < end:
            view.wait_until_complete(0.02)
        for distance in (1.5, 0.6, 0.1, 0.001):
            view.camera = orbit(image.shape, size, distance=distance, angle=distance)
            for _ in range(2):
                view.update()
                n_empty += int((view.classes() == EMPTY).sum())
                n_pictures += 1
    return n_pictures, n_empty


def sweep(setting: Setting) -> list[Row]:
    """E15: one second of turning, then rest; every read takes 50 ms, 16 at once."""
    wasted, n_twice, note = read_in_vain(1.0)
    what = "camera sweep of 1 s, then rest: "
    return [
        at_most(
            "E15",
            what + "share of the bytes read that the rest view does not need",
            wasted,
            0.05,
            note=note,
        ),
        exactly(
            "E15",
            what + "storage chunks read twice (still wanted, cancelled)",
            n_twice,
            0,
        ),
    ]


def read_in_vain(seconds: float) -> tuple[float, int, str]:
    """Return the share of bytes not needed at rest, and chunks read twice."""
    shape = (4096, 4096, 4096)
    store = virtual_store(
        VirtualImage(shape, is_hollow=False),
        ram_budget=1024 * MIB,
        delay_s=0.05,
        concurrency=16,
    )
    source = store.source
    with view_of(layer_of(store), SIZE, gpu_budget=128 * MIB) as view:
        view.camera = orbit(shape, SIZE, distance=CLOSE)
        view.wait_until_complete(60)
        before = set(source.reads)
        start = perf_counter()
        while (t := perf_counter() - start) < seconds:
            angle = 0.5 + 0.7 * t / seconds
            view.camera = orbit(shape, SIZE, distance=CLOSE, angle=angle)
            view.update(is_moving=True)
            # As on a screen of 60 Hz; nothing is drawn, a software frame takes too long.
            sleep(1 / 60)
        n_moving = len(source.reads)
        complete = view.wait_until_complete(60)
        (renderer,) = view.manager.renderers
        assert complete
        assert renderer.plan is not None
        needed = set()
        for level in range(store.pyramid.n_levels):
            keys = renderer.plan.keys[renderer.plan.levels == level]
            if len(keys):
                rows = store.manager.needed_storage_chunks(level, keys, ())
                needed |= {(level, tuple(r)) for r in rows.tolist()}
    read = set(source.reads) - before
    vain = sum(source.stored_bytes(*name) for name in read - needed)
    total = sum(source.stored_bytes(*name) for name in read)
    n_twice = sum(n > 1 for n in source.reads.values())
    note = (
        f"{len(read)} storage chunks read, {n_moving - len(before)} of them during the"
        f" sweep, {len(read - needed)} in vain; 50 ms a read, 16 at once"
    )
    return vain / max(1, total), n_twice, note


def steadiness(setting: Setting) -> list[Row]:
    """E16."""
    zoom_blank, zoom_coarser, n_zoom = zoom_in()
    time_blank, time_coarser, n_time = step_time()
    note = f"{n_zoom} pictures while zooming in, {n_time} while stepping time"
    return [
        exactly(
            "E16",
            "pixels that go blank while zooming in or stepping time",
            zoom_blank + time_blank,
            0,
            note=note,
        ),
        exactly(
            "E16",
            "pixels that go coarser while zooming in or stepping time",
            zoom_coarser + time_coarser,
            0,
        ),
    ]


def zoom_in() -> tuple[int, int, int]:
    """Zoom in by 1.25 at a time; compare the level of every pixel."""
    data = np.random.default_rng(0).integers(200, 250, (128, 384, 384), np.uint8)
    levels = [data, halved(data), halved(halved(data))]
    store = own_cache(open_source(levels))
    # Every value is drawn at full brightness, so that colours name levels.
    layer = layer_of(store, (0, 1), show_levels=True)
    size = (256, 256)
    blank = coarser = n = 0
    with view_of(layer, size, policy=replace(EXPLORATION, target_error_px=1.5)) as view:
        zoom, shape = 256 / 384 / 2.2, data.shape
        view.camera = ortho(shape, size, zoom)
        view.wait_until_complete(30)
        before = _levels(view)
        while zoom < 2:
            view.camera = ortho(shape, size, zoom * 1.25)
            seen_from = before
            for is_rest in (False, False, True):
                if is_rest:
                    view.wait_until_complete(30)
                else:
                    view.update(slice_s=0.002)
                now = _levels(view)
                blank += int((view.classes() == EMPTY).sum())
                coarser += _coarser(now, seen_from, 1.25)
                seen_from, n = (now, n + 1) if is_rest else (seen_from, n + 1)
            before = _levels(view)
            zoom *= 1.25
    return blank, coarser, n


COLORS = np.array(
    [(0.90, 0.62, 0.00), (0.34, 0.71, 0.91), (0.00, 0.62, 0.45), (0.94, 0.89, 0.26)]
)


def _levels(view: OffscreenView) -> Array:
    """Read the level of every pixel from its colour; 9 outside of the volume."""
    image = view.image()[..., :3] / 255
    distance = np.abs(image[:, :, None] - COLORS).max(axis=-1)
    found = distance.argmin(axis=-1)
    return np.where(image.max(axis=-1) < 0.1, 9, found)


def _coarser(now: Array, before: Array, zoom: float) -> int:
    """Count pixels whose level is coarser than at their place before the zoom."""
    h, w = now.shape
    rows = np.rint((np.arange(h) - (h - 1) / 2) / zoom + (h - 1) / 2).astype(int)
    columns = np.rint((np.arange(w) - (w - 1) / 2) / zoom + (w - 1) / 2).astype(int)
    # A pixel may have seen the coarser of two neighbours.
    padded = np.pad(before, 1, mode="edge")
    shifts = [padded[i : i + h, j : j + w] for i in range(3) for j in range(3)]
    was = np.max(shifts, axis=0)[np.ix_(rows, columns)]
    return int(((now > was) & (was < 9)).sum())


def step_time() -> tuple[int, int, int]:
    """Step through time; compare the class of every pixel with the one before."""
    image = VirtualImage((192, 192, 192), n_times=4, is_hollow=False)
    store = virtual_store(image, delay_s=0.01)
    layer = layer_of(store)
    blank = coarser = n = 0
    with view_of(layer, SIZE, policy=LodPolicy(target_error_px=1.5)) as view:
        view.camera = orbit(image.shape, SIZE, distance=1.4)
        view.wait_until_complete(30)
        before = view.classes()
        for t in (1, 2, 3):
            layer.selections = [(t,)]
            is_done = False
            while not is_done:
                is_done = view.wait_until_complete(0.01)
                now = view.classes()
                blank += int(((now == EMPTY) & (before != EMPTY)).sum())
                coarser += int(
                    ((now == COARSER) & (before < COARSER) & (before > 0)).sum()
                )
                n += 1
    return blank, coarser, n
