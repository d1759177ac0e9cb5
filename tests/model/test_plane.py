"""A plane measures distances, and says which way its picture lies."""

from __future__ import annotations

import numpy as np
import pytest

from brickfield.errors import OptionError
from brickfield.model.plane import Plane
from brickfield.model.transforms import AffineTransform


def test_a_point_has_its_distance_along_the_normal():
    plane = Plane((10.0, 0.0, 0.0), (2.0, 0.0, 0.0))
    assert plane.normal == (1.0, 0.0, 0.0)
    assert plane.distance([13.0, 7.0, -2.0]) == pytest.approx(3.0)
    assert plane.distance([[9.0, 0, 0], [10, 5, 5]]).tolist() == [-1.0, 0.0]
    assert plane.nearest([13.0, 7.0, -2.0]) == (10.0, 7.0, -2.0)
    assert plane.moved(2.5).point == (12.5, 0.0, 0.0)


@pytest.mark.parametrize(("axis", "rows", "columns"), [(0, 1, 2), (1, 0, 2), (2, 0, 1)])
def test_a_slice_across_an_axis_has_the_other_two_as_rows_and_columns(
    axis, rows, columns
):
    for sign in (1.0, -1.0):
        plane = Plane((1.0, 2.0, 3.0), tuple(sign * np.eye(3)[axis]))
        down, right, _ = plane.axes
        assert down.tolist() == np.eye(3)[rows].tolist()
        assert right.tolist() == np.eye(3)[columns].tolist()
        assert plane.axis == axis
    assert Plane.across(axis, 4.0).point[axis] == 4.0


def test_an_oblique_plane_lies_as_the_slice_it_is_nearest_to():
    plane = Plane((0.0, 0.0, 0.0), (0.9, 0.3, -0.2))
    down, right, sight = plane.axes
    assert plane.axis is None
    np.testing.assert_allclose(plane.axes @ plane.axes.T, np.eye(3), atol=1e-12)
    assert down[1] > 0.9
    assert right[2] > 0.9
    assert sight @ np.array(plane.normal) == pytest.approx(1.0)
    # Never mirrored: right-handed in (x, y, z) as for a slice across z.
    assert np.linalg.det(plane.axes) == pytest.approx(
        np.linalg.det(Plane.across(0, 0.0).axes)
    )


def test_in_data_space_the_same_points_lie_on_it():
    world = AffineTransform.from_matrix(
        [[2.0, 0.1, 0.0, 5.0], [0.0, 1.0, 0.2, -3.0], [0.0, -0.2, 0.5, 7.0]]
    )
    plane = Plane((12.0, 4.0, 9.0), (1.0, -0.5, 0.25))
    points = np.random.default_rng(0).normal(size=(20, 3)) * 30
    row = plane.in_data(world)
    np.testing.assert_allclose(
        points @ row[:3] + row[3], plane.distance(world.apply(points))
    )


@pytest.mark.parametrize(
    ("point", "normal"),
    [
        ((0, 0, 0), (0, 0, 0)),
        ((np.nan, 0, 0), (1, 0, 0)),
        ((0, 0, 0), (np.inf, 0, 0)),
        ((0, 0), (1, 0, 0)),
    ],
)
def test_a_plane_without_a_place_or_a_direction_is_refused(point, normal):
    with pytest.raises(OptionError, match="expected"):
        Plane(point, normal)
