"""A wide Gaussian made by samples, against scipy on the whole."""

import numpy as np
import pytest
from scipy import ndimage

from brickfield.transforms.operations import samples
from brickfield.transforms.operations.gaussian import WIDE, Smooth
from brickfield.transforms.operations.operation import Volume


def _steps(shape, seed=0) -> np.ndarray:
    """Return noise with bright outer planes, which all that lies outside repeats."""
    data = np.random.default_rng(seed).random(shape)
    data[0] += 5
    data[:, :, -1] -= 3
    data[shape[0] // 2 :, : shape[1] // 2] += 2
    return data


@pytest.mark.parametrize(
    ("shape", "sigma"),
    [
        ((70, 90, 100), 20),
        ((40, 200, 33), (0, 60, 17)),
        ((1, 130, 140), (0, 30, 30)),
        ((64, 64, 64), 500),
        ((400, 5, 6), (30, 1, 0)),
    ],
)
def test_it_is_what_scipy_makes_within_the_stated_error(make_all, shape, sigma):
    data = _steps(shape)
    made = make_all(Smooth.by(sigma), data)
    expected = ndimage.gaussian_filter(data, sigma, mode="nearest", truncate=4)
    allowed = 2e-4 / np.max(sigma) * np.ptp(data)
    assert np.abs(made - expected).max() <= allowed


def test_integers_are_rounded_once(make_all):
    data = (_steps((70, 80, 90)) * 100 + 400).astype(np.uint16)
    made = make_all(Smooth.by(25), data)
    exact = ndimage.gaussian_filter(data.astype(float), 25, mode="nearest")
    assert made.dtype == data.dtype
    assert np.abs(made - exact).max() <= 0.51


def test_regions_and_sections_put_together_are_the_whole(make_all, monkeypatch):
    data, operation = _steps((90, 100, 120)), Smooth.by(20)
    whole = make_all(operation, data)
    monkeypatch.setattr(samples, "SECTION_BYTES", 600_000)
    monkeypatch.setattr(samples, "_SMALLEST", 64)
    assert samples.section_shape(data.shape, (2, 3, 3)) != data.shape
    parts = np.empty_like(whole)
    for z in (slice(0, 40), slice(40, 90)):
        for x in (slice(0, 77), slice(77, 120)):
            region = (z, slice(0, 100), x)
            parts[region] = make_all(operation, data, region)
    assert np.abs(parts - whole).max() <= 2e-4 / 20 * np.ptp(data)


def test_every_voxel_is_read_once_for_all_regions(make_all):
    data, kept, boxes = _steps((64, 128, 128)), {}, []

    def shared(key, make):
        if key not in kept:
            kept[key] = make()
        return kept[key]

    def read(box):
        boxes.append(box)
        return data[box]

    volume = Volume(data.shape, data.dtype, read, shared=shared)
    for y in range(0, 128, 64):
        for x in range(0, 128, 64):
            region = (slice(0, 64), slice(y, y + 64), slice(x, x + 64))
            Smooth.by(500).make(volume, region)
    n = sum(np.prod([s.stop - s.start for s in box]) for box in boxes)
    assert n == data.size
    assert len(kept) == 1


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_what_is_not_finite_spreads_as_far_as_the_kernel_reaches(make_all, value):
    data = np.ones((1, 1, 400), np.float32)
    data[0, 0, 200] = value
    made = make_all(Smooth.by((0, 0, 40)), data)[0, 0]
    other = np.flatnonzero(~np.isfinite(made))
    assert abs(other[0] - (200 - 160)) <= 5
    assert abs(other[-1] - (200 + 160)) <= 5
    middle = made[other[0] : other[-1] + 1]
    assert np.array_equal(middle, np.full_like(middle, value), equal_nan=True)


def test_infinities_of_both_signs_leave_no_number(make_all):
    data = np.zeros((1, 1, 200))
    data[0, 0, 90], data[0, 0, 110] = np.inf, -np.inf
    made = make_all(Smooth.by((0, 0, 30)), data)[0, 0]
    assert np.isnan(made[100])


def test_it_asks_often_whether_it_is_wanted(make_all):
    n_asked = 0

    def check():
        nonlocal n_asked
        n_asked += 1

    shape = (64, 130, 300)
    data = np.zeros(shape, np.uint8)
    operation = Smooth.by(WIDE + 1)
    whole = tuple(slice(0, n) for n in shape)
    operation.make(Volume(shape, data.dtype, data.__getitem__, check), whole)
    assert n_asked == operation.n_steps(whole, shape)
    assert operation.scratch_bytes((64, 64, 64), shape, data.dtype) < 200 << 20
