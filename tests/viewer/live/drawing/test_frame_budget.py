"""When a live view draws, and how: answers are quick, the end is always the same."""

from __future__ import annotations

from dataclasses import replace
from math import inf

import pytest
from hypothesis import given
from hypothesis import strategies as st

from brickfield.viewer.live.drawing.frame_budget import (
    BASE_WAIT_S,
    BLOCK_ROWS,
    FLUENT_MS,
    PIECE_MS,
    QUICK_MS,
    SCALES,
    DrawingSpeed,
    PictureQuality,
    ViewConditions,
    next_rows,
)

BEST = PictureQuality(1.0, 1 / 3, is_final=True)
REST = ViewConditions(shown=BEST, idle_s=10.0, elapsed_s=10.0)


def speed_of(full_ms: float) -> DrawingSpeed:
    speed = DrawingSpeed()
    speed.full_ms = full_ms
    return speed


def test_a_third_of_the_step_takes_twice_as_long_and_half_the_pixels_a_quarter():
    assert BEST.amount == pytest.approx(2.0)
    assert PictureQuality(0.5).amount == 0.25
    assert PictureQuality(1.0, 2.0).amount == 1.0, "finding the bricks takes as long"


def test_what_pictures_take_is_learnt_at_any_effort():
    speed = DrawingSpeed()
    assert speed.cost_ms(BEST) == inf
    speed.note(PictureQuality(0.5), 50.0)
    assert speed.cost_ms(BEST) == pytest.approx(400.0)
    for _ in range(6):
        speed.note(BEST, 800.0)
    assert speed.cost_ms(BEST) == pytest.approx(800.0, rel=0.05)


def test_a_view_that_becomes_dearer_is_followed_within_a_few_pictures():
    speed = DrawingSpeed()
    for full_ms in [100.0] * 4 + [300.0] * 6:
        speed.note(PictureQuality(0.5), full_ms / 4)
    assert speed.cost_ms(PictureQuality(0.5)) == pytest.approx(75.0, rel=0.05)
    assert speed.cost_ms(PictureQuality(1.0)) == pytest.approx(300.0, rel=0.05)


def test_kinds_of_pictures_that_take_longer_than_their_share_do_not_take_turns():
    """Otherwise the picture of a moving camera flickers between fine and coarse."""
    speed = DrawingSpeed()
    now = replace(REST, is_moving=True, is_asked=True, n_coarser=5)

    def takes(quality):
        dear = 3.0 if quality.coarser == 1 else 1.2 if quality.coarser else 1.0
        return 8 + 500 * dear * quality.amount

    chosen = []
    for _ in range(30):
        chosen.append(speed.choose(now, BEST))
        speed.note(chosen[-1], takes(chosen[-1]))
    assert len(set(chosen[15:])) == 1
    assert 0.5 * FLUENT_MS < takes(chosen[-1]) <= FLUENT_MS


def test_one_slow_picture_does_not_rule_out_its_kind_for_good():
    speed = DrawingSpeed()
    usual, slow = PictureQuality(0.35, coarser=2), PictureQuality(0.5, coarser=2)
    speed.note(usual, 8 + 500 * usual.amount)
    speed.note(slow, 240.0)
    for _ in range(150):
        speed.note(usual, 8 + 500 * usual.amount)
    assert speed.cost_ms(slow) <= FLUENT_MS


def test_a_quick_device_draws_the_best_picture_at_once():
    now = replace(REST, is_complete=True, is_asked=True)
    assert speed_of(10).choose(now, BEST) == BEST


def test_a_slow_device_answers_quickly_and_then_draws_the_best():
    speed = speed_of(1000.0)
    now = replace(REST, is_complete=True, is_asked=True)
    quick = speed.choose(now, BEST)
    assert speed.cost_ms(quick) <= QUICK_MS
    assert not quick.is_final
    now = replace(now, is_asked=False, shown=quick, idle_s=0.0)
    assert speed.choose(now, BEST) == BEST
    assert speed.choose(replace(now, shown=BEST), BEST) == inf, "nothing left to do"


def test_in_motion_a_picture_has_as_many_pixels_as_are_fluent():
    now = replace(REST, is_moving=True, is_asked=True, is_complete=True)
    assert speed_of(FLUENT_MS).choose(now, BEST) == PictureQuality(1.0)
    assert speed_of(FLUENT_MS * 3.9).choose(now, BEST) == PictureQuality(0.5)
    assert speed_of(1e6).choose(now, BEST) == PictureQuality(SCALES[-1])
    assert speed_of(10).choose(replace(now, is_asked=False), BEST) == inf


def test_an_unknown_device_begins_with_few_pixels():
    assert DrawingSpeed().choose(replace(REST, is_asked=True), BEST).scale < 0.5
    assert (
        DrawingSpeed().choose(replace(REST, is_moving=True, has_news=True), BEST).scale
        < 0.5
    )


def test_a_picture_waits_a_little_for_the_first_data_and_no_longer():
    now = replace(REST, has_base=False, is_asked=True, elapsed_s=0.05)
    left_s = speed_of(10).choose(now, BEST)
    assert left_s == pytest.approx(BASE_WAIT_S - 0.05)
    now = replace(now, elapsed_s=BASE_WAIT_S)
    assert isinstance(speed_of(10).choose(now, BEST), PictureQuality)


def test_the_overview_is_shown_as_soon_as_it_is_there():
    now = replace(REST, is_bare=True, has_news=True, idle_s=0.0, frame_ms=500.0)
    assert isinstance(speed_of(500).choose(now, BEST), PictureQuality)


