"""MIB files open as one scan, and every guess is reported."""

import os
import resource

import numpy as np
import pytest

from brickfield.errors import (
    BrickfieldError,
    ChunkReadError,
    OptionError,
    StoreFormatError,
    StoreNotFoundError,
)
from brickfield.sources.mib.source import open_scan
from brickfield.sources.open import open_source
from brickfield.sources.scans.scan_shape import ScanOptions
from brickfield.testing.mib import MIBOptions, header, write_hdr, write_mib

FRAMES = np.random.default_rng(7).integers(0, 4096, (12, 5, 6)).astype(np.uint16)


@pytest.fixture
def scan(tmp_path):
    write_hdr(tmp_path / "scan.hdr", ScanX=4, ScanY=3)
    return write_mib(tmp_path / "scan.mib", FRAMES)


def test_a_scan_is_opened_like_any_other_data(scan, read_level):
    source = open_source(scan)
    assert source.info.format == "Merlin MIB"
    assert [a.name for a in source.info.pyramid.axes] == ["scan_y", "scan_x", "y", "x"]
    np.testing.assert_array_equal(read_level(source, 0), FRAMES.reshape(3, 4, 5, 6))
    assert source.places() == (scan,)


def test_a_scan_without_its_suffix_is_known_by_its_first_bytes(scan):
    other = scan.rename(scan.with_name("scan.bin"))
    assert open_source(other).info.format == "Merlin MIB"


def test_a_guess_is_told(tmp_path):
    source = open_source(write_mib(tmp_path / "a.mib", FRAMES[:7]))
    assert [f.code for f in source.info.findings] == ["guessed-scan"]


def test_line_skip_and_frames_in_front_choose_frames(tmp_path, read_level):
    path = write_mib(tmp_path / "a.mib", FRAMES)
    found = open_scan(path, ScanOptions((2, 4), skip_frames=1, line_skip=2))
    expected = FRAMES[[1, 2, 3, 4, 7, 8, 9, 10]].reshape(2, 4, 5, 6)
    from brickfield.sources.scans.source import source_of

    assert found.n_unused == 4
    np.testing.assert_array_equal(read_level(source_of(found, "a"), 0), expected)


def test_a_scan_of_more_frames_than_there_are_is_refused(scan):
    with pytest.raises(OptionError, match="expected at least 20 frames"):
        open_scan(scan, ScanOptions((4, 5)))


def test_a_frame_that_was_cut_off_is_left_out_and_told(scan):
    os.truncate(scan, scan.stat().st_size - 1)
    found = open_scan(scan)
    assert found.n_frames == 11
    assert found.data.shape[:2] == (2, 4)
    assert [f.code for f in found.findings] == ["cut-off"]


def parts(folder, sizes, names="scan_{}.mib", firsts=None):
    start = 0
    paths = []
    for number, n in enumerate(sizes):
        first = start + 1 if firsts is None else firsts[number]
        options = MIBOptions(first_sequence=first)
        path = folder / names.format(number)
        paths.append(write_mib(path, FRAMES[start : start + n], options))
        start += n
    return paths


@pytest.mark.parametrize("opened", [0, 1, 2])
@pytest.mark.parametrize("names", ["scan_{}.mib", "scan{:04d}.mib"])
def test_files_of_one_acquisition_are_one_scan(tmp_path, opened, names, read_level):
    paths = parts(tmp_path, [5, 3, 4], names)
    write_hdr(tmp_path / "scan.hdr", ScanX=4, ScanY=3)
    source = open_source(paths[opened])
    np.testing.assert_array_equal(read_level(source, 0), FRAMES.reshape(3, 4, 5, 6))
    assert set(source.places()) == set(paths)


def test_files_are_put_in_the_order_of_their_frames_not_of_their_names(tmp_path):
    paths = parts(tmp_path, [6, 6], firsts=[7, 1])
    found = open_scan(paths[0], ScanOptions((1, 12)))
    assert found.data.places() == (paths[1], paths[0])


