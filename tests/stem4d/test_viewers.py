"""Scans as they are looked at, against numpy."""

import hashlib

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from brickfield.errors import BudgetError, OptionError
from brickfield.stem4d import EMDEnhancedViewer, LazyDataManager, MIBLazyViewer
from brickfield.stem4d.detectors import Annulus, Disc, Mask, Points
from brickfield.testing.emd import write_emd


@pytest.fixture(scope="module")
def viewer(scan):
    return LazyDataManager.create_viewer(scan)


def test_a_viewer_fits_its_file(scan, viewer, tmp_path, patterns):
    assert isinstance(viewer, MIBLazyViewer)
    assert viewer.shape == (6, 7, 12, 10)
    assert viewer.dtype == np.uint16
    assert viewer.scan.found_from == "header"
    assert [c.unit for c in viewer.calibration] == ["px"] * 4
    emd = LazyDataManager.create_viewer(write_emd(tmp_path / "a.emd", patterns))
    assert isinstance(emd, EMDEnhancedViewer)
    np.testing.assert_array_equal(emd.frame(2, 3), patterns[2, 3])


def test_raw_frames_have_a_viewer_too(tmp_path, patterns):
    path = tmp_path / "frames.bin"
    patterns.tofile(path)
    viewer = LazyDataManager.create_viewer(path, raw="uint16,6,7,12,10")
    np.testing.assert_array_equal(viewer.data[...], patterns)


@pytest.mark.parametrize("name", ["scan.txt", "scan", "scan.tif"])
def test_other_files_are_unsupported(tmp_path, name):
    with pytest.raises(ValueError, match=r"Unsupported file format.*\.mib, \.emd"):
        LazyDataManager.create_viewer(tmp_path / name)


parts = st.one_of(
    st.integers(-6, 5),
    st.slices(6).filter(lambda s: (s.step or 1) > 0),
)


@given(st.lists(parts, min_size=1, max_size=4))
def test_data_is_indexed_as_numpy_indexes(viewer, patterns, index):
    index = tuple(index)
    np.testing.assert_array_equal(viewer.data[index], patterns[index])


def test_an_ellipsis_stands_for_the_axes_between(viewer, patterns):
    np.testing.assert_array_equal(viewer.data[..., 3], patterns[..., 3])
    np.testing.assert_array_equal(viewer.data[2, ..., 3], patterns[2, ..., 3])


@pytest.mark.parametrize(
    "index", [7, (0, 7), (0, 0, 12), (0,) * 5, "a", slice(3, 0, -1)]
)
def test_an_index_beyond_the_scan_is_an_index_error(viewer, index):
    with pytest.raises(IndexError):
        viewer.data[index]


def test_a_frame_beyond_the_scan_is_refused(viewer):
    with pytest.raises(OptionError, match="6x7"):
        viewer.frame(0, 7)


@pytest.mark.parametrize("budget", ["64 kB", "256 MB"])
@pytest.mark.parametrize("workers", [1, 3])
def test_overviews_do_not_depend_on_blocks_or_threads(scan, patterns, budget, workers):
    viewer = MIBLazyViewer(scan, budget=budget, workers=workers)
    wide = patterns.astype(np.float64)
    expected = {
        "scan": patterns.sum((2, 3), dtype=np.uint64),
        "mean": wide.mean((0, 1)),
        "max": patterns.max((0, 1)),
        "min": patterns.min((0, 1)),
        "variance": wide.var((0, 1)),
        "sum_over_x": patterns.sum(3, dtype=np.uint64),
        "sum_over_y": patterns.sum(2, dtype=np.uint64),
    }
    for kind, values in expected.items():
        found = viewer.overview(kind)
        np.testing.assert_allclose(found, values, rtol=1e-9, err_msg=kind)
        assert found.dtype == values.dtype
    with pytest.raises(OptionError, match="overview of the kind"):
        viewer.overview("sideways")


def test_a_virtual_detector_sums_the_pixels_that_count(viewer, patterns):
    y, x = np.mgrid[:12, :10]
    d2 = (y - 5.5) ** 2 + (x - 4) ** 2
    for detector, mask in (
        (Disc(5.5, 4, 3), d2 <= 9),
        (Annulus(5.5, 4, 2, 5), (d2 >= 4) & (d2 <= 25)),
        (Points(((0, 0), (11, 9))), (y + x == 0) | (y + x == 20)),
        (Disc(-50, 0, 1), d2 < 0),
    ):
        found = viewer.virtual(detector)
        assert found.dtype == np.uint64
        np.testing.assert_array_equal(found, (patterns * mask).sum((2, 3)))


def test_weights_are_weights(viewer, patterns):
    weights = np.random.default_rng(0).normal(size=(12, 10))
    found = viewer.virtual(Mask.of(weights))
    np.testing.assert_allclose(found, (patterns * weights).sum((2, 3)), rtol=1e-12)


@pytest.mark.parametrize("kind", ["mean", "sum", "max", "min"])
def test_the_pattern_of_a_region_is_that_of_its_positions(viewer, patterns, kind):
    part = patterns[1:4, 2:7].reshape(-1, 12, 10)
    expected = getattr(part, kind)(axis=0)
    np.testing.assert_allclose(viewer.pattern((1, 4, 2, 7), kind), expected)
    sliced = viewer.pattern((slice(1, 4), slice(2, None)), kind)
    np.testing.assert_allclose(sliced, expected)


@pytest.mark.parametrize(
    "roi", [(0, 0, 0, 1), (0, 7, 0, 1), (3, 2, 0, 1), (-1, 2, 0, 1)]
)
def test_a_region_that_leaves_the_scan_is_refused(viewer, roi):
    with pytest.raises(OptionError, match="region"):
        viewer.pattern(roi)


def test_a_budget_that_holds_no_pattern_is_refused(scan):
    with pytest.raises(BudgetError):
        MIBLazyViewer(scan, budget=100).overview()


def test_progress_is_told_in_bytes_of_the_file(scan):
    told = []
    MIBLazyViewer(scan).overview(progress=lambda *about: told.append(about[:2]))
    assert told[-1] == (scan.stat().st_size, scan.stat().st_size)


def test_a_source_is_never_written_to(scan, tmp_path):
    path = tmp_path / "read_only.mib"
    path.write_bytes(scan.read_bytes())
    path.chmod(0o444)
    before = hashlib.blake2b(path.read_bytes()).digest(), path.stat().st_mtime_ns
    with MIBLazyViewer(path, scan=(6, 7)) as viewer:
        viewer.overview()
        viewer.virtual(Disc(5, 5, 3))
        viewer.pattern()
    after = hashlib.blake2b(path.read_bytes()).digest(), path.stat().st_mtime_ns
    assert before == after


def test_pixels_that_do_not_count_need_not_be_numbers(tmp_path):
    values = np.ones((2, 3, 5, 5), np.float32)
    values[:, :, 2, 4] = np.nan
    viewer = LazyDataManager.create_viewer(write_emd(tmp_path / "a.emd", values))
    np.testing.assert_array_equal(viewer.virtual(Disc(2, 2, 1.5)), np.full((2, 3), 9))
    assert np.isnan(viewer.virtual(Disc(2, 2, 2))).all()
