"""What Imaris is told of place and time."""

from datetime import UTC, datetime

import h5py
import numpy as np
import pytest
from tests.imaris.validator import problems, text

import brickfield as bf
from brickfield.errors import OptionError

IMAGE = np.zeros((3, 2, 4, 5), "u1")
NOON = datetime(2020, 1, 2, 12)


@pytest.mark.parametrize(
    "times",
    [
        [0, float("nan"), 1],
        [0, 1],
        ["a", "b", "c"],
        [None, 1, 2],
        5,
        "abc",
        [NOON, NOON.replace(hour=13, tzinfo=UTC), NOON.replace(hour=14)],
        [2, 1, 0],
    ],
    ids=str,
)
def test_times_that_cannot_be_are_told_in_one_sentence(tmp_path, times):
    with pytest.raises(OptionError, match="expected"):
        bf.to_imaris(IMAGE, tmp_path / "a.ims", axes="tzyx", times=times)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("kind", ["python", "numpy", "zone"])
def test_dates_are_written_as_they_are(tmp_path, kind):
    dates = [NOON.replace(hour=12 + i) for i in range(3)]
    if kind == "zone":
        dates = [d.replace(tzinfo=UTC) for d in dates]
    given = np.array(dates, "M8[s]") if kind == "numpy" else dates
    bf.to_imaris(IMAGE, tmp_path / "a.ims", axes="tzyx", times=given)
    with h5py.File(tmp_path / "a.ims") as file:
        found = text(file["DataSetInfo/TimeInfo"], "TimePoint3")
    assert found == "2020-01-02 14:00:00.000"


@pytest.mark.parametrize("size", [1e-10, 3e-7, 1.0, 1e9])
def test_extents_keep_the_size_of_voxels_that_are_small_in_the_unit(tmp_path, size):
    spacing = (2 * size, 3 * size, size)
    bf.to_imaris(IMAGE[0], tmp_path / "a.ims", spacing=spacing, units="m")
    with bf.open_store(tmp_path / "a.ims") as opened:
        found = opened.pyramid.levels[0].voxel_size_zyx
    assert found == pytest.approx(spacing, rel=1e-6)
    assert problems(tmp_path / "a.ims") == []
