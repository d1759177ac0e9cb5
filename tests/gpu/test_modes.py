"""Every mode against a plain numpy ray caster of the same formulas."""

import numpy as np
import pytest

from brickfield.model import AffineTransform
from brickfield.model.appearance import Appearance, ChannelAppearance, color_lut
from brickfield.viewer.sampling import FINE_STEP

pytestmark = pytest.mark.gpu

MODES = ["mip", "average", "attenuated_mip", "iso", "translucent", "additive"]
# A slice is thicker than a pixel is wide, and the stage is turned and sheared.
ANISOTROPIC = AffineTransform.from_matrix(
    [[2.0, 0.1, 0.0, 5.0], [0.0, 1.0, 0.2, -3.0], [0.0, -0.2, 1.0, 7.0]]
)


def _colored_lut():
    """Dark to blue to yellow; also becomes more opaque."""
    ramp = np.linspace(0, 1, 256)
    columns = [ramp**1.5, ramp, np.sin(np.pi * ramp) * 0.8, 0.3 + 0.7 * ramp]
    return np.rint(255 * np.stack(columns, axis=1)).astype(np.uint8)


def _look(harness, mode, **options):
    lut = (
        _colored_lut() if mode in ("translucent", "iso") else color_lut((200, 120, 30))
    )
    if mode == "additive":
        # Thin enough that the sum along a ray does not simply saturate.
        lut = color_lut((40, 20, 12))
    contrast = (0.02, 0.3) if mode == "average" else (0.15, 0.9)
    return harness.look_of(mode, contrast=contrast, threshold=0.45, lut=lut, **options)


def _compare(image, expected):
    difference = np.abs(image[..., :3].astype(float) - np.rint(expected))
    return difference.mean(), difference.max()


@pytest.mark.parametrize("orthographic", [False, True], ids=["perspective", "ortho"])
@pytest.mark.parametrize("mode", MODES)
def test_a_mode_is_what_its_formula_says(
    mode, orthographic, harness, raycaster, stages
):
    data = harness.blobs().astype(np.float32)
    look = _look(harness, mode)
    camera = harness.oblique(data.shape, orthographic=orthographic)
    stage = stages(data, look)
    image = stage.image(camera)
    camera = harness.with_range(camera, stage.pyramid, stage.world)
    expected = raycaster.cast([data.astype(float)], camera, look, stage.world)
    assert expected.max() > 100
    assert _compare(image, expected)[0] <= 1.0
    assert harness.ssim(image[..., :3], expected) >= 0.995


@pytest.mark.parametrize("mode", ["attenuated_mip", "iso", "translucent", "additive"])
def test_voxels_of_any_shape_and_clip_planes_follow_the_formula(
    mode, harness, raycaster, stages
):
    data = harness.blobs().astype(np.float32)
    # Half of the volume goes, along a slanted plane through its middle.
    normal = np.array([0.3, 0.8, 0.52])
    middle = ANISOTROPIC.apply((np.array(data.shape) - 1) / 2)
    plane = (*normal, -float(normal @ middle))
    look = _look(harness, mode, clip_planes=(plane,), attenuation=0.1)
    camera = harness.oblique((96, 70, 70), turn=0.4)
    stage = stages(data, look, world=ANISOTROPIC)
    image = stage.image(camera)
    camera = harness.with_range(camera, stage.pyramid, stage.world)
    expected = raycaster.cast([data.astype(float)], camera, look, stage.world)
    assert expected.max() > 80
    assert _compare(image, expected)[0] <= 1.0
    assert harness.ssim(image[..., :3], expected) >= 0.995


def test_translucent_channels_mix_sample_by_sample(harness, raycaster):
    a, b = harness.blobs(seed=1), harness.blobs(seed=2)
    look = Appearance(
        mode="translucent",
        channels=(
            ChannelAppearance((0.1, 1.0), 1.4, 0.7, color_lut((255, 60, 0))),
            ChannelAppearance((0.2, 0.8), 1.0, 0.4, color_lut((0, 90, 255))),
        ),
    )
    planes = [[a.astype(np.float32)], [b.astype(np.float32)]]
    stage = harness.Stage(harness.pyramid_of([a.shape], np.float32), planes, look).put()
    camera = harness.oblique(a.shape)
    image = stage.image(camera)
    camera = harness.with_range(camera, stage.pyramid, stage.world)
    expected = raycaster.cast([np.float32(a), np.float32(b)], camera, look, stage.world)
    stage.close()
    assert _compare(image, expected)[0] <= 1.0
    assert harness.ssim(image[..., :3], expected) >= 0.995


