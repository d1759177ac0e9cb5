"""The dock Sessions, in a window."""

import time

import h5py
import napari
import numpy as np
import pytest
from PIL import Image
from qtpy.QtCore import QCoreApplication
from qtpy.QtWidgets import QPushButton

import brickfield as bf
from brickfield.plugin.docking.stem_dock import Stem4DDock
from brickfield.plugin.layers.registry import docks_of
from brickfield.plugin.scenes import recent_scenes
from brickfield.plugin.sessions.widget import Sessions
from brickfield.scene import SceneState
from brickfield.sessions import SessionManager
from brickfield.sources import of_files
from brickfield.stem4d import Annulus, Disc
from brickfield.testing.zarr_stores import write_image

pytestmark = [pytest.mark.napari, pytest.mark.qt]
RNG = np.random.default_rng(6)
DATA = RNG.integers(0, 255, (12, 16, 20), dtype=np.uint8)


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
    n = len(viewer.layers)
    layers = "1 layer offline" if n == 1 else f"{n} layers offline"
    assert dock.offline.text.whole.startswith(layers)
    assert "a.ome.zarr" in dock.offline.text.whole
    assert all(bf.store_of(layer).is_preview for layer in viewer.layers)
    dock.find_in(moved)
    turn_until(lambda: dock.offline.text.whole == "")
    assert [one["status"] for one in SessionManager().info(path)["layers"]] == ["ok"]
    np.testing.assert_array_equal(np.asarray(viewer.layers[0].data[0]), DATA)
    assert not any(bf.store_of(layer).is_preview for layer in viewer.layers)


def test_the_open_session_is_packed(dock, viewer, stored, tmp_path):
    assert not dock.pack.isEnabled()
    dock.load_data(stored)
    saved(dock, tmp_path / "s.ome.zarr")
    assert dock.pack.isEnabled()
    future = dock.pack_to(tmp_path / "p.ome.zarr")
    turn_until(future.done)
    layers = SessionManager().info(tmp_path / "p.ome.zarr")["layers"]
    assert [one["status"] for one in layers] == ["embedded"]


def test_recent_sessions_have_a_picture(dock, viewer, stored, tmp_path):
    dock.load_data(stored)
    saved(dock, tmp_path / "s.ome.zarr")
    turn_until(lambda: dock.recent.count() == 1)
    image = dock.recent.item(0).icon().pixmap(96, 96).toImage()
    greys = {image.pixelColor(x, y).lightness() for x in range(96) for y in range(96)}
    assert len(greys) > 20


def test_what_was_saved_elsewhere_meanwhile_is_not_written_over(
    dock, viewer, stored, tmp_path, monkeypatch
):
    dock.load_data(stored)
    path = tmp_path / "s.ome.zarr"
    saved(dock, path)
    file = path / "zarr.json"
    file.write_text(file.read_text().replace('"created": "2', '"created": "3'))
    told = []
    monkeypatch.setattr("brickfield.plugin.sessions.dock.tell", told.append)
    future = dock.save_to(path, overwrite=True)
    turn_until(lambda: bool(told))
    assert "saved again elsewhere" in str(told[0])
    assert future.done()


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


def test_overlays_of_the_views_come_back(dock, viewer, stored, tmp_path):
    dock.load_data(stored)
    view = bf.view_of(viewer)
    view.set_overlay_options("scale_bar", visible=True)
    view.set_overlay_options("text", visible=True, text="day 3", color=(1.0, 0.5, 0.0))
    before = view.overlays
    path = tmp_path / "s.ome.zarr"
    saved(dock, path)
    for name in ("scale_bar", "text"):
        view.set_overlay_options(name, visible=False)
    SessionManager().restore(viewer, path)
    assert bf.view_of(viewer).overlays == before


@pytest.mark.gpu
def test_pictures_of_a_view_know_their_scene(dock, viewer, stored, tmp_path):
    dock.load_data(stored)
    viewer.layers[0].colormap = "magma"
    view = bf.view_of(viewer)
    view.screenshot(tmp_path / "a.png")
    docks_of(viewer)[0].toolbar.snapshots.save_to(tmp_path / "b.png")
    turn_until((tmp_path / "b.png").exists)
    for name in ("a.png", "b.png"):
        text = Image.open(tmp_path / name).text["brickfield-scene"]
        assert SceneState.from_json(text).layers == bf.get_state(viewer).layers
    viewer.layers.clear()
    dock.load_from(tmp_path / "a.png")
    turn_until(lambda: len(viewer.layers) == 1)
    assert viewer.layers[0].colormap.name == "magma"
    assert recent_scenes.recent_scenes() == []


def test_scan_detector_and_region_come_back(dock, viewer, tmp_path):
    emd = tmp_path / "scan.emd"
    with h5py.File(emd, "w") as file:
        group = file.create_group("version_1/data/datacubes/datacube_000")
        file["version_1"].attrs["emd_group_type"] = 2
        group.attrs["emd_group_type"] = 1
        group["data"] = RNG.integers(0, 900, (6, 5, 16, 12), np.uint16)
    made = Stem4DDock(viewer)
    viewer.window.add_dock_widget(made, name="4D-STEM")
    session = made.session
    session.open(emd)
    turn_until(lambda: session.viewer is not None and session.detector is not None)
    session.set_cursor(2, 1)
    session.set_region((1, 3, 0, 2))
    made._choose_detector(Annulus(7.5, 8.5, 2.0, 5.0))
    turn_until(lambda: made.is_settled)
    before = made.scan_state()
    path = tmp_path / "s.ome.zarr"
    saved(dock, path)
    n = len(viewer.layers)
    session.set_cursor(0, 0)
    made._choose_detector(Disc(8, 8, 3))
    turn_until(lambda: made.is_settled)
    dock.load_from(path)
    turn_until(lambda: made.scan_state() == before and made.is_settled)
    assert len(viewer.layers) == n
    assert len({layer.name for layer in viewer.layers}) == n
