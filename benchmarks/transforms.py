"""T1: turned volumes beside scipy and ngff-zarr, cancelling, and the memory of baking.

The same volume (float32, with structure and noise) is turned by 15 degrees about y by
``scipy.ndimage`` on the whole and by our blocks on one thread, in turns; then an image
on disk is turned and written by ``bake`` and by ngff-zarr's ``resample``. Memory is the
growth of a process of its own.
"""

from __future__ import annotations

import json
import subprocess
import sys
import threading
import time
from importlib.util import find_spec
from pathlib import Path

import numpy as np

from benchmarks.peers import ask, find_peers
from benchmarks.rows import ROOT, Row, Setting, at_least, at_most, exactly
from brickfield.sources import from_arrays
from brickfield.transforms import Move, TransformManager, bake
from brickfield.transforms import RotationTransformWorker as Turn
from brickfield.transforms.operations import trilinear

BUDGET = 128 << 20
ALLOWED = BUDGET + (64 << 20)
MIB = 1 << 20
DEGREES = 15.0
MEMORY = """
import sys, resource
import numpy as np
from brickfield.sample.virtual import VirtualImage, VirtualSource
from brickfield.sources import from_arrays
from brickfield.transforms import BakeOptions, Move, bake
folder, side, budget = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
bake(from_arrays(np.ones((70, 70, 70), "u2")), folder + "/warm.zarr", Move(20))
before = int(open("/proc/self/statm").read().split()[1]) * resource.getpagesize()
image = VirtualImage((side // 4, side, side), n_levels=1, dtype="u2", is_hollow=False)
bake(VirtualSource(image), folder + "/a.zarr", Move(20), BakeOptions(budget=budget))
lines = dict(line.split(":", 1) for line in open("/proc/self/status"))
peak = int(lines["VmHWM"].split()[0]) * 1024
print(max(0, peak - before))
"""


def turns(setting: Setting) -> list[Row]:
    """T1."""
    rows = _against_scipy(300 if setting.is_full else 200)
    rows += _against_ngff_zarr(setting)
    rows += _cancelling()
    rows += _limits()
    rows.append(_memory(setting))
    return rows


def volume(side: int, dtype: str = "f4") -> np.ndarray:
    """Return a volume with structure and noise."""
    z, y, x = np.ogrid[:side, :side, :side]
    smooth = 200 + 150 * np.sin(x / 17) * np.cos(y / 23) * np.sin(z / 11 + 1)
    return np.random.default_rng(0).normal(smooth, 5).astype(dtype)


def _against_scipy(side: int) -> list[Row]:
    from scipy import ndimage

    data = volume(side)
    worker = Turn(volume=data, rotation_deg=DEGREES)
    pull = np.linalg.inv(worker.matrix(data.shape))

    def whole() -> object:
        return ndimage.affine_transform(data, pull[:3, :3], pull[:3, 3], order=1)

    ways = {"scipy": whole}
    if find_spec("numba"):
        ways["numba"] = worker.run
    ways["blocks"] = lambda: _without_numba(worker)
    spent: dict[str, list[float]] = {name: [] for name in ways}
    for name, run in [*ways.items()] * 4:  # the first of each compiles
        start = time.perf_counter()
        run()
        spent[name].append(time.perf_counter() - start)
    best = {name: float(np.median(times[1:])) for name, times in spent.items()}
    note = (
        f"{side}³ float32, one thread; scipy {side**3 / best['scipy'] / 1e6:.0f} Mvox/s"
    )
    peer = "scipy.ndimage on the whole"
    rows = [
        at_least(
            "T1", "turn in blocks without numba ÷ scipy",
            best["scipy"] / best["blocks"], 0.8, peer=peer, repeats=3, note=note,
        )
    ]  # fmt: skip
    if "numba" in best:
        ratio = best["scipy"] / best["numba"]
        rows.append(
            at_least("T1", "turn with numba ÷ scipy", ratio, 4, peer=peer, repeats=3)
        )
    return rows


def _without_numba(worker: Turn) -> object:
    has_numba = trilinear.has_numba
    trilinear.has_numba = lambda: False  # type: ignore[assignment]
    try:
        return worker.run()
    finally:
        trilinear.has_numba = has_numba


def _against_ngff_zarr(setting: Setting) -> list[Row]:
    side = 256 if setting.is_full else 192
    path = setting.folder / "source.zarr"
    bake(from_arrays(volume(side, "u2"), scale=(1, 1, 1)), path, Move())
    spent: list[float] = []
    matrix = np.eye(4)
    for i in range(3):
        target = setting.folder / f"turned-{i}.zarr"
        done = bake(str(path), target, Move(DEGREES))
        spent.append(done.seconds)
        matrix = done.matrix
    question = {
        "source": str(path),
        "target": str(setting.folder / "theirs.zarr"),
        "pull": np.linalg.inv(matrix).tolist(),
    }
    peers = None if setting.peers is None else find_peers(ROOT, "resample")
    answer = ask(peers, "ngff_resample", question)
    ours = float(np.median(spent))
    if answer is None:
        return []
    ratio = answer["seconds"] / ours
    note = (
        f"{side}³ uint16 from and to disk ({ours:.2f} s); the pyramid, and waiting for"
        " the disk, are ours alone"
    )
    return [
        at_least(
            "T1", "bake ÷ ngff-zarr resample", ratio, 3, peer="ngff-zarr", note=note
        )
    ]  # fmt: skip


def _cancelling() -> list[Row]:
    data, waits = volume(200), []
    small = np.zeros((2, 2, 2), np.float32)
    with TransformManager(max_workers=1) as manager:
        for i in range(10):
            began = threading.Event()
            manager.transform_started.connect(lambda *_, e=began: e.set())
            request = manager.submit_rotation(0, data, DEGREES + i)
            while not began.is_set():
                manager.deliver()
                time.sleep(0.001)
            time.sleep(0.02 * i)
            start = time.perf_counter()
            manager.cancel(request)
            manager.result(manager.submit_translation(0, small + i, (0, 0, 0)), 60)
            waits.append(1000 * (time.perf_counter() - start))
            manager.transform_started.disconnect()
    middle = float(np.median(waits))
    note = f"until the worker has done another request; median {middle:.0f} ms"
    what = "cancel, the longest"
    return [at_most("T1", what, max(waits), 50, unit="ms", repeats=10, note=note)]


def _limits() -> list[Row]:
    data, over = volume(40), 0
    with TransformManager(2, cache_size=5, cache_bytes=3 * data.nbytes) as manager:
        for i in range(12):
            manager.result(manager.submit_translation(0, data, (0, 0, i / 3)), 60)
            info = manager.cache_info()
            over = max(over, info["bytes"] - info["max_bytes"], info["entries"] - 5)
    return [exactly("T1", "cache over its bytes and entries", float(over), 0)]


def _memory(setting: Setting) -> Row:
    side = 1024 if setting.is_full else 512
    done = subprocess.run(
        [sys.executable, "-c", MEMORY, str(setting.folder), str(side), str(BUDGET)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    peak = int(done.stdout.split()[-1]) / MIB
    note = f"budget {BUDGET // MIB} MiB; {side // 4} × {side} × {side} uint16"
    return at_most(
        "T1", "own memory of baking", peak, ALLOWED / MIB, unit="MiB", note=note
    )


def main() -> None:
    """Print the rows as JSON."""
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        for row in turns(Setting(Path(folder), peers=find_peers(ROOT))):
            told = {"what": row.what, "ours": row.ours, "limit": row.limit}
            print(json.dumps(told), flush=True)


if __name__ == "__main__":
    main()