def test_while_loading_drawing_takes_about_a_sixth_of_the_time():
    speed = speed_of(300.0)
    clock = drawn = spent = 0.0
    while clock < 60:
        now = replace(
            REST,
            has_news=True,
            elapsed_s=clock,
            idle_s=clock - drawn,
            frame_ms=300.0,
        )
        choice = speed.choose(now, BEST)
        if isinstance(choice, PictureQuality):
            spent += 1e-3 * speed.cost_ms(choice)
            clock += 1e-3 * speed.cost_ms(choice)
            drawn = clock
        clock += 0.01
    assert 0.1 < spent / clock < 0.2


def test_who_waits_long_for_data_gets_all_pixels_of_what_there_is():
    speed = speed_of(800.0)
    early = replace(REST, has_news=True, elapsed_s=0.5)
    assert speed.choose(early, BEST).scale == 0.35
    late = replace(early, has_news=False, shown=PictureQuality(0.35), elapsed_s=10.0)
    assert speed.choose(late, BEST) == PictureQuality(1.0)
    assert speed.choose(replace(late, shown=PictureQuality(1.0)), BEST) == inf


def test_a_slice_is_always_drawn_with_all_pixels():
    flat = PictureQuality(1.0, is_final=True)
    now = replace(REST, is_flat=True, is_asked=True)
    assert DrawingSpeed().choose(now, flat) == PictureQuality(1.0)
    assert DrawingSpeed().choose(replace(now, is_moving=True), flat) == PictureQuality(
        1.0
    )
    assert DrawingSpeed().choose(replace(now, is_complete=True), flat) == flat


def test_a_series_on_a_slow_device_does_not_begin_pictures_it_cannot_finish():
    speed = speed_of(1000.0)
    now = replace(REST, is_playing=True, is_complete=True, has_news=True)
    assert speed.choose(now, BEST).scale < 1
    assert (
        speed.choose(replace(now, has_news=False, shown=PictureQuality(0.3)), BEST)
        == inf
    )


def test_pieces_take_about_the_same_time_but_do_not_grow_over_empty_rows():
    usual = speed_of(300.0).usual_rows(BEST, 500)
    assert usual == BLOCK_ROWS * int(500 * PIECE_MS / 600 / BLOCK_ROWS)
    assert next_rows(usual, PIECE_MS, usual) == usual
    assert next_rows(usual, 3 * PIECE_MS, usual) == round(usual / 3)
    assert next_rows(usual, 0.1, usual) == 2 * usual
    assert next_rows(1, 1e6, usual) == 1
    assert DrawingSpeed().usual_rows(BEST, 8) == 8


@given(st.floats(0.01, 1e5), st.integers(1, 2000), st.floats(0.01, 1e4))
def test_no_piece_ends_inside_a_block_of_rows_that_a_device_draws_at_once(
    ms, n_rows, took_ms
):
    usual = speed_of(ms).usual_rows(BEST, n_rows)
    assert usual == n_rows or usual < BLOCK_ROWS or usual % BLOCK_ROWS == 0
    rows = next_rows(usual, took_ms, usual)
    assert 1 <= rows <= max(2 * usual, 1)
    assert rows < BLOCK_ROWS or rows % BLOCK_ROWS == 0


def test_a_moving_picture_takes_a_coarser_level_together_with_fewer_pixels():
    """Voxels smaller than the pixels that are drawn cost time and show nothing."""
    speed = speed_of(600.0)
    now = replace(REST, is_moving=True, is_asked=True, n_coarser=5)
    chosen = speed.choose(now, BEST)
    assert speed.cost_ms(chosen) <= FLUENT_MS
    assert chosen.grain_px(1.0) < speed.within(FLUENT_MS).grain_px(1.0)
    assert 0 < chosen.coarser < 4
    assert not chosen.is_final


def test_large_voxels_are_not_made_larger_while_fewer_pixels_do():
    speed = speed_of(300.0)
    now = replace(REST, is_moving=True, is_asked=True, n_coarser=5, voxel_px=9.0)
    assert speed.choose(now, BEST).coarser == 0


def test_a_device_that_is_quick_moves_at_the_finest_level():
    now = replace(REST, is_moving=True, is_asked=True, n_coarser=5)
    assert speed_of(20).choose(now, BEST) == PictureQuality(1.0)
    assert not speed_of(20).is_slow


def test_no_device_is_so_slow_that_voxels_become_boulders():
    chosen = speed_of(1e6).within(FLUENT_MS, voxel_px=1.0, n_coarser=9)
    assert chosen == PictureQuality(SCALES[-1], coarser=3)


def test_what_every_picture_takes_is_told_from_what_its_pixels_take():
    """20 ms for each picture, and 600 for all pixels."""
    speed = DrawingSpeed()
    few, many = PictureQuality(0.25, coarser=2), PictureQuality(1.0)
    for _ in range(6):
        for quality in (few, many):
            speed.note(quality, 20 + 600 * quality.amount)
    assert speed.fixed_ms == pytest.approx(20)
    assert speed.full_ms == pytest.approx(600, rel=0.01)
    assert speed.cost_ms(PictureQuality(0.5)) == pytest.approx(170, rel=0.01)


def test_pictures_of_one_kind_do_not_tell_what_each_of_them_takes():
    speed = DrawingSpeed()
    for ms in (50.0, 60.0, 40.0):
        speed.note(PictureQuality(0.35), ms)
    assert speed.fixed_ms == 0
