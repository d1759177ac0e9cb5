"""The lines of a scan are found in what the file records of its frames."""

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from brickfield.errors import OptionError
from brickfield.sources.scans.frame_stack import ScanGrid
from brickfield.sources.scans.scan_shape import ScanHints, ScanOptions, find_scan_shape

DWELL = 1_000_000


def times_of(ny, nx, *, skip=0, before=0, after=0, flyback=0.3, jitter=0, seed=0):
    """Start times of frames, ns; frames of the way back stand between two gaps."""
    rng = np.random.default_rng(seed)
    steps = []
    for y in range(ny):
        steps += [1.0] * nx
        if y < ny - 1:
            steps[-1] += flyback
            steps += [1.0 + flyback] * skip
    steps = [1.0] * before + steps + [1.0] * after
    ticks = np.concatenate([[0], np.cumsum(steps[:-1])]) * DWELL
    return (ticks + rng.normal(0, jitter * DWELL, len(ticks))).astype(np.int64).tolist()


def found_by(times, **options):
    hints = ScanHints(timing=lambda number: (times[number], 0.001))
    return find_scan_shape(len(times), hints, ScanOptions(**options))


@given(st.integers(5, 20), st.integers(4, 40), st.floats(0.05, 3), st.floats(0, 0.002))
def test_gaps_in_time_tell_the_line_through_jitter(ny, nx, flyback, jitter):
    assume(nx - ny not in (1, 2))
    found = found_by(times_of(ny, nx, flyback=flyback, jitter=jitter))
    assert (found.found_from, found.grid) == ("time gaps", ScanGrid(ny, nx))


@given(st.integers(5, 12), st.integers(6, 20), st.integers(1, 2))
def test_frames_of_the_way_back_are_skipped(ny, nx, skip):
    found = found_by(times_of(ny, nx, skip=skip))
    assert found.grid == ScanGrid(ny, nx, 0, skip)


@given(st.integers(5, 12), st.integers(6, 20), st.integers(1, 5), st.integers(0, 3))
def test_frames_in_front_and_behind_belong_to_no_position(ny, nx, before, after):
    assume(nx - ny not in (1, 2))
    found = found_by(times_of(ny, nx, before=before, after=after))
    assert found.grid == ScanGrid(ny, nx, before, 0)


def test_an_aborted_scan_ends_with_its_last_whole_line():
    found = found_by(times_of(9, 14)[:-5])
    assert found.grid == ScanGrid(8, 14)


def test_a_stall_within_a_line_does_not_mislead():
    times = np.array(times_of(10, 30))
    times[77:] += 5 * DWELL
    found = found_by(times.tolist())
    assert (found.grid.nx, found.grid.ny) == (30, 10)


def test_a_square_scan_of_one_frame_more_a_line_has_a_line_skip():
    found = found_by(times_of(16, 17))
    assert found.grid == ScanGrid(16, 16, 0, 1)
    assert found.confidence < 0.9


def test_jitter_alone_is_no_scan():
    rng = np.random.default_rng(1)
    times = np.cumsum(DWELL + rng.normal(0, 0.05 * DWELL, 90)).astype(np.int64)
    assert found_by(times.tolist()).found_from == "none"


def test_two_lines_are_told_by_their_one_gap():
    assert found_by(times_of(2, 4, flyback=1e-3)).grid == ScanGrid(2, 4)


def test_few_headers_are_read_of_a_large_scan():
    read = set()

    def timing(number):
        read.add(number)
        return number * DWELL + number // 64 * DWELL, 0.001

    found = find_scan_shape(1 << 20, ScanHints(timing=timing))
    assert found.grid == ScanGrid(1 << 14, 64)
    assert len(read) <= 512


def test_a_longer_exposure_once_a_line_tells_it_where_times_do_not():
    exposures = ([0.002] + [0.001] * 11) * 7
    hints = ScanHints(timing=lambda n: (n * DWELL, exposures[n]))
    found = find_scan_shape(84, hints)
    assert (found.found_from, found.grid) == ("exposure", ScanGrid(7, 12))


@pytest.mark.parametrize(
    ("n", "hints", "kind", "grid"),
    [
        (20, {"scan_y": 4, "scan_x": 5}, "header", ScanGrid(4, 5)),
        (24, {"scan_y": 4, "scan_x": 5}, "header", ScanGrid(4, 5, 0, 1)),
        (17, {"scan_y": 4, "scan_x": 5}, "header", ScanGrid(3, 5)),
        (20, {"per_trigger": 10}, "triggers", ScanGrid(2, 10)),
        (16, {"per_trigger": 1}, "square", ScanGrid(4, 4)),
        (16, {"per_trigger": 16}, "square", ScanGrid(4, 4)),
        (14, {"n_asked": 16}, "square", ScanGrid(3, 4)),
        (7, {}, "none", ScanGrid(1, 7)),
        (1, {}, "none", ScanGrid(1, 1)),
    ],
)
def test_what_a_file_says_goes_before_guesses(n, hints, kind, grid):
    found = find_scan_shape(n, ScanHints(**hints))
    assert (found.found_from, found.grid) == (kind, grid)
    assert found.reason


def test_the_user_goes_before_everything():
    hints = ScanHints(scan_y=4, scan_x=5)
    found = find_scan_shape(20, hints, ScanOptions((2, 9), skip_frames=1, line_skip=1))
    assert (found.found_from, found.confidence) == ("user", 1.0)
    assert found.grid == ScanGrid(2, 9, 1, 1)


def test_frames_that_the_user_skips_are_in_front_of_what_is_found():
    assert found_by([0, 5, *times_of(8, 12)], skip_frames=2).grid == ScanGrid(8, 12, 2)


def test_more_frames_to_skip_than_there_are_is_refused():
    with pytest.raises(OptionError, match="fewer frames to skip"):
        find_scan_shape(3, ScanHints(), ScanOptions(skip_frames=3))
