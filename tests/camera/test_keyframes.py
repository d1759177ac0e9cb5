"""Between key frames nothing jumps, dips or turns over."""

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from brickfield.camera.keyframes import (
    KeyFrame,
    between,
    camera_between,
    frames,
    of_cameras,
    turntable,
)
from brickfield.camera.navigation import target_height, zoom
from brickfield.camera.rotations import distance
from brickfield.errors import OptionError
from brickfield.model import CameraState
from brickfield.testing.cameras import cameras, pixel_of, same_picture

FRONT = CameraState(
    (-100.0, 0.0, 0.0), (0.0, 0.0, 0.0), (0.0, -1.0, 0.0), (400, 300), fov=40.0
)
BACK = replace(FRONT, position=(100.0, 0.0, 0.0))
SIDE = replace(FRONT, position=(0.0, 0.0, -100.0))
shares = st.floats(0, 1)


@given(cameras(viewport=(300, 200)), cameras(viewport=(300, 200)), shares)
def test_a_camera_in_between_is_sound(a, b, share):
    camera = camera_between(a, b, share)
    low, high = sorted([target_height(a), target_height(b)])
    assert low * 0.999 <= target_height(camera) <= high * 1.001
    np.testing.assert_allclose(camera.axes @ camera.axes.T, np.eye(3), atol=1e-6)


@given(cameras(viewport=(300, 200)), cameras(viewport=(300, 200)))
def test_key_frames_are_met_exactly(a, b):
    assert between(KeyFrame(a), KeyFrame(b), 0).camera is a
    assert between(KeyFrame(a), KeyFrame(b), 1).camera == b
    assert same_picture(camera_between(a, b, 0.0), a, tolerance=1e-5)
    assert same_picture(camera_between(a, b, 1.0), b, tolerance=1e-5)


@pytest.mark.parametrize("other", [BACK, SIDE])
def test_the_eye_stays_as_far_away_and_upright(other):
    for share in np.linspace(0, 1, 11):
        camera = camera_between(FRONT, other, share)
        assert distance(camera) == pytest.approx(100)
        assert camera.axes[1] @ (0, -1, 0) == pytest.approx(1)


def test_turning_is_even():
    directions = [camera_between(FRONT, SIDE, s).forward for s in np.linspace(0, 1, 10)]
    steps = [a @ b for a, b in pairwise(directions)]
    np.testing.assert_allclose(steps, np.cos(np.radians(10)), atol=1e-9)


def test_a_zoom_goes_by_equal_factors_round_one_point():
    near = zoom(FRONT, 16, (300.0, 100.0))
    for share, height in zip((0.25, 0.5, 0.75), (2, 4, 8), strict=True):
        camera = camera_between(FRONT, near, share)
        assert target_height(camera) == pytest.approx(target_height(FRONT) / height)
    # the point under the cursor stays where it is all the way
    point = FRONT.target + (np.array(near.target) - FRONT.target) / (1 - 1 / 16)
    seen = [pixel_of(camera_between(FRONT, near, s), point) for s in (0, 0.3, 0.6, 1)]
    np.testing.assert_allclose(seen, [(300, 100)] * 4, atol=1e-6)


def test_perspective_opens_without_changing_the_size():
    flat = replace(FRONT, orthographic=True, height=target_height(FRONT))
    for share in np.linspace(0, 1, 9):
        camera = camera_between(FRONT, flat, share)
        assert target_height(camera) == pytest.approx(target_height(FRONT))
    assert camera_between(FRONT, flat, 0.5).fov < FRONT.fov
    assert camera_between(FRONT, flat, 0.9999).orthographic


def test_values_move_or_switch():
    a = KeyFrame(
        FRONT,
        0,
        {"contrast": (0.0, 10.0), "gamma": 1.0, "mode": "mip", "level": 2, "on": True},
    )
    b = KeyFrame(
        SIDE,
        9,
        {"contrast": (0.0, 20.0), "gamma": 2.0, "mode": "iso", "level": 0, "x": 1.0},
    )
    early, late = between(a, b, 0.25), between(a, b, 0.75)
    assert early.values == {
        "contrast": (0.0, 12.5),
        "gamma": 1.25,
        "mode": "mip",
        "level": 2,
        "on": True,
        "x": 1.0,
    }
    assert (late.values["mode"], late.values["level"], late.time) == ("iso", 0, 7)


def test_a_movie_has_every_frame_once_and_ends_on_the_last_key():
    keys = [KeyFrame(FRONT, seconds=1.0), KeyFrame(SIDE, seconds=0.5), KeyFrame(BACK)]
    movie = frames(keys, fps=10)
    assert len(movie) == 10 + 5 + 1
    assert movie[0].camera == FRONT
    assert movie[10].camera == SIDE
    assert movie[-1].camera == BACK


def test_a_gentle_start_is_slower_than_an_even_one():
    keys = [KeyFrame(FRONT, seconds=1.0), KeyFrame(SIDE)]
    gentle, even = (
        frames(keys, fps=10, ease=e)[1].camera.forward @ FRONT.forward
        for e in ("smooth", "even")
    )
    assert gentle > even


def test_one_key_frame_stands_still():
    assert (
        frames([KeyFrame(FRONT, seconds=0.4)], fps=10)
        == [KeyFrame(FRONT, seconds=0.4)] * 4
    )


@pytest.mark.parametrize(
    ("keys", "fps"),
    [([], 25), ([KeyFrame(FRONT)], 0), ([KeyFrame(FRONT, seconds=-1.0)], 25)],
)
def test_what_is_no_movie_is_refused(keys, fps):
    with pytest.raises(OptionError, match="expected"):
        frames(keys, fps=fps)


def test_a_turntable_goes_round_once_and_loops():
    cameras = turntable(FRONT, 8)
    assert cameras[0] is FRONT
    assert len(cameras) == 8
    np.testing.assert_allclose(cameras[4].forward, -FRONT.forward, atol=1e-9)
    # what is in front goes to the right first
    assert pixel_of(cameras[1], (-20.0, 0.0, 0.0))[0] > 200
    after = turntable(cameras[7], 8)[1]
    assert same_picture(after, FRONT)


def test_a_turntable_may_turn_about_another_axis():
    for camera in turntable(FRONT, 5, axis=(2.0, 0.0, 0.0), degrees_turned=-90):
        np.testing.assert_allclose(camera.forward, FRONT.forward, atol=1e-9)
    with pytest.raises(OptionError, match="axis"):
        turntable(FRONT, 5, axis=(0.0, 0.0, 0.0))
    with pytest.raises(OptionError, match="one frame"):
        turntable(FRONT, 0)


def test_cameras_become_frames_alike_in_all_else():
    like = KeyFrame(FRONT, 3, {"gamma": 2.0})
    made = of_cameras(turntable(FRONT, 3), like)
    assert [f.time for f in made] == [3, 3, 3]
    assert made[1].camera != FRONT
