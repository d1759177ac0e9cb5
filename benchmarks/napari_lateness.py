"""N1: by how much napari's event loop is late while a person does something.

Run under a screen of its own::

    tools/screen.sh python -m benchmarks.napari_lateness [--acts …] [--repeats 3]

Each act is done twice, each time in a napari of its own in a process of its own:
with this project, and with napari alone, which does what comes closest to it (an
array for a volume, an empty widget for the dock, its own screenshot). A timer of 5 ms
runs in the window's event loop from before the act until nothing is left to do; the
longest time between two of its ticks, less 5 ms, is the lateness. The difference of
the two is what this project costs. Beside it stands the most processor time that the
window's own thread spent between two ticks, which other work on the machine does not
change: what is late beyond it waited for a core or for Python's interpreter.

All are medians over the repeats. What else runs on the machine makes both latenesses
larger: read them side by side, from one run.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from time import perf_counter, thread_time
from typing import Any

import numpy as np

from benchmarks.clock import median
from benchmarks.napari_firsts import DOCKS, imaris, menu, picture, whole_session

BEAT_MS = 5
PATIENCE_S = 120
QUIET_S = 0.5
"""So long nothing must be left to do before an act counts as over."""
FIRSTS = ("array", "drop", "url", "dock", "organoid", "huge", *DOCKS)
FIRSTS += ("picture", "session", "Imaris")
AIMS = dict.fromkeys(FIRSTS, 100.0)
"""Milliseconds above napari alone, of what a session does first."""
LATER_MS = 20.0
"""The same for everything after it."""


class Beats:
    """A timer in the window's event loop that notes when it ticked."""

    def __init__(self) -> None:
        from qtpy.QtCore import Qt, QTimer

        self.at: list[float] = []
        self._cpu: list[float] = []
        self._timer = QTimer()
        self._timer.setTimerType(Qt.TimerType.PreciseTimer)
        self._timer.timeout.connect(self._tick)
        self._timer.start(BEAT_MS)

    def _tick(self) -> None:
        self.at.append(perf_counter())
        self._cpu.append(thread_time())

    def cpu_ms(self) -> list[float]:
        """Return the time of this thread's processor between each two ticks."""
        spent: list[float] = (1e3 * np.diff(self._cpu)).tolist()
        return spent

    def lateness_ms(self) -> list[float]:
        """Return what each tick was late."""
        late: list[float] = (1e3 * np.diff(self.at) - BEAT_MS).tolist()
        return late


class Session:
    """One napari window, and things to do in it.

    Parameters
    ----------
    is_ours : bool
        Whether this project takes part.
    folder : Path
        For files that are read and written.
    """

    def __init__(self, is_ours: bool, folder: Path, stack: ExitStack) -> None:
        import napari

        self.is_ours = is_ours
        self.folder = folder
        self.stack = stack
        self.viewer = napari.Viewer()
        self.viewer.window._qt_window.resize(1280, 800)
        self.turn(1.0)

    # -- the event loop ----------------------------------------------------------

    def turn(self, seconds: float) -> None:
        """Let the event loop run."""
        end = perf_counter() + seconds
        self.turn_until(lambda: perf_counter() > end)

    def turn_until(self, is_true: Callable[[], bool]) -> None:
        """Let the event loop run until something is true."""
        from qtpy.QtCore import QEventLoop, QTimer

        end = perf_counter() + PATIENCE_S
        loop, timer = QEventLoop(), QTimer()
        timer.timeout.connect(
            lambda: loop.quit() if is_true() or perf_counter() > end else None
        )
        timer.start(20)
        loop.exec()
        timer.stop()

    def measure(self, act: Callable[[], object]) -> dict[str, float]:
        """Do something from the event loop, and look until nothing is left to do."""
        from qtpy.QtCore import QTimer

        beats = Beats()
        self.turn(0.1)
        over: list[float] = []
        quiet: list[float] = []

        def begin() -> None:
            start = perf_counter()
            act()
            over.append(perf_counter() - start)

        def is_over() -> bool:
            if not over or not self._is_idle():
                quiet.clear()
                return False
            quiet.append(perf_counter())
            return quiet[-1] - quiet[0] > QUIET_S

        QTimer.singleShot(0, begin)
        self.turn_until(is_over)
        late = beats.lateness_ms()
        return {
            "late_ms": max(late),
            "cpu_ms": max(beats.cpu_ms()),
            "p99_ms": float(np.percentile(late, 99)),
            "call_ms": 1e3 * over[0] if over else float("nan"),
        }

    def _is_idle(self) -> bool:
        # No dock can be there before its registry.
        registry = "brickfield.plugin.layers.registry"
        if not self.is_ours or registry not in sys.modules:
            return True
        import brickfield as bf

        # In a window of this size, software Vulkan draws for seconds.
        views = bf.views_of(self.viewer)
        return all(view.report.image is not None for view in views)

    # -- what acts are made of ---------------------------------------------------

    def volume(self) -> np.ndarray[Any, Any]:
        """Return 32 MB of something to see."""
        z, y, x = np.ogrid[:128, :256, :512]
        wave = np.sin(z / 9) * np.sin(y / 7) * np.sin(x / 11)
        return (2000 + 1500 * wave).astype("u2")

    def store(self) -> Path:
        """Write the volume as OME-Zarr, in a process of its own."""
        path = self.folder / "volume.ome.zarr"
        code = (
            "import sys, numpy as np\n"
            "from pathlib import Path\n"
            "from brickfield.testing.zarr_stores import write_image\n"
            "fine = np.load(sys.argv[1])\n"
            "levels = [fine, fine[::2, ::2, ::2], fine[::4, ::4, ::4]]\n"
            "write_image(Path(sys.argv[2]), levels)\n"
        )
        args = [sys.executable, "-c", code, str(self.file()), str(path)]
        subprocess.run(args, check=True)
        return path

    def file(self) -> Path:
        """Write the volume as a file that napari itself reads."""
        path = self.folder / "volume.npy"
        np.save(path, self.volume())
        return path

    def show(self) -> None:
        """Have a volume on show, drawn."""
        data = self.volume()
        if self.is_ours:
            import brickfield as bf

            bf.open_volume(data, self.viewer)
        else:
            self.viewer.add_image(data)
        self.turn_until(self._is_idle)
        self.turn(2.0)


