"""N3: what stays when docks, views, layers and windows come and go twenty times.

Run under a screen of its own, with either binding of Qt::

    tools/screen.sh python -m benchmarks.napari_cycles [--ways x,viewer] [--cycles 20]
    QT_API=pyside6 tools/screen.sh python -m benchmarks.napari_cycles

Each way of opening and closing runs in a process of its own:

``viewer``, ``window``
    A viewer with layers and dock; closed by ``viewer.close()``, by its window.
``x``, ``remove``, ``ortho``
    A dock in one viewer; closed by its button, by ``remove_dock_widget``; with four
    views.
``hide``, ``float``
    One dock, hidden and shown, taken out of the window and back.
``layers``
    All layers are removed and others added.
``layouts``
    3D, 2x2, xz, plane and 3D again.
``busy``
    A dock is closed in the middle of loading and compiling.
``plain``, ``plain-window``, ``plain-layers``
    As ``viewer``, ``window`` and ``layers`` without any dock: what napari itself keeps
    of a viewer and of layers, which is taken off.

After each cycle garbage is collected and events are processed; memory is what the
process has then. Growth is counted from the fourth cycle on. Whatever is printed or
logged meanwhile is listed.
"""

from __future__ import annotations

import argparse
import gc
import json
import logging
import os
import subprocess
import sys
import tempfile
import threading
from collections import Counter
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from time import monotonic, sleep
from typing import Any

import numpy as np

LIMIT_MB = 2.0
FIRST = 3
"""Cycles that are not counted: programs are compiled, caches are filled."""
PATIENCE_S = 60
WAYS = (
    "viewer",
    "window",
    "x",
    "remove",
    "ortho",
    "hide",
    "float",
    "layers",
    "layouts",
    "busy",
    "plain",
    "plain-window",
    "plain-layers",
)
BASES = {"viewer": "plain", "window": "plain-window", "layers": "plain-layers"}
"""What napari does in a way, by the way's name."""


@dataclass
class Found:
    """What one way came to.

    Attributes
    ----------
    way, binding : str
    mb : list of float
        Memory of the process after each cycle, MiB.
    handles : list of int
        Open files, sockets and pipes after each cycle.
    threads : list of str
        Threads of Python at the end, but for napari's and the main one.
    widgets : list of int
        Widgets that exist after each cycle.
    said : list of str
        What was logged, warned of or raised, each once.
    napari_mb_a_cycle : float
        What grows without a dock, too, MiB a cycle.
    """

    way: str
    binding: str
    mb: list[float] = field(default_factory=list)
    handles: list[int] = field(default_factory=list)
    threads: list[str] = field(default_factory=list)
    widgets: list[int] = field(default_factory=list)
    said: list[str] = field(default_factory=list)
    napari_mb_a_cycle: float = 0.0

    @property
    def mb_a_cycle(self) -> float:
        """Growth after the first cycles, MiB a cycle."""
        return slope(self.mb[FIRST:])

    @property
    def is_reached(self) -> bool:
        """Whether nothing stays that the goal forbids."""
        handles, widgets = self.handles[FIRST:], self.widgets[FIRST:]
        return (
            self.mb_a_cycle - self.napari_mb_a_cycle <= LIMIT_MB
            and max(handles) <= handles[0]
            and max(widgets) <= widgets[0]
            and not self.said
        )


def slope(values: list[float]) -> float:
    """Return the growth a step of a straight line through values."""
    if len(values) < 2:
        return 0.0
    return float(np.polyfit(np.arange(len(values)), values, 1)[0])


def main() -> int:
    """Run the ways; 0 when all reach the goal."""
    options = _parser().parse_args()
    if options.way:
        found = Cycles(options.way).run(options.cycles)
        Path(options.out).write_text(json.dumps(asdict(found)))
        return 0
    ways = options.ways.split(",") if options.ways else list(WAYS)
    ways += [b for w, b in BASES.items() if w in ways and b not in ways]
    every = {way: _alone(way, options.cycles) for way in ways}
    for way, base in BASES.items():
        if way in every:
            every[way].napari_mb_a_cycle = max(0.0, every[base].mb_a_cycle)
    _print_table(list(every.values()))
    if options.json:
        rows = [asdict(f) | {"mb_a_cycle": f.mb_a_cycle} for f in every.values()]
        Path(options.json).write_text(json.dumps(rows, indent=2))
    ours = [f for way, f in every.items() if not way.startswith("plain")]
    return 0 if all(f.is_reached for f in ours) else 1


