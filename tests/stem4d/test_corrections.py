"""Corrections are those of plain numpy, wherever patterns are seen."""

import json

import h5py
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from brickfield.errors import OptionError
from brickfield.stem4d import (
    ConvertOptions,
    CorrectionOptions,
    Disc,
    LazyDataManager,
    LazyFFTAccessor,
    OpenOptions,
    convert_scan,
)
from brickfield.stem4d.corrections import find_dead, live_neighbours
from brickfield.stem4d.emd_file import DATASET, GROUP
from brickfield.stem4d.fft.plan import FFTOptions
from brickfield.stem4d.fft.store import ChunkedFFTProcessor
from brickfield.testing.emd import write_emd
from brickfield.testing.mib import write_hdr, write_mib

SIDE = 24


def diffraction(n_y=6, n_x=8, side=SIDE, seed=1):
    """Patterns with a bright disc, a narrow spot and shot noise, uint16."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[:side, :side]
    mean = np.where((y - 12) ** 2 + (x - 11) ** 2 <= 25, 40.0, 2.0)
    mean += 60 * np.exp(-((y - 4) ** 2 + (x - 18) ** 2) / (2 * 0.9**2))
    return rng.poisson(mean, (n_y, n_x, side, side)).astype(np.uint16)


def mib(folder, patterns):
    ny, nx, h, w = patterns.shape
    write_hdr(folder / "scan.hdr", ScanX=nx, ScanY=ny)
    return write_mib(folder / "scan.mib", patterns.reshape(-1, h, w))


def median_of_neighbours(pattern, dead):
    """Replace dead pixels, all of which have three live ones in 3 × 3."""
    found = pattern.astype(np.float64)
    for y, x in np.argwhere(dead):
        near = np.s_[max(y - 1, 0) : y + 2, max(x - 1, 0) : x + 2]
        found[y, x] = np.rint(np.median(pattern[near][~dead[near]]))
    return found.astype(pattern.dtype)


@pytest.fixture
def dead():
    mask = np.zeros((SIDE, SIDE), np.bool_)
    mask[[0, 3, 3, 12, 23], [0, 5, 6, 11, 23]] = True
    return mask


def test_dead_pixels_become_the_median_of_live_neighbours(tmp_path, dead):
    patterns = diffraction()
    path = mib(tmp_path, patterns)
    np.save(tmp_path / "dead.npy", dead)
    with LazyDataManager.create_viewer(path, dead=tmp_path / "dead.npy") as viewer:
        assert viewer.dtype == np.uint16
        found = viewer.frame(2, 3)
        np.testing.assert_array_equal(found, median_of_neighbours(patterns[2, 3], dead))
        np.testing.assert_array_equal(viewer.data[2, 3], found)


@given(st.sets(st.tuples(st.integers(0, 6), st.integers(0, 7)), max_size=40))
def test_every_dead_pixel_has_live_neighbours_alone(pixels):
    dead = np.zeros((7, 8), np.bool_)
    for pixel in pixels:
        dead[pixel] = True
    groups = live_neighbours(dead)
    numbers = [n for own, _ in groups for n in own.tolist()]
    assert sorted(numbers) == np.flatnonzero(dead).tolist()
    for _, around in groups:
        assert not dead.ravel()[around].any()
        assert around.shape[1] >= 3


def test_dead_stuck_and_hot_pixels_are_found_and_nothing_else(tmp_path):
    patterns = diffraction(16, 16)
    patterns[:, :, 12, 11] = 0
    patterns[:, :, 20, 3] = 4000
    patterns[:, :, 10, 10] = 41
    patterns[:, :, 0, 23] = 900
    patterns[3, 4, 18, 18] = 60000  # a stray event, not a fault of the pixel
    with LazyDataManager.create_viewer(mib(tmp_path, patterns)) as viewer:
        found = find_dead(viewer.opened.data)
    assert set(map(tuple, np.argwhere(found).tolist())) == {
        (12, 11),
        (20, 3),
        (10, 10),
        (0, 23),
    }


def test_sparse_counts_mark_no_pixel(tmp_path):
    patterns = np.random.default_rng(2).poisson(0.01, (12, 12, 32, 32))
    path = mib(tmp_path, patterns.astype(np.uint16))
    with LazyDataManager.create_viewer(path, dead="auto") as viewer:
        assert viewer.info["corrections"]["dead"]["pixels"] == 0


def test_dark_is_subtracted_before_the_gain(tmp_path):
    patterns = diffraction()
    rng = np.random.default_rng(3)
    dark = rng.random((SIDE, SIDE)).astype(np.float32)
    gain = rng.uniform(0.8, 1.2, (SIDE, SIDE)).astype(np.float32)
    np.save(tmp_path / "dark.npy", dark)
    Image.fromarray(gain).save(tmp_path / "gain.tif")
    with LazyDataManager.create_viewer(
        mib(tmp_path, patterns),
        dark=tmp_path / "dark.npy",
        gain=tmp_path / "gain.tif",
    ) as viewer:
        expected = (patterns - dark) * gain
        assert viewer.dtype == np.float32
        np.testing.assert_allclose(viewer.data[...], expected, rtol=1e-5, atol=1e-4)
        mask = Disc(12, 11, 5).mask((SIDE, SIDE))
        found = viewer.virtual(Disc(12, 11, 5))
        np.testing.assert_allclose(found, expected[..., mask].sum(-1), rtol=1e-5)
        np.testing.assert_allclose(
            viewer.overview("scan"), expected.sum((2, 3)), rtol=1e-5
        )


def test_a_dark_may_be_a_scan_whose_mean_counts(tmp_path):
    (tmp_path / "dark").mkdir()
    black = diffraction(2, 2, seed=9)
    patterns = diffraction()
    path = mib(tmp_path / "dark", black)
    with LazyDataManager.create_viewer(mib(tmp_path, patterns), dark=path) as viewer:
        expected = patterns[1, 2] - black.mean((0, 1))
        np.testing.assert_allclose(viewer.frame(1, 2), expected, rtol=1e-5, atol=1e-4)


@pytest.mark.parametrize(("width", "rows"), [("auto", (11, 13)), (4, (10, 14))])
def test_the_cross_between_chips_is_interpolated(tmp_path, width, rows):
    ramp = np.arange(SIDE)[:, None] * 10 + np.arange(SIDE)[None] * 3
    patterns = np.broadcast_to(ramp.astype(np.uint16), (2, 2, SIDE, SIDE)).copy()
    patterns[:, :, rows[0] : rows[1]] = 9999
    patterns[:, :, :, rows[0] : rows[1]] = 9999
    with LazyDataManager.create_viewer(mib(tmp_path, patterns), cross=width) as viewer:
        np.testing.assert_array_equal(viewer.frame(1, 1), ramp)


def test_a_gap_of_514_pixels_is_two_wide(tmp_path):
    frames = np.full((1, 514, 514), 7, np.uint16)
    frames[:, 256:258] = frames[:, :, 256:258] = 0
    path = write_mib(tmp_path / "a.mib", frames)
    with LazyDataManager.create_viewer(path, cross="auto") as viewer:
        assert (viewer.frame(0, 0) == 7).all()
        assert viewer.info["corrections"] == {"cross": [[256, 258], [256, 258]]}


def test_what_is_kept_counts_for_the_same_corrections_alone(tmp_path, dead):
    patterns = diffraction()
    path = write_emd(tmp_path / "scan.emd", patterns)
    with LazyDataManager.create_viewer(path, dead=dead) as viewer:
        corrected = viewer.overview("sum")
        assert viewer.cache.get("pattern_sum") is not None
    with LazyDataManager.create_viewer(path) as viewer:
        assert viewer.cache.get("pattern_sum") is None
        assert {i["reason"] for i in viewer.info["cached"]} == {"of other parameters"}
        plain = viewer.overview("sum")
    np.testing.assert_array_equal(plain, patterns.sum((0, 1)))
    assert (corrected != plain).any()


def test_a_conversion_writes_corrected_patterns_and_says_so(tmp_path, dead):
    patterns = diffraction()
    opening = OpenOptions(corrections=CorrectionOptions(dead=dead))
    options = ConvertOptions(opening)
    convert_scan(mib(tmp_path, patterns), tmp_path / "a.emd", options=options)
    with h5py.File(tmp_path / "a.emd") as file:
        stored = file[DATASET][2, 3]
        noted = json.loads(file[GROUP].attrs["corrections"])
        kept = file["cached/patterns/sum"][...]
    np.testing.assert_array_equal(stored, median_of_neighbours(patterns[2, 3], dead))
    assert (noted["dead"]["pixels"], noted["dead"]["from"]) == (5, "user")
    with LazyDataManager.create_viewer(tmp_path / "a.emd") as viewer:
        np.testing.assert_array_equal(viewer.data[...].sum((0, 1)), kept)
        assert viewer.cache.get("pattern_sum") is not None


def test_a_transform_is_that_of_corrected_patterns(tmp_path, dead):
    patterns = diffraction()
    path = write_emd(tmp_path / "scan.emd", patterns)
    with LazyDataManager.create_viewer(path, dead=dead) as viewer:
        options = FFTOptions("detector")
        ChunkedFFTProcessor(viewer.cache, options).compute_and_store_fft()
        with LazyFFTAccessor(viewer.cache, "detector") as found:
            expected = np.fft.fft2(median_of_neighbours(patterns[1, 2], dead))
            np.testing.assert_allclose(found[1, 2], expected, rtol=1e-4, atol=1e-2)


@pytest.mark.parametrize(
    ("corrections", "sentence"),
    [
        ({"dead": np.zeros((3, 3), np.bool_)}, "patterns' shape"),
        ({"dead": np.ones((SIDE, SIDE), np.bool_)}, "live pixels"),
        ({"dead": "absent.npy"}, "found absent.npy"),
        ({"dark": np.full((SIDE, SIDE), np.nan)}, "finite"),
        ({"gain": "absent.tif"}, "found absent.tif"),
        ({"cross": "wide"}, "width of a cross"),
        ({"cross": 3}, "middle of 24 pixels"),
        ({"cross": 24}, "middle of 24 pixels"),
    ],
)
def test_what_cannot_be_used_is_refused_in_a_sentence(tmp_path, corrections, sentence):
    path = mib(tmp_path, diffraction(2, 2))
    with pytest.raises(OptionError, match=sentence):
        LazyDataManager.create_viewer(path, **corrections)
