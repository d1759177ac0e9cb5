"""N1: how long napari's window stands still while it shows a 107 GB level.

Run under a screen of its own::

    tools/screen.sh python -m benchmarks.napari_layers [--kinds ours,nothing] [--repeats 3]

Each kind of array is shown in a napari of its own, in a process of its own:

``ours``
    Lazy levels of this project.
``nothing``
    Arrays of the same shapes that cost nothing to read. What remains is napari's
    own work (widgets, textures, drawing), which no array can avoid.
``slow``
    Lazy levels of an image whose every read takes 50 ms longer.
``dask``, ``zarr``
    What people use without this project; stopped after two minutes.

For every step two figures are taken: how long the call blocked, and by how much the
longest turn of the event loop was late (a timer of 5 ms) until all data were there.
The chunks on disk are hard links to a few files, so 107 GB take some megabytes, and
all are in the page cache.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from itertools import product
from pathlib import Path
from time import perf_counter
from typing import Any

import numpy as np

from benchmarks.clock import median

SHAPE = (2048, 5120, 5120)
N_LEVELS = 6
EDGE = 64
KINDS = ("ours", "nothing", "slow", "dask", "zarr")
PATIENCE_S = 120
BEAT_MS = 5


def shapes() -> list[tuple[int, int, int]]:
    out = [SHAPE]
    for _ in range(N_LEVELS - 1):
        z, y, x = out[-1]
        out.append((z // 2, y // 2, x // 2))
    return out


def write_store(folder: Path) -> Path:
    """Write the pyramid: eight different chunks, linked as often as needed."""
    import zarr

    from brickfield.testing.zarr_stores import image_attributes, write_group

    scales = [[2.0**i] * 3 for i in range(N_LEVELS)]
    write_group(folder, image_attributes("zyx", scales, version="0.5"), zarr_format=3)
    made = write_chunks(folder.parent / "made")
    for i, shape in enumerate(shapes()):
        zarr.create_array(
            folder / str(i), shape=shape, chunks=(EDGE,) * 3, dtype="u2", fill_value=0
        )
        counts = [-(-n // EDGE) for n in shape]
        for z, y in product(range(counts[0]), range(counts[1])):
            row = folder / str(i) / "c" / str(z) / str(y)
            row.mkdir(parents=True, exist_ok=True)
            for x in range(counts[2]):
                os.link(made[(z * 5 + y * 3 + x) % len(made)], row / str(x))
    return folder


def write_chunks(folder: Path) -> list[Path]:
    """Encode a few chunks that look like tissue and compress as it does."""
    import zarr

    array = zarr.create_array(
        folder, shape=(EDGE, EDGE, 8 * EDGE), chunks=(EDGE,) * 3, dtype="u2"
    )
    z, y, x = np.indices(array.shape, dtype="f4")
    waves = np.sin(z / 9) * np.sin(y / 7) * np.sin(x / 11 + x // EDGE)
    noise = np.random.default_rng(0).integers(0, 8, array.shape)
    array[...] = (3000 + 2000 * waves).astype("u2") + noise.astype("u2")
    return [folder / "c" / "0" / "0" / str(i) for i in range(8)]


# -- one kind, in a napari of its own ---------------------------------------------


class Watch:
    """Takes the figures of one step after the other."""

    def __init__(self, is_loaded: Callable[[], bool]) -> None:
        self.is_loaded = is_loaded
        self.rows: list[dict[str, Any]] = []
        self._draws: list[float] = []
        self._time_draws()

    def _time_draws(self) -> None:
        """Note how long drawing takes: uploads of textures happen there."""
        from vispy.app.backends import _qt

        draws, paint = self._draws, _qt.CanvasBackendDesktop.paintGL

        def timed(canvas: Any) -> None:
            start = perf_counter()
            paint(canvas)
            draws.append(perf_counter() - start)

        _qt.CanvasBackendDesktop.paintGL = timed

    def step(self, name: str, call: Callable[[], object]) -> None:
        """Make one step and run the event loop until its data are there."""
        self.idle(0.3)
        self._draws.clear()
        begin = perf_counter()
        call()
        blocked = perf_counter() - begin
        late, done = self.run(begin)
        row = {
            "step": name,
            "blocked_ms": 1e3 * blocked,
            "late_ms": 1e3 * late,
            "draw_ms": 1e3 * max(self._draws, default=0.0),
            "done_s": done,
        }
        self.rows.append(row)
        print(json.dumps(row), flush=True)

    def run(self, begin: float) -> tuple[float, float]:
        """Return the worst lateness of a 5 ms timer, and when all was there."""
        from qtpy.QtCore import QEventLoop, Qt, QTimer

        loop, timer = QEventLoop(), QTimer()
        beats = [perf_counter()]
        quiet = {"since": None, "done": 0.0}

        def beat() -> None:
            now = perf_counter()
            beats.append(now)
            if not self.is_loaded():
                quiet["since"] = None
            elif quiet["since"] is None:
                quiet["since"], quiet["done"] = now, now - begin
            elif now - quiet["since"] > 0.3:
                loop.quit()

        timer.setTimerType(Qt.TimerType.PreciseTimer)
        timer.timeout.connect(beat)
        timer.start(BEAT_MS)
        loop.exec()
        timer.stop()
        return max(np.diff(beats)) - BEAT_MS / 1e3, quiet["done"]

    def idle(self, seconds: float) -> None:
        from qtpy.QtTest import QTest

        QTest.qWait(round(1e3 * seconds))


def levels_of(kind: str, path: Path) -> list[Any]:
    if kind == "nothing":
        return [np.broadcast_to(np.uint16(3000), shape) for shape in shapes()]
    import zarr

    arrays = [zarr.open_array(path / str(i)) for i in range(N_LEVELS)]
    if kind == "zarr":
        return arrays
    import dask.array as da

    return [da.from_zarr(array) for array in arrays]


def open_ours(kind: str, path: Path) -> Any:
    from napari.layers import Layer

    from brickfield.plugin.layers.make import layer_data_of, open_layers
    from brickfield.sample import VirtualImage, VirtualSource
    from brickfield.store import ChunkedImageStore

    if kind == "ours":
        (layer,) = open_layers(str(path))
        return layer
    image = VirtualImage(SHAPE, dtype="u2", is_hollow=False)
    store = ChunkedImageStore(VirtualSource(image, delay_s=0.05, concurrency=16))
    return Layer.create(*layer_data_of(store)[0])


def show(kind: str, path: Path) -> None:
    """Show one kind and print a line of figures for each step."""
    import napari
    from napari.layers import Image

    viewer = napari.Viewer()
    viewer.window._qt_window.resize(1400, 900)
    layers: list[Any] = []
    # napari makes widgets and compiles shaders for its first image: not ours.
    first = viewer.add_image(np.zeros((4, 8, 8), "u2"), contrast_limits=(0, 1))
    watch = Watch(lambda: not layers or is_loaded(layers[0]))
    watch.idle(0.5)
    first.visible = False

    def add() -> None:
        if kind in ("ours", "slow"):
            layers.append(open_ours(kind, path))
        else:
            look = {"multiscale": True, "contrast_limits": (0, 6000)}
            layers.append(Image(levels_of(kind, path), **look))
        viewer.add_layer(layers[0])

    def zoom(value: float) -> None:
        viewer.scene.camera.zoom = value

    def lock(level: int | None) -> None:
        layers[0].locked_data_level = level

    def to(z: int) -> None:
        viewer.dims.set_current_step(0, z)

    watch.step("open and add", add)
    viewer.scene.camera.center = (1024, 2560, 2560)
    watch.step("z + 1, whole plane", lambda: to(1025))
    watch.step("zoom to level 0", lambda: zoom(1.0))
    watch.step("z + 1", lambda: to(1026))
    watch.step("z jump", lambda: to(300))
    watch.step("ten z steps", lambda: [to(300 + 64 * i) for i in range(10)])
    watch.step("zoom out", lambda: zoom(0.15))
    watch.step("to 3D", lambda: setattr(viewer.dims, "ndisplay", 3))
    watch.step("lock level 4, 128×320×320", lambda: lock(4))
    watch.step("lock level 3, 256×640×640", lambda: lock(3))
    watch.step("back to 2D", lambda: (lock(None), setattr(viewer.dims, "ndisplay", 2)))
    viewer.close()


def is_loaded(layer: Any) -> bool:
    from brickfield.plugin.slicing import lazy

    return lazy.is_loaded(layer)


# -- all kinds --------------------------------------------------------------------


def measure(kind: str, path: Path) -> list[dict[str, Any]]:
    """Run one kind in a process of its own."""
    command = [sys.executable, "-m", "benchmarks.napari_layers", "--show", kind]
    with tempfile.TemporaryDirectory() as settings:
        env = {**os.environ, "NAPARI_CONFIG": f"{settings}/settings.yaml"}
        with subprocess.Popen(
            [*command, "--store", str(path)], stdout=subprocess.PIPE, text=True, env=env
        ) as process:
            try:
                out, _ = process.communicate(timeout=PATIENCE_S)
            except subprocess.TimeoutExpired:
                process.kill()
                out, _ = process.communicate()
    return [json.loads(line) for line in out.splitlines() if line.startswith("{")]


def middle(runs: list[list[dict[str, Any]]]) -> list[dict[str, Any]]:
    """Take the median of every figure over runs."""
    longest = max(runs, key=len)
    return [
        {
            name: value
            if name == "step"
            else median([run[i][name] for run in runs if i < len(run)])
            for name, value in row.items()
        }
        for i, row in enumerate(longest)
    ]


def table(found: dict[str, list[dict[str, Any]]]) -> str:
    lines = [f"{'step':28}" + "".join(f"{kind:>34}" for kind in found)]
    head = f"{'blocked':>10}{'late':>8}{'draw':>8}{'done':>8}"
    lines.append(" " * 28 + head * len(found))
    lines.append(" " * 28 + f"{'ms':>10}{'ms':>8}{'ms':>8}{'s':>8}" * len(found))
    steps = max(found.values(), key=len)
    for i, row in enumerate(steps):
        line = f"{row['step']:28}"
        for rows in found.values():
            if i >= len(rows):
                line += f"{'-':>34}"
                continue
            r = rows[i]
            line += f"{r['blocked_ms']:10.0f}{r['late_ms']:8.0f}"
            line += f"{r['draw_ms']:8.0f}{r['done_s']:8.2f}"
        lines.append(line)
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kinds", default=",".join(KINDS))
    parser.add_argument("--repeats", type=int, default=1)
    parser.add_argument("--json", type=Path)
    parser.add_argument("--show", choices=KINDS)
    parser.add_argument("--store", type=Path)
    options = parser.parse_args()
    if options.show:
        show(options.show, options.store)
        return
    folder = Path(tempfile.mkdtemp(prefix="brickfield-n1-"))
    try:
        path = options.store or write_store(folder / "image.ome.zarr")
        found = {
            kind: middle([measure(kind, path) for _ in range(options.repeats)])
            for kind in options.kinds.split(",")
        }
    finally:
        shutil.rmtree(folder)
    if options.json:
        options.json.write_text(json.dumps(found, indent=1), encoding="utf-8")
    print(table(found))


if __name__ == "__main__":
    main()
