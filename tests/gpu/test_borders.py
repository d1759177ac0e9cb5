"""A padded brick is a piece of the whole array."""

from itertools import product

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from brickfield.gpu.borders import NEIGHBOURS, fill_slot, pad_brick


def _chunk(data, index, edge):
    box = tuple(slice(i * e, (i + 1) * e) for i, e in zip(index, edge, strict=True))
    return data[box]


@given(
    shape=st.tuples(*[st.integers(1, 9)] * 3),
    edge=st.tuples(*[st.integers(1, 5)] * 3),
    border=st.tuples(*[st.integers(0, 1)] * 3),
)
def test_a_padded_brick_is_a_piece_of_the_padded_array(shape, edge, border):
    data = np.arange(np.prod(shape), dtype=np.int32).reshape(shape)
    grid = [-(-n // e) for n, e in zip(shape, edge, strict=True)]
    whole = np.pad(data, [(b, b) for b in border], mode="edge")
    for index in product(*map(range, grid)):

        def neighbour(offset, index=index):
            at = [i + o for i, o in zip(index, offset, strict=True)]
            if any(not 0 <= a < g for a, g in zip(at, grid, strict=True)):
                return None
            return _chunk(data, at, edge)

        padded = pad_brick(_chunk(data, index, edge), border, neighbour)
        start = [i * e for i, e in zip(index, edge, strict=True)]
        box = tuple(slice(s, s + n) for s, n in zip(start, padded.shape, strict=True))
        np.testing.assert_array_equal(padded, whole[box])
        assert padded.dtype == data.dtype
        assert padded.flags.c_contiguous


def test_without_neighbours_the_faces_are_repeated():
    data = np.arange(24).reshape(2, 3, 4)
    np.testing.assert_array_equal(
        pad_brick(data, (1, 1, 1), lambda _: None), np.pad(data, 1, mode="edge")
    )


def test_the_neighbours_are_the_26_places_around():
    assert len(set(NEIGHBOURS)) == 26
    assert (0, 0, 0) not in NEIGHBOURS


@given(st.tuples(*[st.integers(1, 5)] * 3), st.tuples(*[st.integers(0, 4)] * 3))
def test_a_cut_brick_fills_its_slot(shape, more):
    data = np.arange(np.prod(shape)).reshape(shape)
    slot = tuple(n + m for n, m in zip(shape, more, strict=True))
    filled = fill_slot(data, slot)
    index = np.indices(slot)
    top = np.array(shape).reshape(3, 1, 1, 1) - 1
    np.testing.assert_array_equal(filled, data[tuple(np.minimum(index, top))])
