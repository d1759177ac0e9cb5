"""E20 and N1: what the first picture of a process costs, from a shell and in napari.

Everything is done in a process of its own, with an empty cache of the driver, in turn
with what it is compared with: for a picture from a shell tensorstore and pygfx's own
volume with nothing around them; for the dock what importing the graphics, finding the
device and compiling the program take by themselves in the same napari window.

N1 needs a screen, real or virtual (``tools/screen.sh python -m benchmarks --only N1``).
"""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
import tempfile
from itertools import pairwise
from pathlib import Path
from time import perf_counter, process_time, thread_time
from typing import Any

import numpy as np

from benchmarks import napari_lateness
from benchmarks.clock import median
from benchmarks.peers import CELLIER, HERE, find_peers
from benchmarks.rows import ROOT, Row, Setting, at_most
from benchmarks.scenes import halved, light_sheet, write_pyramid

REPEATS = 3
BEAT_MS = 5
PATIENCE_S = 120
IDLE_S, SETTLE_S = 20, 5
"""Seconds that a window at rest is watched, and those before."""
SEEN = 40
"""Values of a picture, 0 to 255, above which there is something to see."""


def render(setting: Setting) -> list[Row]:
    """E20."""
    path = _pyramid(setting, 512)
    ours, bare = [], []
    for i in range(REPEATS):
        bare.append(cpu_s([sys.executable, "-m", "benchmarks.cold", "bare", path]))
        picture = str(setting.folder / f"{i}.png")
        command = [sys.executable, "-m", "brickfield.cli.main", "render", path]
        ours.append(cpu_s([*command, "-o", picture, "--contrast", "0,4000"]))
    ratio = median([a / b for a, b in zip(ours, bare, strict=True)])
    note = (
        f"{median(ours):.2f} s of CPU against {median(bare):.2f} s; imports, compiling"
        " and reading included, 512³, 800×600"
    )
    what = "CPU of a cold brickfield render ÷ bare tensorstore and gfx.Volume"
    rows = [at_most("E20", what, ratio, 1.1, repeats=REPEATS, note=note)]
    python = None if setting.peers is None else find_peers(ROOT, "cellier")
    if python is not None:
        script = str(HERE / "cellier_frames.py")
        question = json.dumps(_as_cellier(path, setting.folder))
        theirs = [cpu_s([str(python), script, question]) for _ in range(REPEATS)]
        what = f"CPU of a cold brickfield render ÷ {CELLIER}"
        ratio = median(ours) / median(theirs)
        note = (
            f"{median(ours):.2f} s of CPU against {median(theirs):.2f} s, one picture"
        )
        rows.append(at_most("E20", what, ratio, 0.5, repeats=REPEATS, note=note))
    return rows


def _as_cellier(path: str, folder: Path) -> dict[str, object]:
    """Ask cellier for one picture of the whole finest level, as :func:`draw_bare`."""
    edge = json.loads((Path(path) / "0" / "zarr.json").read_text())["shape"][0]
    way = np.array([-1, -0.6, 0.8]) / np.linalg.norm([-1, -0.6, 0.8])
    middle = np.full(3, edge / 2)
    return {
        "path": path,
        "image": str(folder / "cellier.npy"),
        "size": [800, 600],
        "contrast": [0, 4000],
        "fov": 45,
        "depth": [1, 10 * edge],
        "position": (middle - 2.7 * edge * way).tolist(),
        "target": middle.tolist(),
        "up": [0, 1, 0],
        "warm_up": 1,
        "repeats": 0,
    }


def dock(setting: Setting) -> list[Row]:
    """N1: the first volume of a session, and steps after it, beside napari alone."""
    path = _pyramid(setting, 256)
    found = {
        what: [in_napari(what, path) for _ in range(REPEATS)]
        for what in ("graphics", "napari", "ours")
    }
    if not all(one for runs in found.values() for one in runs):
        note = "needs a screen: tools/screen.sh python -m benchmarks --only N1"
        return [Row("N1", "first picture with data of a cold dock", None, note=note)]

    def middle(what: str, name: str) -> float:
        return median([run[name] for run in found[what]])

    first, alone = middle("ours", "first_s"), middle("graphics", "first_s")
    late, usual = middle("ours", "late_ms"), middle("napari", "late_ms")
    return [
        at_most(
            "N1",
            "first picture with data of a cold dock ÷ import, device and compiling",
            first / alone,
            1.2,
            repeats=REPEATS,
            note=f"{first:.2f} s after open_volume against {alone:.2f} s",
        ),
        at_most(
            "N1",
            "the window blocked while the first volume opens, beyond napari's own layer",
            max(0.0, late - usual),
            100,
            unit="ms",
            repeats=REPEATS,
            note=f"{late:.0f} ms at most at a time against {usual:.0f} ms",
        ),
        at_most(
            "N1",
            "pictures without data before the first",
            middle("ours", "n_empty"),
            0,
            repeats=REPEATS,
        ),
        *later_acts(REPEATS if setting.is_full else 1),
    ]


