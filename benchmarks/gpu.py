"""What only a machine with a GPU can tell: memory, readback, frames and compiling.

    python -m benchmarks.gpu [--seconds 60] [--repeats 60] [--json FILE]

It runs on software Vulkan as well, with smaller pictures and a smaller volume, so that
it ends within minutes; its figures say nothing about a GPU then. Without NVML the
driver's own count of memory is left out.
"""

from __future__ import annotations

import argparse
import ctypes
import json
import tempfile
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from time import perf_counter
from typing import Any

import numpy as np

from benchmarks.clock import median, p99
from benchmarks.report import machine, print_table
from benchmarks.rows import Row, Setting, at_least, at_most
from benchmarks.scenes import MIB, layer_of, orbit, view_of, virtual_store
from benchmarks.window import picture_parts, row_of
from brickfield.rendering import OffscreenView
from brickfield.sample import VirtualImage

LATE_MS = 1e3 / 30
ALIGNED = 256
"""Bytes at multiples of which a device writes the answers to queries."""
MODES = ("mip", "average", "attenuated_mip", "translucent", "iso", "additive")


@dataclass(frozen=True)
class Amount:
    """How much is drawn.

    Attributes
    ----------
    edge : int
        Of the volume that is turned, voxels.
    sizes : tuple of tuple of int
        Width and height of the pictures that are read back, pixels.
    screen : tuple of int
        Of all other pictures.
    budgets : tuple of int
        GPU budgets, bytes.
    threads : tuple of int
        Threads that read during a flight.
    seconds : float
        Of each flight.
    repeats : int
        Pictures a row.
    """

    edge: int
    sizes: tuple[tuple[int, int], ...]
    screen: tuple[int, int]
    budgets: tuple[int, ...]
    threads: tuple[int, ...]
    seconds: float
    repeats: int


HARDWARE = Amount(
    edge=512,
    sizes=((800, 600), (1280, 720), (1920, 1080), (3840, 2160)),
    screen=(1920, 1080),
    budgets=(256 * MIB, 1024 * MIB),
    threads=(4, 8, 16),
    seconds=60.0,
    repeats=60,
)
SOFTWARE = Amount(
    edge=128,
    sizes=((320, 240), (640, 480)),
    screen=(320, 240),
    budgets=(64 * MIB,),
    threads=(4, 16),
    seconds=5.0,
    repeats=8,
)


def amount_for(adapter_type: str) -> Amount:
    """Choose how much is drawn.

    Parameters
    ----------
    adapter_type : str
        As wgpu calls it: "CPU" for software Vulkan.
    """
    return SOFTWARE if adapter_type == "CPU" else HARDWARE


class DriverMemory:
    """The memory of the first GPU as NVIDIA's driver counts it, through NVML."""

    def __init__(self) -> None:
        self._library: Any = None
        self._device = ctypes.c_void_p()
        try:
            library = ctypes.CDLL("libnvidia-ml.so.1")
        except OSError:
            return
        if library.nvmlInit_v2() == 0 and not library.nvmlDeviceGetHandleByIndex_v2(
            0, ctypes.byref(self._device)
        ):
            self._library = library

    def used(self) -> int | None:
        """Return the bytes in use by all processes; None without NVML."""
        if self._library is None:
            return None
        found = (ctypes.c_ulonglong * 3)()  # total, free, used
        failed = self._library.nvmlDeviceGetMemoryInfo(
            self._device, ctypes.byref(found)
        )
        return None if failed else int(found[2])


