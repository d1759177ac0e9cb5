"""A shot is one complete picture of the current camera, and holds nothing up."""

import numpy as np
import pytest

from brickfield.camera import presets
from brickfield.qt.background import Background
from brickfield.qt.view.capture import Capture


@pytest.fixture
def background(qapp):
    background = Background()
    yield background
    background.close()


def shoot(view, background, hand, timeout_s=30.0):
    taken = []
    shot = Capture(view, background, taken.append, timeout_s=timeout_s)
    assert taken == [], "not before whoever asked has the shot"
    hand.wait(lambda: taken)
    assert shot.is_over
    return taken[0]


def test_the_picture_is_complete(dock, background, hand):
    taken = shoot(dock.main_view, background, hand)
    assert taken.is_complete
    assert taken.problem == ""
    assert taken.image.shape[:2] == dock.main_view.viewport[::-1]
    assert taken.image[..., 0].max() > 200


def test_a_view_that_nobody_sees_can_be_taken_too(dock, background, hand):
    hand.settle(dock)
    dock.main_view.is_shown = False
    taken = shoot(dock.main_view, background, hand)
    assert taken.is_complete


def test_it_is_the_picture_of_the_camera_of_now(dock, background, hand):
    view = dock.main_view
    first = shoot(view, background, hand).image
    corners = 4 * view.framing.corners()
    view.navigate(lambda camera: presets.fit(camera, corners))
    second = shoot(view, background, hand)
    assert second.is_complete
    assert not np.array_equal(first, second.image)


def test_a_closed_view_is_a_problem_not_a_wait(dock, background, hand):
    view = dock.main_view
    dock.set_layout("xy")
    assert "closed" in shoot(view, background, hand).problem


def test_an_error_of_the_view_is_the_problem(dock, background, hand):
    hand.settle(dock)
    view = dock.main_view
    view.client.take_report(type(view.report)(error="expected a GPU; found none"))
    assert shoot(view, background, hand).problem == "expected a GPU; found none"


def test_a_cancelled_shot_tells_nothing(dock, background, hand):
    taken = []
    shot = Capture(dock.main_view, background, taken.append, timeout_s=30.0)
    shot.cancel()
    hand.settle(dock)
    assert taken == []
