"""Sums over a detector straight from files are those of patterns in memory."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from brickfield.errors import ChunkReadError
from brickfield.sources.mib import open_mib_scan
from brickfield.sources.scans import ScanOptions
from brickfield.sources.scans.frame_files import FileFrames, FrameFile, FrameLayout
from brickfield.sources.scans.frame_stack import FrameScan, ScanGrid
from brickfield.stem4d import LazyDataManager, OverviewComputer
from brickfield.stem4d.detectors import Annulus, Disc, Mask, Points
from brickfield.stem4d.overviews import COMMON, OverviewOptions
from brickfield.stem4d.reductions import virtual_image
from brickfield.stem4d.summing import direct, sums
from brickfield.testing.mib import write_mib

KINDS = ("uint8", "uint16")
DETECTORS = (
    Disc(7, 30, 5),
    Annulus(8, 20, 3, 12),
    Points(((0, 0), (15, 63))),
    Mask.of(np.indices((16, 64)).sum(axis=0) % 2),
)


@pytest.fixture(autouse=True)
def _reads_directly(monkeypatch):
    """Where numba is missing the loops run as they stand, uncompiled."""
    monkeypatch.setattr(direct, "can_read", lambda: True)


@pytest.fixture(
    scope="module", params=[(kind, skip) for kind in KINDS for skip in (0, 1)]
)
def scan(request, tmp_path_factory):
    """A scan of 2 x 5, with and without frames after each line; its patterns."""
    kind, skip = request.param
    top = np.iinfo(kind).max
    frames = np.random.default_rng(3).integers(0, top, (14, 16, 64), endpoint=True)
    path = write_mib(tmp_path_factory.mktemp("direct") / "b.mib", frames.astype(kind))
    opened = open_mib_scan(path, ScanOptions((2, 5), skip_frames=1, line_skip=skip))
    kept = [1 + y * (5 + skip) + x for y in range(2) for x in range(5)]
    return opened.data, frames[kept].reshape(2, 5, 16, 64)


@pytest.mark.parametrize("detector", DETECTORS, ids=lambda d: d.kind)
def test_sums_are_those_of_numpy(scan, detector):
    data, patterns = scan
    mask = detector.mask((16, 64))
    found = virtual_image(data, detector)
    np.testing.assert_array_equal(found, (patterns * mask).sum(axis=(2, 3)))
    assert found.dtype == np.uint64


@given(hnp.arrays(bool, st.tuples(st.integers(1, 9), st.integers(1, 9))))
def test_spans_are_the_pixels_that_count(mask):
    found = np.zeros(mask.size, bool)
    spans = direct.spans_of(mask)
    for start, stop in spans:
        assert not found[start:stop].any()
        found[start:stop] = True
    np.testing.assert_array_equal(found, mask.ravel())


def test_no_span_is_longer_than_32_bits_hold():
    spans = direct.spans_of(np.ones((300, 500), bool))
    assert np.diff(spans, axis=1).max() == direct.LONGEST_SPAN
    assert np.diff(spans, axis=1).sum() == 300 * 500


def test_a_file_that_was_cut_off_is_told_as_it_is_otherwise(tmp_path):
    frames = np.ones((10, 16, 64), np.uint16)
    path = write_mib(tmp_path / "a.mib", frames)
    data = open_mib_scan(path, ScanOptions((2, 5))).data
    with path.open("r+b") as file:
        file.truncate(path.stat().st_size // 2)
    with pytest.raises(ChunkReadError, match="cut off"):
        virtual_image(data, Disc(7, 30, 5))


def test_numbers_of_32_bits_are_summed_the_ordinary_way(tmp_path):
    frames = np.arange(4 * 16 * 64, dtype=np.uint32).reshape(4, 16, 64)
    path = write_mib(tmp_path / "a.mib", frames)
    with LazyDataManager.create_viewer(path, scan=(2, 2), cache="none") as viewer:
        found = viewer.virtual(Disc(7, 30, 5))
    mask = Disc(7, 30, 5).mask((16, 64))
    np.testing.assert_array_equal(found.ravel(), frames[:, mask].sum(axis=1))


@pytest.mark.parametrize(
    "items", [("scan",), ("sum",), ("sum", "variance"), COMMON], ids=" ".join
)
def test_overviews_are_those_of_patterns_in_memory(scan, items, monkeypatch):
    data, _ = scan
    monkeypatch.setattr(sums, "AT_ONCE_BYTES", 2 * data.stored_frame_bytes)
    found = OverviewComputer(data).compute(OverviewOptions(items))
    monkeypatch.setattr(direct, "can_read", lambda: False)
    expected = OverviewComputer(data).compute(OverviewOptions(items))
    assert found.keys() == expected.keys()
    for name in found.keys() - {"statistics", "histogram", "profile"}:
        np.testing.assert_array_equal(found[name], expected[name], err_msg=name)


def test_overviews_of_a_file_that_was_cut_off_tell_it(tmp_path):
    path = write_mib(tmp_path / "a.mib", np.ones((10, 16, 64), np.uint16))
    data = open_mib_scan(path, ScanOptions((2, 5))).data
    with path.open("r+b") as file:
        file.truncate(path.stat().st_size // 2)
    with pytest.raises(ChunkReadError, match="cut off"):
        OverviewComputer(data).compute(OverviewOptions(("scan", "sum")))


def test_frames_whose_values_do_not_line_up_are_summed_too(tmp_path):
    values = np.arange(4 * 16 * 8, dtype=np.uint16).reshape(4, 16, 8)
    path = tmp_path / "odd.raw"
    path.write_bytes(b"".join(frame.tobytes() + b"\xff" for frame in values))
    layout = FrameLayout((16, 8), values.dtype, 0, 16 * 8 * 2 + 1)
    frames = FileFrames([FrameFile(path, 0, 3)], layout)
    data = FrameScan(frames, ScanGrid(1, 3))
    found = OverviewComputer(data).compute(OverviewOptions(("scan", "sum")))
    np.testing.assert_array_equal(found["sum"], values[:3].sum(axis=0))
    np.testing.assert_array_equal(found["scan"][0], values[:3].sum(axis=(1, 2)))
    detected = virtual_image(data, Disc(7, 3, 3))
    mask = Disc(7, 3, 3).mask((16, 8))
    np.testing.assert_array_equal(detected[0], values[:3, mask].sum(axis=1))
