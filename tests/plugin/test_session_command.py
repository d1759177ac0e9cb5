"""``brickfield session load`` and ``brickfield view`` open a session in a real window."""

import json
import os
import subprocess
import sys

import numpy as np
import pytest

from brickfield.sessions import SessionManager, scene_of
from brickfield.sources import open_source
from brickfield.testing.zarr_stores import write_image

pytestmark = pytest.mark.napari
DATA = np.random.default_rng(1).integers(0, 255, (12, 20, 24), dtype=np.uint8)
USER = """
import json, sys
from qtpy.QtCore import QTimer
from napari import current_viewer
from napari.qt import get_qapp

app = get_qapp()

def look():
    viewer = current_viewer()
    if viewer is None or not len(viewer.layers) or not viewer.window._qt_window.isVisible():
        QTimer.singleShot(50, look)
        return
    layer = viewer.layers[0]
    docks = [name for name in viewer.window.dock_widgets]
    told = {"name": layer.name, "colormap": layer.colormap.name, "docks": docks}
    print(json.dumps(told), flush=True)
    viewer.window._qt_window.close()

QTimer.singleShot(50, look)
from brickfield.cli.main import run
sys.argv[0] = "brickfield"
run()
"""


@pytest.fixture
def session(tmp_path):
    folder = write_image(tmp_path / "a.ome.zarr", [DATA, DATA[:, ::2, ::2]])
    source = open_source(str(folder))
    scene = scene_of([(str(folder), source)])
    layer = scene.layers[0].model_copy(update={"colormap": "magma", "name": "head"})
    scene = scene.model_copy(update={"layers": (layer,)})
    source.close()
    return SessionManager(tmp_path).save_session(scene, "s")


def opened(*words):
    """Run the command, look at its window, close it; return what was seen."""
    command = [sys.executable, "-c", USER, *map(str, words)]
    ended = subprocess.run(
        command, capture_output=True, text=True, timeout=300, env=os.environ
    )
    assert "Traceback" not in ended.stderr
    return ended.returncode, json.loads(ended.stdout.splitlines()[-1]), ended.stderr


def test_a_session_opens_with_its_looks_and_the_volume_dock(session):
    status, seen, _ = opened("session", "load", session)
    assert (seen["name"], seen["colormap"]) == ("head", "magma")
    assert "Volume view" in " ".join(seen["docks"])
    assert status == 0


def test_the_status_says_that_data_are_gone_once_the_window_is_closed(session):
    session.with_name("a.ome.zarr").rename(session.with_name("away.ome.zarr"))
    status, seen, told = opened("view", session)
    assert (seen["name"], seen["colormap"]) == ("head", "magma")
    assert "a.ome.zarr" in told
    assert "preview shown" in told
    assert status == 3
