"""Handles of a clip box are where the box is, and go where the hand goes."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from brickfield.model import CameraState
from brickfield.testing.cameras import pixel_of
from brickfield.viewer.controls.clip_handles import (
    FACES,
    Face,
    dragged,
    edges,
    face_under,
    knobs,
    moved,
    within,
)

BOX = ((-5.0, -10.0, -20.0), (5.0, 10.0, 20.0))
BOUNDS = ((-50.0, -50.0, -50.0), (50.0, 50.0, 50.0))
# Looks along z from in front: columns are x, rows are y, a pixel is a unit.
FLAT = CameraState(
    position=(-100.0, 0.0, 0.0),
    target=(0.0, 0.0, 0.0),
    up=(0.0, -1.0, 0.0),
    viewport=(200, 100),
    orthographic=True,
    height=100.0,
)
OBLIQUE = CameraState(
    position=(-80.0, -60.0, 50.0),
    target=(0.0, 0.0, 0.0),
    up=(0.0, -1.0, 0.0),
    viewport=(400, 300),
    near=1.0,
    far=500.0,
)
RIGHT, LEFT = Face(2, is_upper=True), Face(2, is_upper=False)


def test_a_knob_lies_a_little_outside_the_middle_of_its_face():
    places = knobs(FLAT, BOX)
    assert places[RIGHT].px == pytest.approx((100 + 20 + 12, 50))
    assert places[Face(1, is_upper=False)].px == pytest.approx((100, 50 - 10 - 12))


def test_a_face_that_is_seen_end_on_has_no_knob():
    assert {face.axis for face in knobs(FLAT, BOX)} == {1, 2}
    assert len(knobs(OBLIQUE, BOX)) == 6


def test_a_knob_stays_in_the_picture_while_its_face_is_there():
    """The picture reaches from -100 to 100 across and -50 to 50 upwards."""
    wide = ((-5.0, -10.0, -99.0), (5.0, 10.0, 150.0))
    places = knobs(FLAT, wide)
    assert places[LEFT].px == pytest.approx((8, 50))
    assert places[RIGHT].px == pytest.approx((250 + 12, 50))


def test_a_face_behind_the_camera_has_no_knob():
    inside = replace(OBLIQUE, position=(0.0, 0.0, 19.0), target=(0.0, 0.0, 0.0))
    assert RIGHT not in knobs(inside, BOX)


def test_knobs_of_faces_that_look_away_are_known():
    fronts = {face for face, knob in knobs(OBLIQUE, BOX).items() if knob.is_front}
    assert fronts == {Face(0, is_upper=False), Face(1, is_upper=False), RIGHT}


def test_the_face_whose_knob_is_within_reach_is_under_the_cursor():
    places = knobs(FLAT, BOX)
    assert face_under(places, (130, 52), reach_px=8) == RIGHT
    assert face_under(places, (100, 50), reach_px=8) is None


def test_of_knobs_that_cover_one_another_the_front_one_is_taken():
    thin = ((-5.0, -10.0, -0.1), (5.0, 10.0, 0.1))
    every = knobs(OBLIQUE, thin)
    places = {face: every[face] for face in (LEFT, RIGHT)}
    middle = np.mean([places[LEFT].px, places[RIGHT].px], axis=0)
    assert face_under(places, tuple(middle), reach_px=40) == RIGHT


def test_a_drag_moves_the_face_by_as_many_units_as_pixels():
    box = dragged(FLAT, BOX, RIGHT, (-7.0, 30.0), BOUNDS)
    assert box == ((-5.0, -10.0, -20.0), (5.0, 10.0, pytest.approx(13.0)))


@given(
    face=st.sampled_from(FACES),
    gone=st.floats(-4.0, 20.0),
)
def test_in_perspective_the_knob_stays_under_the_cursor(face, gone):
    """Dragged by the way that a face's middle goes, the face goes there."""
    here = face.middle(BOX)
    there = here + gone * face.normal
    move = pixel_of(OBLIQUE, there) - pixel_of(OBLIQUE, here)
    box = dragged(OBLIQUE, BOX, face, tuple(move), BOUNDS)
    assert face.middle(box)[face.axis] == pytest.approx(there[face.axis], abs=1e-6)


@given(
    face=st.sampled_from(FACES),
    dx=st.floats(-1e6, 1e6),
    dy=st.floats(-1e6, 1e6),
)
def test_no_drag_leads_out_of_the_bounds_or_turns_the_box_inside_out(face, dx, dy):
    box = dragged(OBLIQUE, BOX, face, (dx, dy), BOUNDS)
    low, high = np.array(box)
    assert (low >= BOUNDS[0]).all()
    assert (high <= BOUNDS[1]).all()
    assert (low < high).all()


def test_a_drag_with_a_broken_number_changes_nothing():
    assert dragged(FLAT, BOX, RIGHT, (float("nan"), 0.0), BOUNDS) == BOX


def test_a_face_stops_before_its_opposite():
    box = moved(BOX, RIGHT, -49.0, BOUNDS)
    assert box[1][2] == pytest.approx(-20.0 + 0.1)


def test_a_flat_box_keeps_its_place_when_the_bounds_are_flat():
    flat = ((0.0, -1.0, -1.0), (0.0, 1.0, 1.0))
    assert moved(flat, Face(0, is_upper=True), 5.0, flat) == flat


def test_infinite_ends_become_those_of_the_bounds():
    box = ((-np.inf, -10.0, -60.0), (np.inf, 10.0, 20.0))
    assert within(box, BOUNDS) == ((-50.0, -10.0, -50.0), (50.0, 10.0, 20.0))


def test_a_box_has_twelve_edges_and_those_behind_are_known():
    """From a corner nine edges are seen and three are hidden."""
    lines = edges(OBLIQUE, BOX)
    assert len(lines) == 12
    assert sum(is_front for *_, is_front in lines) == 9


@given(st.floats(-1, 1), st.floats(-1, 1))
def test_an_edge_ends_where_its_corners_are_drawn(a, b):
    assume(abs(a) + abs(b) > 0.1)
    camera = replace(OBLIQUE, position=(100 * a, 100 * b, 150.0))
    corners = [
        pixel_of(camera, p)
        for p in np.array(np.meshgrid(*zip(*BOX, strict=True))).reshape(3, -1).T
    ]
    for start, end, _ in edges(camera, BOX):
        for px in (start, end):
            assert min(np.linalg.norm(c - px) for c in corners) < 1e-6
