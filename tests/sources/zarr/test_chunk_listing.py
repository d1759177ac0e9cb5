"""What exists is listed; what might exist is never asked for."""

import os

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from brickfield.sources.zarr.chunk_listing import ChunkListing

PLACES = st.tuples(*[st.integers(0, 12)] * 3)


def touch(folder, index, separator, prefix):
    parts = [prefix] * bool(prefix) + [str(i) for i in index]
    path = folder / separator.join(parts)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.touch()


@pytest.mark.parametrize("separator", ["/", "."])
@pytest.mark.parametrize("prefix", ["c", ""])
@given(st.sets(PLACES, max_size=8), st.lists(PLACES, max_size=20))
@settings(max_examples=20)
def test_the_answer_is_that_of_the_file_system(
    tmp_path_factory, separator, prefix, present, asked
):
    folder = tmp_path_factory.mktemp("array")
    for index in present:
        touch(folder, index, separator, prefix)
    listing = ChunkListing(folder, 3, separator, prefix)
    indices = np.array(asked, dtype=np.int64).reshape(-1, 3)
    assert listing.absent(indices).tolist() == [i not in present for i in asked]


def test_other_files_are_no_chunks(tmp_path):
    for name in (".zarray", "zarr.json", "0.0", "0.0.0.0", "a.b.c", "0.0.1.partial"):
        (tmp_path / name).touch()
    listing = ChunkListing(tmp_path, 3, ".", "")
    assert listing.absent(np.array([[0, 0, 0], [0, 0, 1]])).all()


def test_an_array_without_a_folder_has_no_chunks(tmp_path):
    listing = ChunkListing(tmp_path / "none", 3, "/", "c")
    assert listing.absent(np.array([[0, 0, 0]])).all()


def test_a_sparse_array_costs_as_many_listings_as_it_has_folders(tmp_path, monkeypatch):
    """Three files in a grid of 10**12: three levels of folders at most."""
    for index in ((0, 0, 0), (5000, 1, 2), (9999, 9999, 9999)):
        touch(tmp_path, index, "/", "c")
    listed = []
    scandir = os.scandir
    monkeypatch.setattr(os, "scandir", lambda p: listed.append(p) or scandir(p))
    listing = ChunkListing(tmp_path, 3, "/", "c")
    rng = np.random.default_rng(0)
    asked = np.vstack([rng.integers(0, 10_000, (20_000, 3)), [[5000, 1, 2]]])
    absent = listing.absent(asked)
    assert absent[:-1].all()
    assert not absent[-1]
    assert len(listed) <= 1 + 3 + 3
