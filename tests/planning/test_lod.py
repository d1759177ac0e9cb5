"""Levels of a whole view, by numbers worked out by hand."""

from __future__ import annotations

import numpy as np
import pytest

from brickfield.errors import OptionError
from brickfield.planning.lod import LevelOfDetailSelector, by_distance, by_screen_error


def corners(near, far, near_height, far_height, z=0.0):
    """A view along z that starts at `z`."""
    quads = []
    for depth, height in ((near, near_height), (far, far_height)):
        h = height / 2
        quads.append(
            [[z + depth, y, x] for y, x in ((h, -h), (h, h), (-h, h), (-h, -h))]
        )
    return np.array(quads)


@pytest.fixture
def scales(make_halving):
    """1024 voxels an edge, 6 levels, voxel size 1 to 32."""
    return make_halving(1024, 6).levels


def test_the_finest_level_has_voxels_of_at_most_a_pixel(scales):
    selector = LevelOfDetailSelector(scales, viewport_height=500)
    # 2000 units on 500 pixels: 4 units a pixel, the voxel of level 2.
    assert selector.select_scales(corners(-10, 2000, 2000, 2000)) == [5, 4, 2]


def test_levels_run_from_coarse_to_fine_without_repeats(scales):
    selector = LevelOfDetailSelector(scales, viewport_height=500)
    view = corners(-10, 2000, 2000, 2000)
    assert selector.select_scales(view, max_scales=2) == [5, 2]
    assert selector.select_scales(view, max_scales=9) == [5, 4, 3, 2]
    assert selector.select_scales(view, max_scales=1) == [2]


def test_a_region_farther_away_deserves_a_coarser_level(scales):
    selector = LevelOfDetailSelector(scales, viewport_height=1000)
    # The height grows by one unit a unit of distance: one unit a pixel at 1000.
    view = corners(0, 8000, 0.001, 8000, z=-900.0)
    assert selector.select_scales(view, max_scales=1) == [0]
    far = ((3200.0, 0.0, 0.0), (3300.0, 9.0, 9.0))
    # At a distance of 4100, 4.1 units a pixel.
    assert selector.select_scales(view, far, max_scales=1) == [2]


def test_a_view_finer_than_the_data_gets_level_0(scales):
    selector = LevelOfDetailSelector(scales, viewport_height=1000)
    assert selector.select_scales(corners(0, 10, 10, 10))[-1] == 0


def test_distance_thresholds_choose_the_level_when_asked(scales):
    selector = LevelOfDetailSelector(scales, choose_target=by_distance([100, 1000]))
    for distance, level in ((50, 0), (500, 1), (5000, 2)):
        view = corners(0, 10_000, 1, 100, z=-distance - 0.5)
        assert selector.select_scales(view, max_scales=1) == [level]


def test_a_chooser_beyond_the_last_level_gets_the_coarsest(scales):
    selector = LevelOfDetailSelector(scales, choose_target=lambda _: 99)
    assert selector.select_scales(corners(0, 10, 1, 1)) == [5]


def test_given_downscale_factors_replace_those_of_the_levels(scales):
    factors = [(1, 1, 1)] + [(100, 100, 100)] * 5
    selector = LevelOfDetailSelector(scales, factors, viewport_height=500)
    assert selector.select_scales(corners(-10, 2000, 2000, 2000))[-1] == 0


def test_a_larger_target_error_chooses_a_coarser_level(scales):
    selector = LevelOfDetailSelector(
        scales, viewport_height=500, choose_target=by_screen_error(4.0)
    )
    assert selector.select_scales(corners(-10, 2000, 2000, 2000))[-1] == 4


def test_no_scales_at_all_are_refused(scales):
    with pytest.raises(OptionError, match="at least 1; found 0"):
        LevelOfDetailSelector(scales).select_scales(corners(0, 1, 1, 1), max_scales=0)
