"""EMPAD scans are 128 rows of 130, with or without a description."""

import numpy as np
import pytest

from brickfield.blockwise import ThreadBuffers
from brickfield.errors import BrickfieldError
from brickfield.sources.open import open_source
from brickfield.sources.scans.empad import open_scan

FRAMES = np.random.default_rng(1).random((6, 130, 128)).astype("<f4")
XML = """<root><raw_file filename="C:\\data\\scan.raw"/>
<scan_parameters mode="search"><scan_resolution_x>9</scan_resolution_x></scan_parameters>
<scan_parameters mode="acquire"><scan_resolution_x>3</scan_resolution_x>
<scan_resolution_y>2</scan_resolution_y></scan_parameters></root>"""


@pytest.fixture
def scan(tmp_path):
    FRAMES.tofile(tmp_path / "scan.raw")
    path = tmp_path / "scan.xml"
    path.write_text(XML)
    return path


def read(found):
    ny, nx = found.data.shape[:2]
    return np.array(found.data.view(slice(0, ny), slice(0, nx), ThreadBuffers()))


def test_of_130_stored_rows_128_are_shown(scan):
    found = open_scan(scan)
    assert found.data.shape == (2, 3, 128, 128)
    np.testing.assert_array_equal(read(found), FRAMES[:, :128].reshape(2, 3, 128, 128))


def test_the_frames_alone_tell_their_size_by_their_name(tmp_path):
    FRAMES.tofile(tmp_path / "scan_x3_y2.raw")
    assert open_scan(tmp_path / "scan_x3_y2.raw").data.shape[:2] == (2, 3)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("<root>", "description of an EMPAD scan"),
        ("<root/>", "raw_file"),
        ("<!DOCTYPE a><root/>", "document type"),
        (XML.replace("scan.raw", "none.raw"), "found nothing"),
    ],
)
def test_a_description_that_cannot_be_used_is_told(scan, text, says):
    scan.write_text(text)
    with pytest.raises(BrickfieldError, match=says):
        open_scan(scan)


def test_other_raw_files_are_refused(tmp_path):
    path = tmp_path / "a.raw"
    path.write_bytes(bytes(1000))
    with pytest.raises(BrickfieldError, match="--raw"):
        open_scan(path)


def test_a_description_opens_like_any_other_data(scan, read_level):
    source = open_source(scan)
    assert source.info.format == "EMPAD"
    expected = FRAMES[:, :128].reshape(2, 3, 128, 128)
    np.testing.assert_array_equal(read_level(source, 0), expected)
