"""A picture drawn in pieces is equal to the bit, and may be left in the middle."""

from __future__ import annotations

import numpy as np
import pytest

from brickfield.camera import OrbitCamera, fit_camera
from brickfield.loading import default_cache
from brickfield.model.appearance import Appearance, ChannelAppearance, color_lut
from brickfield.rendering.frame_uniforms import FrameOptions
from brickfield.rendering.offscreen import OffscreenView
from brickfield.rendering.volume_view import world_corners
from brickfield.store import ChunkedLayer, open_store

pytestmark = pytest.mark.gpu
SIZE = (61, 47)


@pytest.fixture
def scene(adapter):
    """A view of two layers that are laid over each other, loaded."""
    default_cache().clear()
    rng = np.random.default_rng(0)
    stores = [open_store(rng.integers(0, 255, (40, 40, 40), np.uint8)) for _ in "ab"]
    colors = ((255, 120, 0), (0, 120, 255))
    layers = [
        ChunkedLayer(
            store,
            Appearance(
                channels=(ChannelAppearance((200, 255), lut=color_lut(color)),),
                blending="additive",
            ),
        )
        for store, color in zip(stores, colors, strict=True)
    ]
    view = OffscreenView(SIZE, background=(0.1, 0.2, 0.3))
    view.set_layers(layers)
    spec = OrbitCamera(30.0, 20.0)
    view.camera = fit_camera(spec, world_corners(layers[0]), SIZE, (40, 40, 40))
    view.options = FrameOptions(step_factor=1 / 3)
    view.overlays.state = view.overlays.state.with_options("bounding_box", visible=True)
    assert view.wait_until_complete(30)
    yield view
    view.close()
    for store in stores:
        store.close()


@pytest.mark.parametrize("n_rows", [1, 9, 46, 1000])
def test_pieces_make_the_picture_that_is_drawn_at_once(scene, n_rows):
    whole = scene.image()
    drawing = scene.begin()
    n = 0
    while not drawing.is_done:
        drawing.draw_rows(n_rows)
        n += 1
    np.testing.assert_array_equal(scene.finished(), whole)
    assert n == 2 * -(-SIZE[1] // n_rows), "each layer by itself"
    assert len(np.unique(whole.reshape(-1, 4), axis=0)) > 50


def test_a_drawing_may_be_left_in_the_middle(scene):
    whole = scene.image()
    scene.begin().draw_rows(20)
    drawing = scene.begin()
    drawing.draw_rows(3)
    drawing.draw_rest()
    np.testing.assert_array_equal(scene.finished(), whole)
    scene.begin().draw_rows(20)
    np.testing.assert_array_equal(scene.image(), whole)
    scene.begin().draw_rows(20)
    classes = scene.classes()
    assert set(np.unique(classes)) == {0, 1}
    np.testing.assert_array_equal(scene.image(), whole)


def test_a_view_without_volumes_has_nothing_to_draw_in_pieces(scene):
    scene.set_layers([])
    drawing = scene.begin()
    assert drawing.is_done
    image = scene.finished()
    assert (image[..., :3] == image[0, 0, :3]).all()


def test_a_hidden_layer_is_left_out(scene):
    scene.layers[1].visible = False
    drawing = scene.begin()
    drawing.draw_rows(SIZE[1])
    assert drawing.is_done
    one = scene.finished()
    scene.layers[1].visible = True
    assert not np.array_equal(scene.image(), one)
