"""Views of the whole: everything is in the picture, and names agree with slices."""

from dataclasses import replace
from itertools import product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from brickfield.camera.fit import fit_camera
from brickfield.camera.navigation import target_height
from brickfield.camera.presets import (
    PRESETS,
    fit,
    looking_along,
    preset,
    resized,
    toggle_projection,
)
from brickfield.camera.spec import camera_spec
from brickfield.errors import OptionError
from brickfield.model import CameraState
from brickfield.testing.cameras import cameras, pixel_of, same_picture

CORNERS = np.array(list(product((-2.0, 38.0), (-0.5, 29.5), (10.0, 60.0))))
SHAPE = (20, 30, 50)
START = CameraState((-9.0, 4.0, 2.0), (0.0, 0.0, 1.0), (0.0, -1.0, 0.0), (400, 300))


def share(camera):
    """How far the farthest corner is from the middle, 1 at the edge."""
    seen = np.array([pixel_of(camera, c) for c in CORNERS])
    half = np.array(camera.viewport) / 2
    return np.abs(seen / half - 1).max()


@pytest.mark.parametrize("orthographic", [False, True])
@pytest.mark.parametrize("name", PRESETS)
def test_every_preset_shows_the_whole_volume(name, orthographic):
    camera = preset(replace(START, orthographic=orthographic), name, CORNERS)
    assert 0.7 < share(camera) <= 1
    assert camera.orthographic == orthographic


@pytest.mark.parametrize(("name", "axis"), [("xy", "z"), ("xz", "y"), ("yz", "x")])
def test_a_preset_looks_like_the_slice_of_that_name(name, axis):
    camera = preset(replace(START, orthographic=True), name, CORNERS)
    other = fit_camera(camera_spec(f"ortho:{axis}"), CORNERS, (400, 300), SHAPE)
    np.testing.assert_allclose(camera.axes, other.axes, atol=1e-12)


def test_the_back_shows_columns_the_other_way_round():
    front = preset(START, "xy", CORNERS)
    back = preset(START, "xy-back", CORNERS)
    np.testing.assert_allclose(back.axes[0], -front.axes[0], atol=1e-12)
    np.testing.assert_allclose(back.axes[1], front.axes[1], atol=1e-12)


def test_an_unknown_preset_names_the_known_ones():
    with pytest.raises(OptionError, match=r"xy, xz, yz, 3D.*found 'top'"):
        preset(START, "top", CORNERS)


@given(cameras())
def test_fitting_keeps_the_direction_and_fills_the_picture(camera):
    after = fit(camera, CORNERS)
    np.testing.assert_allclose(after.axes, camera.axes, atol=1e-6)
    assert share(after) <= 1.0001
    assert after.target == pytest.approx((18.0, 14.5, 35.0))


@given(cameras())
def test_fitting_twice_is_fitting_once(camera):
    once = fit(camera, CORNERS)
    assert same_picture(fit(once, CORNERS), once)


def test_a_flat_volume_and_a_point_fit_too():
    flat = CORNERS * (0, 1, 1)
    assert np.isfinite(fit(START, flat).position).all()
    assert np.isfinite(fit(START, CORNERS[:1]).position).all()


@given(cameras())
def test_toggling_keeps_the_size_at_the_target_and_twice_is_nothing(camera):
    other = toggle_projection(camera)
    assert other.orthographic != camera.orthographic
    assert target_height(other) == pytest.approx(target_height(camera))
    np.testing.assert_allclose(other.forward, camera.forward, atol=1e-6)
    assert same_picture(toggle_projection(other), camera)


def test_a_resized_picture_is_equally_much_high():
    camera = resized(replace(START, aspect=2.0), (200, 600))
    assert camera.viewport == (200, 600)
    assert camera.width_over_height == pytest.approx(1 / 3)
    assert target_height(camera) == target_height(START)


def test_a_window_without_pixels_counts_as_one():
    assert resized(START, (0, -3)).viewport == (1, 1)


@given(cameras(), st.tuples(st.integers(1, 3000), st.integers(1, 3000)))
def test_back_to_the_first_size_is_nothing(camera, size):
    assert resized(resized(camera, size), camera.viewport) == camera


def test_looking_along_another_way_keeps_target_and_distance():
    camera = looking_along(START, (0, 0, 2), (-1, 0, 0))
    np.testing.assert_allclose(camera.forward, (0, 0, 1), atol=1e-12)
    assert camera.target == START.target
