"""Gestures move the camera as the hand expects, and never lose the view."""

from dataclasses import replace
from math import inf, nan

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from brickfield.camera.navigation import (
    WORLD_UP,
    fly,
    orbit,
    pan,
    roll,
    set_centre,
    target_height,
    trackball,
    world_at,
    zoom,
)
from brickfield.camera.rotations import distance
from brickfield.model import CameraState
from brickfield.testing.cameras import cameras, pixel_of, same_picture

FRONT = CameraState((-100.0, 0.0, 0.0), (0.0, 0.0, 0.0), WORLD_UP, (400, 300))
FLAT = replace(FRONT, orthographic=True, height=80.0)
drags = st.floats(-2000, 2000)
pixels = st.tuples(st.floats(0, 2000), st.floats(0, 2000))


@pytest.mark.parametrize("camera", [FRONT, FLAT])
def test_what_is_in_front_of_the_target_follows_a_turn(camera):
    # 20 units nearer than the target, so it starts in the middle of the picture.
    point = (-20.0, 0.0, 0.0)
    right = pixel_of(orbit(camera, 20, 0), point)
    assert right[0] > 205
    assert right[1] == pytest.approx(150)
    down = pixel_of(orbit(camera, 0, 20), point)
    assert down[1] > 155
    assert down[0] == pytest.approx(200)


@given(cameras(), drags, drags)
def test_a_turn_keeps_target_and_distance(camera, dx, dy):
    after = orbit(camera, dx, dy)
    assert after.target == camera.target
    assert distance(after) == pytest.approx(distance(camera))


@given(st.lists(st.tuples(drags, drags), max_size=10))
def test_a_turn_keeps_the_worlds_up_upright(moves):
    camera = FRONT
    for dx, dy in moves:
        camera = orbit(camera, dx, dy)
    right, up, _ = camera.axes
    assert right @ WORLD_UP == pytest.approx(0, abs=1e-9)
    assert up @ WORLD_UP > -1e-9


def test_a_turn_stops_above_and_goes_on_sideways_without_a_jump():
    above = orbit(FRONT, 0, 5000)
    np.testing.assert_allclose(above.forward, [0, 1, 0], atol=1e-9)
    assert same_picture(orbit(above, 0, 10), above)
    turned = orbit(above, 3, 0)
    # 3 px of the shorter side's 300 are 1.8 degrees: the picture turns by those.
    assert turned.axes[0] @ above.axes[0] == pytest.approx(np.cos(np.radians(1.8)))
    np.testing.assert_allclose(turned.forward, above.forward, atol=1e-9)


def test_a_picture_with_z_upright_turns_about_z():
    camera = CameraState((0.0, 0.0, -50.0), (0.0, 0.0, 0.0), (-1.0, 0.0, 0.0), (90, 90))
    for _ in range(7):
        camera = orbit(camera, 13, 4)
    right, up, _ = camera.axes
    assert right[0] == pytest.approx(0, abs=1e-9)
    assert up[0] < 0


@given(cameras(), drags, drags)
def test_a_turn_can_be_undone_where_it_did_not_stop(camera, dx, dy):
    small = 0.02 * min(camera.viewport)
    dx, dy = np.clip(dx, -small, small), np.clip(dy, -small, small)
    # Sideways first and back last: only one axis at a time commutes with itself.
    assert same_picture(orbit(orbit(camera, dx, 0), -dx, 0), camera)


@given(cameras(), st.lists(st.tuples(drags, drags), max_size=5))
def test_up_never_degenerates(camera, moves):
    for dx, dy in moves:
        camera = orbit(camera, dx, dy)
        assert np.linalg.norm(np.cross(camera.up, camera.forward)) > 0.9


@given(cameras(), pixels, pixels)
def test_the_ball_rolled_back_is_as_before(camera, start, end):
    assert same_picture(trackball(trackball(camera, start, end), end, start), camera)


@given(cameras(), pixels, pixels)
def test_the_ball_keeps_target_and_distance(camera, start, end):
    after = trackball(camera, start, end)
    assert after.target == camera.target
    assert distance(after) == pytest.approx(distance(camera))


def test_the_ball_follows_the_hand():
    after = trackball(FLAT, (200, 150), (240, 120))
    nearest = pixel_of(after, (-10.0, 0.0, 0.0)) - (200, 150)
    assert nearest[0] > 0
    assert nearest[1] < 0


def test_a_drag_beside_the_ball_rolls():
    # From the right edge upwards: counter-clockwise.
    after = trackball(FRONT, (2000, 150), (2000, -1650))
    assert pixel_of(after, (0.0, 0.0, 10.0))[1] < 150
    assert after.forward @ FRONT.forward > 0.95


