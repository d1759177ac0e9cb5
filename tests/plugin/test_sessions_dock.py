"""The dock Sessions, in a window."""

import time

import napari
import numpy as np
import pytest
from qtpy.QtCore import QCoreApplication
from qtpy.QtWidgets import QPushButton

from brickfield.plugin.scenes import recent_scenes
from brickfield.plugin.sessions.widget import Sessions
from brickfield.sessions import SessionManager
from brickfield.sources import of_files
from brickfield.testing.zarr_stores import write_image

pytestmark = [pytest.mark.napari, pytest.mark.qt]
DATA = np.random.default_rng(6).integers(0, 255, (12, 16, 20), dtype=np.uint8)


@pytest.fixture(autouse=True)
def no_recent_sessions():
    recent_scenes.forget_all()
    yield
    recent_scenes.forget_all()


@pytest.fixture
def stored(tmp_path):
    return write_image(tmp_path / "data" / "a.ome.zarr", [DATA])


@pytest.fixture
def viewer(make_napari_viewer):
    return make_napari_viewer(show=False)


@pytest.fixture
def dock(viewer):
    made = Sessions(viewer)
    viewer.window.add_dock_widget(made, name="Sessions")
    return made


def turn_until(is_true, limit_s=60.0):
    end = time.monotonic() + limit_s
    while not is_true():
        assert time.monotonic() < end, "it did not happen"
        QCoreApplication.processEvents()
        time.sleep(0.01)


def saved(dock, path, **options):
    future = dock.save_to(path, **options)
    turn_until(future.done)
    turn_until(lambda: recent_scenes.recent_sessions() == [path])


def test_its_buttons_have_the_words_that_people_look_for(dock):
    words = {button.text() for button in dock.findChildren(QPushButton)}
    assert {"Save session", "Load session", "Load test data", "Benchmark"} <= words


def test_a_saved_session_is_loaded_with_its_name_and_note(
    dock, viewer, stored, tmp_path
):
    dock.load_data(stored)
    viewer.add_points(np.zeros((2, 3)), name="spots")
    dock.name.setText("embryo 7")
    dock.note.setPlainText("day 3")
    path = tmp_path / "s.ome.zarr"
    saved(dock, path)
    names = [layer.name for layer in viewer.layers]
    about = SessionManager().info(path)
    assert (about["name"], about["description"]) == ("embryo 7", "day 3")
    viewer.layers.clear()
    dock.show_session("", "")
    dock.load_from(path)
    turn_until(lambda: len(viewer.layers) == len(names))
    assert [layer.name for layer in viewer.layers] == names
    assert (dock.session_name, dock.note_text) == ("embryo 7", "day 3")
    turn_until(lambda: dock.recent.count() == 1)
    assert "embryo 7" in dock.recent.item(0).text()


def test_data_that_moved_are_found_again(dock, viewer, stored, tmp_path):
    dock.load_data(stored)
    path = tmp_path / "s.ome.zarr"
    saved(dock, path)
    viewer.layers.clear()
    moved = tmp_path / "elsewhere"
    stored.parent.rename(moved)
    dock.load_from(path)
    turn_until(lambda: dock.offline.text.whole != "")
    assert "a.ome.zarr" in dock.offline.text.whole
    dock.find_in(moved)
    turn_until(lambda: dock.offline.text.whole == "")
    assert [one["status"] for one in SessionManager().info(path)["layers"]] == ["ok"]
    np.testing.assert_array_equal(np.asarray(viewer.layers[0].data[0]), DATA)


def test_numpy_files_are_opened_too(dock, viewer, tmp_path):
    np.save(tmp_path / "a.npy", DATA)
    before = of_files([tmp_path / "a.npy"])
    dock.load_data(tmp_path / "a.npy")
    np.testing.assert_array_equal(np.asarray(viewer.layers[0].data[0]), DATA)
    assert of_files([tmp_path / "a.npy"]) == before


def test_the_file_menu_saves_everything_as_a_session(viewer, stored, tmp_path):
    viewer.open(str(stored), plugin="napari-brickfield")
    viewer.add_points(np.zeros((2, 3)), name="spots")
    path = tmp_path / "all.brickfield.ome.zarr"
    assert napari.current_viewer() is viewer
    written = viewer.layers.save(str(path), plugin="napari-brickfield")
    assert written == [str(path)]
    about = SessionManager().info(path)
    assert [one["status"] for one in about["layers"]] == ["ok"]
    assert about["annotations"] == [{"name": "spots", "type": "points"}]
    viewer.layers.clear()
    viewer.open(str(path), plugin="napari-brickfield")
    assert [layer.name for layer in viewer.layers] == ["image", "spots"]


def test_a_dock_that_is_gone_hears_of_nothing_more(dock, viewer, stored, tmp_path):
    dock.load_data(stored)
    path = tmp_path / "s.ome.zarr"
    future = dock.save_to(path)
    viewer.window.remove_dock_widget(dock)
    dock.deleteLater()
    turn_until(future.done)
    end = time.monotonic() + 0.3
    turn_until(lambda: time.monotonic() > end)
    assert SessionManager().info(path)["layers"][0]["status"] == "ok"
