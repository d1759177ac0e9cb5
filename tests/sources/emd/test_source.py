"""Scans are found in every HDF5 layout, with scan rows first."""

import h5py
import numpy as np
import pytest

from brickfield.blockwise import ThreadBuffers
from brickfield.errors import (
    BrickfieldError,
    ChunkReadError,
    OptionError,
    StoreFormatError,
)
from brickfield.sources.emd.source import open_scan
from brickfield.sources.scans.frame_files import FileFrames
from brickfield.sources.scans.frame_stack import FrameScan
from brickfield.sources.scans.scan_shape import ScanOptions
from brickfield.testing.emd import LAYOUTS, write_emd

SCAN = np.random.default_rng(3).integers(0, 999, (3, 4, 5, 6)).astype(np.uint16)
CHUNKS = [None, (1, 1, 5, 6), (2, 2, 5, 6), (3, 4, 2, 3)]


def read(scan, ys=None, xs=None):
    ny, nx = scan.data.shape[:2]
    ys, xs = ys or slice(0, ny), xs or slice(0, nx)
    return np.array(scan.data.view(ys, xs, ThreadBuffers()))


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("chunks", CHUNKS)
def test_axes_are_scan_rows_first_in_every_layout(tmp_path, layout, chunks):
    scan = open_scan(write_emd(tmp_path / "a.emd", SCAN, layout, chunks=chunks))
    np.testing.assert_array_equal(read(scan), SCAN)
    np.testing.assert_array_equal(read(scan, slice(1, 3), slice(2, 3)), SCAN[1:3, 2:3])
    scan.close()


@pytest.mark.parametrize("layout", LAYOUTS)
def test_steps_and_units_are_read(tmp_path, layout):
    scan = open_scan(write_emd(tmp_path / "a.emd", SCAN, layout))
    found = [(c.name, c.size, c.unit, c.origin) for c in scan.calibration]
    assert found == [
        ("R_x", 0.5, "nm", 1.0),
        ("R_y", 0.25, "nm", 1.0),
        ("Q_x", pytest.approx(0.01), "1/nm", 1.0),
        ("Q_y", pytest.approx(0.02), "1/nm", 1.0),
    ]


@pytest.mark.parametrize(
    ("names", "units", "order"),
    [
        # As the axes are stored: scan first, whatever they are called.
        (("R_x", "R_y", "Q_x", "Q_y"), ("nm", "nm", "1/nm", "1/nm"), (0, 1, 2, 3)),
        (("y", "x", "ky", "kx"), ("nm", "nm", "1/nm", "1/nm"), (0, 1, 2, 3)),
        (("", "", "", ""), ("", "", "", ""), (0, 1, 2, 3)),
        (("a", "b", "c", "d"), ("", "", "mrad", "mrad"), (0, 1, 2, 3)),
        # The detector first: exchanged, or turned round where x is in front of y.
        (("ky", "kx", "y", "x"), ("1/nm", "1/nm", "nm", "nm"), (2, 3, 0, 1)),
        (("kx", "ky", "x", "y"), ("1/nm", "1/nm", "nm", "nm"), (3, 2, 1, 0)),
        (("qy", "qx", "ry", "rx"), ("", "", "", ""), (2, 3, 0, 1)),
        # By the units alone, as Berkeley's EMD writes them.
        (
            ("a", "b", "c", "d"),
            ("[n_m^-1]", "[n_m^-1]", "[n_m]", "[n_m]"),
            (2, 3, 0, 1),
        ),
        (("x", "y", "z", "w"), ("1/A", "1/A", "A", "Å"), (3, 2, 1, 0)),
    ],
)
def test_axes_are_exchanged_only_where_the_file_says_the_detector_comes_first(
    tmp_path, names, units, order
):
    path = write_emd(tmp_path / "a.emd", SCAN, "Berkeley", names=names, units=units)
    np.testing.assert_array_equal(read(open_scan(path)), SCAN.transpose(order))


@pytest.mark.parametrize("chunks", [None, (1, 1, 2, 5, 6)])
def test_five_axes_are_a_series(tmp_path, chunks):
    series = np.stack([SCAN, SCAN + 1])
    path = write_emd(tmp_path / "a.emd", series, "version_1", chunks=chunks)
    assert open_scan(path).series == ("0", "1")
    np.testing.assert_array_equal(read(open_scan(path, series=1)), SCAN + 1)
    with pytest.raises(OptionError, match="--series from 0 to 1"):
        open_scan(path, series=2)


def test_several_scans_are_a_series(real_data):
    path = real_data / "emd" / "Si100_4D.emd"
    scans = [open_scan(path, series=i) for i in range(2)]
    assert [s.dataset[-13:-9] for s in scans] == ["0000", "0001"]
    with h5py.File(path) as file:
        for scan in scans:
            np.testing.assert_array_equal(read(scan), file[scan.dataset][...])


def test_any_dataset_of_four_axes_is_a_scan(tmp_path):
    path = tmp_path / "a.h5"
    with h5py.File(path, "w") as file:
        file["images"] = np.zeros((9, 9), np.float32)
        file["run/patterns"] = SCAN
        file["cached/binned_4d"] = np.zeros((9, 9, 9, 9), np.uint16)
        file["other/patterns"] = SCAN[:2] + 1
    np.testing.assert_array_equal(read(open_scan(path)), SCAN)
    named = open_scan(path, dataset="other/patterns")
    np.testing.assert_array_equal(read(named), SCAN[:2] + 1)
    with pytest.raises(BrickfieldError, match="run/patterns"):
        open_scan(path, dataset="nowhere")


