"""The dock Live acquisition, in a window."""

import time

import pytest
from qtpy.QtCore import QCoreApplication
from qtpy.QtWidgets import QPushButton

from brickfield.plugin.live.follower import open_live
from brickfield.plugin.live.widget import LiveAcquisition
from brickfield.streaming import Microscope, StreamWriter, read_acquisition

pytestmark = [pytest.mark.napari, pytest.mark.qt]
SMALL = Microscope(frames=48, size=(64, 64), planes=4, fps=0)
ENDLESS = Microscope(frames=100_000, size=(64, 64), planes=4, fps=100)


@pytest.fixture
def viewer(make_napari_viewer):
    return make_napari_viewer(show=False)


@pytest.fixture
def dock(viewer):
    made = LiveAcquisition(viewer)
    viewer.window.add_dock_widget(made, name="Live acquisition")
    return made


def turn_until(is_true, limit_s=90.0):
    end = time.monotonic() + limit_s
    while not is_true():
        assert time.monotonic() < end, "it did not happen"
        QCoreApplication.processEvents()
        time.sleep(0.01)


def test_its_buttons_have_the_words_that_people_look_for(dock):
    words = {button.text() for button in dock.findChildren(QPushButton)}
    assert {"Demo", "Stop", "Follow…"} <= words
    assert "Nothing is followed" in dock.line.whole
    assert not dock.stop.isEnabled()


def test_the_demo_is_followed_to_its_end(dock, viewer, tmp_path):
    place = tmp_path / "demo.ome.zarr"
    dock.run_demo(SMALL, place)
    assert not dock.demo.isEnabled()
    turn_until(lambda: "complete" in dock.line.whole)
    assert "frame 48" in dock.line.whole
    (layer,) = viewer.layers
    assert layer.data[0].shape == (12, 4, 64, 64)
    assert viewer.dims.current_step[0] == 11
    turn_until(dock.demo.isEnabled)


def test_stop_ends_the_demo_and_leaves_a_whole_image(dock, tmp_path):
    place = tmp_path / "demo.ome.zarr"
    dock.run_demo(ENDLESS, place)
    turn_until(lambda: "fps" in dock.line.whole)
    assert dock.stop.isEnabled()
    assert dock.buffer_text.text().startswith("buffer ")
    dock.end()
    turn_until(lambda: "complete" in dock.line.whole)
    assert read_acquisition(place)["complete"]


def test_what_is_followed_already_is_shown(viewer, tmp_path):
    """As after ``brickfield view URI --live``."""
    with StreamWriter(tmp_path / "a.ome.zarr", (None, 4, 64, 64), "tzyx") as writer:
        open_live(str(writer.path), viewer)
        dock = LiveAcquisition(viewer)
        viewer.window.add_dock_widget(dock)
        assert "growing" in dock.line.whole
        dock.newest.setChecked(False)
        dock.end()
        assert "stopped" in dock.line.whole


def test_a_folder_that_is_none_is_refused_in_words(dock, tmp_path, viewer, capsys):
    dock.follow_image(tmp_path)
    assert "local folder" in capsys.readouterr().out  # napari's notification
    assert list(viewer.layers) == []
