"""What can be seen fills the picture; what is only a box of zeros does not count."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from brickfield.camera import presets
from brickfield.viewer.live import are_flat
from brickfield.viewer.live.drawing.content import _ends_of_lines, content_points

pytestmark = pytest.mark.gpu


@pytest.fixture
def speck():
    """Value 200 within z 10 to 13, y 20 to 29, x 40 to 59 of 64 voxels; uint8."""
    data = np.zeros((64, 64, 64), np.uint8)
    data[10:14, 20:30, 40:60] = 200
    return data


def points_of(view):
    return view.client.answer(lambda drawer: content_points(drawer.view))


@pytest.fixture
def shown(make_live, memory_scene, turns, speck):
    view = make_live(frames_content=True)
    port = memory_scene.add(speck)
    assert turns.run_until(lambda: view.is_settled)
    return view, port


def test_the_content_ends_at_the_outer_edges_of_its_voxels(shown):
    view, _ = shown
    points = points_of(view)
    np.testing.assert_array_equal(points.min(axis=0), (9.5, 19.5, 39.5))
    np.testing.assert_array_equal(points.max(axis=0), (13.5, 29.5, 59.5))


def test_what_the_contrast_makes_dark_is_no_content(shown, turns):
    view, port = shown
    port.contrast = (200.0, 255.0)
    assert turns.run_until(lambda: view.is_settled)
    assert points_of(view) is None


def test_what_is_clipped_away_is_no_content(shown, turns):
    view, port = shown
    port.clip_box = ((0.0, 0.0, 0.0), (63.0, 63.0, 45.0))
    assert turns.run_until(lambda: view.is_settled)
    assert points_of(view).max(axis=0)[2] == 45.0


def filled(image):
    """Share of the height and the width that anything bright spans."""
    bright = image[..., 0] > 30
    rows, columns = (
        np.flatnonzero(bright.any(axis=1)),
        np.flatnonzero(bright.any(axis=0)),
    )
    return np.ptp(rows) / image.shape[0], np.ptp(columns) / image.shape[1]


def test_the_first_picture_of_sparse_data_is_framed_by_what_can_be_seen(shown, turns):
    view, _ = shown
    assert turns.run_until(lambda: view.is_settled and view.framing.is_fitting_content)
    assert max(filled(view.screenshot())) > 0.8
    view.fit()
    assert not view.framing.is_fitting_content
    assert max(filled(view.screenshot())) < 0.5


def test_fit_to_content_can_be_asked_for_and_undone(shown, turns):
    view, _ = shown
    assert turns.run_until(lambda: view.is_settled and view.framing.is_fitting_content)
    view.fit()
    whole = view.camera
    view.fit(content=True)
    assert turns.run_until(lambda: view.framing.is_fitting_content)
    assert view.camera != whole
    assert view.undo()
    assert view.camera == whole


def test_asking_for_the_other_framing_is_a_choice(shown, turns):
    """Fit after a move only shows all; fit while all is shown chooses."""
    view, _ = shown
    assert turns.run_until(lambda: view.is_settled and view.framing.is_fitting_content)
    chosen = []
    view.framing.framing_chosen.connect(chosen.append)
    view.camera = presets.fit_points(view.camera, view.framing.corners())
    view.framing.fit_again()
    assert chosen == []
    view.framing.fit_again()
    assert turns.run_until(lambda: view.framing.is_fitting_content)
    view.framing.fit_again()
    assert chosen == [True, False]
    assert not view.framing.frames_content


def test_who_has_turned_the_picture_is_not_moved_by_the_first_framing(
    make_live, memory_scene, turns, speck
):
    view = make_live(frames_content=True)
    memory_scene.add(speck)
    view.camera = mine = view.camera
    assert turns.run_until(lambda: view.is_settled)
    turns.run_until(lambda: view.framing.is_fitting_content, 0.3)
    assert view.camera == mine


def test_flat_data_are_seen_from_the_front(make_live, memory_scene):
    view = make_live(frames_content=True)
    memory_scene.add(np.zeros((1, 20, 30), np.uint8))
    assert are_flat(view.layers)
    np.testing.assert_allclose(view.camera.forward, (1.0, 0.0, 0.0), atol=1e-9)


@given(st.lists(st.tuples(*[st.integers(0, 3)] * 3), max_size=60))
def test_points_between_others_are_left_out_and_the_outermost_never(corners):
    """Whatever way one looks, what is left reaches as far."""
    points = np.array(corners, np.float64).reshape(-1, 3)
    left = points
    for axis in range(3):
        left = _ends_of_lines(left, axis)
    ways = np.random.default_rng(0).normal(size=(3, 50))
    assert len(left) <= len(points)
    if len(points):
        np.testing.assert_allclose(
            (left @ ways).max(axis=0), (points @ ways).max(axis=0)
        )


def test_a_full_box_is_told_by_its_corners():
    box = np.indices((9, 8, 7)).reshape(3, -1).T.astype(np.float64)
    for axis in range(3):
        box = _ends_of_lines(box, axis)
    assert len(box) == 8
