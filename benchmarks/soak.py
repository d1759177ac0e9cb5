"""R6: thousands of moves, and what of the process grows with them."""

from __future__ import annotations

import threading
from dataclasses import dataclass

import numpy as np

from benchmarks.clock import resident
from benchmarks.rows import Row, Setting, at_most
from benchmarks.scenes import MIB, layer_of, orbit, view_of, virtual_store
from brickfield.sample import VirtualImage
from brickfield.testing.textures import LivingTextures, StagedBytes

SHAPE = (20_000, 25_000, 20_000)
SIZE = (96, 72)
RAM, GPU = 256 * MIB, 128 * MIB
PER_PICTURE = 3
"""Moves for each picture that is drawn, which on software Vulkan takes most time."""
LOOKS = 60
"""How often the process is looked at."""
SETTLED = 1 / 3
"""Share of the flight until caches and the driver's heaps are full."""


@dataclass(frozen=True)
class Soak:
    """What was seen of the process while a camera moved.

    Attributes
    ----------
    moves : list of int
        When the process was looked at.
    rss : list of int
        Resident bytes then, of everything.
    threads, handles : list of int
    peak_staged, peak_textures : int
        Bytes, at any time.
    """

    moves: list[int]
    rss: list[int]
    threads: list[int]
    handles: list[int]
    peak_staged: int
    peak_textures: int

    @property
    def slope(self) -> float:
        """Bytes that each move adds once the caches are full, by a line through all."""
        rows = np.array(self.moves) > SETTLED * self.moves[-1]
        line = np.polyfit(np.array(self.moves)[rows], np.array(self.rss)[rows], 1)
        return float(line[0])


def soak(setting: Setting) -> list[Row]:
    """R6."""
    n = 6000 if setting.is_full else 3000
    found = fly(n)
    first, last = found.rss[int(SETTLED * len(found.rss))], found.rss[-1]
    note = (
        f"through 10 TB, {n // PER_PICTURE} pictures, RAM budget {RAM // MIB} MiB, GPU"
        f" {GPU // MIB} MiB (here in RAM, too); {first / MIB:.0f} MiB after"
        f" {n // 3} moves, {last / MIB:.0f} at the end, {max(found.rss) / MIB:.0f} at"
        " most"
    )
    return [
        at_most(
            "R6",
            f"resident memory that 1,000 moves add, the last two thirds of {n:,} moves",
            1000 * found.slope / MIB,
            0.02 * RAM / MIB,
            unit="MiB",
            note=note,
        ),
        at_most(
            "R6",
            "threads and open files more at the end than after a third of the moves",
            _growth(found.threads) + _growth(found.handles),
            0,
        ),
        at_most(
            "R6",
            "bytes on their way to the device at once, peak",
            found.peak_staged / MIB,
            16,
            unit="MiB",
            note="written to textures and buffers and not submitted",
        ),
        at_most(
            "R6", "living textures ÷ GPU budget, peak", found.peak_textures / GPU, 1.0
        ),
    ]


def _growth(counts: list[int]) -> int:
    return counts[-1] - max(counts[: int(SETTLED * len(counts)) + 1])


def fly(n_moves: int) -> Soak:
    """Move and draw so often.

    Parameters
    ----------
    n_moves : int
    """
    import psutil

    process = psutil.Process()
    store = virtual_store(VirtualImage(SHAPE, is_hollow=False), ram_budget=RAM)
    moves: list[int] = []
    rss: list[int] = []
    threads: list[int] = []
    handles: list[int] = []
    with (
        view_of(layer_of(store), SIZE, gpu_budget=GPU) as view,
        LivingTextures(view.gpu.device) as living,
        StagedBytes(view.gpu.device.queue) as staged,
    ):
        for i in range(n_moves):
            t = 0.06 * i
            distance = 0.15 + 0.5 * abs(1 - (t / 7) % 2)
            view.camera = orbit(SHAPE, SIZE, distance=distance, angle=t / 5)
            view.update(is_moving=True)
            if i % PER_PICTURE == 0:
                view.image()
            if i % max(1, n_moves // LOOKS) == 0 or i == n_moves - 1:
                moves.append(i)
                rss.append(sum(resident()))
                threads.append(threading.active_count())
                handles.append(process.num_fds())
    return Soak(moves, rss, threads, handles, staged.peak_bytes, living.peak_bytes)
