"""A picture at rest in a window and one drawn without a window are the same bits."""

from __future__ import annotations

import json
from types import SimpleNamespace

import numpy as np
import pytest

from brickfield.model import AffineTransform, CameraState
from brickfield.model.appearance import MODES, Appearance
from brickfield.store import open_store
from brickfield.viewer.export.picture import render
from brickfield.viewer.sampling import FINE_STEP, sampling_step

SIZE = (60, 50)
STRAIGHT = {
    "position": [-60, 11, 15],
    "target": [11, 11, 15],
    "up": [0, -1, 0],
    "orthographic": True,
    "height": 30,
}
CAMERAS = {
    "fit": "fit",
    "ortho:z": "ortho:z",
    "ortho:y": "ortho:y",
    "ortho:x": "ortho:x",
    "orbit": "orbit:25,15",
    "straight": json.dumps(STRAIGHT),
    "oblique": json.dumps(STRAIGHT | {"position": [-60, 20, 30]}),
    "perspective": json.dumps(STRAIGHT | {"orthographic": False}),
}


@pytest.fixture
def store():
    z, y, x = np.indices((22, 24, 30))
    ball = 250 - 20 * np.hypot(np.hypot(z - 11, y - 11), x - 15)
    noise = np.random.default_rng(0).integers(0, 30, ball.shape)
    with open_store((np.clip(ball, 0, None) + noise).astype(np.uint8)) as store:
        yield store


@pytest.mark.gpu
@pytest.mark.parametrize("name", CAMERAS)
def test_every_camera_and_mode_gives_the_same_bits_in_a_window(
    name, store, make_live, memory_scene, turns
):
    view = make_live()
    view.resize(SIZE)
    port = memory_scene.add(store)
    for mode in MODES:
        drawn = render(
            store,
            size=SIZE,
            camera=CAMERAS[name],
            mode=mode,
            contrast=[(0.0, 255.0)],
            iso_threshold=120.0,
            background="black",
        )
        port.mode, port.contrast, port.iso_threshold = mode, (0.0, 255.0), 120.0
        port.interpolation = "linear"
        view.move_to(drawn.camera)
        np.testing.assert_array_equal(view.screenshot()[..., :3], drawn.image[..., :3])


def layer(mode="mip", world=None, visible=True):
    look = Appearance(mode=mode)
    world = world or AffineTransform.from_scale((3.0, 1.0, 1.0))
    return SimpleNamespace(appearance=look, world=world, visible=visible)


def camera(forward, *, orthographic=True):
    position = tuple(-10.0 * part for part in forward)
    return CameraState(
        position, (0.0, 0.0, 0.0), (0.0, -1.0, 0.1), (9, 9), orthographic
    )


def test_along_an_axis_one_sample_a_voxel_is_exact():
    along_z = camera((1.0, 0.0, 0.0))
    assert sampling_step(along_z, [layer("average")]) == 1.0
    assert sampling_step(along_z, [layer("translucent")]) == FINE_STEP
    hidden = layer("iso", visible=False)
    assert sampling_step(along_z, [layer(), hidden]) == 1.0
    assert sampling_step(camera((1.0, 0.0, 0.1)), [layer()]) == FINE_STEP
    flying = camera((1.0, 0.0, 0.0), orthographic=False)
    assert sampling_step(flying, [layer()]) == FINE_STEP


def test_it_is_the_axes_of_the_voxels_that_count():
    turn = np.eye(4)
    turn[:2, :2] = [[0.8, -0.6], [0.6, 0.8]]
    turned = layer(world=AffineTransform.from_matrix(turn))
    assert sampling_step(camera((1.0, 0.0, 0.0)), [turned]) == FINE_STEP
    assert sampling_step(camera((0.8, 0.6, 0.0)), [turned]) == 1.0


def test_a_slice_takes_one_sample():
    assert sampling_step(None, [layer("iso")], is_slice=True) == 1.0
