"""What happens when the dock takes its place in napari's window."""

import numpy as np
import pytest
from qtpy.QtCore import Qt
from qtpy.QtTest import QTest
from qtpy.QtWidgets import QDockWidget, QMainWindow

import brickfield as bf
from brickfield.plugin.docking import settling
from brickfield.plugin.docking.open_dock import TITLE
from brickfield.plugin.docking.settling import LEAST_HEIGHT, is_dragging_edge
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


@pytest.mark.parametrize(
    ("name", "is_pressed"),
    [("Orthogonal views", False), ("4D-STEM", True), ("Sessions", False)],
)
def test_of_two_docks_neither_is_left_a_strip(viewer, qtbot, name, is_pressed):
    """Also where Qt holds a button for pressed, as it does after a drop."""
    bf.open_volume(np.ones((8, 16, 24), np.uint8), viewer)
    dock = settle(qtbot, viewer)
    if is_pressed:
        QTest.mousePress(dock.toolbar, Qt.MouseButton.LeftButton)
    _, other = viewer.window.add_plugin_dock_widget("napari-brickfield", name)
    least = min(LEAST_HEIGHT, other.sizeHint().height())
    qtbot.waitUntil(other.isVisible, timeout=30_000)
    qtbot.waitUntil(
        lambda: dock.height() >= LEAST_HEIGHT and other.height() >= least,
        timeout=30_000,
    )


def test_three_docks_have_a_third_each(viewer, qtbot):
    bf.open_volume(np.ones((8, 16, 24), np.uint8), viewer)
    docks = [settle(qtbot, viewer)]
    for name in ("4D-STEM", "Transforms"):
        _, other = viewer.window.add_plugin_dock_widget("napari-brickfield", name)
        qtbot.waitUntil(other.isVisible, timeout=30_000)
        docks.append(other)
    qtbot.waitUntil(lambda: min(dock.height() for dock in docks) > 180, timeout=30_000)


def test_a_height_that_a_person_dragged_stays(viewer, qtbot, monkeypatch):
    bf.open_volume(np.ones((8, 16, 24), np.uint8), viewer)
    settle(qtbot, viewer)
    _, other = viewer.window.add_plugin_dock_widget("napari-brickfield", "4D-STEM")
    qtbot.waitUntil(lambda: other.height() >= LEAST_HEIGHT, timeout=30_000)
    qtbot.wait(500)
    window = viewer.window._qt_window
    place = next(d for d in window.findChildren(QDockWidget) if d.isAncestorOf(other))
    with monkeypatch.context() as patch:
        patch.setattr(settling, "is_dragging_edge", lambda _: True)
        window.resizeDocks([place], [150], Qt.Orientation.Vertical)
        qtbot.waitUntil(lambda: other.height() < 200, timeout=20_000)
    qtbot.wait(500)
    assert other.height() < 200


@pytest.mark.parametrize("cursor", ["SplitVCursor", "ArrowCursor"])
def test_a_pressed_button_drags_the_edge_of_a_dock_where_the_cursor_says_so(
    qtbot, cursor
):
    window = QMainWindow()
    qtbot.addWidget(window)
    window.setCursor(getattr(Qt.CursorShape, cursor))
    window.show()
    assert not is_dragging_edge(window)
    QTest.mousePress(window, Qt.MouseButton.LeftButton)
    assert is_dragging_edge(window) == (cursor == "SplitVCursor")
