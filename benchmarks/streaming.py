"""S1: frames to disk beside ome-writers, what `append` takes, and the memory it uses.

The same noisy frames in order go through ome-writers with its tensorstore backend and
through :class:`StreamWriter` without coarser levels, turn by turn in one run, each
until all is closed. Ours has then synced its files, ome-writers has synced each. Both
have memory for all frames, which ome-writers takes without being asked.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.rows import ROOT, Row, Setting, at_least, at_most, exactly
from brickfield.streaming import StreamWriter

CHUNKS = (16, 256, 256)
EDGE = 1024
LEAST_RATIO = {"none": 1.1, "blosc": 1.0}
BUFFER = 64 << 20
ALLOWED = BUFFER + (64 << 20)
MIB = 1 << 20
MEMORY = """
import sys, resource
import numpy as np
from brickfield.streaming import StreamWriter
frame = np.random.default_rng(0).integers(0, 4000, (1024, 1024)).astype(np.uint16)
def write(name, n):
    with StreamWriter(f"{sys.argv[1]}/{name}", (None, 16, 1024, 1024), "tzyx",
                      buffer=64 << 20) as writer:
        for _ in range(n):
            writer.append(frame)
write("warm", 1)
before = int(open("/proc/self/statm").read().split()[1]) * resource.getpagesize()
write("a", int(sys.argv[2]))
lines = dict(line.split(":", 1) for line in open("/proc/self/status"))
print(max(0, int(lines["VmHWM"].split()[0]) * 1024 - before))
"""


def stream(setting: Setting) -> list[Row]:
    """S1."""
    n = 128 if setting.is_full else 64
    rows = [row for kind in LEAST_RATIO for row in _rate(kind, n, setting)]
    return rows + _steady(setting) + _memory(setting)


def frames_of(n: int, edge: int) -> np.ndarray:
    """Return frames with the noise of photons, shape (n, edge, edge), uint16."""
    rng = np.random.default_rng(0)
    y, x = np.ogrid[:edge, :edge]
    mean = 200 + 150 * np.sin(x / 37) * np.cos(y / 53)
    few = [rng.poisson(mean).astype(np.uint16) for _ in range(8)]
    return np.stack([few[i % 8] for i in range(n)])


def ours(path: Path, data: np.ndarray, compressor: str) -> tuple[float, dict[str, Any]]:
    """Write frames with the stream; return seconds and its counts."""
    start = time.perf_counter()
    with StreamWriter(
        path,
        data.shape,
        "zyx",
        chunks=CHUNKS,
        compressor=compressor,
        levels=1,
        buffer=2 * data.nbytes,
    ) as writer:
        for frame in data:
            writer.append(frame)
    return time.perf_counter() - start, writer.stats()


def theirs(path: Path, data: np.ndarray, compressor: str) -> tuple[float, float]:
    """Write frames with ome-writers; return seconds, and p99 of a frame's, ms."""
    import ome_writers

    names = zip("zyx", data.shape, CHUNKS, strict=True)
    settings = ome_writers.AcquisitionSettings(
        root_path=str(path),
        dimensions=[
            ome_writers.Dimension(name=a, count=n, type="space", chunk_size=c)
            for a, n, c in names
        ],
        dtype="uint16",
        compression=None if compressor == "none" else "blosc-zstd",
        format={"name": "ome-zarr", "backend": "tensorstore"},
    )
    frames_ms = []
    start = time.perf_counter()
    with ome_writers.create_stream(settings) as open_stream:
        for frame in data:
            began = time.perf_counter()
            open_stream.append(frame)
            frames_ms.append(1e3 * (time.perf_counter() - began))
    return time.perf_counter() - start, float(np.percentile(frames_ms, 99))


def _rate(compressor: str, n: int, setting: Setting) -> list[Row]:
    data, mine, peers, stats = frames_of(n, EDGE), [], [], {}
    mine_p99, peers_p99 = [], []
    for i in range(7 if setting.is_full else 5):
        place = setting.folder / f"{compressor}{i}"
        place.mkdir()
        took, stats = ours(place / "ours.ome.zarr", data, compressor)
        mine.append(took)
        mine_p99.append(stats["append_ms"]["p99"])
        try:
            took, p99 = theirs(place / "theirs.ome.zarr", data, compressor)
            peers.append(took)
            peers_p99.append(p99)
        except ImportError:
            peers = []
        shutil.rmtree(place)
    rate = data.nbytes / 1e6 / float(np.median(mine))
    n_chunks = int(
        np.prod([-(-a // b) for a, b in zip(data.shape, CHUNKS, strict=True)])
    )
    written = stats["chunks_written"] / n_chunks
    what = f"storage chunks written, in order, {compressor}"
    rows = [exactly("S1", what, written, 1.0, unit="x")]
    what = f"{n} frames of {EDGE}² to disk, {compressor}"
    if not peers:
        return [*rows, Row("S1", what, rate, "MB/s", note="without ome-writers")]
    ratios = [b / a for a, b in zip(mine, peers, strict=True)]
    row = at_least(
        "S1",
        f"{what}: rate beside ome-writers",
        float(np.median(ratios)),
        LEAST_RATIO[compressor],
        unit="x",
        peer="ome-writers (tensorstore)",
        theirs=1.0,
        repeats=len(ratios),
        note=f"{rate:.0f} MB/s; {min(ratios):.2f} to {max(ratios):.2f}",
    )
    slowest = at_most(
        "S1",
        f"{what}, as fast as it goes: append p99 beside ome-writers",
        float(np.median(mine_p99) / np.median(peers_p99)),
        1.0,
        unit="x",
        peer="ome-writers (tensorstore)",
        theirs=1.0,
        repeats=len(peers),
        note=f"{np.median(mine_p99):.1f} ms beside {np.median(peers_p99):.1f} ms",
    )
    return [*rows, row, slowest]


def _steady(setting: Setting) -> list[Row]:
    """Measure what `append` takes at 30 frames a second of 2048²."""
    n, edge, fps = (150 if setting.is_full else 60), 2048, 30
    frame = frames_of(1, edge)[0]
    with StreamWriter(
        setting.folder / "steady.ome.zarr", (None, 16, edge, edge), "tzyx",
        buffer="512 MiB",
    ) as writer:  # fmt: skip
        start = time.perf_counter()
        for i in range(n):
            time.sleep(max(0.0, start + i / fps - time.perf_counter()))
            writer.append(frame)
        late_s = time.perf_counter() - start - n / fps
        stats = writer.stats()
    shutil.rmtree(setting.folder / "steady.ome.zarr")
    row = at_most(
        "S1",
        f"append of a {edge}² frame at {fps} a second, p99",
        stats["append_ms"]["p99"],
        5.0,
        unit="ms",
        repeats=n,
        note=f"median {stats['append_ms']['median']:.1f} ms; waited"
        f" {stats['waited_s']:.2f} s; behind at the end {max(0.0, late_s):.2f} s",
    )
    return [row]


def _memory(setting: Setting) -> list[Row]:
    n = "320" if setting.is_full else "160"
    command = [sys.executable, "-c", MEMORY, str(setting.folder), n]
    ended = subprocess.run(
        command, capture_output=True, text=True, check=True, cwd=ROOT
    )
    what = f"memory of {n} frames of 1024², buffer 64 MiB, all levels"
    return [at_most("S1", what, int(ended.stdout) / MIB, ALLOWED / MIB, unit="MiB")]
