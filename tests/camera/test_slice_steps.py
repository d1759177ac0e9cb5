"""A slice moves by voxels and stays in the data."""

from itertools import product

import numpy as np
import pytest

from brickfield.camera.slice_steps import next_plane_point

CORNERS = np.array(list(product((0.0, 10.0), (0.0, 20.0), (0.0, 30.0))))


def test_a_plane_across_an_axis_moves_by_that_axis_voxel():
    after = next_plane_point(
        (5.0, 3.0, 3.0),
        2,
        normal=(2.0, 0.0, 0.0),
        voxel_size=(0.5, 1.0, 1.0),
        corners=CORNERS,
    )
    assert after == pytest.approx((6.0, 3.0, 3.0))


def test_an_oblique_plane_moves_along_its_normal_and_stops_at_the_volume():
    at = {"normal": (1.0, 1.0, 0.0), "voxel_size": (1.0, 1.0, 1.0), "corners": CORNERS}
    after = np.array(next_plane_point((5.0, 5.0, 5.0), 1, **at))
    # cubes: one voxel is one unit in every direction
    np.testing.assert_allclose(after - 5, [0.5**0.5, 0.5**0.5, 0])
    far = next_plane_point((5.0, 5.0, 5.0), 1e9, **at)
    assert sum(far[:2]) == pytest.approx(30)
