"""Take the pictures of the window that the documentation shows.

    sh tools/screen.sh .venv/bin/python tools/window_pictures.py [NAME…]

Each picture is a function below: it sets a napari window up as its page says, waits
until the views are complete, and grabs the window, the dock or a panel. napari's
own settings are kept out of it; data are written to /tmp/data.
"""

import os
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from time import monotonic, sleep
from typing import Any

# Before napari is imported: a person's settings are neither read nor changed.
os.environ["NAPARI_CONFIG"] = str(Path(tempfile.mkdtemp()) / "settings.yaml")

import napari
import numpy as np
from napari._qt.dialogs.qt_notification import NapariQtNotification
from numpy.typing import NDArray
from PIL import Image
from qtpy.QtCore import QPoint, Qt
from qtpy.QtTest import QTest
from qtpy.QtWidgets import QApplication, QWidget
from window_data import (
    ball,
    damaged,
    lattice,
    numbered,
    oblique,
    plate,
    sample,
    series,
)
from window_data import tiles as registered
from window_pixels import pixels_of

import brickfield as bf
from brickfield.camera import OrbitCamera, orbit_camera
from brickfield.loading import default_cache
from brickfield.plugin.docking.chooser import open_chooser
from brickfield.plugin.docking.stem_dock import Stem4DDock
from brickfield.plugin.export.imaris_window import open_export
from brickfield.plugin.layers.registry import docks_of
from brickfield.plugin.live.dock import LiveDock
from brickfield.plugin.sessions.widget import Sessions
from brickfield.plugin.settings import open_panels
from brickfield.plugin.settings import preferences as plugin_preferences
from brickfield.plugin.transforms.widget import Transforms
from brickfield.stem4d import Wedge

ROOT = Path(__file__).parent.parent
IMAGES = ROOT / "docs" / "images" / "window"
SIZE = (1280, 800)
PATIENCE_S = 120.0
MOST_BYTES = 300 * 1024

# -- the window --------------------------------------------------------------------


def turn(seconds: float = 0.0, until: Callable[[], bool] = lambda: False) -> bool:
    """Let the window live for a while, or until something is true."""
    end = monotonic() + seconds
    while not until():
        QApplication.processEvents()
        sleep(0.005)
        if monotonic() > end:
            return until()
    return True


class Stage:
    """A napari window with a dock.

    Parameters
    ----------
    viewer : napari.Viewer
    """

    def __init__(self, viewer: Any) -> None:
        self.viewer = viewer

    @property
    def dock(self) -> Any:
        """The dock, opened if there is none."""
        bf.view_of(self.viewer)
        return docks_of(self.viewer)[0]

    @property
    def view(self) -> Any:
        """The volume view."""
        return bf.view_of(self.viewer)

    def settle(self, seconds: float = 0.7) -> None:
        """Wait until every view is complete, and for what follows of that."""
        turn(0.4)
        is_done = lambda: all(v.is_settled for v in self.dock.views)  # noqa: E731
        if not turn(PATIENCE_S, is_done):
            print("  not complete in time")
        turn(seconds)

    def orbit(self, azimuth: float, elevation: float, zoom: float = 1.0) -> None:
        """Look at everything from an angle, larger than it fits by `zoom`."""
        view = self.view
        spec = OrbitCamera(azimuth, elevation, zoom)
        view.camera = orbit_camera(view.framing.corners(), view.viewport, spec)

    def widen(self, width: int) -> None:
        """Give the dock a width, pixels."""
        window = self.viewer.window._qt_window
        holder = self.dock.parentWidget()
        while holder is not None and not hasattr(holder, "toggleViewAction"):
            holder = holder.parentWidget()
        window.resizeDocks([holder], [width], Qt.Orientation.Horizontal)
        turn(0.3)

    def open(self, *names: str) -> Any:
        """Open panels of the dock by name and return the last one."""
        panel = None
        for name in names:
            panel = getattr(self.dock.panels, name)
            self.dock.panels.open(panel, is_open=True)
            turn(0.3)
        return panel

    def hover(self, at: tuple[float, float], kind: str = "3D") -> None:
        """Put the cursor on a share of a view's width and height."""
        picture = self.dock.frames[kind].picture
        place = QPoint(int(at[0] * picture.width()), int(at[1] * picture.height()))
        QTest.mouseMove(picture, place)
        turn(0.2)
        QTest.mouseMove(picture, place + QPoint(1, 0))
        turn(1.0)

    def window(self, name: str) -> None:
        """Keep a picture of the whole window."""
        pixels = self.viewer.window.screenshot(flash=False, canvas_only=False)
        keep(name, pixels[..., :3])

    def part(self, name: str, widget: QWidget | None = None) -> None:
        """Keep a picture of a widget; the dock if none is named."""
        keep(name, pixels_of(self.dock if widget is None else widget))


