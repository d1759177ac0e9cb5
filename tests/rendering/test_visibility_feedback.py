"""What rays never reach gives its slots away, and nothing is lost by it."""

from __future__ import annotations

import numpy as np
import pytest

import brickfield.rendering.offscreen as offscreen
from brickfield.loading import default_cache
from brickfield.rendering.visibility_feedback import OcclusionFeedback
from brickfield.store import open_store


@pytest.fixture
def solid(levels_of):
    """A solid cube of four levels; nothing behind its front is ever seen."""
    rng = np.random.default_rng(2)
    return levels_of(rng.integers(150, 255, (256, 256, 256), dtype=np.uint8), 4)


def iso_view(make_view, layer_of, store, budget, camera):
    layer = layer_of(store, mode="iso")
    return make_view(layer, size=(300, 300), camera=camera, gpu_budget=budget)


def test_the_slots_of_what_is_hidden_go_to_what_is_seen(
    make_view, layer_of, levels_of, monkeypatch
):
    """A block close by hides its own inside; the far wall beside it gains."""
    data = np.zeros((128, 128, 256), np.uint8)
    data[:, :, :128] = 200
    data[120:, :, 128:] = 200
    sharp = []
    for looks in (0, offscreen.MAX_FEEDBACK_ROUNDS):
        monkeypatch.setattr(offscreen, "MAX_FEEDBACK_ROUNDS", looks)
        default_cache().clear()
        with open_store(levels_of(data, 4), chunk_edge=32) as store:
            camera = '{"position": [-120, 64, 128], "target": [64, 64, 128]}'
            view = iso_view(make_view, layer_of, store, 3_400_000, camera)
            assert view.wait_until_complete(60)
            classes = view.classes()
            assert not (classes == 3).any()
            sharp.append(int((classes == 1).sum()))
    assert sharp[1] > sharp[0]


def test_only_the_front_counts_as_reached(make_view, layer_of, solid):
    default_cache().clear()
    with open_store(solid) as store:
        view = iso_view(make_view, layer_of, store, 64 << 20, "orbit:30,30")
        assert view.wait_until_complete(60)
        view.image()
        (renderer,) = view.manager.renderers
        renderer.bricks.take_reached()
        view.image()
        names = renderer.bricks.take_reached()
        feedback = OcclusionFeedback(store.pyramid, renderer.bricks.table, names)
        # the camera looks down the diagonal from the small corner
        toward = np.sign(view.camera.forward).astype(int)
        near = np.where(toward > 0, 0, 3)
        hidden = feedback.hidden(0, np.array([near, 3 - near]))
    assert names
    assert hidden.tolist() == [False, True]
