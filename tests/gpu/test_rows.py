"""A picture drawn a few rows at a time is the picture drawn at once."""

import numpy as np
import pytest

from brickfield.model.appearance import color_lut

pytestmark = pytest.mark.gpu

MODES = ["mip", "minip", "average", "attenuated_mip", "iso", "translucent", "additive"]


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("orthographic", [True, False])
def test_rows_drawn_apart_are_equal_to_the_bit(mode, orthographic, harness, stages):
    data = harness.blobs((40, 44, 52)).astype(np.float32)
    lut = color_lut((20, 30, 60) if mode == "additive" else (255, 220, 180))
    look = harness.look_of(mode, contrast=(0.05, 0.9), threshold=0.4, lut=lut)
    stage = stages(data, look, chunk=(16, 16, 16))
    camera = harness.oblique(data.shape, (61, 47), orthographic=orthographic)
    whole = stage.image(camera, step_factor=1 / 3)
    assert whole[..., :3].any()
    pieces = np.zeros_like(whole)
    for first, end in ((0, 1), (1, 14), (14, 33), (33, 47)):
        stage.volume.draw_rows(first, end)
        image = stage.image(camera, step_factor=1 / 3)
        assert not image[:first].any()
        assert not image[end:].any()
        pieces[first:end] = image[first:end]
    np.testing.assert_array_equal(pieces, whole)
    stage.volume.draw_rows()
    np.testing.assert_array_equal(stage.image(camera, step_factor=1 / 3), whole)
