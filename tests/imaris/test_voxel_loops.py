"""Compiled loops give what numpy gives, bit for bit; here they run as they are."""

import h5py
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import brickfield as bf
from brickfield.imaris import cascade, voxel_loops
from brickfield.imaris.halving import halve
from brickfield.imaris.statistics import LevelStatistics

TYPES = st.sampled_from([np.uint8, np.uint16])


@settings(max_examples=30, deadline=None)
@given(
    TYPES,
    st.tuples(*[st.integers(2, 7)] * 3),
    st.tuples(*[st.integers(1, 2)] * 3),
    st.integers(0, 9),
)
def test_halves_are_those_of_numpy(dtype, shape, factors, seed):
    top = np.iinfo(dtype).max
    data = np.random.default_rng(seed).integers(top - 9, top + 1, shape).astype(dtype)
    wanted = halve(data, factors)
    np.testing.assert_array_equal(halve(data, factors, loops=voxel_loops), wanted)


@settings(max_examples=20, deadline=None)
@given(TYPES, st.integers(1, 50), st.integers(0, 9))
def test_counts_are_those_of_numpy(dtype, n, seed):
    top = np.iinfo(dtype).max
    data = np.random.default_rng(seed).integers(0, top + 1, (1, 2, n)).astype(dtype)
    plain, looped = LevelStatistics(np.dtype(dtype)), LevelStatistics(np.dtype(dtype))
    plain.add(data)
    looped.add(data, voxel_loops)
    for name, histogram in plain.histograms().items():
        found = looped.histograms()[name]
        assert found.span == histogram.span
        np.testing.assert_array_equal(found.counts, histogram.counts)


@pytest.mark.parametrize("dtype", ["u1", "u2"])
def test_a_file_is_the_same_with_loops_and_without(tmp_path, monkeypatch, dtype):
    image = np.random.default_rng(0).integers(0, 256, (5, 40, 46)).astype(dtype)
    for name, loops in (("plain", None), ("looped", voxel_loops)):
        monkeypatch.setattr(cascade, "_loops_for", lambda _, loops=loops: loops)
        bf.to_imaris(image, tmp_path / f"{name}.ims", levels=3, chunks=(2, 16, 16))
    with (
        h5py.File(tmp_path / "plain.ims") as one,
        h5py.File(tmp_path / "looped.ims") as other,
    ):

        def compare(place, item):
            if isinstance(item, h5py.Dataset):
                np.testing.assert_array_equal(item[...], other[place][...], place)

        one.visititems(compare)
        assert len(one["DataSet"]) == len(other["DataSet"]) == 3


def test_small_images_do_without_numba(tmp_path, monkeypatch):
    """Importing it takes longer than it saves."""
    monkeypatch.setattr(cascade, "find_spec", lambda _: pytest.fail("asked for numba"))
    assert bf.to_imaris(np.zeros((2, 9, 9), "u2"), tmp_path / "a.ims").is_complete