@contextmanager
def stage(size: tuple[int, int] = SIZE) -> Iterator[Stage]:
    """Open a window, and close it afterwards."""
    open_panels.clear()
    default_cache().clear()
    viewer = napari.Viewer(show=True)
    viewer.window.resize(*size)
    turn(0.3)
    try:
        yield Stage(viewer)
    finally:
        viewer.close()
        turn(0.3)


def keep(name: str, pixels: NDArray[np.uint8]) -> None:
    """Write a picture into the folder of the documentation, small enough for it."""
    IMAGES.mkdir(parents=True, exist_ok=True)
    target = IMAGES / f"{name}.png"
    picture = Image.fromarray(np.ascontiguousarray(pixels))
    picture.save(target, optimize=True)
    if target.stat().st_size > MOST_BYTES:
        # The method that keeps the colours of small things.
        method = Image.Quantize.FASTOCTREE
        picture.quantize(256, method).save(target, optimize=True)
    kib = target.stat().st_size / 1024
    print(f"{target.relative_to(ROOT)}: {picture.size}, {kib:.0f} KiB", flush=True)


# -- pictures ----------------------------------------------------------------------


def window() -> None:
    """Napari with the dock: the first picture of all."""
    with stage() as s:
        bf.open_volume(sample(), s.viewer)
        s.widen(560)
        s.orbit(35, 20, 1.35)
        s.settle()
        s.window("window")


def dock() -> None:
    """The dock alone, and the value under the cursor."""
    with stage((1400, 800)) as s:
        bf.open_volume(sample(), s.viewer)
        s.widen(640)
        s.orbit(35, 20, 1.3)
        s.settle()
        s.hover((0.44, 0.36))
        s.part("dock")


def failures() -> None:
    """Chunks that could not be read, and their list."""
    with stage((1400, 800)) as s:
        bf.open_volume(damaged(), s.viewer)
        s.widen(640)
        s.orbit(35, 20, 1.3)
        s.settle()
        s.part("failures-status", s.dock.status)
        s.dock.status.open_failures()
        s.dock.status.failure_list.resize(980, 200)
        turn(0.5)
        s.part("failures", s.dock.status.failure_list)


def chooser() -> None:
    """The wells of a plate."""
    with stage() as s:
        (layer,) = bf.open_volume(plate(), s.viewer)
        s.settle()
        window = open_chooser(s.viewer, layer)
        assert window is not None
        turn(PATIENCE_S, lambda: window.plate is not None)
        turn(0.5)
        turn(PATIENCE_S, lambda: not window.reading.n_waiting)
        turn(0.3)
        s.part("chooser", window)


def imaris() -> None:
    """What an export of two channels to Imaris asks and takes."""
    with stage() as s:
        bf.open_volume(sample(), s.viewer)
        s.settle()
        s.viewer.layers.selection = set(s.viewer.layers)
        dialog = open_export(s.viewer)
        assert dialog is not None
        dialog.place.setText(str(Path(tempfile.gettempdir()) / "data" / "embryo.ims"))
        turn(PATIENCE_S, dialog.start.isEnabled)
        turn(0.3)
        s.part("imaris", dialog)
        dialog.close()


