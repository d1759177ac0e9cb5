"""Results are written exactly, and never over a scan."""

import numpy as np
import pytest
from PIL import Image

from brickfield.errors import OptionError, StoreWriteError
from brickfield.stem4d.open import open_scan
from brickfield.stem4d.output import check_result_file, write_result

VALUES = np.arange(12).reshape(3, 4)


@pytest.mark.parametrize("kind", [np.uint64, np.float64, np.uint8, np.int64])
def test_npy_is_exact(tmp_path, kind):
    values = VALUES.astype(kind) + kind(2) ** 60 if kind is np.uint64 else VALUES
    write_result(tmp_path / "a.npy", values)
    found = np.load(tmp_path / "a.npy")
    assert found.dtype == values.dtype
    np.testing.assert_array_equal(found, values)


@pytest.mark.parametrize("kind", [np.uint8, np.uint16, np.uint64, np.float64])
def test_tiff_holds_the_values(tmp_path, kind):
    write_result(tmp_path / "a.tif", VALUES.astype(kind))
    np.testing.assert_array_equal(np.asarray(Image.open(tmp_path / "a.tif")), VALUES)


def test_tiff_holds_several_pages(tmp_path):
    write_result(tmp_path / "a.tif", np.stack([VALUES, VALUES + 1.5]))
    with Image.open(tmp_path / "a.tif") as image:
        image.seek(1)
        np.testing.assert_array_equal(np.asarray(image), VALUES + 1.5)


def test_png_runs_from_the_least_to_the_greatest(tmp_path):
    write_result(tmp_path / "a.png", VALUES + 100)
    found = np.asarray(Image.open(tmp_path / "a.png"))
    np.testing.assert_array_equal(found, np.rint(VALUES / 11 * 255))
    write_result(tmp_path / "b.png", np.array([[np.nan, 1], [1, np.inf]]))
    with pytest.raises(OptionError, match=r"\.npy or \.tif"):
        write_result(tmp_path / "c.png", np.zeros((2, 3, 4)))


@pytest.mark.parametrize("name", ["a.jpg", "a", "none/a.npy"])
def test_what_cannot_be_written_is_told_before_anything_is_read(scan, tmp_path, name):
    with pytest.raises(OptionError):
        check_result_file(tmp_path / name, open_scan(scan))


def test_a_scan_is_never_written_over(tmp_path, scan):
    path = tmp_path / "frames.npy"
    path.write_bytes(scan.read_bytes())
    from brickfield.stem4d.open import OpenOptions

    opened = open_scan(path, OpenOptions(raw="u1,1,2,3,4"))
    with pytest.raises(OptionError, match="never over it"):
        check_result_file(path, opened)


def test_hot_pixels_do_not_make_a_picture_black(tmp_path):
    pattern = np.arange(10_000, dtype=np.uint16).reshape(100, 100)
    pattern[3, [4, 9]] = 65535
    path = tmp_path / "a.png"
    shown = write_result(path, pattern)
    assert shown == (10.0, 9991.0)
    picture = np.asarray(Image.open(path))
    assert picture[50, 0] == round((5000 - 10) / (9991 - 10) * 255)
    assert (picture[3, 4], picture[0, 0]) == (255, 0)
    assert write_result(tmp_path / "a.npy", pattern) is None


def test_a_folder_that_may_not_be_written_to_is_told_beforehand(scan, tmp_path):
    folder = tmp_path / "marked"
    folder.mkdir()
    folder.chmod(0o555)
    try:
        with pytest.raises(StoreWriteError, match="refuses"):
            check_result_file(folder / "a.npy", open_scan(scan))
    finally:
        folder.chmod(0o755)
