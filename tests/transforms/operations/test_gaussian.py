"""Gaussian smoothing in blocks, against scipy on the whole."""

import numpy as np
import pytest
from scipy import ndimage

from brickfield.errors import MissingExtraError, OptionError
from brickfield.transforms.operations import gaussian
from brickfield.transforms.operations.gaussian import Smooth
from brickfield.transforms.operations.operation import Volume


@pytest.mark.parametrize("sigma", [1.0, (0, 2.5, 0.6), (0.0, 0.0, 1.0), 0])
@pytest.mark.parametrize("dtype", ["f4", "f8"])
def test_floats_are_what_scipy_makes_bit_by_bit(phantom, make_all, sigma, dtype):
    data = phantom.astype(dtype)
    made = make_all(Smooth.by(sigma), data)
    expected = ndimage.gaussian_filter(data, sigma, mode="nearest", truncate=4)
    assert made.dtype == data.dtype
    assert np.array_equal(made, expected)


@pytest.mark.parametrize("dtype", ["u1", "i2", "u2"])
def test_integers_are_filtered_as_floats_and_rounded_once(phantom, make_all, dtype):
    data = phantom.astype(dtype)
    made = make_all(Smooth.by(1.5), data)
    exact = ndimage.gaussian_filter(data.astype(float), 1.5, mode="nearest")
    assert made.dtype == data.dtype
    assert np.array_equal(made, np.rint(exact))


def test_regions_put_together_are_the_whole(phantom, make_all):
    operation = Smooth.by((1, 2, 3))
    whole = make_all(operation, phantom)
    parts = np.empty_like(whole)
    for z in (slice(0, 4), slice(4, 11)):
        for x in (slice(0, 13), slice(13, 23)):
            region = (z, slice(0, 18), x)
            parts[region] = make_all(operation, phantom, region)
    assert np.array_equal(parts, whole)


def test_only_the_halo_is_read(make_all):
    data = np.zeros((64, 64, 64), np.float32)
    make_all(Smooth.by((0, 1, 2)), data, (slice(30, 31),) * 3)
    (box,) = make_all.boxes
    assert box == (slice(30, 31), slice(26, 35), slice(22, 39))


def test_a_kernel_far_larger_than_the_volume_is_what_scipy_makes(make_all):
    data = np.random.default_rng(0).random((5, 6, 7))
    made = make_all(Smooth.by(500), data)
    expected = ndimage.gaussian_filter(data, 500, mode="nearest")
    assert np.allclose(made, expected, rtol=1e-12)


def test_lines_are_filtered_in_parts_without_a_trace(phantom, make_all, monkeypatch):
    whole = make_all(Smooth.by(2), phantom)
    monkeypatch.setattr(gaussian, "_TAPS_AT_ONCE", 1000)
    assert np.array_equal(make_all(Smooth.by(2), phantom), whole)


def test_values_are_converted_in_parts_between_which_the_work_may_end(
    phantom, make_all, monkeypatch
):
    data = phantom.astype(np.uint8)
    whole, region = make_all(Smooth.by(2), data), tuple(slice(0, n) for n in data.shape)
    monkeypatch.setattr(gaussian, "_VOXELS_AT_ONCE", 1000)
    asked = []
    volume = Volume(data.shape, data.dtype, data.__getitem__, lambda: asked.append(1))
    assert np.array_equal(Smooth.by(2).make(volume, region), whole)
    # Five times over planes (18 · 23 voxels each, two at a time): into floats, three
    # buffers, back.
    assert len(asked) >= 5 * 6
    assert len(asked) == Smooth.by(2).n_steps(region, data.shape)


@pytest.mark.parametrize(
    "sigma", [-1, np.nan, np.inf, (1, 2), (1, 2, -3), "x", None, ("a", 1, 2)]
)
def test_sigmas_that_make_no_sense_are_refused(sigma):
    with pytest.raises(OptionError, match="sigma"):
        Smooth.by(sigma)


def test_without_scipy_the_extra_is_named(monkeypatch):
    monkeypatch.setattr(gaussian, "has_scipy", lambda: False)
    with pytest.raises(MissingExtraError, match=r"\[transforms\]"):
        Smooth.by(1)