def benchmark() -> None:
    """The window that measures this machine, and two results side by side."""
    from brickfield.qt.benchmark import ComparisonDialog, PerformanceBenchmarkDialog

    with stage() as s:
        layer = bf.open_volume(sample(), s.viewer)[0]
        s.settle()
        store = s.dock.scene.port_of(layer).data.store
        dialog = PerformanceBenchmarkDialog(store, s.viewer.window._qt_window)
        dialog.show()
        panel = dialog.panel
        for n, box in panel.sizes.items():
            box.setChecked(n == 100)
        panel.iterations.setValue(3)
        before = Path(tempfile.gettempdir()) / "data" / "before.json"
        for _ in range(2):
            if panel.result is not None:
                panel.export(before)
            panel.run()
            turn(PATIENCE_S, lambda: not panel.is_running)
        s.part("benchmark", dialog)
        panel.compare_with(before)
        turn(0.5)
        (window,) = dialog.findChildren(ComparisonDialog)
        s.part("benchmark-compared", window)
        dialog.close()


def four_views() -> None:
    """Three slices and the volume."""
    with stage((1500, 900)) as s:
        bf.open_volume(sample(), s.viewer)
        bf.open_views(s.viewer, "2x2")
        s.widen(900)
        for view in s.dock.views:
            view.fit()
        s.orbit(35, 20, 1.3)
        s.settle()
        s.part("four-views")


def plane() -> None:
    """An oblique plane."""
    with stage((1400, 800)) as s:
        bf.open_volume(sample(), s.viewer)
        (view,) = bf.open_views(s.viewer, "plane")
        s.widen(640)
        view.normal = (1.0, -0.6, 0.4)
        view.fit()
        s.settle()
        s.part("plane")


def volume_and_plane() -> None:
    """The volume with the frame of an oblique plane, and the plane beside it."""
    with stage((1500, 900)) as s:
        bf.open_volume(sample(), s.viewer)
        bf.open_views(s.viewer, "3D+plane")
        s.widen(900)
        s.dock.frames["plane"].view.normal = (1.0, -0.6, 0.4)
        for view in s.dock.views:
            view.fit()
        s.orbit(35, 20, 1.15)
        s.open("plane")
        s.settle()
        s.part("volume-and-plane")


def clip() -> None:
    """The clip box, its knobs and sliders."""
    with stage((1400, 860)) as s:
        layers = bf.open_volume(sample(), s.viewer)
        s.widen(640)
        s.view.mode = "iso"
        for layer in layers:
            layer.iso_threshold = 1300
            layer.contrast_limits = (100, 2600)
        panel = s.open("clip")
        (low, high) = panel.bounds
        middle = (low[0] + high[0]) / 2
        for port in s.dock.scene.layers:
            port.clip_box = ((middle, *low[1:]), high)
        s.orbit(35, 25, 1.1)
        s.settle()
        s.part("clip")


def labels() -> None:
    """Labels beside the image."""
    with stage() as s:
        bf.open_volume(sample(), s.viewer)
        data, size, shift = numbered()
        unit = s.viewer.layers[0].units
        s.viewer.add_labels(
            data, name="nuclei, numbered", scale=size, translate=shift, units=unit
        )
        s.viewer.layers["nuclei, numbered"].opacity = 1
        s.viewer.layers["sample: nuclei"].visible = False
        s.widen(560)
        s.orbit(35, 20, 1.35)
        s.settle()
        s.window("labels")


def time() -> None:
    """A series while it is played."""
    with stage((1400, 800)) as s:
        (layer,) = bf.open_volume(series(), s.viewer)
        layer.colormap = "inferno"
        s.widen(640)
        s.settle()
        panel = s.open("time")
        s.viewer.dims.set_current_step(0, 9)
        s.settle()
        panel.player.rate = 4
        panel.toggle()
        turn(2.0)
        s.part("time")
        panel.toggle()


