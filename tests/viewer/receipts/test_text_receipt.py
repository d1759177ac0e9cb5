"""A receipt in words is never better than its numbers."""

from __future__ import annotations

from dataclasses import replace

import pytest

from brickfield.viewer.receipts.level_names import LevelNames
from brickfield.viewer.receipts.receipt import Receipt
from brickfield.viewer.receipts.text_receipt import rows, seconds, sentence

RECEIPT = Receipt(
    complete=True,
    time_to_first_image_s=0.035,
    time_to_complete_s=1.5,
    bytes_read=2 << 20,
    bytes_minimum=2 << 20,
    requests=1,
    chunks={"wanted": 9, "loaded": 8, "missing": 0, "failed": 1, "cancelled": 0},
    pixels={"at_target": 1.0, "coarser": 0.0, "empty": 0.0, "failed": 0.0},
    levels={"0": 8, "2": 1},
    target_error_px=1.0,
    gpu_bytes=4 << 20,
    gpu_budget=1 << 30,
    gpu_usable_fraction=0.9,
    ram_cache_peak_bytes=3 << 20,
    ram_budget=1 << 30,
    plan_ms={"median": 1.0, "p99": 2.0},
    upload_ms={"median": 0.5, "p99": 8.0},
    page_table_bytes_per_brick=4.0,
    frames=5,
    late_frames=2,
)


def test_a_complete_picture_is_said_to_be_sharp_only_where_it_is():
    coarser = replace(RECEIPT, pixels={"at_target": 0.996, "coarser": 0.004})
    assert sentence(RECEIPT).startswith("Complete: as sharp everywhere")
    assert sentence(coarser).startswith("Complete: 99 % as sharp as was asked for")


def test_a_picture_that_is_nowhere_sharp_says_why():
    """One level is drawn, and the budget holds no chunk of a finer one."""
    coarse = replace(
        RECEIPT, pixels={"at_target": 0.0, "coarser": 1.0}, levels={"0": 0, "1": 1}
    )
    assert "too large for the GPU budget" in sentence(coarse)
    mixed = replace(coarse, levels={"0": 4, "1": 1})
    assert sentence(mixed).startswith("Complete: 0 % as sharp")


def test_failed_chunks_are_named_before_waiting_ones():
    failed = replace(RECEIPT, complete=False)
    waiting = replace(failed, chunks={"wanted": 9, "loaded": 3})
    assert sentence(failed).startswith("Not complete: 1 chunk could not be read.")
    assert sentence(waiting).startswith(
        "Not complete yet: data are still on their way."
    )


def test_what_was_read_is_held_against_what_was_needed():
    more = replace(RECEIPT, bytes_read=3 << 20, requests=4)
    none = replace(RECEIPT, bytes_read=0, requests=0)
    assert sentence(RECEIPT).endswith("2 MiB came in 1 read, no more than needed.")
    assert sentence(more).endswith("3 MiB came in 4 reads, 50 % more than needed.")
    assert sentence(none).endswith("Nothing was read for it: all was in memory.")


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.0, "–"),
        (0.0004, "under 1 ms"),
        (0.035, "35 ms"),
        (1.25, "1.25 s"),
        (84, "84 s"),
    ],
)
def test_times_have_as_many_digits_as_mean_something(value, text):
    assert seconds(value) == text


def test_the_table_has_a_meaning_for_every_row():
    names = LevelNames((1.0, 2.0, 4.0))
    table = {name: value for name, value, _ in rows(RECEIPT, names)}
    assert table["Chunks loaded"] == "8 of 9, 1 failed"
    assert table["Pixels"] == "100 % sharp"
    assert table["Bricks drawn"] == "8 at full resolution, 1 at 1/4 resolution"
    assert (table["Frames"], table["Late steps"]) == ("5", "2")
    assert all(meaning for _, _, meaning in rows(RECEIPT))


def test_what_was_read_and_what_was_in_memory_are_told_apart():
    part = replace(RECEIPT, bytes_in_memory=3 << 20)
    assert "(3 MiB were already in memory), no more than needed." in sentence(part)
    beside = replace(RECEIPT, bytes_minimum=0)
    assert sentence(beside).endswith("all of it only to be drawn meanwhile.")


def test_of_images_put_together_the_least_possible_is_not_known():
    told = replace(RECEIPT, bytes_minimum=0, is_minimum_known=False)
    assert ("Least possible", "not known") in [row[:2] for row in rows(told)]
    assert "needed" not in sentence(told)
