"""D1 to D3: 4D-STEM scans larger than memory: opening, passes, what is written.

Speeds are ratios to the file system within one run: to plain reads of the same file,
from the page cache and from the disk (the kernel is told to forget the file first),
and to a plain copy. Memory is the growth of a process of its own.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path

import numpy as np

from benchmarks.rows import ROOT, Row, Setting, at_least, at_most
from brickfield.stem4d import (
    ChunkedFFTProcessor,
    ConvertOptions,
    Disc,
    FFTOptions,
    LazyDataManager,
    LazyFFTAccessor,
    OverviewComputer,
    ScanViewer,
    convert_scan,
)
from brickfield.stem4d.overviews import OverviewOptions
from brickfield.testing.mib import MIBOptions, header, write_hdr, write_mib

MIB = 1 << 20
FIVE = ("scan", "sum", "max", "min", "com")
SPARSE = (1024, 1024, 256, 256)
OPENING = """
import json, sys, time
from threading import Event
start = time.perf_counter()
from brickfield.stem4d import LazyDataManager
def own():
    with open("/proc/self/status") as file:
        return next(int(r.split()[1]) for r in file if r.startswith("RssAnon"))
viewer = LazyDataManager.create_viewer(sys.argv[1], scan=(1024, 1024))
viewer.frame(512, 512)
found = {"first": time.perf_counter() - start}
before, cancel, begun = own(), Event(), time.perf_counter()
def preview(_image):
    found["preview"] = time.perf_counter() - begun
def progress(done, *_):
    found["own"] = max(found.get("own", 0), own() - before)
    if "preview" in found and time.perf_counter() - begun > found["preview"] + 2:
        cancel.set()
try:
    viewer.overview(
        "scan", stride=256, preview=preview, progress=progress, cancel=cancel
    )
except Exception as error:
    found["ended"] = str(error)
print(json.dumps(found))
"""
LIBERTEM = """
import sys, time
import numpy as np
try:
    import libertem.api as lt
except ImportError:
    print("[]")
    raise SystemExit
best = {}
for kind in ("inline", "threads"):  # the quicker of both counts
    with lt.Context.make_with(kind) as ctx:
        side = int(sys.argv[2])
        data = ctx.load("mib", path=sys.argv[1], nav_shape=(side, side))
        disc = ctx.create_disk_analysis(data, cx=127.5, cy=127.5, r=24)
        total = ctx.create_sum_analysis(data)
        for name, analysis in (("disc", disc), ("sum", total)):
            ctx.run(analysis)
            times = []
            for _ in range(3):
                start = time.perf_counter()
                ctx.run(analysis)
                times.append(time.perf_counter() - start)
            best[name] = min(float(np.median(times)), best.get(name, 1e9))
print([best["disc"], best["sum"]])
"""
ROSETTASCIIO = """
import sys, time
import numpy as np
try:
    from rsciio.quantumdetector import file_reader
except ImportError:
    print("[]")
    raise SystemExit
times = []
for _ in range(3):
    start = time.perf_counter()
    data = file_reader(sys.argv[1], lazy=True)[0]["data"]
    data.sum((-2, -1), dtype=np.uint64).compute()  # perhaps without a scan shape
    times.append(time.perf_counter() - start)
