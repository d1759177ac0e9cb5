"""What napari calls for the widgets of its plugin menu."""

import os
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import brickfield.plugin
from brickfield.qt import import_beside
from brickfield.testing.zarr_stores import write_image

HEAVY = (
    "brickfield.plugin.docking.docks",
    "brickfield.plugin.layers.make",
    "brickfield.store.image_store",
    "tensorstore",
    "wgpu",
)
LOADED_WHEN_CALLED = (
    "brickfield.plugin.docking.benchmark_dock",
    "brickfield.plugin.docking.stem_dock",
    "brickfield.plugin.export.imaris_window",
    "brickfield.plugin.live.dock",
    "brickfield.plugin.scenes.scene_menu",
    "brickfield.plugin.sessions.dock",
    "brickfield.plugin.sessions.in_viewer",
    "brickfield.plugin.slicing.lazy",
    "brickfield.plugin.transforms.dock",
)
IMPORTED_ON = """
import builtins, sys, threading
from qtpy.QtWidgets import QApplication
app = QApplication([])
seen = {{}}
find = sys.meta_path[-1].find_spec

class Watch:
    def find_spec(self, name, path=None, target=None):
        seen.setdefault(name, threading.current_thread() is threading.main_thread())

sys.meta_path.insert(0, Watch())
{act}
print(*sorted(name for name, is_window in seen.items() if is_window))
"""


def imported_by_the_window(act):
    """Modules that the window's thread loaded itself in a fresh process."""
    run = subprocess.run(
        [sys.executable, "-c", IMPORTED_ON.format(act=act)],
        capture_output=True,
        text=True,
        check=True,
        env=os.environ | {"QT_QPA_PLATFORM": "offscreen"},
    )
    return set(run.stdout.split())


@pytest.mark.parametrize(
    "act",
    [
        "import brickfield.plugin.widgets",
        "import brickfield.plugin.commands",
        "import brickfield.plugin.sample",
        "import brickfield.plugin.reader",
        "import brickfield; brickfield.open_volume",
    ],
)
def test_the_window_itself_loads_nothing_heavy(act):
    """Neither when napari looks a command up, nor for the names of the console."""
    assert not imported_by_the_window(act) & set(HEAVY)


def test_no_command_or_dock_of_the_menus_has_the_window_load_what_it_needs():
    """Neither when napari looks a function up nor when it is called."""
    manifest = Path(brickfield.plugin.__file__).with_name("napari.yaml")
    functions = re.findall(r"python_name: (\S+)", manifest.read_text(encoding="utf-8"))
    called = ("export_to_imaris", "copy_link", "Stem4D", "Benchmark", "Sessions")
    called += ("LiveAcquisition", "Transforms")
    act = f"""
from contextlib import suppress
from importlib import import_module
for python_name in {functions}:
    module, _, name = python_name.partition(":")
    function = getattr(import_module(module), name)
    if name in {called}:
        # There is no viewer, so that each stops once all is loaded.
        with suppress(AttributeError, TypeError):
            function(None)
assert sys.modules.keys() >= {set(LOADED_WHEN_CALLED)}
"""
    assert not imported_by_the_window(act) & {*HEAVY, *LOADED_WHEN_CALLED}


def test_a_module_that_another_thread_is_still_loading_is_waited_for(tmp_path):
    """In the event loop: Python's own wait would hold the window up."""
    (tmp_path / "slow_to_load.py").write_text("import gate\ngate.opened.wait(60)\n")
    act = f"""
import types
from qtpy.QtCore import QTimer
from brickfield.qt import import_beside
gate = sys.modules["gate"] = types.ModuleType("gate")
gate.opened = threading.Event()
sys.path.insert(0, r"{tmp_path}")
other = threading.Thread(target=__import__, args=("slow_to_load",))
other.start()
while "slow_to_load" not in sys.modules:
    pass
QTimer.singleShot(0, gate.opened.set)
import_beside("slow_to_load")
assert gate.opened.is_set()
other.join()
"""
    assert "slow_to_load" not in imported_by_the_window(act)


def test_what_docks_load_is_loaded_beside_the_window():
    """Also what napari's camera and the colormaps load when they are first asked."""
    act = "from brickfield.plugin.docking.load import load_docks; load_docks()"
    assert not imported_by_the_window(act) & {
        "brickfield.plugin.docking.docks",
        "scipy",
        "cmap",
    }
    act += """
import threading
from napari.components import ViewerModel
from brickfield.plugin.warm import load_later
load_later()
for thread in threading.enumerate():
    if thread.name == "brickfield-later":
        thread.join()
from brickfield.viewer.colormaps import lut
seen.clear()
ViewerModel().camera.view_direction
lut("viridis")
"""
    assert not imported_by_the_window(act) & {"scipy.spatial.transform", "cmap"}


def test_what_opening_needs_is_loaded_beside_the_window(tmp_path):
    """Also what tells a session from other data, and napari's preferences."""
    path = write_image(tmp_path / "a.ome.zarr", [np.zeros((4, 8, 8), "u1")])
    act = f"""
from brickfield.plugin.reader import get_reader
(found,) = get_reader(r"{path}")(r"{path}")
assert found[2] == "image"
"""
    needed = {
        *HEAVY,
        "brickfield.scene.document",
        "brickfield.sessions.document",
        "napari.settings",
    }
    assert not imported_by_the_window(act) & needed


def test_what_a_save_needs_is_loaded_beside_the_window(tmp_path):
    act = f"""
import numpy as np
from brickfield.plugin.writer import write_image
meta = {{"scale": (1, 1, 1), "translate": (0, 0, 0)}}
saved = write_image(r"{tmp_path / "a.ome.zarr"}", np.zeros((9, 9, 9), "u2"), meta)
assert len(saved) == 1
"""
    needed = {
        *HEAVY,
        "zarr",
        "brickfield.sources.array_libraries.source",
        "brickfield.pyramid",
    }
    assert not imported_by_the_window(act) & needed


def test_a_drop_has_the_dock_loaded_beside_the_window_and_is_not_held_up():
    act = """
from brickfield.plugin.docking.load import call_with_docks
on_window = []
call_with_docks(
    lambda: on_window.append(threading.current_thread() is threading.main_thread())
)
assert not on_window
while not on_window:
    app.processEvents()
assert on_window == [True]
from brickfield.plugin.docking.open_dock import open_dock
"""
    assert not imported_by_the_window(act) & set(HEAVY)


def test_what_is_loaded_costs_no_turn(qtbot):
    from qtpy.QtCore import QTimer

    turns = []
    QTimer.singleShot(0, lambda: turns.append(1))
    import_beside("sys")
    assert turns == []


@pytest.mark.napari
@pytest.mark.parametrize("name", ["Volume view", "Orthogonal views"])
def test_the_menu_opens_a_dock_of_the_viewer(make_napari_viewer, name):
    from brickfield.plugin.docking.docks import VolumeDock
    from brickfield.plugin.layers.registry import docks_of

    viewer = make_napari_viewer()
    _, widget = viewer.window.add_plugin_dock_widget("napari-brickfield", name)
    assert isinstance(widget, VolumeDock)
    assert docks_of(viewer) == [widget]