def test_a_file_for_each_frame_makes_a_scan(tmp_path, read_level):
    paths = parts(tmp_path, [1] * 12)
    from brickfield.sources.scans.source import source_of

    found = open_scan(paths[7], ScanOptions((3, 4)))
    expected = FRAMES.reshape(3, 4, 5, 6)
    np.testing.assert_array_equal(read_level(source_of(found, "a"), 0), expected)


def test_a_neighbour_that_is_an_acquisition_of_its_own_is_no_part(tmp_path):
    paths = parts(tmp_path, [6, 6], firsts=[1, 1])
    assert open_scan(paths[0]).data.places() == (paths[0],)


def test_two_that_could_follow_are_told(tmp_path):
    paths = parts(tmp_path, [4, 4, 4], firsts=[1, 1, 5])
    found = open_scan(paths[0])
    assert found.n_frames == 4
    assert "ambiguous-set" in [f.code for f in found.findings]


def test_this_file_only_is_this_file_only(tmp_path):
    paths = parts(tmp_path, [5, 7])
    assert open_scan(paths[1], this_file_only=True).n_frames == 7


def test_a_neighbour_that_is_no_mib_file_does_no_harm(tmp_path):
    paths = parts(tmp_path, [5, 7])
    (tmp_path / "scan_9.mib").write_bytes(b"nothing of this kind")
    assert open_scan(paths[0]).n_frames == 12


@pytest.mark.parametrize(
    ("raw", "says"),
    [
        (b"", "empty file"),
        (b"junk of another program" * 40, "begins with MQ1"),
        (b"MQ1,", "begins with MQ1"),
        (header((5, 6), MIBOptions()), "at least one frame"),
        (header((5, 6), MIBOptions()) + bytes(59), "at least one frame"),
        (header((30000, 30000), MIBOptions()) + bytes(600), "at least one frame"),
        ((header((5, 6), MIBOptions()) + b"\1" * 61) * 3, "header of frame 1"),
    ],
)
def test_what_is_no_scan_is_refused_in_a_sentence(tmp_path, raw, says):
    path = tmp_path / "bad.mib"
    path.write_bytes(raw)
    with pytest.raises(StoreFormatError, match=says) as told:
        open_source(path)
    assert "bad.mib" in str(told.value)


def test_nothing_there_and_a_folder_are_told(tmp_path):
    with pytest.raises(StoreNotFoundError):
        open_source(tmp_path / "none.mib")
    (tmp_path / "folder.mib").mkdir()
    with pytest.raises(BrickfieldError):
        open_source(tmp_path / "folder.mib")


@pytest.mark.parametrize("change", ["cut", "gone", "pipe"])
def test_a_file_that_changes_under_a_reader_fails_cleanly(scan, change):
    source = open_source(scan)
    if change == "cut":
        os.truncate(scan, 1000)
    else:
        scan.unlink()
        if change == "pipe":
            os.mkfifo(scan)
    with pytest.raises(ChunkReadError, match=r"scan\.mib"):
        source.read_storage_chunk(0, (2, 3, 0, 0))


def test_a_sparse_file_of_130_gb_opens_with_few_reads(tmp_path):
    """Blocks that are read of the disk, or come from its cache, stay few."""
    shape, n = (256, 256), 1 << 20
    options = MIBOptions()
    path = tmp_path / "large.mib"
    stride = 384 + 2 * 256 * 256
    with path.open("wb") as file:
        file.write(header(shape, options))
        file.write(np.full(shape, 7, ">u2").tobytes())
        file.truncate(n * stride)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    found = open_scan(path)
    assert found.data.shape == (1024, 1024, 256, 256)
    source = open_source(path)
    assert (source.read_storage_chunk(0, (0, 0, 0, 0)).data == 7).all()
    assert not source.read_storage_chunk(0, (1023, 1023, 0, 0)).data.any()
    grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    assert grown < 64 << 10  # KiB