@pytest.mark.parametrize("chunks", [None, (5, 5, 6)])
def test_a_stack_of_frames_takes_the_scan_that_is_given(tmp_path, chunks):
    path = tmp_path / "a.h5"
    with h5py.File(path, "w") as file:
        file.create_dataset("frames", data=SCAN.reshape(12, 5, 6), chunks=chunks)
    scan = open_scan(path, ScanOptions((3, 4)))
    np.testing.assert_array_equal(read(scan), SCAN)
    skipping = open_scan(path, ScanOptions((2, 4), 1, 1))
    rows = SCAN.reshape(12, 5, 6)[[1, 2, 3, 4, 6, 7, 8, 9]]
    np.testing.assert_array_equal(read(skipping), rows.reshape(2, 4, 5, 6))


@pytest.mark.parametrize("chunks", [None, (1, 5, 6)])
def test_a_master_file_leads_to_its_frames(tmp_path, chunks):
    frames = SCAN.reshape(12, 5, 6)
    for number, part in enumerate((frames[:5], frames[5:9], frames[9:]), start=1):
        with h5py.File(tmp_path / f"run_data_{number:06d}.h5", "w") as file:
            file.create_dataset("entry/data/data", data=part, chunks=chunks)
    path = tmp_path / "run_master.h5"
    with h5py.File(path, "w") as file:
        group = file.create_group("entry/data")
        for number in (1, 2, 3):
            name = f"data_{number:06d}"
            group[name] = h5py.ExternalLink(f"run_{name}.h5", "entry/data/data")
    scan = open_scan(path, ScanOptions((3, 4)))
    np.testing.assert_array_equal(read(scan), SCAN)
    assert len(scan.data.places()) >= 3


def test_a_dataset_of_one_line_takes_the_scan_that_is_given(tmp_path):
    path = tmp_path / "a.h5"
    with h5py.File(path, "w") as file:
        file["patterns"] = SCAN.reshape(1, 12, 5, 6)
    np.testing.assert_array_equal(read(open_scan(path, ScanOptions((3, 4)))), SCAN)


def test_images_of_velox_are_refused_kindly(tmp_path):
    path = tmp_path / "a.emd"
    with h5py.File(path, "w") as file:
        file["Data/Image/0123abcd/Data"] = np.zeros((8, 8, 2), np.uint16)
    with pytest.raises(StoreFormatError, match=r"Velox.*brickfield info"):
        open_scan(path)


def test_a_file_without_a_scan_is_refused(real_data):
    with pytest.raises(StoreFormatError, match="four axes"):
        open_scan(real_data / "emd" / "example_image.emd")


def test_py4dstem_keeps_steps_in_a_group_of_their_own(tmp_path):
    path = write_emd(tmp_path / "a.emd", SCAN, "emd 1.0", names=(), units=())
    with h5py.File(path, "r+") as file:
        about = file.create_group("scan_root/metadatabundle/calibration").attrs
        about.update({"R_pixel_size": 2.0, "R_pixel_units": "A"})
    first, _, third, _ = open_scan(path).calibration
    assert (first.size, first.unit, third.unit) == (2.0, "A", "px")


def test_a_closed_scan_fails_cleanly(tmp_path):
    scan = open_scan(write_emd(tmp_path / "a.emd", SCAN, chunks=(1, 1, 5, 3)))
    scan.close()
    with pytest.raises(BrickfieldError):
        read(scan)


@pytest.mark.parametrize("chunk", [(1, 1), (1, 2), (1, 3), (1, 4)])
def test_chunks_of_whole_patterns_are_read_past_the_library(tmp_path, chunk):
    """As flat frames, also where a line's last chunk is not full."""
    path = write_emd(tmp_path / "a.emd", SCAN, chunks=(*chunk, *SCAN.shape[2:]))
    scan = open_scan(path)
    assert isinstance(scan.data, FrameScan)
    np.testing.assert_array_equal(read(scan), SCAN)
    with h5py.File(path, "r+"):  # nothing is kept open
        pass


def test_chunks_that_were_never_written_are_read_by_the_library(tmp_path):
    with h5py.File(tmp_path / "a.h5", "w") as file:
        data = file.create_dataset(
            "data", SCAN.shape, SCAN.dtype, chunks=(1, 1, *SCAN.shape[2:])
        )
        data[0, 1] = SCAN[0, 1]
    found = read(open_scan(tmp_path / "a.h5"))
    np.testing.assert_array_equal(found[0, 1], SCAN[0, 1])
    assert not found[1:].any()


def test_a_file_that_is_replaced_while_it_is_open_is_told(tmp_path):
    """Chunks lie elsewhere in the new one: they are not read from old places."""
    path = write_emd(tmp_path / "a.emd", SCAN, chunks=(1, 2, *SCAN.shape[2:]))
    scan = open_scan(path)
    other = write_emd(tmp_path / "b.emd", SCAN[::-1], chunks=(1, 1, *SCAN.shape[2:]))
    other.replace(path)
    with pytest.raises(ChunkReadError, match="open it again"):
        read(scan)
    np.testing.assert_array_equal(read(open_scan(path)), SCAN[::-1])


def test_frames_of_a_stack_in_chunks_are_read_past_the_library(tmp_path):
    stack = SCAN.reshape(-1, *SCAN.shape[2:])
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file.create_dataset("data", data=stack, chunks=(5, *stack.shape[1:]))
    scan = open_scan(tmp_path / "a.h5", ScanOptions(SCAN.shape[:2]))
    assert isinstance(scan.data.frames, FileFrames)
    np.testing.assert_array_equal(read(scan), SCAN)
