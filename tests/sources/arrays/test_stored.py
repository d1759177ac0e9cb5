"""A source put together from arrays: spread axes, padding, absent parts."""

from __future__ import annotations

import numpy as np
import pytest

from brickfield.errors import ChunkReadError
from brickfield.model import Axis, ImageInfo, Pyramid
from brickfield.sources.array_libraries.wrapping import as_stored_array
from brickfield.sources.arrays.stored import AssembledSource, chunk_slices, identity_of
from brickfield.sources.geometry import axis_named, make_level
from brickfield.sources.io.plain_files import local_path
from brickfield.sources.protocol import ArrayHeader

AXES = tuple(axis_named(n) for n in "tczyx")


@pytest.fixture
def parts():
    """Arrays padded to (4, 6, 8); the image is (3, 5, 7)."""
    rng = np.random.default_rng(0)
    return {
        (t, c): rng.integers(0, 99, (4, 6, 8)).astype("u1")
        for t in range(2)
        for c in range(2)
        if (t, c) != (1, 0)
    }


@pytest.fixture
def source(parts):
    zyx = tuple(Axis(n) for n in "zyx")
    stored = {key: as_stored_array(a, zyx, str(key)) for key, a in parts.items()}
    header = ArrayHeader((2, 2, 3, 5, 7), np.dtype("u1"), (1, 1, 4, 6, 8))
    level = make_level("0", header, AXES, voxel_size=(1.0,) * 5, translation=(0.0,) * 5)
    info = ImageInfo("u", "f", "n", Pyramid(AXES, (level,)))
    return AssembledSource(info, "id", lambda _, lead: stored.get(lead), n_spread=2)


def test_arrays_spread_over_axes_become_one_image_without_padding(
    source, parts, read_level
):
    whole = read_level(source, 0)
    for (t, c), array in parts.items():
        assert np.array_equal(whole[t, c], array[:3, :5, :7])


def test_an_absent_array_is_missing(source):
    assert source.read_storage_chunk(0, (1, 0, 0, 0, 0)).data is None
    assert source.stored_bytes(0, (1, 0, 0, 0, 0)) == 0
    indices = np.array([(0, 0, 0, 0, 0), (1, 0, 0, 0, 0), (1, 1, 0, 0, 0)])
    assert source.missing_chunks(0, indices).tolist() == [False, True, False]


def test_a_closed_source_fails_cleanly_and_knows_nothing(source):
    source.close()
    with pytest.raises(ChunkReadError, match="closed"):
        source.read_storage_chunk(0, (0, 0, 0, 0, 0))
    assert source.missing_chunks(0, np.zeros((1, 5), int)) is None
    assert source.stored_bytes(0, (0, 0, 0, 0, 0)) is None
    assert source.storage_key(0, (0, 0, 0, 0, 0)) == "0/0/0/0/0/0"


def test_chunks_are_cut_at_the_far_edge_and_refused_beyond():
    assert chunk_slices((1, 0), (4, 4), (6, 4)) == (slice(4, 6), slice(0, 4))
    for index in ((2, 0), (-1, 0)):
        with pytest.raises(ChunkReadError, match="inside"):
            chunk_slices(index, (4, 4), (6, 4))


def test_file_uris_are_local_paths():
    assert str(local_path("file:///a%20b/c.h5")) == "/a b/c.h5"


def test_a_changed_file_has_another_identity(tmp_path):
    path = tmp_path / "a"
    path.write_bytes(b"1")
    before = identity_of(path, "x")
    assert identity_of(path, "x") == before
    assert identity_of(path, "y") != before
    path.write_bytes(b"22")
    assert identity_of(path, "x") != before
