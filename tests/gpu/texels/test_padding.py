"""A padded brick is a piece of the whole array."""

from itertools import product

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from brickfield.gpu.texels.padding import NEIGHBOURS, fill_slot, pad_brick


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


@given(
    shape=st.tuples(*[st.integers(1, 5)] * 3),
    more=st.tuples(*[st.integers(0, 3)] * 3),
    border=st.tuples(*[st.integers(0, 1)] * 3),
    present=st.sets(st.sampled_from(NEIGHBOURS)),
)
def test_a_used_array_holds_the_same_brick_as_a_new_one(shape, more, border, present):
    rng = np.random.default_rng(0)
    data = rng.integers(0, 100, shape)
    others = {o: rng.integers(0, 100, shape) for o in sorted(present)}
    new = pad_brick(data, border, others.get)
    slot = tuple(n + m for n, m in zip(new.shape, more, strict=True))
    used = np.full(slot, -1)
    padded = pad_brick(data, border, others.get, out=used)
    np.testing.assert_array_equal(padded, new)
    filled = fill_slot(padded, slot, out=used)
    np.testing.assert_array_equal(filled, fill_slot(new, slot))


@given(
    present=st.sets(st.sampled_from(NEIGHBOURS)),
    edge=st.tuples(*[st.integers(1, 3)] * 3),
)
def test_a_border_comes_from_the_nearest_chunk_that_is_here(present, edge):
    grid = np.random.default_rng(0).integers(0, 1000, [3 * e for e in edge])
    box = {
        o: _chunk(grid, [1 + s for s in o], edge) for o in (*sorted(present), (0, 0, 0))
    }
    padded = pad_brick(box[0, 0, 0], (1, 1, 1), box.get)
    for offset in NEIGHBOURS:
        # Of the chunks between here and there, one that shares the most steps.
        between = [
            o for o in box if all(a in (0, b) for a, b in zip(o, offset, strict=True))
        ]
        most = max(sum(map(abs, o)) for o in between)
        at = tuple(
            {-1: slice(0, 1), 0: slice(1, -1), 1: slice(-1, None)}[s] for s in offset
        )
        choices = []
        for o in between:
            if sum(map(abs, o)) < most:
                continue
            place = []
            for axis, (there, here) in enumerate(zip(offset, o, strict=True)):
                e = edge[axis]
                first = (1 + here) * e
                if there == 0:
                    place.append(slice(e, 2 * e))
                elif (there < 0) == bool(here):
                    place.append(slice(first + e - 1, first + e))
                else:
                    place.append(slice(first, first + 1))
            choices.append(grid[tuple(place)])
        assert any(np.array_equal(padded[at], c) for c in choices)
