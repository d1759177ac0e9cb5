"""Every act of the hand can be undone, one step each, and nothing else is a step."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from brickfield.camera.navigation import orbit
from brickfield.testing.scene import MemoryScene
from brickfield.viewer.live.history import History, history_of, unrecorded


class Owner:
    """Something with one attribute."""

    def __init__(self):
        self.value = 0


class Clock:
    def __init__(self):
        self.now = 0.0

    def __call__(self):
        return self.now


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def history(memory_scene, clock):
    return History(memory_scene, clock=clock)


def act(history, owner, value, **options):
    before, owner.value = owner.value, value
    history.record(owner, "value", before, value, **{"is_going_on": False, **options})


def test_undo_and_redo_give_values_back(history):
    owner = Owner()
    for value in (1, 2, 3):
        act(history, owner, value)
    seen = []
    while history.undo():
        seen.append(owner.value)
    assert seen == [2, 1, 0]
    assert not history.can_undo
    assert history.redo()
    assert owner.value == 1


def test_a_new_act_forgets_what_could_be_redone(history):
    owner = Owner()
    act(history, owner, 1)
    history.undo()
    act(history, owner, 5)
    assert not history.can_redo
    history.undo()
    assert owner.value == 0


def test_changes_that_follow_closely_are_one_act(history, clock):
    owner = Owner()
    for value in (1, 2, 3):
        act(history, owner, value, is_going_on=True)
        clock.now += 0.2
    clock.now += 1
    act(history, owner, 9, is_going_on=True)
    history.undo()
    assert owner.value == 3
    history.undo()
    assert owner.value == 0


def test_the_same_value_for_several_is_one_act(history, clock):
    owners = Owner(), Owner()
    for value in (1, 2, 3):
        for owner in owners:
            act(history, owner, value, is_going_on=True)
        clock.now += 0.2
    history.undo()
    assert [owner.value for owner in owners] == [0, 0]
    history.redo()
    assert [owner.value for owner in owners] == [3, 3]
    assert not history.can_redo


def test_other_values_for_several_are_other_acts(history):
    one, other = Owner(), Owner()
    act(history, one, 1, is_going_on=True)
    act(history, other, 2, is_going_on=True)
    history.undo()
    assert (one.value, other.value) == (1, 0)


def test_a_drag_is_one_act_however_long_the_hand_rests(history, clock):
    owner = Owner()
    history.begin_act()
    for value in (1, 2):
        act(history, owner, value, is_going_on=True)
        clock.now += 5
    history.end_act()
    act(history, owner, 3, is_going_on=True)
    history.undo()
    assert owner.value == 2
    history.undo()
    assert owner.value == 0


def test_what_happens_by_itself_is_no_act(history, memory_scene):
    port = memory_scene.add(np.arange(8**3, dtype=np.uint8).reshape(8, 8, 8))
    with unrecorded():
        port.contrast = (1.0, 2.0)
    assert not history.can_undo
    port.name = "another"
    assert not history.can_undo


def test_contrast_curves_and_clip_box_of_a_layer_come_back(
    history, memory_scene, clock
):
    port = memory_scene.add(np.arange(8**3, dtype=np.uint8).reshape(8, 8, 8))
    first = port.contrast
    port.contrast = (3.0, 9.0)
    port.clip_box = ((0.0, 0.0, 0.0), (4.0, 4.0, 4.0))
    port.opacity_curve = ((0.0, 0.2), (1.0, 1.0))
    port.gamma = 2.0
    for _ in range(4):
        assert history.undo()
    assert port.contrast == first
    assert port.clip_box is None
    assert port.gamma == 1.0
    while history.redo():
        pass
    assert port.contrast == (3.0, 9.0)
    assert port.gamma == 2.0


def test_what_is_gone_is_passed_over(history):
    kept, gone = Owner(), Owner()
    act(history, kept, 1)
    act(history, gone, 1)
    del gone
    assert history.can_undo
    assert history.undo()
    assert kept.value == 0


def test_all_views_of_a_scene_share_one_history():
    scene = MemoryScene()
    assert history_of(scene) is history_of(scene)
    scene.close()


def test_the_camera_goes_back_one_act_at_a_time(make_live, memory_scene, box):
    view = make_live()
    memory_scene.add(box)
    first = view.camera
    assert not view.can_undo, "fitting what was added is nobody's act"
    other = replace(first, target=(1.0, 2.0, 3.0))
    view.camera = other
    view.camera = replace(other, target=(9.0, 9.0, 9.0))
    assert view.undo()
    assert view.camera == other
    assert view.undo()
    assert view.camera == first
    assert view.framing.is_fitting
    assert view.redo()
    assert view.camera == other


def test_a_drag_of_the_camera_is_one_step(make_live, memory_scene, box):
    view = make_live()
    memory_scene.add(box)
    first = view.camera
    view.history.begin_act()
    for _ in range(5):
        view.navigate(lambda camera: orbit(camera, 10, 3))
    view.history.end_act()
    assert view.camera != first
    assert view.undo()
    assert view.camera == first
    assert not view.can_undo


def test_fit_can_be_undone(make_live, memory_scene, box):
    view = make_live()
    memory_scene.add(box)
    turned = replace(view.camera, target=(1.0, 2.0, 3.0))
    view.camera = turned
    view.fit()
    assert view.undo()
    assert view.camera == turned


def test_the_way_of_an_oblique_plane_comes_back(make_live, memory_scene, box):
    view = make_live("plane")
    memory_scene.add(box)
    first, camera = view.normal, view.camera
    view.normal = (0.0, 1.0, 0.0)
    assert view.undo()
    assert view.normal == first
    assert view.camera == camera


def test_pushing_an_oblique_plane_is_one_act_and_comes_back(
    make_live, memory_scene, box
):
    view = make_live("plane")
    memory_scene.add(box)
    first = view.position
    view.history.begin_act()
    view.slice.scroll(2)
    view.slice.scroll(1)
    view.history.end_act()
    pushed = view.position
    assert pushed != first
    assert view.undo()
    assert view.position == first
    assert view.redo()
    assert view.position == pushed


class Acts(RuleBasedStateMachine):
    """Against two plain lists of values."""

    def __init__(self):
        super().__init__()
        self.scene = MemoryScene()
        self.history = History(self.scene, clock=lambda: 0.0)
        self.owner = Owner()
        self.past, self.future = [], []

    @rule(value=st.integers(1, 5))
    def act(self, value):
        self.past.append(self.owner.value)
        self.future.clear()
        act(self.history, self.owner, value)

    @rule()
    def undo(self):
        assert self.history.undo() == bool(self.past)
        if self.past:
            self.future.append((self.past.pop(), self.owner.value))

    @rule()
    def redo(self):
        before = self.owner.value
        was = bool(self.future)
        assert self.history.redo() == was
        if was:
            self.future.pop()
            self.past.append(before)

    @invariant()
    def can_says_what_is_so(self):
        assert self.history.can_undo == bool(self.past)
        assert self.history.can_redo == bool(self.future)


TestActs = Acts.TestCase
