"""Overviews of one pass, each against numpy on the whole scan."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from brickfield.errors import OptionError
from brickfield.stem4d.detectors import Rectangle
from brickfield.stem4d.open import open_scan
from brickfield.stem4d.overviews import (
    ITEMS,
    BinnedScan,
    OverviewComputer,
    OverviewOptions,
    azimuthal_profile,
    bin_pixels,
    count_contrast,
)
from brickfield.stem4d.passes import PassOptions
from brickfield.testing.emd import write_emd


def expected_of(patterns):
    wide = patterns.astype(np.float64)
    y, x = np.mgrid[: wide.shape[2], : wide.shape[3]]
    mass = wide.sum((2, 3))
    return {
        "scan": wide.sum((2, 3)),
        "sum_over_both": wide.sum((2, 3)),
        "sum_over_x": wide.sum(3),
        "sum_over_y": wide.sum(2),
        "com": np.stack([(wide * y).sum((2, 3)), (wide * x).sum((2, 3))]) / mass,
        "sum": wide.sum((0, 1)),
        "mean": wide.mean((0, 1)),
        "max": wide.max((0, 1)),
        "min": wide.min((0, 1)),
        "variance": wide.var((0, 1)),
    }


@pytest.mark.parametrize("budget", ["20 kB", "64 MB"])
@pytest.mark.parametrize("workers", [1, 3])
def test_one_pass_gives_everything_whatever_the_blocks(scan, patterns, budget, workers):
    told = []
    how = PassOptions(budget, workers, progress=lambda *about: told.append(about))
    with_all = OverviewOptions(ITEMS, n_binned=3)
    found = OverviewComputer(open_scan(scan).data, how).compute(with_all)
    assert set(found) == set(ITEMS)
    for name, values in expected_of(patterns).items():
        np.testing.assert_allclose(found[name], values, rtol=1e-9, err_msg=name)
    assert told[-1][0] == scan.stat().st_size  # read once
    about = found["statistics"]
    assert about["std"] == pytest.approx(patterns.std())
    assert (about["min"], about["max"]) == (patterns.min(), patterns.max())
    assert about["sum"] == patterns.sum()
    counts = np.bincount(patterns.ravel(), minlength=65536)
    np.testing.assert_array_equal(found["histogram"].counts, counts)


@pytest.mark.parametrize("kind", ["uint8", "int16", "int32", "uint32", "float32"])
def test_every_type_of_pixel_is_reduced_alike(tmp_path, patterns, kind):
    values = (patterns % 251).astype(kind)
    data = open_scan(write_emd(tmp_path / "a.emd", values)).data
    found = OverviewComputer(data).compute()
    for name, wanted in expected_of(values).items():
        if name in found:
            np.testing.assert_allclose(found[name], wanted, rtol=1e-6, atol=1e-6)
    assert found["histogram"].counts.sum() == values.size


def test_only_what_is_asked_for_is_returned(scan):
    wanted = OverviewOptions(("statistics",))
    found = OverviewComputer(open_scan(scan).data).compute(wanted)
    assert list(found) == ["statistics"]


@pytest.mark.parametrize("options", [{"items": ("sideways",)}, {"n_binned": 0}])
def test_an_unknown_overview_is_refused(options):
    with pytest.raises(OptionError):
        OverviewOptions(**options)


def test_a_preview_shows_positions_that_are_spread_over_the_scan(scan, patterns):
    shown = []
    how = PassOptions("20 kB", 1, stride=4, preview=lambda o: shown.append(o))
    OverviewComputer(open_scan(scan).data, how).compute(
        OverviewOptions(("mean", "scan"))
    )
    (first,) = shown
    np.testing.assert_allclose(first["mean"], patterns.mean((0, 1)), rtol=0.5)


def test_parts_of_large_items_go_where_they_are_sent(scan, patterns):
    class Lines:
        def __init__(self):
            self.whole = np.zeros((6, 7, 4, 4), np.uint32)

        def write(self, slices, part):
            self.whole[slices] += part

    sink = Lines()
    wanted = OverviewOptions(("scan", "binned"), n_binned=3)
    found = OverviewComputer(open_scan(scan).data).compute(wanted, {"binned": sink})
    assert list(found) == ["scan"]
    np.testing.assert_array_equal(sink.whole, bin_pixels(patterns, 3))


def test_a_pattern_without_counts_has_no_centre(tmp_path):
    data = open_scan(write_emd(tmp_path / "a.emd", np.zeros((2, 2, 4, 4), "u2"))).data
    found = OverviewComputer(data).compute()
    assert np.isnan(found["com"]).all()
    assert found["statistics"]["std"] == 0


@given(st.integers(1, 9), st.integers(1, 20), st.integers(1, 20))
def test_binned_pixels_are_sums_and_lose_none(n, rows, columns):
    pattern = np.arange(rows * columns, dtype=np.uint16).reshape(rows, columns)
    found = bin_pixels(pattern, n)
    padded = np.pad(pattern, ((0, -rows % n), (0, -columns % n)))
    squares = padded.reshape(padded.shape[0] // n, n, padded.shape[1] // n, n)
    np.testing.assert_array_equal(found, squares.sum((1, 3)))


@given(st.lists(st.floats(width=32), max_size=30))
def test_floats_are_counted_between_edges_that_hold_them(values):
    data = np.array(values, np.float32)
    found = count_contrast(data)
    assert (np.diff(found.edges) > 0).all()
    finite = data[np.isfinite(data)].astype(np.float64)
    assert found.counts.sum() == finite.size
    for value in finite:
        hits = np.flatnonzero((found.edges[:-1] <= value) & (value <= found.edges[1:]))
        assert found.counts[hits].any()


def test_rings_of_a_pattern_are_averaged():
    y, x = np.mgrid[:21, :25]
    pattern = np.floor(np.hypot(y - 10, x - 12) + 0.5)
    np.testing.assert_allclose(azimuthal_profile(pattern, (10, 12)), np.arange(17))
    np.testing.assert_allclose(azimuthal_profile(pattern), np.arange(17))


@pytest.mark.parametrize("n", [1, 2, 5])
def test_a_binned_scan_weighs_squares_by_the_pixels_that_count(n):
    patterns = np.random.default_rng(n).integers(0, 99, (3, 4, 11, 13)).astype("u2")
    quick = BinnedScan(bin_pixels(patterns, n), n, (11, 13))
    rectangle = Rectangle(0, 9, 0, 9)  # whole squares of 1, 2 and 5
    expected = patterns[:, :, :10, :10].sum((2, 3))
    np.testing.assert_allclose(quick.virtual(rectangle), expected, rtol=1e-6)


def test_a_binned_scan_fits_its_memory_or_is_not_made():
    assert BinnedScan.n_for((256, 256, 256, 256)) == 16
    assert BinnedScan.n_for((6, 5, 16, 12)) == 2
    assert BinnedScan.n_for((20_000, 20_000, 256, 256)) is None