# -- acts: each prepares, and returns what is measured -----------------------------


def rest(_session: Session) -> Callable[[], object]:
    """Nothing."""
    return lambda: None


def array(session: Session) -> Callable[[], object]:
    """The first array of a session."""
    data = session.volume()
    if not session.is_ours:
        return lambda: session.viewer.add_image(data)

    def act() -> None:
        import brickfield as bf

        bf.open_volume(data, session.viewer)

    return act


def drop(session: Session) -> Callable[[], object]:
    """The first file that is dropped."""
    path = str(session.store() if session.is_ours else session.file())
    plugin = "napari-brickfield" if session.is_ours else "napari"
    return lambda: session.viewer.open(path, plugin=plugin)


def url(session: Session) -> Callable[[], object]:
    """The first address that is opened."""
    if not session.is_ours:
        return drop(session)
    path = session.store()
    code = (
        "import functools, http.server, sys\n"
        "make = functools.partial(http.server.SimpleHTTPRequestHandler,"
        " directory=sys.argv[1])\n"
        "server = http.server.ThreadingHTTPServer(('127.0.0.1', 0), make)\n"
        "print(server.server_port, flush=True)\n"
        "server.serve_forever()\n"
    )
    server = subprocess.Popen(
        [sys.executable, "-c", code, str(path.parent)],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    session.stack.callback(server.wait)
    session.stack.callback(server.terminate)
    assert server.stdout is not None
    at = f"http://127.0.0.1:{int(server.stdout.readline())}/{path.name}"
    return lambda: session.viewer.open(at, plugin="napari-brickfield")


def dock(session: Session) -> Callable[[], object]:
    """The first dock, beside an array of napari's."""
    session.viewer.add_image(session.volume())
    session.turn(1.0)
    window = session.viewer.window
    if session.is_ours:
        return lambda: window.add_plugin_dock_widget("napari-brickfield", "Volume view")
    from qtpy.QtWidgets import QWidget

    return lambda: window.add_dock_widget(QWidget(), name="empty")


def organoid(session: Session) -> Callable[[], object]:
    """The first sample, from the File menu."""
    if session.is_ours:
        return lambda: _sample(session, "organoid")
    data = np.zeros((192, 384, 384), "u2")
    return lambda: [session.viewer.add_image(data) for _ in range(2)]


def huge(session: Session) -> Callable[[], object]:
    """The sample of 10 TB."""
    if session.is_ours:
        return lambda: _sample(session, "huge")
    levels = [np.broadcast_to(np.uint8(9), (n, n, n)) for n in (16384, 4096, 256, 64)]
    look = {"multiscale": True, "contrast_limits": (0, 255)}
    return lambda: session.viewer.add_image(levels, **look)


def _sample(session: Session, key: str) -> None:
    from napari._app_model import get_app_model

    command = f"napari-brickfield.{key}"
    app = get_app_model()
    known = [c for c, _ in app.commands if command in c]
    if not known:
        session.viewer.open_sample("napari-brickfield", key)
        return
    app.commands.execute_command(known[0]).result()


def screenshot(session: Session) -> Callable[[], object]:
    """A picture from the console, before everything is loaded."""
    if not session.is_ours:
        session.show()
        return lambda: session.viewer.screenshot(flash=False)
    import brickfield as bf

    bf.open_volume(session.volume(), session.viewer)
    session.turn_until(session._is_idle)
    return lambda: bf.view_of(session.viewer).screenshot(timeout=20)


def save(session: Session) -> Callable[[], object]:
    """File > Save, as OME-Zarr beside the window; napari writes a TIFF in it."""
    session.show()
    layers, is_ours = session.viewer.layers, session.is_ours
    path = str(session.folder / ("saved.ome.zarr" if is_ours else "saved.tif"))
    plugin = "napari-brickfield" if is_ours else "napari"
    return lambda: layers.save(path, plugin=plugin)


def save_beside(session: Session) -> Callable[[], object]:
    """File > Save again, beside napari that shows its own progress bar and saves nothing."""
    if session.is_ours:
        return save(session)
    session.show()

    def act() -> None:
        from napari.utils import progress

        with progress(total=10) as bar:
            for _ in range(2):
                session.turn(0.3)
                bar.update(5)

    return act


def step(session: Session) -> Callable[[], object]:
    """One plane on."""
    session.show()
    return lambda: session.viewer.dims.set_current_step(0, 70)


def zoom(session: Session) -> Callable[[], object]:
    """Zoom in."""
    session.show()
    return lambda: setattr(session.viewer.camera, "zoom", 4.0)


def to_3d(session: Session) -> Callable[[], object]:
    """Switch napari's canvas to 3D."""
    session.show()
    return lambda: setattr(session.viewer.dims, "ndisplay", 3)


def orbit(session: Session) -> Callable[[], object]:
    """Turn napari's 3D view."""
    session.show()
    session.viewer.dims.ndisplay = 3
    session.turn(3.0)
    return lambda: setattr(session.viewer.camera, "angles", (20, 30, 40))


ACTS: dict[str, Callable[[Session], Callable[[], object]]] = {
    "rest": rest,
    "array": array,
    "drop": drop,
    "url": url,
    "dock": dock,
    **{title: menu(title) for title in DOCKS},
    "organoid": organoid,
    "huge": huge,
    "screenshot": screenshot,
    "save": save,
    "save beside": save_beside,
    "session": whole_session,
    "picture": picture,
    "Imaris": imaris,
    "step": step,
    "zoom": zoom,
    "to 3D": to_3d,
    "orbit": orbit,
}


# -- all of them ------------------------------------------------------------------


def do(name: str, is_ours: bool, folder: Path) -> dict[str, float]:
    """Do one act in this process."""
    from napari import Viewer

    with ExitStack() as stack:
        session = Session(is_ours, folder, stack)
        found = session.measure(ACTS[name](session))
        Viewer.close_all()
    return found


def alone(name: str, is_ours: bool) -> dict[str, float]:
    """Do one act in a process with settings and caches of its own."""
    command = [sys.executable, "-m", "benchmarks.napari_lateness", "--act", name]
    command += ["--ours"] if is_ours else []
    with tempfile.TemporaryDirectory(prefix="brickfield-late-") as folder:
        home = {"NAPARI_CONFIG": f"{folder}/s.yaml", "XDG_CACHE_HOME": f"{folder}/c"}
        out = Path(folder) / "found.json"
        done = subprocess.run(
            [*command, "--folder", folder],
            capture_output=True,
            text=True,
            check=False,
            timeout=2 * PATIENCE_S,
            env={**os.environ, **home},
        )
        if not out.exists():
            sys.exit(f"{name}: status {done.returncode}: {done.stderr[-2000:]}")
        found: dict[str, float] = json.loads(out.read_text())
        return found


def middle(name: str, is_ours: bool, repeats: int) -> dict[str, float]:
    """Take the median of every figure over some runs."""
    runs = [alone(name, is_ours) for _ in range(repeats)]
    return {key: median([run[key] for run in runs]) for key in runs[0]}


def line(name: str, ours: dict[str, float], napari: dict[str, float]) -> str:
    """Say how far one act is from its aim."""
    above, aim = ours["late_ms"] - napari["late_ms"], AIMS.get(name, LATER_MS)
    figures = f"{ours['late_ms']:9.0f}{napari['late_ms']:9.0f}{above:+9.0f}{aim:8.0f}"
    rest = f"{ours['cpu_ms']:9.0f}{napari['cpu_ms']:9.0f}"
    rest += f"{ours['p99_ms']:9.0f}{napari['p99_ms']:9.0f}{ours['call_ms']:9.0f}"
    return f"{name:17}{figures}  {'reached' if above <= aim else 'MISSED '}{rest}"


def main() -> None:
    """Print one line for each act."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--acts", help=f"some of {', '.join(ACTS)}")
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--json", type=Path)
    parser.add_argument("--act", help=argparse.SUPPRESS)
    parser.add_argument("--ours", action="store_true", help=argparse.SUPPRESS)
    parser.add_argument("--folder", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.act:
        found = do(options.act, options.ours, options.folder)
        (options.folder / "found.json").write_text(json.dumps(found))
        return
    print(
        "act                  late   napari    above     aim               cpu   napari"
        "      p99   napari     call"
    )
    every = {}
    for name in options.acts.split(",") if options.acts else ACTS:
        ours, napari = (middle(name, way, options.repeats) for way in (True, False))
        every[name] = {"ours": ours, "napari": napari}
        print(line(name, ours, napari), flush=True)
    if options.json:
        options.json.write_text(json.dumps(every, indent=1), encoding="utf-8")


if __name__ == "__main__":
    main()
