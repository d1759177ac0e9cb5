"""A change of levels under a resting camera does not change how bright a picture is."""

import numpy as np
import pytest

from brickfield.model.appearance import color_lut

pytestmark = pytest.mark.gpu

LOOKS = {
    "translucent": ("translucent", {}),
    "faint translucent": ("translucent", {"opacity": 0.05}),
    "additive": ("additive", {"lut": color_lut((40, 20, 12))}),
    "attenuated": ("attenuated_mip", {}),
    "much attenuated": ("attenuated_mip", {"attenuation": 0.3}),
}


def _halved(data):
    z, y, x = (n // 2 for n in data.shape)
    return data.reshape(z, 2, y, 2, x, 2).mean((1, 3, 5))


def _levels():
    """A ball without an edge, halved twice."""
    grid = np.indices((64, 64, 64)) / 64
    ball = np.exp(-((grid - 0.5) ** 2).sum(axis=0) / 0.06).astype(np.float32)
    return [ball, _halved(ball), _halved(_halved(ball))]


@pytest.mark.parametrize("step", [1.0, 1 / 3], ids=["in motion", "at rest"])
@pytest.mark.parametrize("name", LOOKS)
def test_every_level_and_any_mixture_of_them_is_equally_bright(name, step, harness):
    """Mean brightness where anything is seen: within 2 of 255."""
    mode, options = LOOKS[name]
    look = harness.look_of(mode, contrast=(0.1, 1.0), **options)
    arrays = _levels()
    pyramid = harness.pyramid_of([a.shape for a in arrays], np.float32, (16, 16, 16))
    stage = harness.Stage(pyramid, [arrays], look)
    each = [harness.all_names(pyramid, level) for level in range(3)]
    mixed = each[0][::2] + each[1][::3] + each[2]
    camera = harness.oblique(arrays[0].shape)
    try:
        finest, *others = (
            stage.put(names).image(camera, step_factor=step)[..., :3].astype(float)
            for names in (*each, mixed)
        )
    finally:
        stage.close()
    is_seen = finest.any(axis=-1)
    assert finest[is_seen].mean() > 20
    for other in others:
        assert abs((other - finest)[is_seen].mean()) <= 2
