"""Links to a view: made, copied, pasted."""

from __future__ import annotations

import numpy as np
import pytest
from napari.components import ViewerModel
from qtpy.QtCore import Qt
from qtpy.QtTest import QTest
from qtpy.QtWidgets import QApplication

import brickfield as bf
from brickfield.errors import OptionError
from brickfield.plugin.layers.make import open_layers
from brickfield.plugin.layers.registry import docks_of
from brickfield.plugin.scenes.scene_links import copy_link, paste_link
from brickfield.scene import state_of_link
from brickfield.testing.http_server import FaultServer
from brickfield.testing.zarr_stores import ramp, write_image


@pytest.fixture
def image(tmp_path):
    return str(write_image(tmp_path / "a.ome.zarr", [ramp((8, 16, 32))]))


@pytest.fixture
def told(monkeypatch):
    """What napari's notifications say."""
    import napari.utils.notifications as notifications

    said = []
    for name in ("show_error", "show_info", "show_warning"):
        monkeypatch.setattr(notifications, name, said.append)
    return said


def with_image(viewer, image):
    for layer in open_layers(image):
        viewer.add_layer(layer)
    return viewer


pytestmark = pytest.mark.usefixtures("qapp")


def test_a_link_opens_the_same_in_another_viewer(image):
    viewer = with_image(ViewerModel(), image)
    viewer.layers[0].gamma = 0.5
    other = ViewerModel()
    bf.set_state(other, state_of_link(bf.link(viewer)))
    assert bf.get_state(other).layers == bf.get_state(viewer).layers


def test_what_cannot_be_in_a_link_is_told(image, told):
    viewer = with_image(ViewerModel(), image)
    viewer.add_image(np.zeros((4, 4, 4)), name="mine")
    state = state_of_link(bf.link(viewer))
    assert [layer.name for layer in state.layers] == ["image"]
    assert told == ["Not in the link: 'mine' is in memory only"]


def test_a_token_is_not_in_a_link(image, tmp_path, told):
    viewer = with_image(ViewerModel(), image)
    with FaultServer(tmp_path) as server:
        with_image(viewer, f"{server.url}/a.ome.zarr?token=TOKEN1")
        state = state_of_link(bf.link(viewer))
    assert len(state.layers) == 1
    assert "TOKEN1" not in state.to_json() + " ".join(told)
    assert "token" in told[0]


def test_a_viewer_without_stored_data_has_no_link():
    viewer = ViewerModel()
    viewer.add_image(np.zeros((4, 4, 4)), name="mine")
    with pytest.raises(OptionError, match="in memory only"):
        bf.link(viewer)


def test_copying_without_stored_data_says_so_and_leaves_the_clipboard(told):
    QApplication.clipboard().setText("before")
    copy_link(ViewerModel())
    assert QApplication.clipboard().text() == "before"
    assert "expected a layer" in told[0]


@pytest.mark.usefixtures("adapter")
def test_a_link_goes_through_the_docks_menu_and_back_by_a_key(
    image, make_napari_viewer, qtbot, told
):
    viewer = make_napari_viewer(show=True)
    bf.open_volume(image, viewer)
    (dock,) = docks_of(viewer)
    texts = [action.text() for action in dock.toolbar.menu.actions()]
    dock.toolbar.menu.aboutToShow.emit()
    texts = [action.text() for action in dock.toolbar.menu.actions()]
    assert "Copy link to this view" in texts
    assert "Open link from clipboard" in texts
    viewer.layers[0].gamma = 0.5
    qtbot.waitUntil(dock.isVisible)
    dock.toolbar.by_name["copy_link"].trigger()
    # Where it is not cut, as it would be on a narrow canvas.
    assert dock.status.text.whole == "The link to this view is in the clipboard"
    assert told == []
    viewer.layers[0].gamma = 1.0
    dock.set_layout("xy")
    picture = dock.frames["xy"].picture
    QTest.keyClick(picture, Qt.Key.Key_V, Qt.KeyboardModifier.ControlModifier)
    qtbot.waitUntil(lambda: viewer.layers[0].gamma == 0.5, timeout=20_000)
    assert dock.layout_name == "3D"


@pytest.mark.usefixtures("adapter")
def test_pasting_anything_else_is_left_to_napari(image, make_napari_viewer, told):
    viewer = make_napari_viewer()
    bf.open_volume(image, viewer)
    QApplication.clipboard().setText("a text")
    gestures = docks_of(viewer)[0].frames["3D"].picture.gestures
    assert not gestures.can_paste()


def test_a_clipboard_without_a_link_is_told_in_one_sentence(
    make_napari_viewer, qtbot, told
):
    viewer = make_napari_viewer()
    QApplication.clipboard().setText("https://example.org")
    paste_link(viewer)
    qtbot.waitUntil(lambda: bool(told), timeout=20_000)
    assert "brickfield://" in told[0]
    assert "\n" not in told[0]