def appearance() -> None:
    """Histogram, contrast, opacity curve."""
    with stage((1400, 980)) as s:
        layers = bf.open_volume(sample(), s.viewer)
        s.widen(640)
        s.view.mode = "translucent"
        for layer in layers:
            layer.contrast_limits = (300, 3000)
        s.viewer.layers.selection.active = layers[0]
        s.dock.scene.active.opacity_curve = (
            (0.0, 0.0),
            (0.2, 0.02),
            (0.6, 0.5),
            (1.0, 0.9),
        )
        s.open("appearance")
        s.orbit(35, 20, 1.1)
        s.settle(3.0)
        s.part("appearance")


def reader() -> None:
    """What napari asks when a folder is dropped on it."""
    from napari._qt.dialogs.qt_reader_dialog import QtReaderDialog

    with stage() as s:
        dialog = QtReaderDialog(
            parent=s.viewer.window._qt_window,
            pth="data.ome.zarr",
            readers={"napari-brickfield": "Brickfield", "napari": "napari builtins"},
        )
        dialog.show()
        turn(0.5)
        s.part("reader", dialog)
        dialog.close()


def preferences() -> None:
    """The plugin's page in napari's preferences."""
    from napari._qt.dialogs.preferences_dialog import PreferencesDialog

    with stage() as s:
        dialog = PreferencesDialog(parent=s.viewer.window._qt_window)
        names = [dialog._list.item(i).text() for i in range(dialog._list.count())]
        dialog.resize(780, 400)
        dialog.show()
        dialog._list.setCurrentRow(names.index("Brickfield"))
        turn(1.0)
        s.part("preferences", dialog)
        dialog.close()


def no_adapter() -> None:
    """The dock without a graphics driver; in a process of its own."""
    if os.environ.get("VK_DRIVER_FILES") != "/none":
        import subprocess

        env = {**os.environ, "VK_DRIVER_FILES": "/none"}
        subprocess.run([sys.executable, __file__, "no_adapter"], env=env, check=True)
        return
    with stage((1200, 560)) as s:
        bf.open_volume(sample(), s.viewer)
        s.widen(560)
        turn(4.0)
        s.part("no-adapter")


def quality() -> None:
    """Quality, levels and memory; colours by level."""
    with stage((1400, 900)) as s:
        layers = bf.open_volume(sample(), s.viewer)
        memory = plugin_preferences().memory
        memory.gpu_mib = 64
        s.widen(640)
        s.view.mode = "iso"
        for layer in layers:
            layer.iso_threshold = 1300
            layer.contrast_limits = (100, 1600)
            layer.blending = "translucent"
        s.open("quality")
        s.orbit(35, 20, 2.4)
        s.view.show_levels = True
        s.settle()
        s.part("quality")
        memory.gpu_mib = 1024


def receipt() -> None:
    """What the picture cost."""
    with stage((1400, 860)) as s:
        bf.open_volume(sample(), s.viewer)
        s.widen(640)
        s.orbit(35, 20, 1.3)
        s.settle()
        panel = s.open("receipt")
        turn(20, lambda: panel.receipt is not None)
        turn(0.5)
        s.part("receipt", panel)


def movies() -> None:
    """The movie bar: a turntable and key frames."""
    with stage((1400, 860)) as s:
        bf.open_volume(sample(), s.viewer)
        s.widen(640)
        s.orbit(35, 20, 1.3)
        s.dock.toolbar.by_name["record"].trigger()
        s.settle()
        bar = s.dock.toolbar.movies
        s.part("turntable", bar)
        bar.by_name["key_frames"].trigger()
        for azimuth, zoom in ((35, 1.2), (80, 1.8), (140, 1.1)):
            s.orbit(azimuth, 20, zoom)
            bar.key_frames.add()
        turn(0.5)
        s.settle()
        s.part("key-frames", bar)


