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
        own = view.slice.fitted(view.framing.corners(), view.camera, view.viewport)
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


def test_cameras_that_are_put_back_stay_to_the_last_bit(make_dock, scene, blob):
    """Panes of unequal height: a zoom carried from one to another is rounded."""
    scene.add(blob)
    dock = make_dock("2x2", size=(517, 463))
    views = [view for view in dock.views if view.kind != "3D"]
    heights = {view.viewport[1] for view in views}
    if len(heights) == 1:
        views[0].resize((views[0].viewport[0], views[0].viewport[1] - 1))
    for share in (0.71, 0.37, 0.113):
        camera = views[0].camera
        target = (camera.target[0], 12.1 + share, 30.3 * share)
        position = (camera.position[0], *target[1:])
        views[0].move_to(
            replace(
                camera, height=camera.height * share, target=target, position=position
            )
        )
        kept = [view.framing.place for view in views]
        views[1].move_to(replace(views[1].camera, height=7.7))
        for view, place in zip(views, kept, strict=True):
            view.framing.place = place
        assert [view.framing.place for view in views] == kept


def test_undoing_a_zoom_takes_the_other_slices_along(four):
    _, views = four
    before = unit(views["yz"])
    camera = views["xy"].camera
    views["xy"].move_to(replace(camera, height=camera.height / 3))
    assert views["xy"].undo()
    assert unit(views["yz"]) == pytest.approx(before)