print([float(np.median(times[1:]))])
"""


def opening(setting: Setting) -> list[Row]:
    """D1."""
    path = setting.folder / "sparse.mib"
    ny, nx, h, w = SPARSE
    with path.open("wb") as file:
        head = header((h, w), MIBOptions())
        file.write(head)
        file.truncate(ny * nx * (len(head) + 2 * h * w))
    found = json.loads(_run(sys.executable, OPENING, path))
    note = f"{path.stat().st_size / 1e9:.0f} GB, sparse; imports included"
    return [
        at_most("D1", "first pattern", found["first"], 1, unit="s", note=note),
        at_most("D1", "preview of the overview", found["preview"], 2, unit="s"),
        at_most("D1", "own memory of a pass", found["own"] / 1024, 320, unit="MiB"),
    ]


def passes(setting: Setting) -> list[Row]:
    """D2."""
    path = _scan(setting)
    size = path.stat().st_size
    with LazyDataManager.create_viewer(path, cache="none") as viewer:
        rates = _rates(viewer, path, size)
        quick = viewer.binned()
        drag = _median(lambda: quick and quick.virtual(Disc(127.5, 127.5, 24)), 9)
    read, one = rates["read"], rates["scan"]
    note = f"{size / MIB:.0f} MiB; read {read / 1e9:.2f} GB/s; {_way()}; {_load()}"
    rows = [
        at_least("D2", "scan image ÷ read, from the page cache", one / read, 0.9,
                 note=note),
        at_least("D2", "scan image ÷ read, from the disk",
                 rates["cold scan"] / rates["cold read"], 0.9,
                 note=f"disk {rates['cold read'] / 1e9:.2f} GB/s"),
        at_most("D2", "five overviews in one pass ÷ one, time", one / rates["five"],
                1.5),
        at_most("D2", "drag on the binned copy", drag * 1e3, 16, unit="ms"),
    ]  # fmt: skip
    return rows + _beside_libertem(setting, path, rates, size)


def writing(setting: Setting) -> list[Row]:
    """D3."""
    path, out = _scan(setting), setting.folder / "scan.emd"
    size, plain = path.stat().st_size, setting.folder / "copy.bin"
    copies, conversions = [], []
    # The scan itself on disk first, and the way of conversions imported and compiled.
    os.sync()
    convert_scan(path, out, region=(0, 2, 0, 8))
    for _ in range(7):
        copies.append(_seconds(lambda: _copy(path, plain)))
        options = ConvertOptions(overwrite=True)
        conversions.append(
            _seconds(lambda how=options: convert_scan(path, out, options=how))
        )
    plain.unlink()
    ratio = float(np.median(copies) / np.median(conversions))
    note = f"copy {size / 1e9 / float(np.median(copies)):.2f} GB/s, synced; {_load()}"
    rows = [at_least("D3", "conversion ÷ copy, with overviews", ratio, 0.9, note=note)]
    return rows + _kept(out)


def _kept(path: Path) -> list[Row]:
    def opened() -> None:
        with LazyDataManager.create_viewer(path) as viewer:
            viewer.overview("scan")

    cached = _median(opened, 5)
    # First, so that scipy is loaded before the pass as it is before what it is
    # compared with.
    best = _best_fft_rate(path.with_name("rate.bin"), (256, 256))
    with LazyDataManager.create_viewer(path) as viewer:
        region = (slice(0, 32), slice(0, 32))
        options = FFTOptions("detector", region=region)
        processor = ChunkedFFTProcessor(viewer.cache, options)
        seconds = processor.compute_and_store_fft().seconds
        n_bytes = processor.plan().n_bytes
        with LazyFFTAccessor(viewer.cache, "detector") as stored:
            slice_s = _median(lambda: stored[3, 5], 9)
    note = f"{n_bytes / 1e9 / seconds:.2f} GB/s of spectrum; {_load()}"
    return [
        at_most("D3", "opening with its kept overview", cached, 0.3, unit="s"),
        at_most("D3", "a slice of a kept transform", slice_s * 1e3, 50, unit="ms"),
        at_least("D3", "FFT pass ÷ min(scipy, write)", n_bytes / seconds / best, 0.75,
                 note=note),
    ]  # fmt: skip


def _scan(setting: Setting) -> Path:
    """Write a scan of noise, 128 or 1,024 MiB."""
    path = setting.folder / "scan.mib"
    side = 64 if setting.is_full else 32
    frames = np.random.default_rng(0).poisson(5, (side, 256, 256)).astype(np.uint16)
    about = {
        "Frames in Acquisition (Number)": side * side,
        "Frames per Trigger (Number)": 1,
        "ScanX": side,
        "ScanY": side,
    }
    write_hdr(path.with_suffix(".hdr"), **about)
    if not path.exists():
        write_mib(path, np.concatenate([frames] * side))
    return path


def _rates(viewer: ScanViewer, path: Path, size: int) -> dict[str, float]:
    """Return bytes a second, measured in turns; medians of nine."""

    def overviews(*items: str) -> object:
        computer = OverviewComputer(viewer.opened.data, viewer.options)
        return computer.compute(OverviewOptions(items))

    jobs: dict[str, Callable[[], object]] = {
        "read": lambda: _read(path),
        "scan": lambda: overviews("scan"),
        "sum": lambda: overviews("sum"),
        "five": lambda: overviews(*FIVE),
        "disc": lambda: viewer.virtual(Disc(127.5, 127.5, 24)),
        "cold read": lambda: _read(path),
        "cold scan": lambda: overviews("scan"),
    }
    times: dict[str, list[float]] = {name: [] for name in jobs}
    for _ in range(9):
        for name, job in jobs.items():
            if name.startswith("cold"):
                _forget(path)
            times[name].append(_seconds(job))
    return {name: size / float(np.median(found)) for name, found in times.items()}


def _beside_libertem(
    setting: Setting, path: Path, rates: dict[str, float], size: int
) -> list[Row]:
    if setting.peers is None:
        return []
    side = 64 if setting.is_full else 32
    asked = (
        (LIBERTEM, "LiberTEM", (("disc", 4.0), ("sum", 1.2))),
        (ROSETTASCIIO, "rosettasciio", (("scan", 1.2),)),
    )
    rows = []
    for code, peer, names in asked:
        try:
            found = json.loads(_run(str(setting.peers), code, path, str(side)))
        except (subprocess.CalledProcessError, ValueError):
            continue
        rows += [
            at_least("D2", f"{name} ÷ {peer}", seconds * rates[name] / size,
                     limit, peer=peer)
            for (name, limit), seconds in zip(names, found, strict=False)
        ]  # fmt: skip
    return rows


def _best_fft_rate(path: Path, shape: tuple[int, int]) -> float:
    """Return the lesser of what scipy transforms and the disk takes, bytes a second."""
    from scipy import fft

    patterns = np.random.default_rng(0).random((64, *shape)).astype(np.float32)
    spectrum = fft.fft2(patterns)
    workers = max(2, os.cpu_count() or 1)
    compute = _median(lambda: fft.fft2(patterns, workers=workers), 5)
    blob = spectrum.tobytes()

    def write() -> None:
        with path.open("wb") as file:
            file.write(blob)
            file.flush()
            os.fsync(file.fileno())

    return len(blob) / max(compute, _median(write, 3))


def _read(path: Path) -> None:
    buffer = memoryview(bytearray(4 * MIB))
    with path.open("rb", buffering=0) as file:
        while file.readinto(buffer):
            pass


def _copy(path: Path, target: Path) -> None:
    with path.open("rb") as source, target.open("wb") as copy:
        shutil.copyfileobj(source, copy, 4 * MIB)
        copy.flush()
        os.fsync(copy.fileno())


def _forget(path: Path) -> None:
    with path.open("rb") as file:
        os.fsync(file.fileno())
        os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)


def _seconds(job: Callable[[], object]) -> float:
    start = time.perf_counter()
    job()
    return time.perf_counter() - start


def _median(job: Callable[[], object], n: int) -> float:
    job()
    return float(np.median([_seconds(job) for _ in range(n)]))


def _way() -> str:
    return "with numba" if find_spec("numba") else "without numba"


def _load() -> str:
    return f"load {os.getloadavg()[0]:.1f}"


def _run(python: str, code: str, path: Path, *more: str) -> str:
    command = [python, "-c", code, str(path), *more]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    return done.stdout.strip().splitlines()[-1]