def huge() -> None:
    """Ten terabytes."""
    with stage() as s:
        s.viewer.open_sample("napari-brickfield", "huge")
        s.widen(560)
        s.settle()
        s.window("huge")


def objects() -> None:
    """Points, a surface and shapes of napari in the volume."""
    with stage() as s:
        bf.open_volume(sample(), s.viewer)
        unit = s.viewer.layers[0].units
        turns = np.linspace(0, 6 * np.pi, 240)
        wave = 48 + np.stack(
            [40 * (turns / 9 - 1.05), 40 * np.cos(turns), 40 * np.sin(turns)], axis=1
        )
        s.viewer.add_shapes(
            [wave],
            shape_type="path",
            edge_color="#f0e442",
            edge_width=0.6,
            name="path",
            units=unit,
        )
        s.viewer.add_points(
            wave[::16], size=4, face_color="white", name="spots", units=unit
        )
        s.viewer.add_surface(ball(48, 12), colormap="turbo", name="ball", units=unit)
        s.widen(560)
        s.orbit(35, 20, 1.25)
        s.settle()
        s.window("objects")


def scenes() -> None:
    """What the File menu has for scenes."""
    with stage() as s:
        bf.open_volume(sample(), s.viewer)
        menus = [a.menu() for a in s.viewer.window.file_menu.actions() if a.menu()]
        inner = [a.menu() for menu in menus for a in menu.actions() if a.menu()]
        (found,) = [m for m in inner if any("scene" in a.text() for a in m.actions())]
        found.popup(QPoint(60, 60))
        turn(0.5)
        s.part("scene-menu", found)
        found.close()


def linked() -> None:
    """Napari's 3D canvas and the dock on one camera."""
    with stage() as s:
        bf.open_volume(sample(), s.viewer)
        s.widen(560)
        s.viewer.dims.ndisplay = 3
        s.dock.link_camera = True
        s.orbit(35, 20, 1.2)
        s.settle(1.5)
        s.window("linked")


def transforms() -> None:
    """The sample turned by the dock Transforms, and what baking it takes."""
    with stage((1400, 800)) as s:
        bf.open_volume(sample(), s.viewer)
        s.widen(620)
        dock = Transforms(s.viewer)
        s.viewer.window.add_dock_widget(dock, name="Transforms", area="left")
        s.viewer.window._qt_viewer.dockLayerControls.hide()
        dock.angle.moved.emit(23.0)
        dock.show_target(str(Path(tempfile.gettempdir()) / "data" / "turned.ome.zarr"))
        dock.target_edited.emit(dock.place)
        s.orbit(35, 20, 1.35)
        s.settle()
        turn(PATIENCE_S, dock.bake.isEnabled)
        s.window("transforms")


def deskew() -> None:
    """A stack of oblique planes as it is stored, and deskewed by the dock Transforms."""
    with stage((1400, 800)) as s:
        bf.open_volume(oblique(), s.viewer)
        s.widen(620)
        dock = Transforms(s.viewer)
        s.viewer.window.add_dock_widget(dock, name="Transforms", area="left")
        s.viewer.window._qt_viewer.dockLayerControls.hide()
        dock.show_target(
            str(Path(tempfile.gettempdir()) / "data" / "deskewed.ome.zarr")
        )
        s.orbit(90, 0, 1.0)
        s.settle()
        s.part("deskew-before", s.dock)
        dock.oblique.setChecked(True)
        dock._choose_deskew(0, 40.0)
        dock.deskew[0].follow(40.0)
        s.view.fit()
        s.orbit(90, 0, 2.2)
        s.settle()
        turn(PATIENCE_S, dock.bake.isEnabled)
        s.window("deskew")


