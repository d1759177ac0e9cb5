"""Raw frames are read as the user describes them, or refused."""

import numpy as np
import pytest

from brickfield.blockwise import ThreadBuffers
from brickfield.errors import BrickfieldError, OptionError, StoreFormatError
from brickfield.sources.scans.raw_frames import open_raw, parse_raw
from brickfield.sources.scans.scan_shape import ScanOptions

SCAN = np.random.default_rng(2).integers(0, 999, (2, 3, 4, 5))


@pytest.mark.parametrize("kind", [">u2", "<i4", "float32", "u1"])
@pytest.mark.parametrize("offset", [0, 7])
def test_frames_are_read_as_they_are_described(tmp_path, kind, offset):
    stored = SCAN.astype(kind)
    path = tmp_path / "frames.bin"
    path.write_bytes(bytes(offset) + stored.tobytes())
    data = open_raw(path, f"{kind},2,3,4,5,{offset}").data
    found = data.view(slice(0, 2), slice(0, 3), ThreadBuffers())
    np.testing.assert_array_equal(found, stored)
    assert data.dtype.isnative


def test_frames_in_front_can_be_skipped(tmp_path):
    path = tmp_path / "frames.bin"
    path.write_bytes(SCAN.astype("<u2").tobytes())
    data = open_raw(path, "<u2,1,3,4,5", ScanOptions(skip_frames=2)).data
    found = data.view(slice(0, 1), slice(0, 3), ThreadBuffers())
    np.testing.assert_array_equal(found[0], SCAN.reshape(6, 4, 5)[2:5])


@pytest.mark.parametrize(
    "text",
    ["", "u2", "u2,1,2,3", "u2,0,1,1,1", "U9,1,1,1,1", "zz,1,1,1,1", "u2,1,1,1,1,-1"],
)
def test_a_description_that_cannot_be_read_is_refused(text):
    with pytest.raises(OptionError, match="expected --raw"):
        parse_raw(text)


def test_a_file_that_is_too_short_is_refused(tmp_path):
    path = tmp_path / "frames.bin"
    path.write_bytes(bytes(100))
    with pytest.raises(StoreFormatError, match="enough for 2"):
        open_raw(path, "<u2,2,3,4,5")
    with pytest.raises(BrickfieldError):
        open_raw(path, "<u2,1,2,4,5", ScanOptions((3, 3)))
