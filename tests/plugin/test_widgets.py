"""What napari calls for the widgets of its plugin menu."""

import subprocess
import sys

import numpy as np
import pytest

from brickfield.qt import import_beside
from brickfield.testing.zarr_stores import write_image

HEAVY = (
    "brickfield.plugin.docking.docks",
    "brickfield.plugin.layers.make",
    "brickfield.store.image_store",
    "tensorstore",
    "wgpu",
)
IMPORTED_ON = """
import builtins, sys, threading
from qtpy.QtCore import QCoreApplication
app = QCoreApplication([])
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