class FrameTimer:
    """Times what the device does between two marks, by timestamp queries.

    Parameters
    ----------
    device : wgpu.GPUDevice
    """

    def __init__(self, device: Any) -> None:
        self._device = device
        self.is_exact = "timestamp-query" in device.features
        if self.is_exact:
            self._marks = device.create_query_set(type="timestamp", count=4)
            usage = 0x0004 | 0x0008 | 0x0200  # COPY_SRC, COPY_DST, QUERY_RESOLVE
            self._ticks = device.create_buffer(size=2 * ALIGNED, usage=usage)

    def mark(self, number: int) -> None:
        """Submit an empty pass that notes the time; submissions keep their order."""
        if not self.is_exact:
            return
        encoder = self._device.create_command_encoder()
        first = 2 * number
        writes = {
            "query_set": self._marks,
            "beginning_of_pass_write_index": first,
            "end_of_pass_write_index": first + 1,
        }
        encoder.begin_compute_pass(timestamp_writes=writes).end()
        encoder.resolve_query_set(self._marks, first, 2, self._ticks, ALIGNED * number)
        self._device.queue.submit([encoder.finish()])

    def elapsed_ms(self) -> float | None:
        """Return the milliseconds from the first mark to the second; None if unknown."""
        if not self.is_exact:
            return None
        ticks = np.frombuffer(self._device.queue.read_buffer(self._ticks), np.uint64)
        end, begin = int(ticks[ALIGNED // 8]), int(ticks[1])
        return (end - begin) / 1e6


def memory(driver: DriverMemory, amount: Amount) -> list[Row]:
    """Compare the driver's count with what the view says of itself."""
    rows, size = [], amount.screen
    for budget in amount.budgets:
        before = driver.used()
        store = virtual_store(VirtualImage((4096,) * 3, is_hollow=False))
        with view_of(layer_of(store), size, gpu_budget=budget) as view:
            view.camera = orbit((4096,) * 3, size, distance=0.7)
            view.wait_until_complete(60)
            view.image()
            own, after = view.manager.gpu_bytes, driver.used()
        what = f"GPU memory of a view with a budget of {budget // MIB} MiB"
        if before is None or after is None:
            row = Row("G1", what, None, note=f"no NVML; {own / MIB:.0f} MiB by itself")
        else:
            ratio = (after - before) / max(own, 1)
            note = f"{(after - before) / MIB:.0f} MiB by NVML, pictures included"
            row = at_most("G1", f"{what}: driver ÷ own count", ratio, 1.25, note=note)
        rows.append(row)
    return rows


def readback(amount: Amount) -> list[Row]:
    """Divide a picture into drawing, reading back and painting."""
    rows, edge = [], amount.edge
    for size in amount.sizes:
        with _Loaded(edge, size) as view:
            parts = picture_parts(
                view, partial(_camera, edge, size), size, amount.repeats
            )
        rows.append(row_of("G2", size, parts, 0.25))
    return rows


def intervals(amount: Amount) -> list[Row]:
    """Fly while several threads read; look at the gaps between frames."""
    rows = []
    shape, size, seconds = (20_000, 25_000, 20_000), amount.screen, amount.seconds
    for threads in amount.threads:
        store = virtual_store(VirtualImage(shape, is_hollow=False), concurrency=threads)
        gaps: list[float] = []
        with view_of(layer_of(store), size, gpu_budget=amount.budgets[-1]) as view:
            start = last = perf_counter()
            while (t := last - start) < seconds:
                distance = 0.15 + 0.5 * abs(1 - (t / 7) % 2)
                view.camera = orbit(shape, size, distance=distance, angle=t / 5)
                view.update(is_moving=True)
                view.image()
                now = perf_counter()
                gaps.append(1e3 * (now - last))
                last = now
        late = sum(gap > LATE_MS for gap in gaps[5:])
        note = f"{len(gaps)} frames in {seconds:.0f} s, {late} later than 1/30 s"
        what = (
            f"gap between frames in a flight, {_named(size)}, {threads} reading threads,"
            " p99"
        )
        row = at_most("G3", what, p99(gaps[5:] or gaps), LATE_MS, unit="ms", note=note)
        rows.append(row)
    return rows


def frames(amount: Amount) -> list[Row]:
    """Turn a volume: frames a second, and what the device takes for one."""
    size, edge, n = amount.screen, amount.edge, amount.repeats
    with _Loaded(edge, size) as view:
        timer = FrameTimer(view.gpu.device)
        took: list[float] = []
        for i in range(n):
            view.camera = _camera(edge, size, i)
            timer.mark(0)
            view.draw()
            timer.mark(1)
            exact = timer.elapsed_ms()
            took += [] if exact is None else [exact]
        start = perf_counter()
        for i in range(n):
            view.camera = _camera(edge, size, i)
            view.update(is_moving=True)
            view.image()
        rate = n / (perf_counter() - start)
    what = f"turning {edge}³ at {_named(size)}, all pixels, finest level"
    rows = [at_least("G4", f"{what}: pictures a second", rate, 60, repeats=n)]
    if took:
        what = f"{what}: time on the device, timestamp queries, median"
        rows.append(at_most("G4", what, median(took), 1e3 / 60, unit="ms", repeats=n))
    else:
        rows.append(Row("G4", f"{what}: time on the device", None, note="no queries"))
    return rows


def compiling(amount: Amount) -> list[Row]:
    """Time the first picture of each mode against the second."""
    rows, edge, size = [], amount.edge, amount.sizes[0]
    for mode in MODES:
        with _Loaded(edge, size, mode) as view:
            times = []
            for i in range(3):
                view.camera = _camera(edge, size, i)
                start = perf_counter()
                view.image()
                times.append(1e3 * (perf_counter() - start))
        what = f"compiling {mode}: first picture less the third"
        rows.append(Row("G5", what, max(0.0, times[0] - times[2]), unit="ms"))
    return rows


def _named(size: tuple[int, int]) -> str:
    return f"{size[0]} × {size[1]}"


class _Loaded:
    """A view of a volume whose chunks are all there."""

    def __init__(self, edge: int, size: tuple[int, int], mode: str = "mip") -> None:
        store = virtual_store(VirtualImage((edge,) * 3, is_hollow=False))
        layer = layer_of(store, mode=mode)
        self._opened = view_of(layer, size, gpu_budget=1024 * MIB)
        self._edge, self._size = edge, size

    def __enter__(self) -> OffscreenView:
        view = self._opened.__enter__()
        view.camera = _camera(self._edge, self._size, 0)
        if not view.wait_until_complete(120):
            msg = (
                f"expected all chunks of {self._edge}³ within 120 s; found some missing:"
                " run it when the machine is less busy"
            )
            raise TimeoutError(msg)
        return view

    def __exit__(self, *error: object) -> None:
        self._opened.__exit__(*error)


def _camera(edge: int, size: tuple[int, int], i: int) -> Any:
    return orbit((edge,) * 3, size, distance=1.4, angle=0.5 + 0.03 * i)


def measure(amount: Amount) -> list[Row]:
    """Take all measurements of this page, and E11 beside them."""
    from benchmarks.latency import full_picture

    rows = memory(DriverMemory(), amount)
    rows += readback(amount) + intervals(amount) + frames(amount) + compiling(amount)
    with tempfile.TemporaryDirectory(prefix="brickfield-gpu-") as folder:
        rows += full_picture(Setting(Path(folder)))
    return rows


def main() -> int:
    """Measure, print the table, and write it where that is wanted."""
    from brickfield.gpu import get_device

    amount = amount_for(get_device().device.adapter.info["adapter_type"])
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.gpu", description=__doc__
    )
    parser.add_argument(
        "--seconds", type=float, default=amount.seconds, help="of each flight"
    )
    parser.add_argument(
        "--repeats", type=int, default=amount.repeats, help="pictures a row"
    )
    parser.add_argument("--json", metavar="FILE", help="write the rows there")
    options = parser.parse_args()
    rows = measure(replace(amount, seconds=options.seconds, repeats=options.repeats))
    print_table(rows, {})
    if options.json:
        value = {"about": machine(), "rows": [row.as_dict() for row in rows]}
        Path(options.json).write_text(json.dumps(value, indent=2) + "\n")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