def sessions() -> None:
    """A session with two images, of which one's data have been moved away."""
    place = Path(tempfile.mkdtemp())
    data = Path(shutil.copytree(sample(), place / "day3.ome.zarr"))
    path = place / "embryo 7 day 3.ome.zarr"
    with stage((1400, 800)) as s:
        bf.open_volume(str(data), s.viewer)
        s.widen(620)
        s.orbit(35, 20, 1.35)
        s.settle()
        dock = Sessions(s.viewer)
        s.viewer.window.add_dock_widget(dock, name="Sessions", area="left")
        s.viewer.window._qt_viewer.dockLayerControls.hide()
        dock.show_session("embryo 7, day 3", "vessels, after the second wash")
        saved = dock.save_to(path)
        turn(PATIENCE_S, saved.done)
        data.rename(place / "archived.ome.zarr")
        dock.load_from(path)
        turn(PATIENCE_S, lambda: bool(dock.offline.isVisible()))
        s.settle(4.0)
        for notice in s.viewer.window._qt_viewer.findChildren(NapariQtNotification):
            notice.close()
        s.settle()
        s.window("sessions")


def tiles() -> None:
    """Three registered tiles, one of them chosen, with their boxes."""
    with stage((1400, 900)) as s:
        bf.open_volume(registered(), s.viewer)
        s.widen(640)
        for port in s.dock.scene.layers:
            port.contrast = (150, 6000)
        panel = s.open("tiles")
        panel.names.setChecked(True)
        panel.choose("angle 10")
        s.orbit(20, 25, 1.15)
        s.settle()
        s.part("tiles")


def stem4d() -> None:
    """The scan of a lattice: its iCOM, and in the light theme a wedge and a transform."""
    path = lattice()
    for theme in ("dark", "light"):
        with stage() as s:
            s.viewer.theme = theme
            dock = Stem4DDock(s.viewer)
            s.viewer.window.add_dock_widget(dock, name="4D-STEM", area="right")
            dock.session.open(path)
            wait_for_words(dock.state, "Virtual image: exact")
            dock.session.set_cursor(32, 32)
            turn(0.7)
            title = "Centre of mass, DPC, iCOM" if theme == "dark" else "FFT explorer"
            page = dock.pages[title]
            dock.sections[title].is_open = True
            turn(0.5)
            if theme == "dark":
                dock.use_preset("BF")
                page.kind.setCurrentText("iCOM")
                page.descan.setChecked(True)
                page.show_it.click()
                wait_for_words(page.say, "From ")
            else:
                cy, cx = (box.value for box in dock.detector_bar.boxes[:2])
                dock._choose_detector(Wedge(cy, cx, 13.5, 32.0, 0.0, 90.0))
                page.part.setCurrentText("log")
                page.show_it.click()
            wait_for_words(dock.state, "Virtual image: exact")
            turn(1.5)
            s.window("stem4d" if theme == "dark" else "stem4d-light")


def wait_for_words(label: Any, words: str) -> None:
    """Wait until a label begins with some words."""
    if not turn(PATIENCE_S, lambda: label.text().startswith(words)):
        print(f"  never said {words!r}, but {label.text()!r}")


def live() -> None:
    """The dock Live acquisition, following its own simulated microscope."""
    with stage() as s:
        dock = LiveDock(s.viewer)
        s.viewer.window.add_dock_widget(dock, name="Live acquisition", area="right")
        dock.demo.click()
        turn(PATIENCE_S, lambda: len(s.viewer.layers) > 0)
        s.widen(612)
        s.orbit(35, 20, 1.35)
        turn(20.0)
        s.window("live")
        dock.end()
        turn(1.0)


PICTURES: dict[str, Callable[[], None]] = {
    f.__name__: f
    for f in (
        window, dock, failures, chooser, imaris, benchmark, four_views, plane, volume_and_plane, clip, labels,
        time, appearance,
        reader, preferences, no_adapter, movies,
        quality, receipt, huge, objects, scenes, linked, transforms, deskew, sessions,
        tiles, stem4d, live,
    )
}  # fmt: skip


def main(wanted: list[str]) -> None:
    """Take the named pictures, or all."""
    for name in wanted or PICTURES:
        print(name, flush=True)
        PICTURES[name]()


if __name__ == "__main__":
    main(sys.argv[1:])
