"""What E20, E22 and N1 do, each in a process of its own.

Invariant: nothing here is imported before the clock runs but what napari has anyway.
What a picture costs includes the libraries that it needs, and for those that are
compared with it theirs alone.
"""

from __future__ import annotations

import json
import os
import sys
import tempfile
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from time import perf_counter, process_time
from typing import Any

BEAT_MS = 5
PATIENCE_S = 60
IDLE_S, SETTLE_S = 20, 5
"""Seconds that a window at rest is watched, and those before."""
SEEN = 40
"""Values of a picture, 0 to 255, above which there is something to see."""


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
    start, before = perf_counter(), process_time()
    import numpy as np

    from brickfield.gpu import get_device
    from brickfield.model.appearance import Appearance
    from brickfield.store import ChunkedLayer, LayerSnapshot, open_store
    from brickfield.viewer.live import prepare_view

    get_device()
    store = open_store([np.zeros((256 >> i,) * 3, np.uint16) for i in range(3)])
    layer = ChunkedLayer(store, Appearance())
    prepare_view([LayerSnapshot.of(layer)], ("scale_bar", "axes"))
    return {"first_s": perf_counter() - start, "cpu_s": process_time() - before}


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

    def act(window: Window, note: Callable[[Any], None]) -> None:
        import brickfield

        brickfield.open_volume(path, viewer=window.viewer)
        brickfield.view_of(window.viewer).reported.connect(note)

    return first_picture(act)


def drop_folder(path: str) -> dict[str, float]:
    """Drop the image on the window, until the dock's first picture with data."""

    def act(window: Window, note: Callable[[Any], None]) -> None:
        window.viewer.open(path, plugin="napari-brickfield")
        from brickfield.plugin.layers.registry import docks_of

        # Soon enough for its first picture, which takes longer than a look.
        window.turn_until(perf_counter() + PATIENCE_S, lambda: docks_of(window.viewer))
        docks_of(window.viewer)[0].main_view.reported.connect(note)

    return first_picture(act)


def first_picture(
    act: Callable[[Window, Callable[[Any], None]], None],
) -> dict[str, float]:
    """Do something in a window until a picture with data comes of it."""
    from qtpy.QtCore import QTimer

    window = Window()
    pictures: list[tuple[float, bool]] = []
    window.beats[:] = [start := perf_counter()]
    before = process_time()

    def note(report: Any) -> None:
        if report.image is not None:
            is_seen = bool(report.image[..., :3].max() > SEEN)
            pictures.append((perf_counter() - start, is_seen))

    QTimer.singleShot(0, lambda: act(window, note))
    end = start + PATIENCE_S
    window.turn_until(end, lambda: any(is_seen for _, is_seen in pictures))
    return {
        "first_s": next(t for t, is_seen in pictures if is_seen),
        "cpu_s": process_time() - before,
        "late_ms": window.late_ms(),
        "n_empty": sum(not is_seen for _, is_seen in pictures),
    }


def read_in_dock(path: str) -> dict[str, float]:
    """Open a level with half of the RAM budget that it needs, until all show it."""
    import brickfield
    from brickfield.loading import default_cache
    from brickfield.plugin.settings import settings
    from brickfield.plugin.slicing.lazy import is_loaded

    window, reports = Window(), []
    # The preferences set the budget when they are first asked for.
    settings()
    before = default_cache().budget_bytes = int(os.environ["BRICKFIELD_RAM"])
    (layer,) = brickfield.open_volume(path, viewer=window.viewer)
    view = brickfield.view_of(window.viewer)
    view.reported.connect(reports.append)

    def is_over() -> bool:
        return bool(reports) and reports[-1].is_complete and is_loaded(layer)

    window.turn_until(perf_counter() + PATIENCE_S, is_over)
    assert is_over()
    assert default_cache().budget_bytes == before
    return {"bytes_read": brickfield.store_of(layer).manager.counters.bytes_read}


def idle(path: str) -> dict[str, float]:
    """Open the image with the dock, and leave both alone once the picture is final."""
    import brickfield

    window = Window()
    window.stop()
    brickfield.open_volume(path, viewer=window.viewer)
    view, end = brickfield.view_of(window.viewer), perf_counter() + PATIENCE_S
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
    acts |= {"dropped": drop_folder, "read": read_in_dock}
    acts |= {"idle": idle, "idle alone": idle_alone}
    print(json.dumps(acts[what](path)), flush=True)
    # Threads of drivers and of napari would take their time.
    os._exit(0)


if __name__ == "__main__":
    main()
