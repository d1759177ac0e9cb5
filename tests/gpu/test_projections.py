"""Projections along an axis, one pixel a voxel, against plain numpy."""

import numpy as np
import pytest

pytestmark = pytest.mark.gpu

# No edge is a multiple of the brick, one is shorter.
SHAPE = (21, 75, 90)


def _numpy(data, mode, axis=0):
    """The projection in float64; NaN where a ray has no number."""
    data = data.astype(np.float64)
    has = ~np.isnan(data)
    if mode == "mip":
        found = np.where(has, data, -np.inf).max(axis=axis)
    elif mode == "minip":
        found = np.where(has, data, np.inf).min(axis=axis)
    else:
        found = np.where(has, data, 0).sum(axis) / np.maximum(has.sum(axis), 1)
    return np.where(has.any(axis=axis), found, np.nan)


def _shown(values, contrast):
    """Eight bits of a window; what is no number is drawn as the lowest."""
    low, high = contrast
    v = np.clip((values - low) / (high - low), 0, 1)
    return np.rint(255 * np.nan_to_num(v, nan=0.0))


def _difference(stage, harness, look, expected, axis=0):
    image = stage.image(harness.along_axis(stage.pyramid.levels[0].shape, axis), look)
    assert (image[..., 3] == 255).all()
    return np.abs(image[..., 0] - expected).max()


def _noise(dtype):
    rng = np.random.default_rng(4)
    dtype = np.dtype(dtype)
    if dtype.kind == "b":
        return rng.random(SHAPE) < 0.02
    if dtype.kind in "iu":
        info = np.iinfo(dtype)
        low = max(info.min, -(10**6))
        return rng.integers(low, min(info.max, 10**6), SHAPE, dtype, endpoint=True)
    return (rng.standard_normal(SHAPE) * 1000).astype(dtype)


@pytest.mark.parametrize("mode", ["mip", "minip", "average"])
@pytest.mark.parametrize("axis", [0, 1, 2])
def test_eight_bits_are_exact(mode, axis, harness, stages):
    data = np.random.default_rng(0).integers(0, 256, SHAPE, dtype=np.uint8)
    look = harness.look_of(mode, contrast=(0, 255))
    expected = _shown(_numpy(data, mode, axis), (0, 255))
    # An average falls between two grey levels; rounding may go either way.
    limit = 1 if mode == "average" else 0
    assert _difference(stages(data), harness, look, expected, axis) <= limit


@pytest.mark.parametrize("mode", ["mip", "minip", "average"])
@pytest.mark.parametrize("dtype", ["u2", "i1", "i2", "i4", "u4", "f2", "f4", "f8", "?"])
def test_every_type_is_drawn_within_one_grey_level(mode, dtype, harness, stages):
    data = _noise(dtype)
    seen = _numpy(data, mode)
    contrast = (seen.min(), max(seen.max(), seen.min() + 1e-3))
    look = harness.look_of(mode, contrast=contrast)
    stage = stages(data, look)
    assert _difference(stage, harness, look, _shown(seen, contrast)) <= 1


def test_narrow_windows_of_16_bits_are_exact(harness, stages):
    data = np.random.default_rng(2).integers(30000, 30256, SHAPE, dtype=np.uint16)
    look = harness.look_of("mip", contrast=(30000, 30255))
    expected = _shown(data.max(axis=0).astype(float), (30000, 30255))
    assert _difference(stages(data, look), harness, look, expected) == 0


@pytest.mark.parametrize("mode", ["mip", "minip", "average"])
def test_what_is_no_number_is_left_out(mode, harness, stages):
    rng = np.random.default_rng(3)
    data = -rng.random(SHAPE).astype(np.float32)
    data[rng.random(SHAPE) < 0.2] = np.nan
    data[:, 5:9, 40:60] = np.nan
    data[:, :, 64:] = np.nan
    contrast = (-1.0, -0.01)
    look = harness.look_of(mode, contrast=contrast)
    expected = _shown(_numpy(data, mode), contrast)
    assert _difference(stages(data, look), harness, look, expected) <= 1


def test_infinity_is_brighter_than_any_number(harness, stages):
    data = np.zeros(SHAPE, np.float32)
    data[3, 20, 30], data[7, 40, 50] = np.inf, -np.inf
    look = harness.look_of("mip", contrast=(0, 1))
    image = stages(data, look).image(harness.along_axis(SHAPE))[..., 0]
    assert np.argwhere(image).tolist() == [[20, 30]]


@pytest.mark.parametrize("dtype", ["u1", "u2", "f4"])
def test_no_bright_voxel_is_lost(dtype, harness, stages):
    rng = np.random.default_rng(5)
    data = np.zeros(SHAPE, dtype)
    data[rng.random(SHAPE) < 0.01] = 200
    look = harness.look_of("mip", contrast=(0, 200))
    expected = _shown(data.max(axis=0).astype(float), (0, 200))
    assert _difference(stages(data, look), harness, look, expected) == 0


def test_tiny_and_huge_values_are_drawn(harness, stages):
    # Beyond what half floats can hold: 1e-9 amperes, 1e30 of anything.
    for unit in (1e-9, 1e30):
        data = (harness.blobs((20, 40, 40)) * unit).astype(np.float32)
        contrast = (0.2 * unit, 0.9 * unit)
        look = harness.look_of("mip", contrast=contrast)
        expected = _shown(data.max(axis=0).astype(float), contrast)
        assert _difference(stages(data, look), harness, look, expected) <= 1
