"""A frame header is read in every known form, or refused by name."""

import pytest

from brickfield.errors import StoreFormatError
from brickfield.sources.mib.header import parse_header, read_acquisition, timing_of
from brickfield.testing.mib import MIBOptions, header, write_hdr


def parsed(shape=(4, 64), **options):
    return parse_header(header(shape, MIBOptions(**options)), "scan.mib")


def test_fields_behind_the_chips_are_counted_from_the_end():
    one, four = parsed(), parsed(n_chips=4, layout="2x2", shape=(4, 256))
    assert (one.depth, one.exposure_s, one.n_bytes) == (12, 0.001, 384)
    assert (four.depth, four.exposure_s, four.n_bytes) == (12, 0.001, 768)
    assert one.time_ns == four.time_ns == 1620413470905800928


@pytest.mark.parametrize("length", [384, 512, 1000, 4096])
def test_a_header_has_the_length_that_it_says(length):
    assert parsed(header_bytes=length).stride == length + 4 * 64 * 2


def test_an_old_header_gives_the_local_time_and_no_depth():
    found = parsed(has_times=False)
    assert found.depth is None
    assert found.exposure_s == 0.001
    assert found.time_ns == 1620413470905800000  # to the microsecond


def test_a_raw_quad_frame_is_a_square_of_chips():
    found = parsed((512, 512), is_raw=True, n_chips=4, layout="2x2", depth=6)
    assert (found.width, found.height) == (1024, 256)
    assert found.frame_shape == (512, 512)


@pytest.mark.parametrize("layout", ["2x2G", "Nx1"])
def test_a_processed_frame_of_any_layout_is_as_large_as_it_says(layout):
    assert parsed((514, 514), n_chips=4, layout=layout).frame_shape == (514, 514)


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        (b"MQ1", b"XY1", "begins with MQ1"),
        (b",00384,", b",99999,", "third field"),
        (b",00384,", b",     ,", "begins with MQ1"),
        (b",0064,", b",0000,", "width"),
        (b",0064,", b",99999,", "along an axis"),
        (b"U16", b"F32", "field 7"),
    ],
)
def test_what_cannot_be_used_is_named(old, new, says):
    with pytest.raises(StoreFormatError, match=says):
        parse_header(header((4, 64), MIBOptions()).replace(old, new, 1), "scan.mib")


def test_raw_frames_of_24_bit_are_refused_in_a_sentence():
    with pytest.raises(StoreFormatError, match=r"24 bit.*save them processed"):
        parsed(is_raw=True, depth=24)


def test_raw_frames_of_chips_in_a_row_are_refused():
    with pytest.raises(StoreFormatError, match="2x2"):
        parsed(is_raw=True, n_chips=2, layout="2x1")


def test_the_time_of_something_else_is_not_known():
    assert timing_of(bytes(384)) == (None, None)


def test_an_acquisition_tells_the_size_of_its_scan(tmp_path):
    path = write_hdr(tmp_path / "a.hdr", ScanX=5, ScanY="4", Chip_ID="W5")
    found = read_acquisition(path)
    assert (found.scan_x, found.scan_y, found.n_frames) == (5, 4, None)
    path.write_bytes(
        path.read_bytes().replace(b"End", b"Frames per Trigger (Number):\t8\r\n")
    )
    assert read_acquisition(path).frames_per_trigger == 8


@pytest.mark.parametrize("raw", [None, b"", b"\xff" * 100, b"HDR\nScanX:\tmany"])
def test_an_acquisition_that_cannot_be_read_says_nothing(tmp_path, raw):
    path = tmp_path / "a.hdr"
    if raw is not None:
        path.write_bytes(raw)
    assert read_acquisition(path).scan_x is None
