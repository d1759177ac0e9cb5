"""Whoever asks a view gets an answer or a reason, in time."""

from __future__ import annotations

import threading
from dataclasses import replace

import pytest

from brickfield.errors import OptionError, ViewBusyError, ViewClosedError
from brickfield.loading import default_cache
from brickfield.store import ChunkedImageStore
from brickfield.testing import MemorySource


def test_a_closed_view_refuses_at_once(make_live, memory_scene, turns, box):
    view = make_live()
    memory_scene.add(box)
    assert turns.run_until(lambda: view.is_settled)
    view.close().result(10)
    with pytest.raises(ViewClosedError, match="view_of"):
        view.screenshot()
    with pytest.raises(ViewClosedError):
        _ = view.receipt
    assert isinstance(view.pick(3, 3).exception(0), ViewClosedError)
    view.cursor.hover((3, 3))
    view.retry_failed()
    view.cursor.set_centre_at(3, 3)


def test_a_closed_view_takes_nothing_and_tells_nobody(make_live, memory_scene, box):
    view = make_live()
    memory_scene.add(box)
    camera, told = view.camera, []
    for signal in (view.options_changed, view.camera_changed, view.reported):
        signal.connect(lambda *what: told.append(what))
    view.close().result(10)
    view.quality = 3.0
    view.gpu_budget = "1 GiB"
    view.background = (1.0, 1.0, 1.0)
    view.set_overlay_options("axes", visible=True)
    view.move_to(camera)
    view.fit()
    view.resize((10, 10))
    view.is_shown = False
    assert told == []
    assert view.layers == ()


def test_a_view_that_was_never_shown_has_a_picture_of_usual_size(
    make_live, memory_scene, box
):
    view = make_live(is_shown=False)
    memory_scene.add(box)
    view.resize((1, 1))
    assert view.screenshot().shape == (600, 800, 4)
    assert view.receipt.complete


def test_a_view_without_layers_says_that_there_is_nothing_to_take(make_live):
    view = make_live()
    with pytest.raises(OptionError, match="image layer"):
        view.screenshot()
    with pytest.raises(OptionError, match="image layer"):
        _ = view.receipt


def test_an_answer_is_not_waited_for_longer_than_said(make_live):
    view, gate = make_live(), threading.Event()
    view.client.ask(lambda _: gate.wait(10))
    with pytest.raises(ViewBusyError, match=r"within 0\.1 s"):
        view.client.answer(lambda _: 1, timeout_s=0.1)
    gate.set()
    assert view.client.answer(lambda _: 2) == 2


def test_reads_that_end_while_the_renderer_is_busy_are_known_at_once(
    make_live, memory_scene, turns, box
):
    """The last report has reads out; nothing would be told of them until the next."""
    source = MemorySource([box], (16, 64, 64), chunk=(16, 64, 64))
    store = ChunkedImageStore(source)
    # The contrast is known; what it was told from has gone again.
    store.estimate_contrast()
    default_cache().clear()
    source.gate.clear()
    view = make_live()
    memory_scene.add(store)
    assert turns.run_until(lambda: view.report.waiting > 0)
    gate = threading.Event()
    view.client.ask(lambda _: gate.wait(20))
    assert view.report_of_now.waiting == 4
    source.gate.set()
    assert turns.run_until(lambda: view.report_of_now.waiting == 0)
    assert view.report.waiting == 4
    assert view.report_of_now.done == view.report_of_now.wanted == 4
    gate.set()
    assert turns.run_until(lambda: view.is_settled)


def test_a_camera_that_has_come_to_rest_is_not_called_moving(
    make_live, memory_scene, turns, box
):
    view = make_live()
    memory_scene.add(box)
    assert turns.run_until(lambda: view.is_settled)
    view.navigate(lambda camera: replace(camera, target=(30.0, 30.0, 30.0)))
    assert view.report_of_now.is_moving
    assert turns.run_until(lambda: view.report.is_moving)
    gate = threading.Event()
    view.client.ask(lambda _: gate.wait(20))
    assert turns.run_until(lambda: not view.report_of_now.is_moving)
    told = view.report_of_now
    assert view.report.is_moving
    assert (told.is_drawing, told.fidelity) == (True, "improving")
    gate.set()


def test_a_state_that_was_not_drawn_yet_is_not_called_complete(
    make_live, memory_scene, turns, box
):
    view = make_live()
    memory_scene.add(box)
    assert turns.run_until(lambda: view.is_settled)
    assert view.report_of_now.is_complete
    gate = threading.Event()
    view.client.ask(lambda _: gate.wait(20))
    view.quality = 3.0
    told = view.report_of_now
    assert (told.is_complete, told.is_drawing) == (False, True)
    assert told.fidelity == "improving"
    gate.set()


def test_of_layers_that_are_gone_nothing_is_shown_or_told(
    make_live, memory_scene, turns, box
):
    view = make_live()
    port = memory_scene.add(box)
    assert turns.run_until(lambda: view.is_settled)
    late = view.report
    memory_scene.remove(port)
    assert (view.report.image, view.report.state.layers) == (None, ())
    view.client.take_report(late)
    assert view.report.image is None, "a report that was on its way"
    memory_scene.add(box.copy())
    assert view.report.is_starting
    assert view.report.image is None
    assert turns.run_until(lambda: view.is_settled)


def test_a_renderer_that_runs_is_not_said_to_start(make_live, memory_scene, turns, box):
    view = make_live()
    memory_scene.add(box)
    assert not view.report_of_now.has_renderer
    assert turns.run_until(lambda: view.is_settled)
    other = make_live("xy")
    assert other.report_of_now.is_starting
    assert other.report_of_now.has_renderer


def test_an_error_of_what_is_asked_is_the_asker_s_own(make_live):
    def late(_: object) -> None:
        raise TimeoutError("of its own")

    with pytest.raises(TimeoutError, match="of its own"):
        make_live().client.answer(late)


def test_asking_within_an_answer_does_not_wait_for_itself(make_live):
    view = make_live()
    assert view.client.answer(lambda _: view.client.answer(lambda _: 3)) == 3


def test_a_screenshot_lets_other_views_draw_while_it_waits_for_data(
    make_live, memory_scene, turns, box
):
    """The server stalls: one thread waits for a picture, another view is turned."""
    port = memory_scene.add(box)
    view, other = make_live(is_shown=False), make_live("xy")
    store = port.data.store
    assert turns.run_until(lambda: other.is_settled)
    store.manager.forget()
    gate, read = threading.Event(), store.source.read_storage_chunk

    def stalled(*name: object) -> object:
        gate.wait(20)
        return read(*name)

    store.source.read_storage_chunk = stalled
    taken: list[object] = []
    waiting = threading.Thread(target=lambda: taken.append(view.screenshot()))
    waiting.start()
    n_before = len(taken)
    other.background = (1.0, 0.0, 0.0)
    assert turns.run_until(lambda: other.report.state.background == (1.0, 0.0, 0.0))
    assert len(taken) == n_before == 0
    gate.set()
    waiting.join(20)
    assert len(taken) == 1


def test_a_budget_may_be_text(make_live):
    view = make_live()
    view.gpu_budget = "512 MiB"
    assert view.gpu_budget == 512 << 20
    with pytest.raises(OptionError, match="512 MiB"):
        view.gpu_budget = "much"
