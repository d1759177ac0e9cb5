"""An open scan computes what the dock asks for, the latest request first."""

import threading

import numpy as np
import pytest

from brickfield.qt.reports.tasks import TaskBoard
from brickfield.qt.stem.session import PATTERN, SCAN, VIRTUAL, ScanSession, filled
from brickfield.qt.stem.slots import SlotRequest, Told
from brickfield.stem4d import Disc

pytestmark = pytest.mark.bindings


@pytest.fixture
def session(qapp):
    made = ScanSession(TaskBoard())
    made.seen = {}
    made.problems = []
    made.pictured.connect(
        lambda role, image, whole: made.seen.update({role: (image, whole)})
    )
    made.failed.connect(made.problems.append)
    yield made
    made.close()


@pytest.fixture
def opened(session, scan_file, settle):
    session.open(scan_file)
    settle(session)
    return session


def test_opening_shows_the_scan_and_the_pattern_in_its_middle(opened, patterns):
    image, is_whole = opened.seen[SCAN]
    assert is_whole
    np.testing.assert_array_equal(image, patterns.sum(axis=(2, 3)))
    np.testing.assert_array_equal(opened.seen[PATTERN][0], patterns[3, 2])


def test_a_detector_gives_its_image(opened, patterns, settle):
    disc = Disc(8, 6, 3)
    opened.set_detector(disc)
    settle(opened)
    image, is_whole = opened.seen[VIRTUAL]
    assert is_whole
    mask = disc.mask(patterns.shape[2:])
    np.testing.assert_array_equal(image, patterns[:, :, mask].sum(axis=-1))


def test_of_many_detectors_the_last_one_counts(opened, patterns, settle):
    for r in range(1, 8):
        opened.set_detector(Disc(8, 6, r))
    settle(opened)
    mask = Disc(8, 6, 7).mask(patterns.shape[2:])
    expected = patterns[:, :, mask].sum(axis=-1)
    np.testing.assert_array_equal(opened.seen[VIRTUAL][0], expected)
    assert not opened.problems


def test_a_region_gives_its_mean_pattern(opened, patterns, settle):
    opened.set_region((1, 4, 0, 2))
    settle(opened)
    expected = patterns[1:4, 0:2].mean(axis=(0, 1))
    np.testing.assert_allclose(opened.seen[PATTERN][0], expected)


def test_the_cursor_stays_within_the_scan(opened, patterns, settle):
    opened.set_cursor(-4, 99)
    settle(opened)
    assert opened.cursor == (0, 4)
    np.testing.assert_array_equal(opened.seen[PATTERN][0], patterns[0, 4])


def test_a_pattern_can_be_shown_as_its_logarithm(opened, patterns):
    opened.set_log(True)
    expected = np.log1p(patterns[3, 2].astype(np.float64))
    np.testing.assert_allclose(opened.seen[PATTERN][0], expected, rtol=1e-5)


def test_what_is_no_scan_is_told_in_a_sentence(session, tmp_path, settle):
    path = tmp_path / "junk.mib"
    path.write_bytes(b"junk")
    session.open(path)
    settle(session)
    assert len(session.problems) == 1
    assert session.viewer is None


def test_closing_ends_what_runs_and_tells_nothing_more(opened, qtbot):
    began, ended, told = threading.Event(), threading.Event(), []

    def job(task, _show):
        began.set()
        task.cancelled.wait(30)
        ended.set()

    opened.slot("work").submit(SlotRequest("Working", job, told.append))
    assert began.wait(30)
    opened.close()
    assert ended.wait(30)
    qtbot.wait(50)
    assert told == []


def test_lines_that_are_not_known_yet_are_those_next_to_them():
    image = np.zeros((7, 2), int)
    image[1], image[5] = 3, 8
    assert filled(image)[:, 0].tolist() == [3, 3, 3, 3, 8, 8, 8]


def test_work_of_another_process_is_said_until_there_is_own_work(qapp):
    task = TaskBoard().begin("Overview of scan", unit="bytes")
    told = Told(task)
    told.on_wait("process 7 on far")
    assert task.task.title.endswith("computed by another process (process 7 on far)")
    told.progress(1, 2, 1, None)
    assert (task.task.title, task.task.done) == ("Overview of scan", 1)
    task.end()
