"""Neuroglancer's state through the clipboard."""

from __future__ import annotations

import json
from urllib.parse import quote

import pytest
from qtpy.QtWidgets import QApplication

from brickfield.plugin.layers.make import open_layers
from brickfield.plugin.scenes.neuroglancer_menu import copy_state, paste_state
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


@pytest.mark.usefixtures("adapter")
def test_a_state_goes_through_the_clipboard_as_json_and_as_an_address(
    image, make_napari_viewer, qtbot, told
):
    viewer = make_napari_viewer()
    for layer in open_layers(image):
        viewer.add_layer(layer)
    viewer.layers[0].contrast_limits = (3, 70)
    copy_state(viewer)
    text = QApplication.clipboard().text()
    state = json.loads(text)
    assert state["layers"][0]["shaderControls"]["normalized"]["range"] == [3, 70]
    assert "on this machine" in told[-1]
    for pasted in (text, "https://example.org/#!" + quote(json.dumps(state))):
        viewer.layers.clear()
        QApplication.clipboard().setText(pasted)
        paste_state(viewer)
        qtbot.waitUntil(lambda: len(viewer.layers) == 1, timeout=20_000)
        assert tuple(viewer.layers[0].contrast_limits) == (3, 70)


@pytest.mark.parametrize("text", ["", "{", "https://x.org/#!+a", "[1]", '{"a": 1}'])
def test_a_clipboard_without_a_state_is_told_in_one_sentence(
    make_napari_viewer, qtbot, told, text
):
    viewer = make_napari_viewer()
    QApplication.clipboard().setText(text)
    paste_state(viewer)
    qtbot.waitUntil(lambda: bool(told), timeout=20_000)
    assert "expected a Neuroglancer state" in told[0]
    assert "\n" not in told[0]
