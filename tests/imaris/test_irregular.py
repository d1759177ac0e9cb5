"""Each block of an irregular dask array is computed once."""

from collections import Counter

import dask.array as da
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_array_equal

import brickfield as bf
from brickfield.imaris.reading.irregular import IrregularArray, is_irregular
from brickfield.imaris.reading.staging import Scratch

RNG = np.random.default_rng(2)
PIECES = ((3, 9, 1, 7), (20, 11, 40), (33, 5))


def counted(image, chunks):
    """The array, and how often each block was computed."""
    seen = Counter()

    def look(block, block_info=None):
        seen[block_info[0]["chunk-location"]] += 1
        return block

    lazy = da.from_array(image, chunks=chunks).map_blocks(look, dtype=image.dtype)
    seen.clear()  # dask tries a function on nothing first
    return lazy, seen


@pytest.mark.parametrize("dtype", ["auto", "uint8"])
def test_each_block_is_computed_once_however_blocks_lie(tmp_path, dtype):
    image = RNG.integers(0, 4000, [sum(p) for p in PIECES], np.uint16)
    lazy, seen = counted(image, PIECES)
    bf.to_imaris(lazy, tmp_path / "a.ims", chunks=(8, 16, 16), dtype=dtype)
    assert len(seen) == lazy.npartitions
    assert set(seen.values()) == {1}
    if dtype == "auto":
        found = bf.open_store(tmp_path / "a.ims").read(0, None, (0, 0))
        assert_array_equal(found, image)
    assert [p.name for p in tmp_path.iterdir()] == ["a.ims"]


@pytest.mark.parametrize(
    ("sizes", "is_so"),
    [
        (((4, 4, 2), (9,)), False),
        (((4, 4, 5), (9,)), True),
        (((4, 3, 4), (9,)), True),
        (((4,), (5, 4)), False),
    ],
)
def test_blocks_of_one_size_but_a_smaller_last_one_are_a_grid(sizes, is_so):
    assert is_irregular(da.zeros([sum(s) for s in sizes], chunks=sizes)) is is_so
    assert not is_irregular(np.zeros((3, 3)))


sizes = st.lists(st.integers(1, 9), min_size=1, max_size=4).map(tuple)


@settings(max_examples=40, deadline=None)
@given(st.tuples(sizes, sizes), st.tuples(st.integers(1, 12), st.integers(1, 12)))
def test_any_grid_of_cells_reads_all_and_leaves_nothing(tmp_path_factory, blocks, cell):
    folder = tmp_path_factory.mktemp("cells")
    image = RNG.integers(0, 99, [sum(b) for b in blocks])
    lazy = da.from_array(image, chunks=blocks)
    array = IrregularArray(lazy, Scratch(folder / "a.ims"))
    found = np.zeros_like(image)
    for y in range(0, image.shape[0], cell[0]):
        for x in range(0, image.shape[1], cell[1]):
            place = tuple(
                slice(a, min(a + c, n))
                for a, c, n in zip((y, x), cell, image.shape, strict=True)
            )
            found[place] = array[place]
    assert_array_equal(found, image)
    assert array.n_computed == lazy.npartitions
    assert not list(folder.rglob("*.npy"))
