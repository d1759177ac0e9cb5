"""Rows of frames are those of whole frames, whichever way they are read."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from brickfield.blockwise import ThreadBuffers
from brickfield.errors import ChunkReadError
from brickfield.sources.mib import open_mib_scan
from brickfield.sources.scans import ScanOptions
from brickfield.testing.mib import write_mib

FRAMES = np.random.default_rng(8).integers(0, 999, (14, 16, 64)).astype(np.uint16)
BUFFERS = ThreadBuffers()


@pytest.fixture(scope="module", params=[0, 1])
def scan(request, tmp_path_factory):
    """A file of frames, with and without frames after each line."""
    path = write_mib(tmp_path_factory.mktemp("rows") / "b.mib", FRAMES)
    how = ScanOptions((2, 5), skip_frames=1, line_skip=request.param)
    return open_mib_scan(path, how)


@given(
    st.tuples(st.integers(0, 1), st.integers(0, 4)),
    st.tuples(st.integers(1, 2), st.integers(1, 5)),
    st.integers(0, 15),
    st.integers(1, 16),
)
def test_rows_are_those_of_whole_patterns(scan, at, size, first, n):
    ys, xs = (slice(a, a + s) for a, s in zip(at, size, strict=True))
    ys, xs = slice(ys.start, min(ys.stop, 2)), slice(xs.start, min(xs.stop, 5))
    rows = slice(first, min(first + n, 16))
    whole = np.array(scan.data.view(ys, xs, BUFFERS))[:, :, rows]
    found = scan.data.view_rows(ys, xs, rows, BUFFERS)
    np.testing.assert_array_equal(found, whole)


def test_rows_of_a_file_that_was_cut_off_are_refused(tmp_path):
    path = write_mib(tmp_path / "a.mib", FRAMES)
    scan = open_mib_scan(path, ScanOptions((2, 7)))
    with path.open("r+b") as file:
        file.truncate(path.stat().st_size // 2)
    with pytest.raises(ChunkReadError, match="cut off"):
        scan.data.view_rows(slice(0, 2), slice(0, 7), slice(3, 5), BUFFERS)
