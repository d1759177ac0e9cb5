"""The simulated microscope: the same frames each time, at the rate that is asked for."""

import numpy as np
import pytest

from brickfield.errors import OptionError
from brickfield.sources import open_source
from brickfield.streaming import Microscope, read_acquisition, simulate

SMALL = Microscope(frames=12, size=(40, 48), planes=4, channels=2, fps=0)


def test_what_the_microscope_sees_is_what_is_stored(tmp_path):
    place = tmp_path / "a.ome.zarr"
    told = []
    stats = simulate(place, SMALL, progress=lambda *counts: told.append(counts))
    assert stats["frames"] == 12
    assert told[-1] == (12, 12)
    source = open_source(place)
    assert source.info.pyramid.levels[0].shape == (2, 2, 4, 40, 48)
    chunk = source.read_storage_chunk(0, (1, 0, 0, 0, 0)).data
    assert np.array_equal(chunk[0, 0], [SMALL.frame(8 + i) for i in range(4)])


def test_cells_move_from_one_time_point_to_the_next():
    first, same, later = (SMALL.frame(i) for i in (0, 0, 8))
    assert np.array_equal(first, same)
    assert first.dtype == np.uint16
    assert np.count_nonzero(first != later) > first.size // 2


def test_it_stops_when_it_is_told_to_and_leaves_a_whole_image(tmp_path):
    n = iter([False] * 5 + [True])
    stats = simulate(tmp_path / "a.ome.zarr", SMALL, cancel=lambda: next(n))
    assert stats["frames"] == 5
    assert read_acquisition(tmp_path / "a.ome.zarr")["complete"]


@pytest.mark.parametrize(
    ("wrong", "found"),
    [
        ({"frames": 0}, "0 frames"),
        ({"planes": 0, "channels": -1}, "0 planes, -1 channels"),
        ({"size": (0, 4)}, "0 rows"),
        ({"fps": -1.0}, "-1 frames a second"),
    ],
)
def test_a_microscope_that_cannot_be_is_refused_by_what_is_wrong(wrong, found):
    with pytest.raises(OptionError, match=f"; found {found}$"):
        Microscope(**wrong)