def test_a_roll_turns_counter_clockwise():
    after = roll(FRONT, 90)
    np.testing.assert_allclose(after.up, [0, 0, 1], atol=1e-12)
    seen = pixel_of(after, (0.0, 0.0, 10.0))
    assert seen[0] == pytest.approx(200)
    assert seen[1] < 150


@given(cameras(), drags, drags)
def test_a_pan_keeps_direction_and_distance(camera, dx, dy):
    after = pan(camera, dx, dy)
    np.testing.assert_allclose(after.forward, camera.forward, atol=1e-6)
    assert distance(after) == pytest.approx(distance(camera), rel=1e-6)


@given(cameras(), drags, drags)
def test_what_is_dragged_follows_the_mouse_exactly(camera, dx, dy):
    seen = pixel_of(pan(camera, dx, dy), camera.target)
    width, height = camera.viewport
    np.testing.assert_allclose(seen, (width / 2 + dx, height / 2 + dy), atol=0.01)


def test_a_pan_counts_pixels_that_are_not_square():
    camera = replace(FLAT, aspect=0.5)
    np.testing.assert_allclose(
        pixel_of(pan(camera, 30, 40), (0, 0, 0)), (230, 190), atol=1e-9
    )


@given(cameras(), pixels, st.floats(0.05, 20))
def test_the_point_under_the_cursor_stays_while_zooming(camera, at, factor):
    point = world_at(camera, at)
    seen = pixel_of(zoom(camera, factor, at), point)
    np.testing.assert_allclose(seen, at, atol=0.05)


@given(cameras(), pixels, st.floats(0.05, 20))
def test_zooming_in_and_out_again_is_nothing(camera, at, factor):
    back = zoom(zoom(camera, factor, at), 1 / factor, at)
    assert same_picture(back, camera, tolerance=1e-5)


@given(cameras(), st.floats(0.05, 20))
def test_zoom_two_makes_the_target_twice_as_large(camera, factor):
    after = zoom(camera, factor)
    assert target_height(after) == pytest.approx(target_height(camera) / factor)
    assert after.target == pytest.approx(camera.target)


@given(cameras(), st.lists(st.floats(1e-300, 1e300), max_size=5))
def test_zooming_stays_in_sight_of_the_scene(camera, factors):
    camera = replace(camera, height=10.0)
    start = target_height(camera)
    for factor in factors:
        camera = zoom(camera, factor, scene_size=50.0)
    height = target_height(camera)
    assert min(50e-6, start) * 0.999 <= height <= max(5000, start) * 1.001


def test_who_is_lost_far_away_comes_back():
    lost = zoom(FRONT, 1e-9)
    assert target_height(zoom(lost, 2, scene_size=50.0)) < target_height(lost)


@pytest.mark.parametrize("camera", [FRONT, FLAT])
@pytest.mark.parametrize("broken", [nan, inf, -inf])
def test_a_broken_number_leaves_the_camera_as_it_was(camera, broken):
    assert orbit(camera, broken, 0) == camera
    assert pan(camera, 0, broken) == camera
    assert zoom(camera, broken) == camera
    assert zoom(camera, 2, (broken, 0)) == camera
    assert trackball(camera, (0, 0), (broken, 1)) == camera
    assert roll(camera, broken) == camera
    assert set_centre(camera, (0.0, broken, 0.0)) == camera
    assert fly(camera, (broken, 0.0, 0.0)) == camera


@pytest.mark.parametrize("factor", [0.0, -2.0])
def test_a_factor_that_is_none_does_nothing(factor):
    assert zoom(FRONT, factor) == FRONT


@given(cameras())
def test_the_centre_moves_without_turning(camera):
    after = set_centre(camera, (1.0, 2.0, 3.0))
    assert after.target == pytest.approx((1, 2, 3))
    np.testing.assert_allclose(after.forward, camera.forward, atol=1e-6)
    assert distance(after) == pytest.approx(distance(camera), rel=1e-6)


def test_flying_goes_where_the_camera_looks():
    after = fly(FRONT, (10.0, 3.0, 2.0))
    assert after.position == pytest.approx((-90.0, -2.0, 3.0))
    assert after.target == pytest.approx((10.0, -2.0, 3.0))


def test_looking_round_keeps_the_eye():
    after = fly(FRONT, yaw_px=30, pitch_px=30)
    assert after.position == FRONT.position
    assert distance(after) == pytest.approx(100)
    # to the right is larger x, down is larger y
    assert after.forward[2] > 0.2
    assert after.forward[1] > 0.2
