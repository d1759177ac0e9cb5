"""What happens when the dock takes its place in napari's window."""

import numpy as np
import pytest
from qtpy.QtWidgets import QDockWidget

import brickfield as bf
from brickfield.plugin.docking.open_dock import TITLE
from brickfield.plugin.layers.registry import docks_of
from brickfield.plugin.settings import preferences
from brickfield.testing.zarr_stores import write_image

pytestmark = [pytest.mark.napari, pytest.mark.bindings]


@pytest.fixture
def viewer(make_napari_viewer):
    viewer = make_napari_viewer(show=True, strict_qt="raise")
    viewer.window._qt_window.resize(1280, 800)
    return viewer


@pytest.fixture
def stored(tmp_path):
    return str(write_image(tmp_path / "a.ome.zarr", [np.ones((8, 16, 16), np.uint8)]))


def camera_of(viewer):
    return (*viewer.scene.camera.center, viewer.scene.camera.zoom)


def settle(qtbot, viewer):
    (dock,) = docks_of(viewer)
    qtbot.waitUntil(lambda: dock._settling.is_over, timeout=20_000)
    return dock


def test_the_dock_gets_half_of_the_window_and_napari_fits_its_slice(viewer, qtbot):
    bf.open_volume(np.ones((8, 16, 24), np.uint8), viewer)
    dock = settle(qtbot, viewer)
    assert abs(dock.width() - viewer.window._qt_window.width() / 2) < 60
    found = camera_of(viewer)
    viewer.reset_view()
    np.testing.assert_allclose(found, camera_of(viewer), rtol=0.02)


def test_a_camera_that_a_person_moved_stays(viewer, qtbot):
    viewer.add_image(np.ones((16, 24), np.uint8))
    camera = viewer.scene.camera
    camera.center, camera.zoom = (0, 3, 4), 40
    before = camera_of(viewer)
    bf.view_of(viewer)
    settle(qtbot, viewer)
    assert camera_of(viewer) == before


def test_the_title_is_that_of_the_menu_so_that_both_mean_one_dock(viewer):
    from napari.plugins import menu_item_template

    bf.view_of(viewer)
    window = viewer.window._qt_window
    titles = [d.windowTitle() for d in window.findChildren(QDockWidget)]
    in_menu = menu_item_template.format("Brickfield", "Volume view")
    assert titles.count(in_menu) == 1
    assert TITLE in viewer.window.dock_widgets


def test_files_dropped_on_the_window_open_the_dock(viewer, qtbot, stored):
    viewer.open(stored, plugin="napari-brickfield")
    qtbot.waitUntil(lambda: len(docks_of(viewer)) == 1, timeout=60_000)
    settle(qtbot, viewer)


def test_the_preference_keeps_the_dock_closed_after_a_drop(viewer, qtbot, stored):
    preferences().opening.open_dock = False
    try:
        viewer.open(stored, plugin="napari-brickfield")
        qtbot.wait(50)
        assert docks_of(viewer) == []
    finally:
        preferences().opening.open_dock = True


def test_a_sample_opens_the_dock_as_a_drop_does(viewer, qtbot):
    viewer.open_sample("napari-brickfield", "huge")
    qtbot.waitUntil(lambda: len(docks_of(viewer)) == 1, timeout=60_000)
    settle(qtbot, viewer)


def test_in_a_hidden_window_a_script_gets_layers_alone(
    make_napari_viewer, qtbot, stored
):
    viewer = make_napari_viewer(strict_qt="raise")
    viewer.open(stored, plugin="napari-brickfield")
    qtbot.wait(50)
    assert len(viewer.layers) == 1
    assert docks_of(viewer) == []


@pytest.mark.parametrize("name", ["Sessions", "Transforms", "Benchmark"])
def test_another_dock_leaves_the_picture_half_of_the_height(viewer, qtbot, name):
    bf.open_volume(np.ones((8, 16, 24), np.uint8), viewer)
    dock = settle(qtbot, viewer)
    _, other = viewer.window.add_plugin_dock_widget("napari-brickfield", name)
    qtbot.waitUntil(lambda: dock.height() > 0.8 * other.height(), timeout=20_000)