def _print_table(every: list[Found]) -> None:
    heads = f"{'MB a cycle':>11}{'napari':>8}{'handles':>9}{'widgets':>9}"
    print(f"{'way':14}{'binding':10}{heads}")
    for found in every:
        is_plain = found.way.startswith("plain")
        verdict = "reached" if found.is_reached else "MISSED"
        print(
            f"{found.way:14}{found.binding:10}{found.mb_a_cycle:11.2f}"
            f"{found.napari_mb_a_cycle:8.2f}"
            f"{found.handles[-1] - found.handles[FIRST]:+9}"
            f"{found.widgets[-1] - found.widgets[FIRST]:+9}  "
            f"{'' if is_plain else verdict}  {', '.join(found.threads)}"
        )
        for line in found.said:
            print(f"    said: {line}")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--ways", help=f"some of {', '.join(WAYS)}")
    parser.add_argument("--cycles", type=int, default=20)
    parser.add_argument("--json", metavar="FILE")
    parser.add_argument("--way", help=argparse.SUPPRESS)
    parser.add_argument("--out", help=argparse.SUPPRESS)
    return parser


def _alone(way: str, cycles: int) -> Found:
    with tempfile.TemporaryDirectory(prefix="brickfield-cycles-") as folder:
        out = Path(folder) / "found.json"
        command = [sys.executable, "-m", "benchmarks.napari_cycles", "--way", way]
        done = subprocess.run(
            [*command, "--cycles", str(cycles), "--out", str(out)],
            capture_output=True,
            text=True,
            check=False,
            env={**os.environ, "TMPDIR": folder},
        )
        if not out.exists():
            sys.exit(f"{way}: status {done.returncode}: {done.stderr[-2000:]}")
        found = Found(**json.loads(out.read_text()))
        if done.returncode:
            found.said.append(f"ended with status {done.returncode}")
        # What the end of the process says belongs to it, too.
        found.said += sorted(set((done.stdout + done.stderr).splitlines()))
        return found


