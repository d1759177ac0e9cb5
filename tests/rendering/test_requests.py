"""In motion only what is near the middle is read; at rest everything is."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from brickfield.gpu import NameSet
from brickfield.model.requests import Category
from brickfield.planning import plan_frame
from brickfield.rendering import requests as wanting
from brickfield.rendering.requests import Motion, held_rows, requests_for


@pytest.fixture
def asked(make_view, layer_of, store):
    view = make_view(layer_of(store), size=(300, 300), camera="ortho:z")
    (renderer,) = view.manager.renderers
    camera = view._ranged(view.camera)
    return renderer.plan_request(camera, view.manager.policy, is_moving=True)


def test_nothing_is_held_back_at_rest(asked):
    plan = plan_frame(asked, 12 << 20)
    assert not held_rows(plan, replace(asked, is_moving=False)).any()


def test_in_motion_the_rim_waits_and_the_base_level_never_does(asked, monkeypatch):
    monkeypatch.setattr(wanting, "CENTRAL", 0.3)
    plan = plan_frame(replace(asked, is_moving=False), 12 << 20)
    held = held_rows(plan, asked)
    assert held.any()
    assert not held.all()
    assert not held[plan.categories == Category.BASE].any()


def test_what_the_movement_takes_out_of_sight_soon_waits_too(asked):
    plan = plan_frame(replace(asked, is_moving=False), 12 << 20)
    camera = asked.camera
    is_fine = plan.categories != Category.BASE
    is_rim = held_rows(plan, asked, camera)
    assert not is_rim[is_fine].all()
    # A twentieth of the picture a frame: in twenty frames all of it is out of sight.
    step = camera.height * camera.width_over_height / 20
    for sign in (-1, 1):
        z, y, x = camera.position
        before = replace(
            camera,
            position=(z, y, x + sign * step),
            target=(*camera.target[:2], camera.target[2] + sign * step),
        )
        assert held_rows(plan, asked, before)[is_fine].all()
        little = replace(before, position=(z, y, x), target=camera.target)
        np.testing.assert_array_equal(held_rows(plan, asked, little), is_rim)


def test_frames_that_take_long_tell_less_of_what_comes_after_them(asked, monkeypatch):
    plan = plan_frame(replace(asked, is_moving=False), 12 << 20)
    camera = asked.camera
    width = camera.height * camera.width_over_height
    fine = plan.categories != Category.BASE

    def held_after(frame_s):
        """Two frames of a movement by a twentieth of the picture each."""
        clock = iter((10.0, 10.0 + frame_s, 10.0 + 2 * frame_s))
        monkeypatch.setattr(wanting, "perf_counter", lambda: next(clock))
        motion = Motion()
        for i in range(3):
            z, y, x = camera.position
            step = i * width / 20
            moved = replace(
                camera,
                position=(z, y, x + step),
                target=(*camera.target[:2], camera.target[2] + step),
            )
            held = motion.held_rows(plan, replace(asked, camera=moved))
        return int(held[fine].sum())

    quick, slow, rim = held_after(1 / 60), held_after(1 / 3), held_after(1e9)
    assert quick > slow >= rim
    assert quick == fine.sum()


def test_every_missing_chunk_is_asked_for_once_in_the_order_of_the_plan(asked):
    plan = plan_frame(asked, 12 << 20)
    stranger = int(plan.keys.max()) + 1
    names = {(7, int(k)) for k in plan.keys[::2]} | {(7, stranger), (8, 1)}
    missing = NameSet(names)
    (request,) = requests_for(
        plan,
        missing,
        {7: (0,)},
        visual_id="v",
        data_version=3,
        held=np.zeros(len(plan.keys), bool),
    )
    assert request.selection == (0,)
    assert request.keys.tolist() == [stranger, *plan.keys[::2].tolist()]
    assert request.data_version == 3
