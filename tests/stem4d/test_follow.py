"""A scan that is still written is seen as far as it is there."""

import threading

import numpy as np
import pytest

from brickfield.errors import OptionError, StoreFormatError
from brickfield.sources.scans import ScanOptions
from brickfield.stem4d import LazyDataManager, ScanFollower
from brickfield.stem4d.corrections import CorrectionOptions
from brickfield.testing.mib import write_hdr, write_mib

PATTERNS = np.random.default_rng(4).integers(1, 999, (4, 5, 8, 8)).astype(np.uint16)
FRAMES = PATTERNS.reshape(-1, 8, 8)


@pytest.fixture
def whole(tmp_path):
    """The bytes of the finished file."""
    return write_mib(tmp_path / "whole.mib", FRAMES).read_bytes()


@pytest.fixture
def growing(tmp_path):
    (tmp_path / "run").mkdir()
    write_hdr(tmp_path / "run" / "scan.hdr", ScanX=5, ScanY=4)
    return tmp_path / "run" / "scan.mib"


def test_frames_are_added_as_they_come(whole, growing):
    stride = len(whole) // len(FRAMES)
    growing.write_bytes(whole[: 3 * stride])
    with ScanFollower(growing) as scan:
        assert scan.opened.data.shape == PATTERNS.shape
        assert scan.poll() == 3
        with growing.open("ab") as file:
            file.write(whole[3 * stride : 7 * stride + 99])  # not a whole frame
        assert (scan.poll(), scan.poll()) == (4, 0)
        expected = PATTERNS.sum((2, 3)).ravel()
        np.testing.assert_array_equal(scan.image.ravel()[:7], expected[:7])
        assert not scan.image.ravel()[7:].any()
        assert not scan.is_complete
        with growing.open("ab") as file:
            file.write(whole[7 * stride + 99 :])
        assert scan.poll() == 13
        assert scan.is_complete
        np.testing.assert_array_equal(scan.image, PATTERNS.sum((2, 3)))
        np.testing.assert_array_equal(scan.total, FRAMES.sum(0))
        np.testing.assert_array_equal(scan.highest, FRAMES.max(0))


def test_patterns_to_come_are_empty(whole, growing):
    stride = len(whole) // len(FRAMES)
    growing.write_bytes(whole[: 6 * stride])
    from brickfield.blockwise import ThreadBuffers

    with ScanFollower(growing) as scan:
        found = scan.opened.data.view(slice(1, 2), slice(0, 5), ThreadBuffers())
        np.testing.assert_array_equal(found[0, 0], PATTERNS[1, 0])
        assert not found[0, 1:].any()


def test_in_a_file_of_its_final_size_the_last_frame_that_was_begun_waits(
    whole, growing
):
    stride = len(whole) // len(FRAMES)
    growing.write_bytes(whole[: 4 * stride] + bytes(16 * stride))
    with ScanFollower(growing) as scan:
        assert scan.poll() == 3
        growing.write_bytes(whole)
        assert scan.poll() == 17


def test_frames_of_the_way_back_are_left_out(growing, tmp_path):
    frames = np.arange(1, 15, dtype=np.uint16)[:, None, None] * np.ones((4, 4), "u2")
    growing.with_suffix(".hdr").unlink()
    write_mib(growing, frames.astype(np.uint16))
    options = ScanOptions((3, 3), skip_frames=2, line_skip=1)
    with ScanFollower(growing, options) as scan:
        scan.poll()
        assert scan.is_complete
        expected = np.array([[3, 4, 5], [7, 8, 9], [11, 12, 13]]) * 16
        np.testing.assert_array_equal(scan.image, expected)


def test_a_run_ends_with_the_last_frame(whole, growing):
    stride = len(whole) // len(FRAMES)
    growing.write_bytes(whole[:stride])
    seen = []

    def more(scan):
        seen.append(scan.n_read)
        with growing.open("ab") as file:
            at = file.tell()
            file.write(whole[at : at + 5 * stride])

    with ScanFollower(growing) as scan:
        assert scan.run(more, poll_s=0)
    assert seen == [1, 6, 11, 16, 20]


def test_a_run_gives_up_and_is_cancelled(whole, growing):
    growing.write_bytes(whole[: len(whole) // 2])
    with ScanFollower(growing) as scan:
        assert not scan.run(idle_s=0, poll_s=0)
        cancel = threading.Event()
        cancel.set()
        assert not scan.run(cancel=cancel)


def test_a_file_that_is_written_anew_is_refused(whole, growing):
    stride = len(whole) // len(FRAMES)
    growing.write_bytes(whole[: 9 * stride])
    with ScanFollower(growing) as scan:
        scan.poll()
        growing.write_bytes(whole[: 2 * stride])
        with pytest.raises(StoreFormatError, match="written anew"):
            scan.poll()


def test_a_scan_of_unknown_size_is_refused(whole, tmp_path):
    (tmp_path / "alone.mib").write_bytes(whole)
    with pytest.raises(OptionError, match="--scan"):
        ScanFollower(tmp_path / "alone.mib")
    with pytest.raises(OptionError, match=r"\.mib"):
        ScanFollower(tmp_path / "alone.emd")


def test_corrections_are_laid_over_frames_as_they_come(whole, growing):
    stride = len(whole) // len(FRAMES)
    growing.write_bytes(whole[: 7 * stride])
    dark = np.full((8, 8), 0.5, np.float32)
    laid = CorrectionOptions(dark=dark, dead="auto")
    with ScanFollower(growing, corrections=laid) as scan:
        assert scan.poll() == 7
        expected = (PATTERNS - dark).sum((2, 3)).ravel()
        np.testing.assert_allclose(scan.image.ravel()[:7], expected[:7])
        assert not scan.image.ravel()[7:].any()
        assert "dead" not in scan.opened.corrections


def test_patterns_to_come_are_empty_under_a_dark_one(whole, growing):
    stride = len(whole) // len(FRAMES)
    growing.write_bytes(whole[: 6 * stride])
    options = {"dark": np.ones((8, 8), np.float32), "is_growing": True}
    with LazyDataManager.create_viewer(growing, **options) as viewer:
        np.testing.assert_array_equal(viewer.frame(1, 0), PATTERNS[1, 0] - 1.0)
        assert not viewer.frame(1, 1).any()
        growing.write_bytes(whole[: 7 * stride])
        viewer.refresh()
        np.testing.assert_array_equal(viewer.frame(1, 1), PATTERNS[1, 1] - 1.0)
