"""Raw frames, against a writer that places pixel by pixel."""

import hashlib

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from brickfield.blockwise import ThreadBuffers
from brickfield.sources.mib.source import open_scan
from brickfield.sources.scans.scan_shape import ScanOptions
from brickfield.testing.mib import MIBOptions, write_mib

REAL = {
    # blake2b of all frames as little-endian uint16, row 0 on top, as rosettasciio
    # 0.14 (rows turned) and LiberTEM 0.16 read them; the raw file LiberTEM alone.
    "001_4x2_6bit": "1cfbc35de4bb534d",
    "Single_9_Frame_CounterDepth_12_Rows_256": "e808ed08e3e6e434",
    "Single_9_Frames_CounterDepth_1_Rows_32RAW": "5c59ac26296f1c67",
}
# The same of frames written raw as below and read by LiberTEM 0.16, which knows no
# description of ours: by depth and number of chips.
RAW = {
    (1, 1): "37c32d33a3062af2",
    (1, 4): "158a68315dcd9927",
    (6, 1): "819a3d479765300a",
    (6, 4): "f33e6a59a8782d4d",
    (12, 1): "32b6263bba678373",
    (12, 4): "4090ba5f2cdd5e32",
}


def read_all(path, n):
    data = open_scan(path, ScanOptions((1, n))).data
    return np.array(data.view(slice(0, 1), slice(0, n), ThreadBuffers()))[0]


def digest(frames):
    raw = np.ascontiguousarray(frames).astype("<u2").tobytes()
    return hashlib.blake2b(raw, digest_size=8).hexdigest()


@given(
    st.sampled_from([1, 6, 12]),
    st.booleans(),
    st.integers(1, 3),
    st.integers(1, 3),
    st.integers(0, 2**31),
)
def test_raw_frames_are_read_as_they_were_sent(
    tmp_path_factory, depth, is_quad, rows, words, seed
):
    path = tmp_path_factory.mktemp("raw") / "a.mib"
    shape = (2, 2 * rows, 2 * 64 * words) if is_quad else (2, rows, 64 * words)
    frames = np.random.default_rng(seed).integers(0, 2**depth, shape)
    layout = {"n_chips": 4, "layout": "2x2"} if is_quad else {}
    write_mib(path, frames, MIBOptions(depth=depth, is_raw=True, **layout))
    np.testing.assert_array_equal(read_all(path, 2), frames)


@given(st.sampled_from([1, 6, 12, 24]), st.integers(1, 7), st.integers(1, 9))
def test_processed_frames_are_read_as_they_were_written(
    tmp_path_factory, depth, rows, columns
):
    path = tmp_path_factory.mktemp("plain") / "a.mib"
    frames = np.random.default_rng(3).integers(0, 2**depth, (3, rows, columns))
    write_mib(path, frames, MIBOptions(depth=depth))
    np.testing.assert_array_equal(read_all(path, 3), frames)


@pytest.mark.parametrize("name", REAL)
def test_real_files_read_as_other_programs_read_them(real_data, name):
    path = real_data / "mib" / f"{name}.mib"
    n = 8 if name.startswith("001") else 9
    assert digest(read_all(path, n)) == REAL[name]


@pytest.mark.parametrize(("depth", "n_chips"), RAW)
def test_raw_frames_read_as_libertem_reads_them(tmp_path, depth, n_chips):
    side, layout = (512, "2x2") if n_chips == 4 else (256, "1x1")
    frames = np.random.default_rng(depth).integers(0, 2**depth, (3, side, side))
    options = MIBOptions(depth=depth, is_raw=True, n_chips=n_chips, layout=layout)
    path = write_mib(tmp_path / "a.mib", frames, options)
    assert digest(read_all(path, 3)) == RAW[depth, n_chips]
