"""What long work is said to take, before it begins."""

import numpy as np
import pytest

from brickfield.qt.stem.estimate import (
    conversion_seconds,
    transform_seconds,
    write_rate,
)
from brickfield.qt.stem.fft_page import small_spectrum
from brickfield.stem4d import LazyDataManager


@pytest.mark.parametrize("compression", ["none", "gzip", "lz4"])
def test_the_time_of_a_conversion_follows_from_a_sample(
    scan_file, tmp_path, compression
):
    with LazyDataManager.create_viewer(scan_file, cache="none") as viewer:
        before = sorted(p.name for p in tmp_path.iterdir())
        seconds = conversion_seconds(viewer, tmp_path, compression)
        assert 0 < seconds < 60
        assert sorted(p.name for p in tmp_path.iterdir()) == before


def test_the_time_of_a_transform_grows_with_its_bytes(scan_file, tmp_path):
    with LazyDataManager.create_viewer(scan_file, cache="none") as viewer:
        assert transform_seconds(viewer, tmp_path, 1 << 20) > 0


def test_a_folder_that_is_not_there_has_no_rate(tmp_path):
    with pytest.raises(OSError, match="none"):
        write_rate(tmp_path / "none")


def test_the_small_spectrum_has_its_peaks_where_the_image_repeats():
    columns = np.arange(64)
    image = np.tile(100 + 50 * np.cos(2 * np.pi * columns * 8 / 64), (64, 1))
    grey = small_spectrum(image, 128)
    assert grey.shape == (64, 64)
    brightest = {tuple(at) for at in np.argwhere(grey == 255)}
    assert brightest == {(32, 24), (32, 40)}


def test_the_small_spectrum_of_a_large_image_keeps_low_frequencies():
    image = np.random.default_rng(0).random((300, 200))
    image[3, 4] = np.nan
    assert small_spectrum(image, 128).shape == (128, 128)


def test_the_small_spectrum_of_nothing_is_black():
    assert not small_spectrum(np.zeros((8, 8)), 128).any()
