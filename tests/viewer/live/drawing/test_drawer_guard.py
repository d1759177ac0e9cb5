"""A drawer is made when it is needed, and anew when something went wrong."""

from __future__ import annotations

import logging

import pytest
import wgpu

from brickfield.errors import DeviceError

NO_ROOM = (
    "Validation Error\n\nCaused by:\n  In create_texture\n    Not enough memory left."
)


def settle(view, turns) -> None:
    assert turns.run_until(lambda: view.is_settled), view.report


def break_with(view, error: Exception) -> None:
    """Let the next step of the present drawer raise."""

    def refuse() -> None:
        raise error

    view.client.answer(lambda drawer: setattr(drawer, "step", refuse))


def test_an_error_is_told_once_and_the_next_change_draws_again(
    make_live, memory_scene, turns, box, caplog
):
    view = make_live()
    memory_scene.add(box)
    settle(view, turns)
    break_with(view, KeyError("lost"))
    view.quality = 2.0
    assert turns.run_until(lambda: bool(view.report.error))
    assert "KeyError" in view.report.error
    view.client.answer(lambda _: None)
    assert len([r for r in caplog.records if r.levelno >= logging.ERROR]) == 1
    view.quality = 1.0
    settle(view, turns)
    assert not view.report.error
    assert view.report.image[30, 40, 0] > 0


def test_without_room_on_the_device_half_the_budget_is_used_and_it_is_said(
    make_live, memory_scene, turns, box, caplog
):
    view = make_live()
    memory_scene.add(box)
    settle(view, turns)
    break_with(view, wgpu.GPUValidationError(NO_ROOM))
    view.gpu_budget = 1 << 30
    view.quality = 2.0
    settle(view, turns)
    assert not view.report.error
    assert view.report.gpu_budget == 512 << 20
    assert "1 GiB" in view.report.notice
    assert "drawing with 512 MiB" in view.report.notice
    assert not [r for r in caplog.records if r.levelno >= logging.WARNING]
    view.gpu_budget = 256 << 20
    settle(view, turns)
    assert view.report.gpu_budget == 256 << 20
    assert not view.report.notice


def test_a_budget_that_cannot_be_halved_any_more_is_an_error(
    make_live, memory_scene, turns, box
):
    view = make_live()
    memory_scene.add(box)
    view.gpu_budget = 16 << 20
    settle(view, turns)
    break_with(view, wgpu.GPUValidationError(NO_ROOM))
    view.quality = 2.0
    assert turns.run_until(lambda: bool(view.report.error))
    assert "too little memory" in view.report.error


def test_what_fails_for_whoever_asks_leaves_a_view_that_draws(
    make_live, memory_scene, turns, box
):
    view = make_live()
    memory_scene.add(box)
    settle(view, turns)

    def refuse(_: object) -> None:
        raise wgpu.GPUValidationError(NO_ROOM)

    with pytest.raises(DeviceError, match="lower the GPU budget"):
        view.client.answer(refuse)
    view.quality = 2.0
    settle(view, turns)
