"""Light and depth against the plain numpy ray caster; off, they cost nothing."""

import numpy as np
import pytest

from brickfield.model import AffineTransform
from brickfield.model.appearance import PLAIN, Lighting, color_lut

pytestmark = pytest.mark.gpu

LIT = {
    "shading": ("translucent", Lighting(shading=True)),
    "raking shading": ("translucent", Lighting("raking", shading=True)),
    "raking": ("iso", Lighting("raking")),
    "depth of mip": ("mip", Lighting(depth_colour=True)),
    "depth of iso": ("iso", Lighting(depth_colour=True)),
}
# A slice is thicker than a pixel is wide, and the stage is turned and sheared.
ANISOTROPIC = AffineTransform.from_matrix(
    [[2.0, 0.1, 0.0, 5.0], [0.0, 1.0, 0.2, -3.0], [0.0, -0.2, 1.0, 7.0]]
)


def _look(harness, mode, lighting):
    lut = color_lut((220, 200, 180))
    return harness.look_of(
        mode, contrast=(0.15, 0.9), threshold=0.45, lut=lut, lighting=lighting
    )


def _camera(harness, data):
    return harness.oblique((2 * data.shape[0], *data.shape[1:]), (72, 72), turn=0.4)


@pytest.mark.parametrize("name", LIT)
def test_light_and_depth_are_what_their_formula_says(name, harness, raycaster, stages):
    """Also in voxels of any shape, and through the borders of bricks."""
    data = harness.blobs().astype(np.float32)
    look = _look(harness, *LIT[name])
    stage = stages(data, look, world=ANISOTROPIC)
    camera = _camera(harness, data)
    image = stage.image(camera)
    camera = harness.with_range(camera, stage.pyramid, stage.world)
    expected = raycaster.cast([data.astype(float)], camera, look, stage.world)
    difference = np.abs(image[..., :3].astype(float) - np.rint(expected))
    assert expected.max() > 50
    assert difference.mean() <= 1.0
    assert harness.ssim(image[..., :3], expected) >= 0.995


@pytest.mark.parametrize("name", LIT)
def test_skipping_changes_no_bit_of_a_lit_picture(name, harness, stages):
    data = harness.blobs(noise=0).astype(np.float32)
    stage = stages(data, _look(harness, *LIT[name]))
    camera = harness.oblique(data.shape)
    skipped, whole = (stage.image(camera, skip=skip) for skip in (True, False))
    np.testing.assert_array_equal(skipped, whole)


@pytest.mark.parametrize("name", LIT)
def test_bricks_leave_no_seams_in_light(name, harness, stages):
    """Small bricks and one that holds all draw the same, but for rounding."""
    data = harness.blobs(noise=0).astype(np.float32)
    look, camera = _look(harness, *LIT[name]), harness.oblique(data.shape)
    small, large = (
        stages(data, look, chunk=(edge,) * 3).image(camera).astype(int)
        for edge in (16, 64)
    )
    assert np.abs(small - large).max() <= 2


@pytest.mark.parametrize("mode", ["translucent", "iso", "mip"])
def test_light_that_is_off_changes_no_bit(mode, harness, stages):
    data = harness.blobs().astype(np.float32)
    plain = _look(harness, mode, PLAIN)
    stage, camera = stages(data, plain), harness.oblique(data.shape)
    before = stage.image(camera)
    every = Lighting("raking", shading=True, depth_colour=True)
    lit = stage.image(camera, _look(harness, mode, every))
    after = stage.image(camera, plain)
    np.testing.assert_array_equal(before, after)
    assert np.abs(lit.astype(int) - before).max() > 20
