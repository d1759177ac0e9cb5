"""Points, surfaces and lines of napari stand in the volume view, hidden as they should."""

from __future__ import annotations

import numpy as np
import pytest

RED = np.array([255, 0, 0])


@pytest.fixture
def slab(seen):
    """Value 200 from z 10 to 20, an iso surface, seen along z."""
    data = np.zeros((32, 40, 48), np.uint8)
    data[10:21] = 200
    layer = seen.viewer.add_image(
        data, contrast_limits=(0, 255), rendering="iso", iso_threshold=100
    )
    seen.look()
    return layer


def is_red(pixel: np.ndarray) -> bool:
    return bool(pixel[0] > 150 and pixel[1] < 60 and pixel[2] < 60)


@pytest.mark.parametrize(("z", "is_seen"), [(4, True), (15, False), (28, False)])
def test_a_point_before_in_and_behind_a_surface(seen, slab, z, is_seen):
    seen.viewer.add_points([[z, 20, 24]], size=6, face_color="red")
    assert is_red(seen.picture()[20, 24]) == is_seen


def test_points_follow_their_layer(seen, slab):
    points = seen.viewer.add_points([[2, 10, 10]], size=4, face_color="red")
    assert is_red(seen.picture()[10, 10])
    points.translate = (0, 20, 20)
    picture = seen.picture()
    assert not is_red(picture[10, 10])
    assert is_red(picture[30, 30])
    points.face_color = "blue"
    assert seen.picture()[30, 30, 2] > 150
    points.visible = False
    assert seen.picture()[30, 30, 2] < 220
    seen.viewer.layers.remove(points)
    assert not seen.scene.objects


def test_points_of_another_time_are_left_out(seen):
    seen.viewer.add_image(np.zeros((3, 8, 40, 48), np.uint8), contrast_limits=(0, 255))
    seen.look()
    seen.viewer.add_points([[1, 4, 20, 24]], size=6, face_color="red")
    seen.viewer.dims.current_step = (0, 4, 20, 24)
    assert not seen.picture().any()
    seen.viewer.dims.current_step = (1, 4, 20, 24)
    assert is_red(seen.picture()[20, 24])


def test_a_surface_has_the_colours_of_its_values(seen, slab):
    vertices = np.array([[2, 5, 5], [2, 35, 5], [2, 5, 43], [2, 35, 43]], float)
    faces = np.array([[0, 1, 2], [1, 3, 2]])
    seen.viewer.add_surface(
        (vertices, faces, np.ones(4)),
        colormap="magenta",
        contrast_limits=(0, 1),
        shading="none",
    )
    np.testing.assert_allclose(seen.picture()[20, 24], [255, 0, 255], atol=2)


def test_shapes_are_drawn_as_outlines(seen, slab):
    corners = np.array([[2, 10, 10], [2, 10, 38], [2, 30, 38], [2, 30, 10]], float)
    seen.viewer.add_shapes(
        corners, shape_type="polygon", edge_color="red", edge_width=2
    )
    picture = seen.picture()
    assert is_red(picture[10, 24])
    assert is_red(picture[20, 10])
    assert not is_red(picture[20, 24])


def test_vectors_and_tracks_are_drawn_as_lines(seen, slab):
    seen.viewer.add_vectors(
        np.array([[[2, 20, 10], [0, 0, 20]]], float), edge_color="red", edge_width=2
    )
    assert is_red(seen.picture()[20, 20])
    seen.viewer.add_tracks(np.array([[1, t, 2, 5 + t, 24] for t in range(10)], float))
    assert len(seen.scene.objects) == 2
    assert all(value.paths for value in seen.scene.objects.values())
