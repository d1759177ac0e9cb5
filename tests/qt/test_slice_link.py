"""Slices side by side have one zoom and line up."""

from __future__ import annotations

from dataclasses import replace

import pytest

pytestmark = [pytest.mark.qt, pytest.mark.gpu]


@pytest.fixture
def four(make_dock, scene, blob):
    scene.add(blob)
    dock = make_dock("2x2", size=(500, 460))
    return dock, {view.kind: view for view in dock.views}


def unit(view):
    return view.camera.height / view.camera.viewport[1]


def test_at_first_the_slices_have_one_zoom_at_which_all_fit(four):
    _, views = four
    assert unit(views["xy"]) == pytest.approx(unit(views["xz"]))
    assert unit(views["xy"]) == pytest.approx(unit(views["yz"]))
    for view in (views["xy"], views["xz"], views["yz"]):
        own = view.fitted(view.corners())
        assert view.camera.height >= own.height * 0.999


def test_zoom_and_place_follow_the_slice_that_was_moved(four):
    _, views = four
    camera = views["xy"].camera
    z = views["xz"].camera.target[0]
    moved = replace(
        camera,
        height=camera.height / 3,
        target=(camera.target[0], 12.0, 30.0),
        position=(camera.position[0], 12.0, 30.0),
    )
    views["xy"].move_to(moved)
    assert unit(views["xz"]) == pytest.approx(unit(views["xy"]))
    assert unit(views["yz"]) == pytest.approx(unit(views["xy"]))
    assert views["xz"].camera.target[2] == 30.0
    assert views["xz"].camera.target[0] == z, "z is none of xy's business"
    assert views["yz"].camera.target[1] == 12.0


def test_slices_that_share_an_axis_stand_below_or_beside_each_other(four):
    dock, _ = four
    at = {kind: frame.pos() for kind, frame in dock.frames.items()}
    assert at["xy"].x() == at["xz"].x(), "x runs from left to right in both"
    assert at["xz"].y() == at["yz"].y(), "z runs from top to bottom in both"


def test_undoing_a_zoom_takes_the_other_slices_along(four):
    _, views = four
    before = unit(views["yz"])
    camera = views["xy"].camera
    views["xy"].move_to(replace(camera, height=camera.height / 3))
    assert views["xy"].undo()
    assert unit(views["yz"]) == pytest.approx(before)
