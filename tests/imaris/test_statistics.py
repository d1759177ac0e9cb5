"""Histograms of images of one value."""

import numpy as np
import pytest

from brickfield.imaris import statistics
from brickfield.imaris.statistics import LevelStatistics


@pytest.mark.parametrize("value", [0.0, 7.0, -1e38, 3.4e38, 1e-45])
def test_every_voxel_of_one_value_is_counted(value):
    image = np.full((3, 4, 5), value, np.float32)
    found = LevelStatistics(image.dtype)
    found.add(image)
    found.count(image)
    for histogram in found.histograms().values():
        assert histogram.counts.sum() == image.size
        assert histogram.span == (image[0, 0, 0], image[0, 0, 0])


@pytest.mark.parametrize("dtype", ["u1", "u2"])
def test_every_value_is_counted_in_however_many_parts(dtype):
    image = np.random.default_rng(0).integers(0, 200, (4, 50, 60)).astype(dtype)
    image[0, 0, 0] = np.iinfo(dtype).max
    found = LevelStatistics(image.dtype)
    for part in np.array_split(image, 3):
        found.add(part)
    fine = found.histograms()["" if dtype == "u1" else "1024"].counts
    n = np.iinfo(dtype).max + 1
    wanted = np.bincount(
        image.reshape(-1).astype(int) * len(fine) // n, minlength=len(fine)
    )
    np.testing.assert_array_equal(fine, wanted)


@pytest.mark.parametrize("dtype", ["u1", "u2"])
def test_long_stretches_of_one_value_are_counted_like_any_other(dtype, monkeypatch):
    """They are not counted one by one; a single other value among them is seen."""
    monkeypatch.setattr(statistics, "_PIECE", 2000)
    image = np.full(9000, 7, dtype)
    image[2001:4000] = 3
    image[5555] = 9
    found = LevelStatistics(image.dtype)
    found.add(image)
    counts = found.histograms()["" if dtype == "u1" else "1024"].counts
    assert {int(v): int(counts[v]) for v in np.flatnonzero(counts)} == {
        3: 1999,
        7: 7000,
        9: 1,
    }
