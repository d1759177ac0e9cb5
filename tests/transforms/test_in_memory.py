"""Recipes applied to arrays in memory."""

import numpy as np
import pytest
from scipy import ndimage

from brickfield.transforms import Downsample, Gaussian, Move, apply_recipe

VOLUME = np.random.default_rng(3).integers(0, 900, (12, 15, 15)).astype(np.float32)


def test_a_right_angle_is_exact():
    turned = apply_recipe(Move(90, "z"), VOLUME)
    ways = [np.rot90(VOLUME, k, axes=(1, 2)) for k in (1, -1)]
    assert any(np.array_equal(turned, way) for way in ways)


def test_a_gaussian_is_that_of_scipy():
    np.testing.assert_allclose(
        apply_recipe(Gaussian(1.0), VOLUME),
        ndimage.gaussian_filter(VOLUME, 1.0, mode="nearest"),
        rtol=1e-5,
    )


def test_a_shift_by_parts_of_voxels_is_that_of_scipy():
    by = (1.5, -2.25, 3.75)
    wanted = ndimage.shift(VOLUME, by, order=1)
    inner = (slice(3, -3), slice(4, -4), slice(5, -5))
    found = apply_recipe(Move(by=by), VOLUME)
    np.testing.assert_allclose(found[inner], wanted[inner], rtol=1e-4)


@pytest.mark.parametrize("dtype", [np.uint8, np.float32])
def test_joined_voxels_are_fewer_and_keep_their_type(dtype):
    found = apply_recipe(Downsample(3), VOLUME.astype(dtype))
    assert found.shape == (4, 5, 5)
    assert found.dtype == dtype
