"""Pictures that take long: drawn in pieces, ended by what comes next, always the same."""

from __future__ import annotations

import threading

import numpy as np
import pytest

from brickfield.camera import navigation
from brickfield.loading import default_cache
from brickfield.rendering import FrameOptions, OffscreenView
from brickfield.store import ChunkedImageStore
from brickfield.testing import MemorySource
from brickfield.viewer.live.drawing import frame_budget as painter
from brickfield.viewer.live.drawing.drawer import LiveDrawer
from brickfield.viewer.live.drawing.frame_budget import DrawingSpeed, Painter


def settled(view, turns):
    """Wait for a complete picture of the present state."""
    assert turns.run_until(lambda: view.is_settled), view.report
    return view.report


def add(scene, arrays, **look):
    """Add a layer that looks so; return its port."""
    port = scene.add(arrays)
    for name, value in {"contrast": (0, 255), **look}.items():
        setattr(port, name, value)
    return port


@pytest.fixture
def slow(monkeypatch):
    """Make the device seem slow: final pictures are drawn seven rows at a time."""
    monkeypatch.setattr(DrawingSpeed, "is_quick", lambda *_: False)
    monkeypatch.setattr(DrawingSpeed, "usual_rows", lambda *_: 7)
    monkeypatch.setattr(painter, "next_rows", lambda *_: 7)


@pytest.fixture
def gate(monkeypatch):
    """Hold the render thread at the second piece of a picture until told to go on."""

    class Gate:
        def __init__(self):
            self.is_armed = False
            self.n_pieces = 0
            self.reached, self.go = threading.Event(), threading.Event()

        def wait(self, turns):
            assert turns.run_until(self.reached.is_set)

    gate, go_on = Gate(), Painter.go_on

    def held(self, view):
        if gate.is_armed:
            gate.n_pieces += 1
            if gate.n_pieces == 2:
                gate.reached.set()
                assert gate.go.wait(20)
        return go_on(self, view)

    monkeypatch.setattr(Painter, "go_on", held)
    yield gate
    gate.go.set()


@pytest.mark.parametrize("mode", ["mip", "iso", "translucent"])
def test_at_rest_a_slow_device_shows_what_is_rendered_without_a_window(
    make_live, memory_scene, turns, box, slow, mode
):
    port = add(memory_scene, box + np.arange(64, dtype=np.uint8), mode=mode)
    view = make_live()
    report = settled(view, turns)
    offscreen = OffscreenView((80, 60))
    offscreen.set_layers([port.data])
    offscreen.camera = view.camera
    offscreen.options = FrameOptions(step_factor=1 / 3)
    assert offscreen.wait_until_complete(20)
    expected = offscreen.image()
    offscreen.close()
    assert report.image[..., :3].any()
    np.testing.assert_array_equal(report.image, expected)


def test_before_the_last_piece_a_quicker_picture_is_shown_and_not_called_complete(
    make_live, memory_scene, turns, box, slow
):
    add(memory_scene, box)
    view = make_live()
    reports = []
    view.reported.connect(reports.append)
    settled(view, turns)
    pictures = [r for r in reports if r.image is not None]
    assert len({id(r.image) for r in pictures}) > 1
    assert [r.is_complete for r in pictures] == [False] * (len(pictures) - 1) + [True]


def test_another_camera_ends_a_picture_that_is_being_drawn(
    make_live, memory_scene, turns, box, slow, gate
):
    add(memory_scene, box)
    view = make_live()
    gate.is_armed = True
    gate.wait(turns)
    old = view.camera
    shown = []
    view.reported.connect(lambda r: shown.append((r.state.camera, r.is_complete)))
    view.camera = navigation.orbit(old, 200, 0)
    turns.run()
    gate.go.set()
    settled(view, turns)
    assert (old, True) not in shown
    assert shown[-1] == (view.camera, True)


def test_the_same_state_again_draws_nothing(make_live, memory_scene, turns, box):
    port = add(memory_scene, box)
    view = make_live()
    settled(view, turns)
    n = view.client.ask(lambda d: d.view.manager.statistics.frames).result(10)
    image = view.report.image
    for _ in range(3):
        port.data.request_render()
        settled(view, turns)
    assert view.client.ask(lambda d: d.view.manager.statistics.frames).result(10) == n
    assert view.report.image is image


