"""Layers may come and go: without the guard, the process dies in these tests."""

import numpy as np
import pytest
from napari.components import ViewerModel
from qtpy.QtTest import QTest

from brickfield.plugin.layers.gl_context import guard_removals
from brickfield.testing.zarr_stores import ramp, write_image


def draw():
    for _ in range(5):
        QTest.qWait(10)


@pytest.mark.parametrize("removal", ["remove", "clear", "pop"])
def test_after_a_layer_is_gone_others_are_drawn(make_napari_viewer, removal):
    viewer = make_napari_viewer(show=True)
    guard_removals(viewer)
    guard_removals(viewer)
    look = {"contrast_limits": (0, 1)}
    for _ in range(3):
        one = viewer.add_image(np.ones((16, 16)), **look)
        viewer.add_image(np.ones((16, 16)), **look)
        draw()
        if removal == "remove":
            viewer.layers.remove(one)
        elif removal == "pop":
            viewer.layers.pop(0)
        else:
            viewer.layers.clear()
        draw()
    viewer.add_image(np.ones((16, 16)), **look)
    picture = viewer.screenshot(canvas_only=True, flash=False)
    assert picture[..., :3].max() == 255


def test_opening_an_image_guards_its_viewer(tmp_path, make_napari_viewer):
    viewer = make_napari_viewer(show=True)
    path = str(write_image(tmp_path / "a.ome.zarr", [ramp((8, 16, 16))]))
    for _ in range(3):
        (layer,) = viewer.open(path, plugin="napari-brickfield")
        viewer.open(path, plugin="napari-brickfield")
        draw()
        viewer.layers.remove(layer)
        draw()


def test_a_viewer_without_a_window_needs_no_guard():
    guard_removals(ViewerModel())
    guard_removals(None)
