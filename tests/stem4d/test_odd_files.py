"""Files of every kind that are not as they should be: opened right, or told in a sentence."""

import json
import os

import h5py
import hdf5plugin
import numpy as np
import pytest

from brickfield.errors import BrickfieldError, BudgetError
from brickfield.stem4d import Disc, LazyDataManager
from brickfield.testing.mib import MIBOptions, header, write_mib

FRAMES = np.random.default_rng(0).integers(0, 50, (12, 8, 8)).astype(np.uint16)
SCAN = np.random.default_rng(1).integers(0, 99, (3, 4, 5, 6)).astype(np.uint16)
STRIDE = 384 + 128


@pytest.fixture
def mib(tmp_path):
    """Bytes of a sound file of twelve frames."""
    return write_mib(tmp_path / "sound.mib", FRAMES).read_bytes()


def told(path, **options):
    """Return the sentence that a file is refused with, now or when it is read."""
    with pytest.raises(BrickfieldError) as found:
        seen(path, **options)
    text = str(found.value)
    assert "\n" not in text
    assert "Traceback" not in text
    return text


def seen(path, **options):
    """Return all patterns of a file, and what was odd; looks at it in every way."""
    with LazyDataManager.create_viewer(path, cache="none", **options) as viewer:
        whole = np.asarray(viewer.data[:])
        wide = whole.astype(np.float64)
        np.testing.assert_allclose(viewer.overview("scan"), wide.sum((2, 3)))
        np.testing.assert_allclose(viewer.overview("mean"), wide.mean((0, 1)))
        mask = Disc(2, 2, 1.5).mask(viewer.shape[2:])
        found = viewer.virtual(Disc(2, 2, 1.5))
        np.testing.assert_allclose(found, wide[..., mask].sum(-1))
        json.dumps(viewer.info, allow_nan=False)
        return whole, {f.code for f in viewer.opened.findings}


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (lambda raw: b"", "empty file"),
        (lambda raw: raw[:100], "it was cut off"),
        (lambda raw: raw[:384], "it was cut off"),
        (lambda raw: bytes(5000), "begins with MQ1"),
        (lambda raw: b"MQ1," * 100, "begins with MQ1"),
        (lambda raw: raw.replace(b",0008,0008,", b",-008,0008,"), "a width of 1"),
        (lambda raw: raw.replace(b",0008,0008,", b",0008,0000,"), "a height of 1"),
        (lambda raw: raw.replace(b",0008,0008,", b",99999,99999,"), "at most 32768"),
        (lambda raw: raw.replace(b",00384,", b",99999,"), "header of 64 to 65536"),
        (lambda raw: raw.replace(b",U16,", b",F32,"), "U08, U16, U32 or R64"),
        (lambda raw: raw[: 11 * STRIDE] + b"XXX" + raw[11 * STRIDE + 3 :], "frame 11"),
    ],
)
def test_a_mib_file_that_cannot_be_read_is_told(tmp_path, mib, change, says):
    path = tmp_path / "odd.mib"
    path.write_bytes(change(mib))
    assert says in told(path)


@pytest.mark.parametrize("junk", [b"\xff\xfe", b"\0\0"])
def test_junk_in_a_field_that_is_not_needed_does_no_harm(tmp_path, mib, junk):
    path = tmp_path / "odd.mib"
    path.write_bytes(mib[:60] + junk + mib[62:])
    found, _ = seen(path, scan=(3, 4))
    np.testing.assert_array_equal(found.reshape(12, 8, 8), FRAMES)


@pytest.mark.parametrize("depth", [1, 6, 12])
@pytest.mark.parametrize("n_chips", [1, 4])
@pytest.mark.parametrize("rows", [4, 7])
def test_raw_frames_of_regions_of_rows_are_read(tmp_path, depth, n_chips, rows):
    """Chips of 64 columns; of four chips the picture is twice as high."""
    side = 128 if n_chips == 4 else 64
    shape = (4, 2 * rows if n_chips == 4 else rows, side)
    frames = np.random.default_rng(depth).integers(0, 2**depth, shape)
    layout = "2x2" if n_chips == 4 else "1x1"
    options = MIBOptions(depth, is_raw=True, n_chips=n_chips, layout=layout)
    found, _ = seen(write_mib(tmp_path / "raw.mib", frames, options), scan=(2, 2))
    np.testing.assert_array_equal(found.reshape(shape), frames)


@pytest.mark.parametrize("width", ["0020", "0040", "0072"])
def test_raw_frames_of_no_whole_words_are_told(tmp_path, width):
    frames = np.zeros((4, 8, 64), np.uint16)
    options = MIBOptions(depth=12, is_raw=True)
    path = write_mib(tmp_path / "raw.mib", frames, options)
    path.write_bytes(path.read_bytes().replace(b",0064,", f",{width},".encode()))
    assert "multiple of 64" in told(path)


