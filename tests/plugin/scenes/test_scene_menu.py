"""File > IO Utilities > Brickfield, as a person meets it."""

from __future__ import annotations

import numpy as np
import pytest
from qtpy.QtWidgets import QApplication, QFileDialog

import brickfield as bf
from brickfield.plugin.layers.make import open_layers
from brickfield.plugin.scenes import recent_scenes, scene_menu
from brickfield.testing.zarr_stores import ramp, write_image


@pytest.fixture
def image(tmp_path):
    return str(write_image(tmp_path / "a.ome.zarr", [ramp((8, 16, 32))]))


@pytest.fixture(autouse=True)
def no_recent_scenes():
    recent_scenes.forget_all()
    yield
    recent_scenes.forget_all()


@pytest.fixture
def told(monkeypatch):
    """What napari's notifications say."""
    import napari.utils.notifications as notifications

    said = []
    monkeypatch.setattr(notifications, "show_error", said.append)
    monkeypatch.setattr(notifications, "show_info", said.append)
    return said


def open_dialog():
    (dialog,) = [
        w
        for w in QApplication.topLevelWidgets()
        if isinstance(w, QFileDialog) and w.isVisible()
    ]
    return dialog


@pytest.mark.usefixtures("adapter")
def test_a_scene_is_saved_and_opened_through_dialogs_that_do_not_block(
    image, tmp_path, make_napari_viewer, qtbot, told
):
    viewer = make_napari_viewer()
    for layer in open_layers(image):
        viewer.add_layer(layer)
    viewer.layers[0].gamma = 0.5
    scene_menu.save_scene_as(viewer)
    target = tmp_path / "scene.json"
    dialog = open_dialog()
    dialog.fileSelected.emit(str(target))
    dialog.close()
    qtbot.waitUntil(target.exists, timeout=20_000)
    qtbot.waitUntil(lambda: bool(recent_scenes.recent_scenes()), timeout=20_000)
    viewer.layers.clear()
    scene_menu.open_scene(viewer)
    dialog = open_dialog()
    dialog.fileSelected.emit(str(target))
    dialog.close()
    qtbot.waitUntil(lambda: len(viewer.layers) == 1, timeout=20_000)
    assert viewer.layers[0].gamma == 0.5
    assert told == ["The scene is saved in scene.json"]


def test_what_cannot_be_opened_is_told_in_one_sentence_and_nothing_changes(
    tmp_path, make_napari_viewer, qtbot, told
):
    viewer = make_napari_viewer()
    viewer.add_image(np.zeros((4, 4, 4)), name="mine")
    bad = tmp_path / "bad.json"
    bad.write_text('{"version": 1, "layers": [{"name": "a", "source": 3}]}')
    scene_menu.open_from(viewer, bad)
    qtbot.waitUntil(lambda: bool(told), timeout=20_000)
    assert "bad.json" in told[0]
    assert "\n" not in told[0]
    assert [layer.name for layer in viewer.layers] == ["mine"]
    assert recent_scenes.recent_scenes() == []


def test_recent_scenes_are_a_menu_in_which_absent_ones_cannot_be_chosen(
    tmp_path, make_napari_viewer, qtbot
):
    viewer = make_napari_viewer()
    (tmp_path / "here.json").write_text("{}")
    recent_scenes.remember(tmp_path / "gone.json")
    recent_scenes.remember(tmp_path / "here.json")
    menu = scene_menu.recent_menu(viewer)
    here, gone = menu.actions()
    qtbot.waitUntil(lambda: not gone.isEnabled(), timeout=20_000)
    assert (here.text(), here.isEnabled()) == ("here.json", True)
    assert gone.text() == "gone.json (not there any more)"
    assert gone.toolTip() == str(tmp_path / "gone.json")
    menu.deleteLater()


def test_without_any_recent_scene_the_menu_says_so(make_napari_viewer):
    menu = scene_menu.recent_menu(make_napari_viewer())
    (only,) = menu.actions()
    assert not only.isEnabled()
    assert "No scene" in only.text()
    menu.deleteLater()


@pytest.mark.usefixtures("adapter")
def test_data_are_opened_on_another_thread(
    image, tmp_path, make_napari_viewer, qtbot, monkeypatch
):
    """The window's thread reads no file while a scene is opened."""
    import threading

    from brickfield.plugin.scenes import scene_files

    viewer = make_napari_viewer()
    for layer in open_layers(image):
        viewer.add_layer(layer)
    bf.save_scene(viewer, tmp_path / "scene.json")
    viewer.layers.clear()
    threads = []
    really = scene_files.open_layer_data

    def note(*args, **options):
        threads.append(threading.current_thread())
        return really(*args, **options)

    monkeypatch.setattr(scene_files, "open_layer_data", note)
    scene_menu.open_from(viewer, tmp_path / "scene.json")
    qtbot.waitUntil(lambda: len(viewer.layers) == 1, timeout=20_000)
    assert threads
    assert threading.main_thread() not in threads