class Cycles:
    """One way, in this process.

    Parameters
    ----------
    way : str
    """

    def __init__(self, way: str) -> None:
        import napari
        import psutil
        from qtpy import API_NAME
        from qtpy.QtCore import qInstallMessageHandler

        self._napari = napari
        self._process = psutil.Process()
        self._said: Counter[str] = Counter()
        self._way = way
        self._one: Any = None
        self._images = self._make_images()
        self.found = Found(way, API_NAME)
        logging.getLogger().addHandler(_Listener(self._said))
        qInstallMessageHandler(lambda _kind, _where, text: self._hear("Qt", text))
        sys.unraisablehook = lambda about: self._hear("unraisable", about.exc_value)
        threading.excepthook = lambda about: self._hear("thread", about.exc_value)

    def _hear(self, who: str, what: object) -> None:
        self._said[f"{who}: {what}"] += 1

    def _make_images(self) -> tuple[str, np.ndarray]:
        from brickfield.testing.zarr_stores import write_image

        rng = np.random.default_rng(0)
        data = np.zeros((48, 64, 64), np.uint8)
        data[8:40, 16:48, 16:48] = rng.integers(50, 250, (32, 32, 32))
        folder = Path(tempfile.mkdtemp()) / "box.ome.zarr"
        levels = [data, data[::2, ::2, ::2]]
        return str(write_image(folder, levels)), rng.integers(0, 200, (24, 32, 32))

    # -- what happens ------------------------------------------------------------

    def run(self, cycles: int) -> Found:
        """Do it so often and look after each time."""
        name = self._way.replace("-", "_")
        cycle: Callable[[], None] = getattr(self, f"_{name}")
        for _ in range(cycles):
            cycle()
            self._look()
        names = [t.name for t in threading.enumerate()]
        mine = ("MainThread", "asyncio", "zarr_io")
        self.found.threads = [n for n in names if not n.startswith(mine)]
        self.found.said = [f"{n}x {what}" for what, n in self._said.most_common(10)]
        return self.found

    def _look(self) -> None:
        from qtpy.QtWidgets import QApplication

        for _ in range(5):
            self._turn(0.05)
            gc.collect()
        found = self.found
        found.mb.append(round(self._process.memory_info().rss / 2**20, 2))
        found.handles.append(self._process.num_fds())
        found.widgets.append(len(QApplication.allWidgets()))

    def _turn(self, seconds: float) -> None:
        """Let the event loop run."""
        from qtpy.QtCore import QCoreApplication, QEvent
        from qtpy.QtWidgets import QApplication

        end = monotonic() + seconds
        while monotonic() < end:
            QApplication.processEvents()
            QCoreApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete.value)
            sleep(0.002)

    def _until(self, is_true: Callable[[], bool]) -> None:
        end = monotonic() + PATIENCE_S
        while not is_true():
            if monotonic() > end:
                self._hear("cycle", "waited in vain")
                return
            self._turn(0.01)

    # -- parts of the ways -------------------------------------------------------

    def _fill(self, viewer: Any) -> None:
        from brickfield.plugin.layers.make import open_layers

        uri, array = self._images
        for layer in open_layers(uri):
            viewer.add_layer(layer)
        viewer.add_image(array, name="array", blending="additive")

    def _see(self, viewer: Any) -> None:
        """Wait for complete pictures."""
        import brickfield as bf

        for view in bf.views_of(viewer):
            self._until(lambda view=view: view.is_settled)

    def _new_viewer(self) -> Any:
        viewer = self._napari.Viewer(show=True)
        viewer.window.resize(900, 600)
        self._fill(viewer)
        return viewer

    def _the_viewer(self) -> Any:
        if self._one is None:
            self._one = self._new_viewer()
        return self._one

    def _open(self, widget: str = "Volume view") -> tuple[Any, Any]:
        """Open a dock; return napari's frame and the dock."""
        viewer = self._the_viewer()
        opened = viewer.window.add_plugin_dock_widget("napari-brickfield", widget)
        self._see(viewer)
        return opened

    def _gone(self) -> None:
        """Wait until the render thread has ended."""
        from brickfield.rendering import render_thread

        self._until(lambda: not render_thread().is_alive)

    # -- the ways ----------------------------------------------------------------

    def _viewer(self) -> None:
        import brickfield as bf

        viewer = self._new_viewer()
        bf.view_of(viewer)
        self._see(viewer)
        viewer.close()
        self._gone()

    def _window(self) -> None:
        import brickfield as bf

        viewer = self._new_viewer()
        bf.view_of(viewer)
        self._see(viewer)
        viewer.window._qt_window.close()
        self._gone()

    def _plain(self) -> None:
        viewer = self._new_viewer()
        self._turn(1.0)
        viewer.close()

    def _plain_window(self) -> None:
        viewer = self._new_viewer()
        self._turn(1.0)
        viewer.window._qt_window.close()

    def _x(self) -> None:
        frame, _ = self._open()
        frame.destroyOnClose()
        self._gone()

    def _remove(self) -> None:
        _, dock = self._open()
        self._the_viewer().window.remove_dock_widget(dock)
        self._gone()

    def _ortho(self) -> None:
        frame, _ = self._open("Orthogonal views")
        frame.destroyOnClose()
        self._gone()

    def _busy(self) -> None:
        import brickfield as bf
        from brickfield.loading import default_cache

        default_cache().clear()
        viewer = self._the_viewer()
        opened = viewer.window.add_plugin_dock_widget(
            "napari-brickfield", "Orthogonal views"
        )
        view = bf.view_of(viewer)
        view.pictures.receipt_later()
        self._turn(0.05)
        opened[0].destroyOnClose()
        self._gone()

    def _hide(self) -> None:
        frame, _ = self._open()
        frame.hide()
        self._turn(0.1)
        frame.show()
        self._see(self._the_viewer())

    def _float(self) -> None:
        frame, _ = self._open()
        frame.setFloating(True)
        self._turn(0.2)
        frame.setFloating(False)
        self._see(self._the_viewer())

    def _layers(self) -> None:
        import brickfield as bf

        viewer = self._the_viewer()
        bf.view_of(viewer)
        viewer.layers.clear()
        self._turn(0.1)
        self._fill(viewer)
        self._see(viewer)

    def _plain_layers(self) -> None:
        viewer = self._the_viewer()
        viewer.layers.clear()
        self._turn(0.1)
        self._fill(viewer)
        self._turn(0.5)

    def _layouts(self) -> None:
        import brickfield as bf

        viewer = self._the_viewer()
        for layout in ("2x2", "xz", "plane", "3D"):
            bf.open_views(viewer, layout)
            self._see(viewer)


class _Listener(logging.Handler):
    """Counts what is logged."""

    def __init__(self, said: Counter[str]) -> None:
        super().__init__(logging.WARNING)
        self._counts = said

    def emit(self, record: logging.LogRecord) -> None:
        self._counts[f"{record.name}: {record.getMessage()}"] += 1


if __name__ == "__main__":
    raise SystemExit(main())
