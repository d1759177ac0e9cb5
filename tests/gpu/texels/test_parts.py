"""What neighbours lend on the GPU is what they would lend from memory."""

from itertools import product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from brickfield.gpu.formats import choose_format
from brickfield.gpu.layout import LevelLayout
from brickfield.gpu.texels.padding import NEIGHBOURS, fill_slot, pad_brick
from brickfield.gpu.texels.parts import (
    ALL_OCTANTS,
    BITS,
    Cell,
    Content,
    bits_of,
    odd_parts,
    parts_to_take,
)
from brickfield.gpu.texels.ranges import empty_octants, range_of

EDGES = st.tuples(*[st.integers(1, 6)] * 3)


class _Level:
    """Chunks of an array, and the slots that they would fill."""

    def __init__(self, data, edge, border):
        self.data, self.edge = data, edge
        self.layout = LevelLayout(edge, border, 1)
        self.grid = tuple(-(-n // e) for n, e in zip(data.shape, edge, strict=True))

    def chunk(self, place):
        pairs = zip(place, self.edge, strict=True)
        return self.data[tuple(slice(i * e, (i + 1) * e) for i, e in pairs)]

    def beside(self, place, offset):
        there = tuple(i + o for i, o in zip(place, offset, strict=True))
        is_in = all(0 <= i < n for i, n in zip(there, self.grid, strict=True))
        return there if is_in else None

    def slot(self, place, lenders):
        def neighbour(offset):
            there = self.beside(place, offset)
            return self.chunk(there) if there in lenders else None

        padded = pad_brick(self.chunk(place), self.layout.border_zyx, neighbour)
        return fill_slot(padded, self.layout.slot_zyx).copy()

    def cell(self, place):
        return Cell(place, self.grid, self.chunk(place).shape, self.layout)


@st.composite
def _levels(draw):
    edge = draw(EDGES)
    border = draw(st.sampled_from([(1, 1, 1), (0, 1, 1)]))
    # Without a border there is one chunk along an axis.
    most = [3 * e if b else e for e, b in zip(edge, border, strict=True)]
    shape = draw(st.tuples(*(st.integers(1, n) for n in most)))
    numbers = draw(st.sampled_from([2, 200]))
    data = np.random.default_rng(draw(st.integers(0, 9))).integers(0, numbers, shape)
    level = _Level(data.astype(np.uint8), edge, border)
    places = list(product(*map(range, level.grid)))
    place = draw(st.sampled_from(places))
    beside = [
        (o, there)
        for o in NEIGHBOURS
        if (there := level.beside(place, o))
        and all(b or not s for b, s in zip(border, o, strict=True))
    ]
    first = [pair for pair in beside if draw(st.booleans())]
    later = [pair for pair in beside if pair not in first and draw(st.booleans())]
    return level, place, first, later


def _box(start, size):
    return tuple(slice(a, a + n) for a, n in zip(start, size, strict=True))


@given(_levels())
def test_a_border_that_is_copied_part_by_part_is_that_of_a_brick_made_anew(case):
    level, place, first, later = case
    own = level.slot(place, {there for _, there in first})
    cell, given_ = level.cell(place), bits_of(o for o, _ in first)
    for offset, lender in parts_to_take(cell, bits_of(o for o, _ in later), given_):
        there = level.beside(place, lender)
        # Of its own border a lender has only what is beyond the volume.
        slot = level.slot(there, ())
        target, size = cell.target(offset)
        own[_box(target, size)] = slot[_box(cell.source(offset, lender), size)]
    anew = level.slot(place, {there for _, there in (*first, *later)})
    np.testing.assert_array_equal(own, anew)


def _content(slot, level, fmt):
    padded, border = slot, level.layout.border_zyx
    octants = empty_octants(padded, level.edge, border, fmt)
    return Content.of(range_of(padded, fmt), octants, is_labels=fmt.is_integer)


@pytest.mark.parametrize("is_labels", [False, True])
@given(case=_levels())
def test_what_is_known_of_a_brick_holds_after_its_neighbours_lent(case, is_labels):
    level, place, first, later = case
    fmt = choose_format(level.data.dtype, is_labels=is_labels)
    content = _content(level.slot(place, {there for _, there in first}), level, fmt)
    cell, given_ = level.cell(place), bits_of(o for o, _ in first)
    for offset, lender in parts_to_take(cell, bits_of(o for o, _ in later), given_):
        lent = _content(level.slot(level.beside(place, lender), ()), level, fmt)
        octants = cell.octants(offset, lender)
        content.join(lent, octants, is_finite=True, is_labels=is_labels)
    now = level.slot(place, {there for _, there in (*first, *later)})
    assert content.low <= now.min()
    assert content.high >= now.max()
    true = _content(now, level, fmt).octants
    assert not content.octants & ~true, "an eighth counts as empty and is not"
    if content.octants and not is_labels:
        assert content.low == now.min(), "empty eighths hold the lowest value"


def test_an_empty_brick_beside_empty_faces_stays_empty():
    data = np.zeros((16, 16, 16), np.uint8)
    data[13:, 4:, 4:] = 9
    level = _Level(data, (8, 8, 8), (1, 1, 1))
    fmt = choose_format(data.dtype)
    content = _content(level.slot((0, 0, 0), ()), level, fmt)
    assert content.octants == ALL_OCTANTS
    assert content.octant_bits == 0, "of the table: all alike, as the range says"
    cell = level.cell((0, 0, 0))
    lent = _content(level.slot((1, 0, 0), ()), level, fmt)
    octants = cell.octants((1, 0, 0), (1, 0, 0))
    content.join(lent, octants, is_finite=True, is_labels=False)
    assert (content.low, content.high) == (0, 0)


def test_a_part_is_odd_where_its_own_voxels_are():
    texels = np.zeros((4, 4, 4), np.float32)
    texels[0, 1, 3] = np.nan
    bits = odd_parts(texels)
    lying = [o for o in NEIGHBOURS if bits & BITS[o]]
    assert lying == [(-1, 0, 0), (-1, 0, 1), (0, 0, 1)]