def test_a_gap_in_the_numbers_of_files_ends_the_set(tmp_path):
    """What comes behind the gap may be of another acquisition."""
    for i, first in enumerate((1, 5, 13)):
        part = FRAMES[4 * i : 4 * i + 4]
        write_mib(tmp_path / f"set{i}.mib", part, MIBOptions(first_sequence=first))
    found, told_of = seen(tmp_path / "set0.mib", scan=(2, 4))
    np.testing.assert_array_equal(found.reshape(8, 8, 8), FRAMES[:8])
    assert "gap-in-set" in told_of
    found, _ = seen(tmp_path / "set2.mib", scan=(1, 4))
    np.testing.assert_array_equal(found[0], FRAMES[8:])


def test_the_first_file_of_a_set_may_have_no_number(tmp_path):
    write_mib(tmp_path / "scan.mib", FRAMES[:6])
    write_mib(tmp_path / "scan1.mib", FRAMES[6:], MIBOptions(first_sequence=7))
    found, _ = seen(tmp_path / "scan.mib", scan=(3, 4))
    np.testing.assert_array_equal(found.reshape(12, 8, 8), FRAMES)


def test_numbers_of_frames_may_begin_at_0(tmp_path):
    path = write_mib(tmp_path / "a.mib", FRAMES, MIBOptions(first_sequence=0))
    np.testing.assert_array_equal(seen(path, scan=(3, 4))[0].reshape(12, 8, 8), FRAMES)


@pytest.mark.parametrize("name", ["SCAN.HDR", "SCAN.hdr"])
@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"])
def test_a_description_in_capitals_or_with_a_byte_order_mark_is_read(
    tmp_path, name, mark
):
    path = write_mib(tmp_path / "SCAN.MIB", FRAMES)
    text = b"HDR,\t\r\nScanX:\t6\r\nScanY:\t2\r\nEnd\t"
    (tmp_path / name).write_bytes(mark + text)
    assert seen(path)[0].shape == (2, 6, 8, 8)


def test_a_frame_larger_than_the_budget_is_told(tmp_path):
    """Four gigabytes, of which the file holds none."""
    path = tmp_path / "a.mib"
    path.write_bytes(header((1 << 15, 1 << 15), MIBOptions(depth=24)))
    os.truncate(path, 384 + (4 << 30))
    scan = LazyDataManager.create_viewer(path, budget="64 MB")
    with scan as viewer, pytest.raises(BudgetError, match="budget of at least"):
        viewer.overview("scan")


def in_file(path, make):
    with h5py.File(path, "w") as file:
        make(file)
    return path


@pytest.mark.parametrize(
    "filters",
    [
        {"compression": "gzip", "shuffle": True},
        {"compression": "lzf"},
        {"fletcher32": True},
        {"scaleoffset": 0},
        hdf5plugin.Bitshuffle(cname="lz4"),
        hdf5plugin.Bitshuffle(cname="zstd"),
        hdf5plugin.LZ4(),
        hdf5plugin.Blosc(),
        hdf5plugin.Zstd(),
    ],
)
@pytest.mark.parametrize("chunk", [(1, 3, 5, 6), (2, 2, 5, 4)])
def test_compressed_chunks_are_read(tmp_path, filters, chunk):
    path = in_file(
        tmp_path / "a.h5",
        lambda f: f.create_dataset("data", data=SCAN, chunks=chunk, **filters),
    )
    np.testing.assert_array_equal(seen(path)[0], SCAN)


@pytest.mark.parametrize("kind", ["f2", ">f4", "<f8", "i1", ">i2", "<i8", "u4", ">u8"])
@pytest.mark.parametrize("chunk", [None, (1, 3, 5, 6)])
def test_all_types_of_numbers_are_read(tmp_path, kind, chunk):
    path = in_file(
        tmp_path / "a.emd",
        lambda f: f.create_dataset("data", data=SCAN.astype(kind), chunks=chunk),
    )
    np.testing.assert_array_equal(seen(path)[0], SCAN.astype(kind))