def test_the_same_state_again_does_not_end_a_picture_that_is_being_drawn(
    make_live, memory_scene, turns, box, slow, gate
):
    port = add(memory_scene, box)
    view = make_live()
    gate.is_armed = True
    gate.wait(turns)
    port.data.request_render()
    turns.run()
    gate.go.set()
    settled(view, turns)
    assert gate.n_pieces == -(-60 // 7)


def test_what_lies_under_a_pixel_is_told_of_the_whole_picture(
    make_live, memory_scene, turns, box, slow, gate
):
    add(memory_scene, box)
    view = make_live()
    gate.is_armed = True
    gate.wait(turns)
    picked = view.pick(40, 30)
    gate.go.set()
    assert picked.result(20).values == (200,)
    settled(view, turns)


def test_a_pick_does_not_keep_another_picture_waiting(
    make_live, memory_scene, turns, box, slow, gate
):
    add(memory_scene, box)
    view = make_live()
    gate.is_armed = True
    gate.wait(turns)
    picked = view.pick(40, 30)
    view.camera = navigation.orbit(view.camera, 200, 0)
    turns.run()
    gate.go.set()
    assert picked.result(20) is None
    settled(view, turns)


def test_a_receipt_in_the_middle_of_a_picture_spoils_neither(
    make_live, memory_scene, turns, box, slow, gate
):
    add(memory_scene, box)
    view = make_live()
    plain = settled(view, turns).image
    gate.is_armed = True
    view.show_levels = True
    gate.wait(turns)
    receipt = view.pictures.receipt_later()
    view.show_levels = False
    gate.go.set()
    assert receipt.result(20).pixels["at_target"] == 1.0
    assert receipt.result(20).fidelity == "improving"
    np.testing.assert_array_equal(settled(view, turns).image, plain)


def test_after_a_receipt_pixels_can_still_be_picked(
    make_live, memory_scene, turns, box
):
    add(memory_scene, box)
    view = make_live()
    settled(view, turns)
    before = view.pick(40, 30).result(20)
    assert view.receipt.pixels["at_target"] == 1.0
    assert view.pick(40, 30).result(20) == before
    assert before.values == (200,)


def test_a_screenshot_of_a_shown_view_is_its_picture_and_drawn_once(
    make_live, memory_scene, turns, box
):
    add(memory_scene, box)
    view = make_live()
    settled(view, turns)
    n = view.client.ask(lambda d: d.view.manager.statistics.frames).result(10)
    image = view.screenshot()
    settled(view, turns)
    np.testing.assert_array_equal(view.report.image, image)
    assert (
        view.client.ask(lambda d: d.view.manager.statistics.frames).result(10) == n + 1
    )


def test_nobody_draws_while_a_view_only_waits(make_live, memory_scene, turns, box):
    """A view at rest takes no step until something happens."""
    add(memory_scene, box)
    view = make_live()
    settled(view, turns)
    steps = []
    view.client.ask(
        lambda d: setattr(d, "step", lambda: steps.append(1) or LiveDrawer.step(d))
    ).result(10)
    assert not turns.run_until(lambda: bool(steps), 0.4)


def test_planes_further_on_are_read_while_a_slice_is_scrolled(
    make_live, memory_scene, turns
):
    data = np.arange(64, dtype=np.uint8)[:, None, None] + np.zeros((64,) * 3, np.uint8)
    source = MemorySource([data], (16, 64, 64), chunk=(16, 64, 64))
    port = memory_scene.add(ChunkedImageStore(source))
    port.contrast, port.interpolation = (0, 255), "nearest"
    default_cache().clear()
    source.reads.clear()
    source.order.clear()
    view = make_live("xy")
    # No room for the whole volume as an overview.
    view.gpu_budget = 4 << 20
    memory_scene.move_cross_hair((20.0, 30.0, 30.0))
    settled(view, turns)
    assert set(source.reads) == {(0, (1, 0, 0))}
    view.slice.scroll(1)
    settled(view, turns)
    assert source.wait_until_reading(3)
    assert set(source.reads) == {(0, (z, 0, 0)) for z in (1, 2, 3)}, "on, not back"
    view.slice.scroll(15)
    assert settled(view, turns).image[30, 40, 0] == 36
    assert max(source.reads.values()) == 1

    def is_let_go() -> bool:
        default_cache().clear()
        return len(default_cache()) == 0

    assert turns.run_until(is_let_go, 5), "nobody holds what was read in advance"
