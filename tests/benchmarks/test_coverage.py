"""E3, E15 and E16: holes, reads in vain and steps backwards as counts."""

import pytest
from benchmarks.coverage import count_holes, read_in_vain, step_time, zoom_in

from brickfield.sample import VirtualImage


@pytest.mark.parametrize("is_hollow", [False, True], ids=["dense", "hollow"])
@pytest.mark.parametrize("edge", [20_000, 1_000_000])
def test_no_pixel_is_without_data_once_the_base_level_is_there(edge, is_hollow):
    image = VirtualImage((edge,) * 3, is_hollow=is_hollow)
    n_pictures, n_empty = count_holes(image, 64 << 20, size=(96, 72))
    assert n_pictures == 8
    assert n_empty == 0


def test_a_sweep_cancels_nothing_that_is_still_wanted():
    _, n_twice, _ = read_in_vain(0.5)
    assert n_twice == 0


def test_zooming_in_makes_no_pixel_blank_or_coarser():
    blank, coarser, n_pictures = zoom_in()
    assert n_pictures > 10
    assert (blank, coarser) == (0, 0)


def test_stepping_through_time_makes_no_pixel_blank_or_coarser():
    blank, coarser, n_pictures = step_time()
    assert n_pictures >= 3
    assert (blank, coarser) == (0, 0)