@pytest.mark.parametrize(
    "make",
    [
        lambda f: f.create_dataset("data", data=np.zeros((2,) * 6)),
        lambda f: f.create_dataset("data", data=np.zeros((4, 4))),
        lambda f: f.create_dataset("data", data=SCAN.astype(complex)),
        lambda f: f.create_dataset("data", data=SCAN > 40),
        lambda f: f.create_dataset("data", data=np.full((2,) * 4, b"x")),
        lambda f: f.create_dataset("data", shape=(2,) * 4, dtype=[("a", "i4")]),
        lambda f: f.create_dataset("data", shape=(0, 4, 5, 6), dtype="f4"),
        lambda f: f.create_dataset("data", data=h5py.Empty("f4")),
        lambda f: None,
    ],
)
def test_a_file_without_a_scan_is_told(tmp_path, make):
    assert "a dataset of four axes" in told(in_file(tmp_path / "a.emd", make))


def test_a_block_of_the_user_in_front_does_not_shift_patterns(tmp_path):
    with h5py.File(tmp_path / "a.emd", "w", userblock_size=1024) as file:
        file.create_dataset("plain", data=SCAN)
        file.create_dataset("chunked", data=SCAN, chunks=(1, 2, 5, 6))
    for name in ("plain", "chunked"):
        np.testing.assert_array_equal(seen(tmp_path / "a.emd", dataset=name)[0], SCAN)


def virtual(path, names):
    """Write a virtual dataset of one file for each line of the scan."""
    layout = h5py.VirtualLayout(SCAN.shape, SCAN.dtype)
    for y, name in enumerate(names):
        layout[y] = h5py.VirtualSource(name, "data", shape=SCAN.shape[1:])
    return in_file(path, lambda f: f.create_virtual_dataset("data", layout))


def test_what_a_virtual_dataset_lacks_is_told(tmp_path):
    names = [f"line{y}.h5" for y in range(3)]
    for y in (0, 2):
        in_file(
            tmp_path / names[y], lambda f, y=y: f.create_dataset("data", data=SCAN[y])
        )
    found, rules = seen(virtual(tmp_path / "a.h5", names))
    np.testing.assert_array_equal(found[[0, 2]], SCAN[[0, 2]])
    assert not found[1].any()
    assert "missing-file" in rules


def master(folder, missing=()):
    stack = SCAN.reshape(-1, 5, 6)
    with h5py.File(folder / "m_master.h5", "w") as file:
        for i in range(3):
            name = f"m_data_{i + 1:06d}"
            link = h5py.ExternalLink(f"{name}.h5", "/entry/data/data")
            file.require_group("entry/data")[f"data_{i + 1:06d}"] = link
            if i in missing:
                continue
            part = stack[4 * i : 4 * i + 4]
            with h5py.File(folder / f"{name}.h5", "w") as other:
                other.create_dataset(
                    "entry/data/data",
                    data=part,
                    chunks=(1, 5, 6),
                    **hdf5plugin.Bitshuffle(cname="lz4"),
                )
    return folder / "m_master.h5"


def test_linked_files_are_one_scan(tmp_path):
    found, _ = seen(master(tmp_path), scan=(3, 4))
    np.testing.assert_array_equal(found, SCAN)


@pytest.mark.parametrize("missing", [(0,), (1,), (2,)])
def test_a_linked_file_that_is_missing_is_named(tmp_path, missing):
    text = told(master(tmp_path, missing), scan=(3, 4))
    assert f"m_data_{missing[0] + 1:06d}" in text


def test_a_linked_file_that_is_damaged_is_named(tmp_path):
    path = master(tmp_path)
    (tmp_path / "m_data_000002.h5").write_bytes(b"junk")
    assert "m_data_000002" in told(path, scan=(3, 4))


def test_a_file_of_links_that_lead_nowhere_is_told(tmp_path):
    def make(file):
        file["a"], file["b"] = h5py.SoftLink("/b"), h5py.SoftLink("/a")
        file["self"] = h5py.ExternalLink("a.h5", "/self")

    assert "a dataset of four axes" in told(in_file(tmp_path / "a.h5", make))


def test_vectors_without_sense_give_no_calibration(tmp_path):
    def make(file):
        group = file.create_group("data/scan")
        group.attrs["emd_group_type"] = 1
        group["data"] = SCAN
        group["dim1"], group["dim2"] = np.array([np.nan, np.inf, 1]), np.zeros(0)
        group["dim3"] = b"nothing"
        group.create_group("dim4")

    found, _ = seen(in_file(tmp_path / "a.emd", make))
    np.testing.assert_array_equal(found, SCAN)


@pytest.mark.parametrize("n_bytes", [0, 100, 3000])
def test_an_emd_file_that_was_cut_off_is_told(tmp_path, n_bytes):
    path = in_file(
        tmp_path / "a.emd", lambda f: f.create_dataset("data", data=np.tile(SCAN, 4))
    )
    path.write_bytes(path.read_bytes()[:n_bytes])
    assert "a.emd" in told(path)
