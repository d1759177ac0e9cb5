"""E19: how fluently a live view answers a hand that turns a volume."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field, replace
from time import monotonic, perf_counter, process_time
from typing import Any

import numpy as np

from benchmarks.clock import median
from benchmarks.rows import Row, Setting, at_least, at_most
from benchmarks.scenes import (
    MIB,
    halved,
    layer_of,
    light_sheet,
    orbit,
    own_cache,
    write_pyramid,
)
from brickfield.sources import open_source
from brickfield.store import LayerSnapshot
from brickfield.viewer.live.drawing.drawer import LiveDrawer
from brickfield.viewer.live.frame_state import FrameState, ViewReport
from brickfield.viewer.live.framing import REST_AFTER_S

EDGE = 512
SIZE = (686, 516)
TURN = 0.03
"""Radians between two camera changes."""
N_RESTS = 3


@dataclass
class Told:
    """Pictures of a drawer, and when each was there."""

    images: list[tuple[float, bool]] = field(default_factory=list)

    def __call__(self, report: ViewReport) -> None:
        """Take a report."""
        if report.image is not None:
            self.images.append((perf_counter(), report.is_complete))


def fluency(setting: Setting) -> list[Row]:
    """E19."""
    data = np.clip(light_sheet(EDGE) / 13, 0, 255).astype(np.uint8)
    levels = [data]
    while levels[-1].shape[0] > 64:
        levels.append(halved(levels[-1]))
    path = write_pyramid(setting.folder / "image.zarr", levels, 64)
    layer = layer_of(own_cache(open_source(path), 512 * MIB), (0, 255))
    told = Told()
    drawer = LiveDrawer(told, lambda: None)
    try:
        return _turned(drawer, told, layer, 150 if setting.is_full else 60)
    finally:
        drawer.close()
        layer.store.close()


def _turned(drawer: LiveDrawer, told: Told, layer: Any, n: int) -> list[Row]:
    state = FrameState(
        layers=(LayerSnapshot.of(layer),),
        camera=orbit((EDGE,) * 3, SIZE, distance=1.4),
        size=SIZE,
        is_shown=True,
    )
    _settle(drawer, told, state)
    answers, efforts = [], Counter[str]()
    # The first second finds out what the device can do; it is not counted.
    for i in range(n + 20):
        if i == 20:
            start, cpu = perf_counter(), process_time()
        state = _moved(state, i)
        began = perf_counter()
        _until_shown(drawer, told, state)
        if i >= 20:
            answers.append(1e3 * (perf_counter() - began))
            shown = drawer._painter.shown
            efforts[f"scale {shown.scale}, {shown.coarser} coarser"] += 1
    wall, cpu = perf_counter() - start, process_time() - cpu
    settled = []
    for i in range(n + 20, n + 20 + N_RESTS):
        state = _moved(state, i)
        _until_shown(drawer, told, state)
        state = replace(state, moving_until=monotonic() + REST_AFTER_S)
        settled.append(_settle(drawer, told, state))
    note = (
        f"{EDGE}³ uint8, mip, {SIZE[0]} × {SIZE[1]}, software Vulkan; CPU of all threads"
        f" {1e3 * cpu / n:.0f} ms a picture; {efforts.most_common(1)[0][0]}"
    )
    what = f"turning {EDGE}³"
    return [
        at_least(
            "E19", f"{what}: pictures a second", n / wall, 20, repeats=n, note=note
        ),
        at_most(
            "E19",
            f"{what}: camera change to first picture, median",
            median(answers),
            60,
            unit="ms",
            repeats=n,
            note=f"p99 {np.percentile(answers, 99):.0f} ms",
        ),
        at_most(
            "E19",
            f"{what}: hand at rest to the final picture",
            median(settled),
            0.8,
            unit="s",
            repeats=N_RESTS,
            note=f"{REST_AFTER_S} s of it pass until the hand counts as resting",
        ),
    ]


def _moved(state: FrameState, i: int) -> FrameState:
    camera = orbit((EDGE,) * 3, SIZE, distance=1.4, angle=0.5 + TURN * (i + 1))
    return replace(state, camera=camera, moving_until=monotonic() + REST_AFTER_S)


def _until_shown(drawer: LiveDrawer, told: Told, state: FrameState) -> None:
    drawer.take(state)
    n, end = len(told.images), perf_counter() + 60
    while len(told.images) == n and perf_counter() < end:
        drawer.step()


def _settle(drawer: LiveDrawer, told: Told, state: FrameState) -> float:
    """Step until the final picture is there; return the seconds it took."""
    drawer.take(state)
    start = perf_counter()
    told.images.clear()
    while perf_counter() < start + 120:
        drawer.step()
        is_over = monotonic() >= state.moving_until
        if is_over and told.images and told.images[-1][1] and not drawer._was_moving:
            break
    return perf_counter() - start
