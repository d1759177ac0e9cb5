"""Contrast limits are always low below high, and leave rare outliers out."""

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from brickfield.errors import ChunkReadError
from brickfield.store import ChunkedImageStore, contrast
from brickfield.store.contrast import contrast_of, is_dense
from brickfield.testing import MemorySource


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        pytest.param(np.zeros(9, np.uint8), (0, 1), id="nothing but 0"),
        pytest.param(np.full(9, 5, np.uint16), (0, 5), id="constant"),
        pytest.param(np.full(9, -5, np.int16), (-5, 0), id="constant below 0"),
        pytest.param(np.full(9, 0.5, np.float32), (0.0, 0.5), id="constant float"),
        pytest.param(np.array([True, False]), (0, 1), id="bool"),
        pytest.param(np.full(9, np.nan), (0.0, 1.0), id="nothing but nan"),
        pytest.param(np.empty(0, np.uint8), (0, 1), id="nothing"),
        pytest.param(np.array([1.0, np.nan, 3.0, np.inf]), (1.0, 3.0), id="odd floats"),
        pytest.param(np.array([3 + 4j, 0j]), (0.0, 5.0), id="complex"),
        pytest.param(np.r_[np.zeros(9999), 8.0], (0.0, 8.0), id="one bright voxel"),
    ],
)
def test_the_window_shows_something(values, expected):
    assert contrast_of(values) == expected


def test_rare_outliers_are_left_out():
    values = np.r_[np.arange(100_000) % 1000, [60_000] * 5].astype(np.uint16)
    assert contrast_of(values)[1] <= 1000


def test_whole_numbers_stay_whole():
    assert all(isinstance(v, int) for v in contrast_of(np.arange(9, dtype=np.uint64)))


def test_the_shape_of_values_does_not_matter():
    values = np.random.default_rng(1).integers(0, 4000, (1, 40, 60), np.uint16)
    assert contrast_of(values) == contrast_of(values.ravel())


@given(
    hnp.arrays(
        st.sampled_from([np.uint8, np.int16, np.uint64, np.float32]),
        st.integers(0, 50),
    )
)
def test_low_is_below_high_for_any_values(values):
    low, high = contrast_of(values)
    assert low < high
    assert np.isfinite([float(low), float(high)]).all()


def test_what_fills_its_window_is_dense_and_what_stands_in_the_dark_is_not():
    rng = np.random.default_rng(0)
    solid = rng.integers(100, 200, 10_000).astype(np.uint8)
    assert is_dense(solid, (90.0, 210.0))
    sparse = np.where(rng.random(10_000) < 0.1, solid, 0)
    assert not is_dense(sparse, (0.0, 200.0))
    assert not is_dense(np.empty(0, np.uint8), (0.0, 1.0))


@pytest.fixture
def slow(monkeypatch):
    """An image of the values 50 and 90 that answers when it is told to."""
    monkeypatch.setattr(contrast, "PATIENCE_S", 0.0)
    data = np.repeat(np.array([50, 90], np.uint8), 256).reshape(8, 8, 8)
    source = MemorySource([data], [(8, 8, 8)])
    with ChunkedImageStore(source) as store:
        yield source, store
        source.heal()


def test_a_store_that_has_told_nothing_yet_is_not_judged(slow):
    """However slow the machine is: limits from 0 to 1 would make it white."""
    source, store = slow
    source.stall(0, (0, 0, 0))
    with ThreadPoolExecutor(1) as pool:
        found = pool.submit(store.estimate_contrast)
        assert source.wait_until_reading(1)
        source.heal()
        assert found.result(60) == (50, 90)


def test_whoever_has_no_more_time_gets_limits_that_are_not_kept(slow):
    source, store = slow
    source.stall(0, (0, 0, 0))
    assert store.estimate_contrast(patience_s=0.0) == (0, 1)
    assert store.is_constant() is None
    source.heal()
    assert store.estimate_contrast() == (50, 90)


def test_what_cannot_be_read_ends_the_wait_and_tells_nothing(slow):
    source, store = slow
    source.fail_with(0, (0, 0, 0), ChunkReadError("damaged"))
    assert store.estimate_contrast() == (0, 1)
    assert store.is_constant() is None
    assert store.is_dense() is None
