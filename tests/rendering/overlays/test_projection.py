"""Lines are projected as numpy projects points, and clipped where nothing is seen."""

from dataclasses import replace

import numpy as np
import pytest

from brickfield.model import CameraState
from brickfield.rendering.overlays.projection import (
    nearer,
    project_points,
    project_segments,
)

SIZE = (200.0, 100.0)
ORTHO = CameraState(
    (-50, 0, 0), (0, 0, 0), (0, -1, 0), (200, 100), orthographic=True,
    height=10, near=0, far=100,
)  # fmt: skip
EYE = CameraState(
    (-50, 0, 0), (0, 0, 0), (0, -1, 0), (200, 100), fov=60, near=1, far=200
)


def test_an_orthographic_camera_counts_pixels_from_the_lower_left():
    # 10 units a pixel; y points down in the picture.
    (at,) = project_points([[0, 2, 3]], ORTHO, SIZE)
    assert at == pytest.approx([100 + 30, 50 - 20, 0.5])


@pytest.mark.parametrize("camera", [ORTHO, EYE, replace(EYE, up=(0, 1, 1))])
def test_points_are_where_the_projection_matrix_puts_them(camera):
    points = np.random.default_rng(0).uniform(-4, 4, (20, 3))
    clip = np.hstack([points, np.ones((20, 1))]) @ camera.world_to_clip.T
    ndc = clip[:, :3] / clip[:, 3:]
    expected = np.column_stack(
        [(ndc[:, 0] + 1) * SIZE[0] / 2, (ndc[:, 1] + 1) * SIZE[1] / 2, ndc[:, 2]]
    )
    assert project_points(points, camera, SIZE) == pytest.approx(expected)


def test_what_lies_behind_the_eye_has_no_place():
    assert np.isnan(project_points([[-60, 0, 0]], EYE, SIZE)).all()


def test_a_line_through_the_eye_is_cut_at_the_near_plane():
    through = np.array([[[-80.0, 0.1, 0.0], [0.0, 0.1, 0.0]]])
    lines, index = project_segments(through, EYE, SIZE)
    assert index.tolist() == [0]
    assert np.isfinite(lines).all()
    # At distance 1 the picture is 2 tan 30° high.
    drop = 0.1 / (2 * np.tan(np.radians(30))) * 100
    assert lines[0, 0, 1] == pytest.approx(50 - drop, abs=0.1)
    assert lines[0, 0, 2] == pytest.approx(0.0, abs=1e-6)


def test_lines_that_cannot_be_seen_are_left_out():
    behind = [[-80, 0, 0], [-60, 0, 0]]
    beside = [[0, 500, 0], [0, 400, 90]]
    seen = [[0, 0, 0], [0, 1, 0]]
    _, index = project_segments(np.array([behind, beside, seen], float), EYE, SIZE)
    assert index.tolist() == [2]


def test_ends_far_outside_are_brought_near_without_a_bend():
    long = np.array([[[0, -1e9, -1e9], [0, 1e9, 1e9]]], float)
    ((a, b),), _ = project_segments(long, ORTHO, SIZE)
    assert np.abs([a, b]).max() < 400
    assert b[1] - a[1] == pytest.approx(-(b[0] - a[0]))
    middle = (a + b) / 2
    assert middle[:2] == pytest.approx([100, 50], abs=1e-3)


@pytest.mark.parametrize("camera", [ORTHO, EYE, replace(EYE, near=1e-3)])
def test_nearer_moves_by_a_share_of_the_range_of_view(camera):
    distance = np.array([80.0])
    near, far = camera.near, camera.far

    def depth(d):
        if camera.orthographic:
            return (d - near) / (far - near)
        return far / (far - near) * (1 - near / d)

    moved = nearer(depth(distance), camera, share=0.01)
    assert moved == pytest.approx(depth(distance - 0.01 * (far - near)))


def test_a_million_voxels_from_the_origin_a_line_is_where_it_should_be():
    far_off = np.array([1e6, 2e6, 3e6])
    camera = replace(ORTHO, position=tuple(far_off - [50, 0, 0]), target=tuple(far_off))
    moved = np.array([[[0, 0, 0], [0, 0.01, 0.01]]]) + far_off
    (line,), _ = project_segments(moved, camera, SIZE)
    assert line[1, :2] - line[0, :2] == pytest.approx([0.1, -0.1], abs=1e-6)