def later_acts(repeats: int) -> list[Row]:
    """Return rows of what a person does once a volume is there."""
    rows = []
    for name in ("step", "zoom", "orbit", "to 3D"):
        ours, napari = (
            napari_lateness.middle(name, way, repeats)["late_ms"]
            for way in (True, False)
        )
        rows.append(
            at_most(
                "N1",
                f"the event loop late after one {name}, beyond napari alone",
                max(0.0, ours - napari),
                napari_lateness.LATER_MS,
                unit="ms",
                repeats=repeats,
                note=f"{ours:.0f} ms at most at a time against {napari:.0f} ms",
            )
        )
    return rows


def _pyramid(setting: Setting, edge: int) -> str:
    data = np.tile(light_sheet(256), (edge // 256,) * 3)
    levels = [data, halved(data), halved(halved(data))]
    return str(write_pyramid(setting.folder / f"{edge}.zarr", levels, 64))


def _environment(folder: str) -> dict[str, str]:
    """Return an environment in which the driver has compiled nothing yet."""
    return os.environ | {"MESA_SHADER_CACHE_DIR": folder}


def cpu_s(command: list[str]) -> float:
    """Run a program; return the seconds of all processors that it took."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    with tempfile.TemporaryDirectory() as cache:
        subprocess.run(
            command, cwd=ROOT, env=_environment(cache), check=True, capture_output=True
        )
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime


def in_napari(what: str, path: str) -> dict[str, float]:
    """Do something in a napari of its own; return what came of it, or nothing."""
    with tempfile.TemporaryDirectory() as cache:
        done = subprocess.run(
            [sys.executable, "-m", "benchmarks.cold", what, path],
            cwd=ROOT,
            env=_environment(cache),
            capture_output=True,
            text=True,
            timeout=PATIENCE_S,
            check=False,
        )
    lines = done.stdout.strip().splitlines()
    return json.loads(lines[-1]) if done.returncode == 0 and lines else {}


# -- in processes of their own -----------------------------------------------------


def draw_bare(path: str) -> None:
    """Draw the finest level of an image with tensorstore and pygfx alone."""
    import numpy as np
    import pygfx as gfx
    import tensorstore as ts
    from PIL import Image
    from rendercanvas.offscreen import OffscreenRenderCanvas

    spec = {"driver": "zarr3", "kvstore": f"file://{path}/0/"}
    data = np.asarray(ts.open(spec).result().read().result())
    canvas = OffscreenRenderCanvas(size=(800, 600), pixel_ratio=1)
    renderer = gfx.renderers.WgpuRenderer(canvas, pixel_scale=1, ppaa="none")
    grid = gfx.Geometry(grid=gfx.Texture(data, dim=3))
    look = gfx.VolumeMipMaterial(clim=(0, 4000), map=gfx.cm.gray)
    volume = gfx.Volume(grid, look)
    scene = gfx.Scene()
    scene.add(gfx.Background.from_color("black"), volume)
    camera = gfx.PerspectiveCamera(45, 800 / 600)
    camera.show_object(volume, view_dir=(-1, -0.6, 0.8))
    canvas.request_draw(lambda: renderer.render(scene, camera))
    picture = Image.fromarray(np.asarray(canvas.draw()))
    with tempfile.TemporaryDirectory() as folder:
        picture.save(Path(folder) / "bare.png")


class Window:
    """A napari window whose event loop is watched."""

    def __init__(self) -> None:
        import napari
        from qtpy.QtCore import Qt, QTimer

        self.viewer = napari.Viewer()
        self.viewer.window._qt_window.resize(1280, 800)
        self.turn_until(perf_counter() + 1.0)
        self.beats: list[float] = []
        self._timer = QTimer()
        self._timer.setTimerType(Qt.TimerType.PreciseTimer)
        self._timer.timeout.connect(lambda: self.beats.append(perf_counter()))
        self._timer.start(BEAT_MS)
        self.turn_until(perf_counter() + 0.2)

    def turn_until(self, end: float, is_true: Any = lambda: False) -> None:
        """Let the event loop run until a time, or until something is true."""
        from qtpy.QtCore import QEventLoop, QTimer

        loop, timer = QEventLoop(), QTimer()
        timer.timeout.connect(
            lambda: loop.quit() if is_true() or perf_counter() > end else None
        )
        timer.start(10)
        loop.exec()
        timer.stop()

    def stop(self) -> None:
        """Watch the event loop no more, which takes time itself."""
        self._timer.stop()

    def rest(self) -> dict[str, float]:
        """Wait until the processor rests, and tell what 20 s of it take."""
        from qtpy.QtCore import QEventLoop, QTimer

        used = []
        for seconds in (SETTLE_S, IDLE_S):
            loop, start = QEventLoop(), process_time()
            QTimer.singleShot(1000 * seconds, loop.quit)
            loop.exec()
            used.append(process_time() - start)
        return {"cpu_s": used[-1]}

    def late_ms(self) -> float:
        """Return by how much the event loop was late at most."""
        gaps = [b - a for a, b in pairwise(self.beats)]
        return 1e3 * max(gaps) - BEAT_MS


def graphics(_path: str) -> dict[str, float]:
    """Import the graphics, find the device and compile, with nothing beside it."""
    _ = Window()
    start = perf_counter()
    import numpy as np

    from brickfield.gpu import get_device
    from brickfield.model.appearance import Appearance
    from brickfield.store import ChunkedLayer, LayerSnapshot, open_store
    from brickfield.viewer.live import prepare_view

    get_device()
    store = open_store([np.zeros((256 >> i,) * 3, np.uint16) for i in range(3)])
    layer = ChunkedLayer(store, Appearance())
    prepare_view([LayerSnapshot.of(layer)], ("scale_bar", "axes"))
    return {"first_s": perf_counter() - start, "cpu_s": thread_time()}


def napari_alone(path: str) -> dict[str, float]:
    """Add the finest level to napari as an array."""
    import tensorstore as ts

    window = Window()
    spec = {"driver": "zarr3", "kvstore": f"file://{path}/0/"}
    data = ts.open(spec).result().read().result()
    window.turn_until(perf_counter() + 0.2)
    window.beats[:] = [perf_counter()]
    window.viewer.add_image(data, contrast_limits=(0, 4000))
    window.turn_until(perf_counter() + 1.0)
    return {"late_ms": window.late_ms()}


def open_dock(path: str) -> dict[str, float]:
    """Open the image with the dock, until its first picture with data."""
    from qtpy.QtCore import QTimer

    import brickfield

    window = Window()
    pictures: list[tuple[float, bool]] = []
    window.beats[:] = [start := perf_counter()]

    def note(report: Any) -> None:
        if report.image is not None:
            is_seen = bool(report.image[..., :3].max() > SEEN)
            pictures.append((perf_counter() - start, is_seen))

    def act() -> None:
        brickfield.open_volume(path, viewer=window.viewer)
        brickfield.view_of(window.viewer).reported.connect(note)

    QTimer.singleShot(0, act)
    end = start + PATIENCE_S / 2
    window.turn_until(end, lambda: any(is_seen for _, is_seen in pictures))
    return {
        "first_s": next(t for t, is_seen in pictures if is_seen),
        "late_ms": window.late_ms(),
        "n_empty": sum(not is_seen for _, is_seen in pictures),
    }


def idle(path: str) -> dict[str, float]:
    """Open the image with the dock, and leave both alone once the picture is final."""
    import brickfield

    window = Window()
    window.stop()
    brickfield.open_volume(path, viewer=window.viewer)
    view, end = brickfield.view_of(window.viewer), perf_counter() + PATIENCE_S / 2
    reports: list[Any] = []
    view.reported.connect(reports.append)
    window.turn_until(end, lambda: bool(reports) and reports[-1].is_complete)
    return window.rest()


def idle_alone(_path: str) -> dict[str, float]:
    """Leave an empty napari alone."""
    window = Window()
    window.stop()
    return window.rest()


def main() -> None:
    """Do what the command line names; print figures as JSON."""
    what, path = sys.argv[1:]
    if what == "bare":
        draw_bare(path)
        return
    acts = {"graphics": graphics, "napari": napari_alone, "ours": open_dock}
    acts |= {"idle": idle, "idle alone": idle_alone}
    print(json.dumps(acts[what](path)), flush=True)
    # Threads of drivers and of napari would take their time.
    os._exit(0)


if __name__ == "__main__":
    main()
