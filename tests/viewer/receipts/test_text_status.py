"""A status line says what a biologist wants to know, and never claims too much."""

import numpy as np
import pytest

from brickfield.model import ChunkId
from brickfield.model.requests import ChunkFailure
from brickfield.viewer.live.frame_state import ViewReport
from brickfield.viewer.receipts import text_status as words
from brickfield.viewer.receipts.level_names import LevelNames

NAMES = LevelNames((1.0, 2.0, 8.0))


def report(**values):
    usual = {
        "has_base": True,
        "factors": (1.0, 4.0),
        "wanted": 100,
        "done": 90,
        "waiting": 10,
        "to_draw": 100,
        "drawn": 76,
    }
    return ViewReport(**usual | values)


def ended(fidelity, **values):
    return report(is_complete=True, waiting=0, fidelity=fidelity, **values)


def failure(reason="expected to decode it; found damaged data: crc", level=0, **more):
    return ChunkFailure(ChunkId(level, (4, 0, 7)), "c/4/0/7", reason, **more)


@pytest.mark.parametrize(
    ("told", "expected"),
    [
        (
            report(rate=40e6, seconds_left=12.2),
            "sharpening 83 % · 12 s left · 1/4 → full resolution · 40 MB/s",
        ),
        (report(seconds_left=2.9), "sharpening 83 % · 1/4 → full resolution"),
        (ended("final", factors=(1.0, 1.0)), "full resolution"),
        (ended("final"), "full to 1/4 resolution"),
        (ended("final", factors=()), ""),
        (
            ended("limited", factors=(2.0, 64.0), is_coarsened=True),
            "1/2 to 1/64 resolution · the GPU budget allows nothing finer",
        ),
        (
            ended("limited", factors=(64.0, 64.0)),
            "1/64 resolution · the file has nothing finer that fits",
        ),
        (
            ended("limited", factors=(1.0, 1.0), is_preview=True),
            "preview of data that are offline",
        ),
        (
            ended("failed", failures=(failure(),) * 3, factors=(1.0, 1.0)),
            "3 chunks could not be read, shown coarser · full resolution",
        ),
        (report(is_starting=True), "starting the renderer…"),
        (report(is_starting=True, has_renderer=True), "preparing the first picture…"),
        (report(has_base=False), "reading the overview…"),
        (report(is_moving=True), "moving · full to 1/4 resolution"),
        (
            report(done=0, drawn=0, factors=(8.0, 8.0)),
            "sharpening 0 % · 1/8 resolution",
        ),
        (report(done=100, drawn=100), "sharpening 99 % · 1/4 → full resolution"),
        (
            report(is_drawing=True, done=100, drawn=100, waiting=0),
            "drawing… · full to 1/4 resolution",
        ),
        (report(error="The graphics card was lost."), "The graphics card was lost."),
    ],
)
def test_a_view_says_how_far_it_is(told, expected):
    assert words.status(told) == expected


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ({"has_base": False}, "waiting for the server…"),
        ({"has_base": False, "rate": 5.0}, "reading the overview…"),
        # All has come: whoever is silent now, it is not the server.
        ({"has_base": False, "waiting": 0}, "drawing the overview…"),
        ({}, "sharpening 83 % · 1/4 → full resolution · waiting for the server…"),
        ({"waiting": 0}, "sharpening 83 % · 1/4 → full resolution"),
    ],
)
def test_a_silent_server_is_told_from_work(values, expected):
    assert words.status(report(**values), is_remote=True) == expected


def test_failures_come_with_their_consequence():
    assert words.failures([]) == ""
    assert words.failures([failure()] * 3, NAMES) == (
        "3 chunks at full resolution could not be read (corrupt file c/4/0/7)."
        " Shown coarser."
    )
    busy = failure("the server is busy", level=1, is_transient=True)
    assert words.failures([busy], NAMES) == (
        "1 chunk at 1/2 resolution could not be read (no answer for c/4/0/7)."
        " Shown coarser. Try again later."
    )
    denied = failure("found that access is denied", level=2)
    found = [denied, busy, failure()]
    assert "3 chunks at full, 1/2 and 1/8 resolution" in words.failures(found, NAMES)
    assert "3 chunks at level 0, level 1 and level 2 could" in words.failures(found)
    assert "access denied to c/4/0/7" in words.failures([denied])


def test_the_value_under_the_cursor_is_exact():
    assert words.value_of([np.uint16(1024)]) == "1024"
    big = words.value_of([np.uint64(2**64 - 1)], is_labels=True)
    assert big == "label 18446744073709551615"
    assert words.value_of([np.float32(0.5), None]) == "0.5, –"
    assert words.value_of([np.float32(-0.0)]) == "0"
    assert words.value_of([None]) == "not loaded"
    assert words.value_of([np.bool_(1)]) == "True"


def test_memory_is_told_against_its_budget():
    assert words.memory(412.3 * 2**20, 2**30) == "412 MiB of 1 GiB"
    assert words.memory(0, 1023 * 2**20) == "0 B of 1023 MiB"
    assert words.level_estimate("full resolution", 2**20, 2**30) == (
        "full resolution takes 1 MiB of GPU memory of the 1 GiB allowed"
    )
    assert words.level_estimate("full resolution", 2**40, 2**30) == (
        "full resolution takes 1 TiB of GPU memory; 1 GiB are allowed, so parts will"
        " stay coarser"
    )


def test_quality_has_names_from_draft_to_exact():
    names = [words.quality(error) for error in (8, 4, 2, 1, 0.5)]
    assert names == ["draft", "quick", "good", "sharp", "exact"]


def test_the_share_that_is_done_begins_at_nothing_and_never_falls():
    stages = [
        ViewReport(is_starting=True),
        ViewReport(),  # nothing is planned yet
        report(done=10, to_draw=0, drawn=0),
        report(done=60, to_draw=100, drawn=10),
        report(done=100, waiting=0, to_draw=100, drawn=100),
        ended("final", done=100, drawn=100),
    ]
    shares = [stage.percent for stage in stages]
    assert shares == sorted(shares)
    assert (shares[0], shares[1], shares[-1]) == (0, 0, 100)