@pytest.mark.parametrize("mode", ["mip", "iso"])
def test_eight_bits_are_interpolated_as_finely_as_float32(mode, harness, stages):
    """Between two neighbouring whole numbers there are all the greys."""
    soft = 100 + 2 * harness.blobs(noise=0)
    data = np.rint(soft).astype(np.uint8)
    camera = harness.oblique(data.shape)
    look = harness.look_of(mode, contrast=(100, 102), threshold=100.7)
    pictures = [
        stages(data.astype(dtype), look).image(camera)[..., 0].astype(int)
        for dtype in (np.uint8, np.float32)
    ]
    assert len(np.unique(pictures[1])) > 30
    assert np.abs(pictures[0] - pictures[1]).mean() <= 0.02


@pytest.mark.parametrize("mode", ["mip", "minip", "average"])
def test_askew_as_at_rest_a_projection_of_noise_is_within_two_grey_levels(
    mode, harness, raycaster, stages
):
    """Noise over the whole range is the hardest: neighbours have nothing in common."""
    data = np.random.default_rng(1).integers(0, 256, (40, 50, 60), np.uint8)
    look = harness.look_of(mode, contrast=(0, 255), relative_step=FINE_STEP)
    camera = harness.oblique(data.shape)
    stage = stages(data, look)
    image = stage.image(camera)
    camera = harness.with_range(camera, stage.pyramid, stage.world)
    expected = raycaster.cast([data.astype(float)], camera, look, stage.world)
    assert _compare(image, expected)[1] <= 2


@pytest.mark.parametrize("turn", [0.0, 0.7])
def test_askew_as_at_rest_no_bright_voxel_is_lost(turn, harness, stages):
    """Of every single voxel a pixel at its place is a quarter as bright or more."""
    data = np.zeros((48, 48, 48), np.uint8)
    grid = np.stack(np.meshgrid(*[np.arange(8, 48, 16)] * 3), -1).reshape(-1, 3)
    spots = grid + np.random.default_rng(0).integers(-4, 5, grid.shape)
    data[tuple(spots.T)] = 255
    look = harness.look_of("mip", contrast=(0, 255), relative_step=FINE_STEP)
    camera = harness.oblique(data.shape, turn=turn)
    stage = stages(data, look)
    drawn = stage.image(camera)[..., 0]
    clip = harness.with_range(camera, stage.pyramid, stage.world).world_to_clip
    at = np.hstack([spots, np.ones((len(spots), 1))]) @ clip.T
    w, h = camera.viewport
    x = ((at[:, 0] / at[:, 3] + 1) / 2 * w).astype(int)
    y = ((1 - at[:, 1] / at[:, 3]) / 2 * h).astype(int)
    brightest = [
        drawn[j - 1 : j + 2, i - 1 : i + 2].max() for i, j in zip(x, y, strict=True)
    ]
    assert min(brightest) >= 64


def test_a_surface_of_eight_bits_is_that_of_a_numpy_ray_caster(
    harness, raycaster, stages
):
    """Slopes of few grey levels: weights of 8 bits would give terraces (0.997)."""
    data = np.rint(60 * harness.blobs(noise=0)).astype(np.uint8)
    look = harness.look_of("iso", contrast=(0, 255), threshold=20.0)
    camera = harness.oblique(data.shape)
    stage = stages(data, look)
    image = stage.image(camera)
    camera = harness.with_range(camera, stage.pyramid, stage.world)
    expected = raycaster.cast([data.astype(float)], camera, look, stage.world)
    assert expected.max() > 15
    assert harness.ssim(image[..., :3], expected) >= 0.999


@pytest.mark.parametrize("step", [0.5, 1.7])
def test_the_distance_of_samples_follows_the_option(step, harness, raycaster, stages):
    data = harness.blobs().astype(np.float32)
    look = _look(harness, "attenuated_mip", relative_step=step)
    camera = harness.oblique(data.shape)
    stage = stages(data, look)
    image = stage.image(camera)
    camera = harness.with_range(camera, stage.pyramid, stage.world)
    expected = raycaster.cast([data.astype(float)], camera, look, stage.world)
    assert _compare(image, expected)[0] <= 1.0
    assert harness.ssim(image[..., :3], expected) >= 0.995


@pytest.mark.parametrize("mode", [*MODES, "minip"])
def test_the_opacity_of_colours_counts_in_every_mode(mode, harness, raycaster, stages):
    """Colours grow more opaque with the value, as with an opacity curve."""
    data = harness.blobs().astype(np.float32)
    lut = _colored_lut()
    if mode == "additive":
        lut[:, :3] //= 5
    contrast = (0.02, 0.3) if mode == "average" else (0.15, 0.9)
    look = harness.look_of(
        mode, contrast=contrast, threshold=0.45, lut=lut, opacity=0.8
    )
    camera, background = harness.along_axis(data.shape), (0.1, 0.3, 0.9)
    image = stages(data, look).image(camera, look, background=background)
    world = AffineTransform()
    expected = raycaster.cast(
        [data.astype(float)], camera, look, world, background=background
    )
    # Where nothing at all is drawn the stage has no background.
    is_drawn = image[..., :3].any(axis=-1)
    mean, _ = _compare(image[is_drawn], expected[is_drawn])
    assert is_drawn.mean() > 0.1
    assert mean < 0.3
