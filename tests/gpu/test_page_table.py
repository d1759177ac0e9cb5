"""The table against a simulation of the shader's walk and a brute-force search."""

import functools
import importlib.util
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from brickfield.gpu.page_table import (
    CONSTANT,
    DATA,
    FAILED,
    FINER,
    GAP,
    PageTable,
    hash_words,
    pack_name,
    runs_of,
    slot_word,
)
from brickfield.model import Axis, Pyramid, ScaleLevel, pack_keys, unpack_keys

EMPTY = 0xFFFFFFFF


def _pyramid(levels):
    """Levels from (shape, chunk, voxel size, translation)."""
    return Pyramid(
        (Axis("z"), Axis("y"), Axis("x")),
        tuple(
            ScaleLevel(str(i), s, np.dtype("u1"), c, v, t, (0, 1, 2), c)
            for i, (s, c, v, t) in enumerate(levels)
        ),
    )


NESTED = _pyramid(
    [
        ((40, 48, 64), (8, 8, 8), (1.0,) * 3, (0.0,) * 3),
        ((20, 24, 32), (8, 8, 8), (2.0,) * 3, (0.5,) * 3),
        ((10, 12, 16), (8, 8, 8), (4.0,) * 3, (1.5,) * 3),
    ]
)
# Odd factors, chunks of other shapes, levels that are shifted and cut short.
NOT_NESTED = _pyramid(
    [
        ((37, 41, 50), (7, 9, 11), (1.0, 1.0, 1.0), (0.0, 0.0, 0.0)),
        ((21, 14, 31), (5, 9, 8), (1.7, 3.0, 1.6), (0.2, 1.0, 0.3)),
        ((5, 8, 10), (3, 3, 4), (7.3, 5.0, 5.0), (2.0, 0.0, 2.1)),
        ((1, 2, 3), (1, 2, 3), (37.0, 20.0, 16.0), (18.0, 9.5, 7.5)),
    ]
)
PYRAMIDS = {"nested": NESTED, "not nested": NOT_NESTED}


@functools.cache
def _geometry(pyramid):
    """Where the levels lie: each is computed anew whenever a pyramid is asked."""
    shapes, grids = pyramid.chunk_shapes, pyramid.grids_zyx
    return list(zip(pyramid.offset, pyramid.downscale, shapes, grids, strict=True))


def _cell_of(pyramid, level, point):
    """The cell of one level at a point; ends of the grid reach outwards."""
    offset, downscale, chunk_shape, grid = _geometry(pyramid)[level]
    cell = np.floor(((point - offset) / downscale + 0.5) / chunk_shape).astype(int)
    return np.minimum(np.maximum(cell, 0), grid - 1)


def _lookup(rows, plane, level, cell):
    """What page_lookup in pages.wgsl does."""
    z, y, x = (int(i) for i in cell)
    low = (x | y << 15 | z << 30) & EMPTY
    high = (z >> 2 | level << 13 | plane << 17) & EMPTY
    row = hash_words(low, high) & (len(rows) - 1)
    for _ in range(256):
        page = rows[row].tolist()
        if page[0] == low and page[1] == high:
            return page[2]
        if page[0] == EMPTY and page[1] == EMPTY:
            break
        row = (row + 1) & (len(rows) - 1)
    return 0


def _walk(table, pyramid, point, plane, hint):
    """What locate in pages.wgsl does: the level and value that it finds."""
    top = pyramid.n_levels - 1
    level, found, is_from_top = hint, (-1, 0), hint == top
    for _ in range(40):
        cell = _cell_of(pyramid, level, point)
        value = _lookup(table.rows, plane, level, cell)
        if value & (DATA | CONSTANT):
            found = (level, value & ~FINER)
        if value & FINER and level > 0:
            level -= 1
        elif found[0] < 0 and not is_from_top:
            level, is_from_top = top, True
        else:
            break
    return found


def _finest(active, pyramid, point, plane):
    """Brute force: the finest active chunk at a point."""
    for level in range(pyramid.n_levels):
        key = int(pack_keys(level, _cell_of(pyramid, level, point)))
        value = active.get((plane, key), 0)
        if value & (DATA | CONSTANT):
            return level, value
    return -1, 0


@functools.cache
def _points(pyramid, n=25):
    """Random points that are not just on a face of any level's grid."""
    rng = np.random.default_rng(0)
    points = rng.random((8 * n, 3)) * pyramid.shapes_zyx[0] - 0.5
    keep = np.ones(len(points), bool)
    for level in range(pyramid.n_levels):
        q = (points - pyramid.offset[level]) / pyramid.downscale[level] + 0.5
        away = np.abs(q - np.rint(q))
        keep &= (away > 5e-3).all(axis=1)
    return points[keep][:n]


def _name(pyramid, level, where, plane):
    level %= pyramid.n_levels
    index = [w % g for w, g in zip(where, _geometry(pyramid)[level][3], strict=True)]
    return plane, int(pack_keys(level, np.array(index)))


STEPS = st.lists(
    st.tuples(
        st.sampled_from(["data", "constant", "failed", "remove", "remove"]),
        st.integers(0, 3),
        st.tuples(*[st.integers(0, 63)] * 3),
        st.integers(0, 1),
    ),
    max_size=60,
)


@pytest.mark.parametrize("kind", PYRAMIDS)
@given(steps=STEPS)
@settings(max_examples=40)
def test_every_point_finds_its_finest_active_chunk(kind, steps):
    pyramid = PYRAMIDS[kind]
    table, active = PageTable(pyramid, capacity=8), {}
    for what, level, where, plane in steps:
        name = _name(pyramid, level, where, plane)
        if what == "remove":
            table.remove(name)
            active.pop(name, None)
        else:
            value = {"data": DATA | 5, "constant": CONSTANT, "failed": FAILED}[what]
            table.set(name, value, 7)
            active[name] = value
    assert {n: table.value_of(n) for n in table.active} == active
    levels = [int(unpack_keys(np.int64(key))[0]) for _, key in active]
    assert table.n_active == tuple(map(levels.count, range(pyramid.n_levels)))
    for point in _points(pyramid):
        for plane in (0, 1):
            expected = _finest(active, pyramid, point, plane)
            for hint in range(pyramid.n_levels):
                assert _walk(table, pyramid, point, plane, hint) == expected


@pytest.mark.parametrize("kind", PYRAMIDS)
@given(steps=STEPS)
@settings(max_examples=20)
def test_removing_everything_leaves_no_row(kind, steps):
    pyramid = PYRAMIDS[kind]
    table = PageTable(pyramid, capacity=8)
    for _, level, where, plane in steps:
        table.set(_name(pyramid, level, where, plane), DATA, 0)
    for _, level, where, plane in steps:
        table.remove(_name(pyramid, level, where, plane))
    assert len(table) == sum(table.n_active) == 0
    assert (table.rows[:, 0] >= EMPTY - 1).all()


def _longer(pyramid, n):
    """The same image with n more chunks of the finest level along z, and not whole ones."""
    first = pyramid.levels[0]
    z = first.shape[0] + n * first.chunk_shape[0]
    levels = []
    for level in pyramid.levels:
        ratio = level.voxel_size[0] / first.voxel_size[0]
        # Rounded down: coarse levels end before the finest one.
        levels.append(replace(level, shape=(max(1, int(z / ratio)), *level.shape[1:])))
    return replace(pyramid, levels=tuple(levels))


@pytest.mark.parametrize("kind", PYRAMIDS)
@given(steps=STEPS, lengths=st.lists(st.integers(1, 9), min_size=1, max_size=5))
@settings(max_examples=40)
def test_in_an_image_that_grows_every_point_finds_its_finest_chunk(
    kind, steps, lengths
):
    pyramid = PYRAMIDS[kind]
    table, active = PageTable(pyramid, capacity=8), {}
    for number, (what, level, where, plane) in enumerate(steps):
        if number < len(lengths):
            pyramid = _longer(pyramid, lengths[number])
            table.grow(pyramid)
        name = _name(pyramid, level, where, plane)
        if what == "remove":
            table.remove(name)
            active.pop(name, None)
        else:
            table.set(name, DATA | 5, 7)
            active[name] = DATA | 5
    pyramid = _longer(pyramid, lengths[-1])
    table.grow(pyramid)
    for point in _points(pyramid):
        for plane in (0, 1):
            expected = _finest(active, pyramid, point, plane)
            assert _walk(table, pyramid, point, plane, pyramid.n_levels - 1) == expected
    for name in active:
        table.remove(name)
    assert len(table) == 0


def test_a_table_of_constant_size_is_not_rebuilt_by_what_comes_and_goes():
    """A search goes on past removed rows, so they count as used until they are empty."""
    table = PageTable(NESTED, capacity=1 << 10)
    names = [
        (plane, int(pack_keys(0, np.array(index))))
        for plane in range(8)
        for index in np.ndindex(4, 4, 4)
    ]
    for name in names[:200]:
        table.set(name, DATA, 0)
    before = table.generation
    for step in range(2000):
        table.set(names[(step + 200) % len(names)], DATA, 0)
        table.remove(names[step % len(names)])
    assert table.generation == before


@given(st.sets(st.integers(0, 2000)))
def test_runs_hold_all_changed_rows_and_only_short_gaps(rows):
    ordered = sorted(rows)
    runs = runs_of(np.array(ordered, dtype=np.int64))
    held = [row for first, end in runs for row in range(first, end)]
    assert held == sorted(held)
    assert rows <= set(held)
    assert {row for run in runs for row in (run[0], run[1] - 1)} <= rows
    for (_, end), (first, _) in pairwise(runs):
        assert first - end >= GAP


def test_a_chunk_between_two_others_can_go():
    # The finer one stays in sight of rays that begin at the coarser one.
    table = PageTable(NESTED)
    names = [_name(NESTED, level, (0, 0, 0), 0) for level in range(3)]
    for name in reversed(names):
        table.set(name, DATA, 0)
    table.remove(names[1])
    assert _walk(table, NESTED, np.array([3.0, 3.1, 3.2]), 0, 2) == (0, DATA)


def test_changed_rows_are_all_that_has_to_be_sent():
    table = PageTable(NESTED)
    sent = table.rows.copy()
    for step in range(40):
        name = _name(NESTED, step % 3, (step, 3 * step, 5 * step), 0)
        if step % 4:
            table.set(name, DATA | step, step)
        else:
            table.remove(name)
        for first, end in runs_of(table.take_dirty()):
            sent[first:end] = table.rows[first:end]
        np.testing.assert_array_equal(sent, table.rows)
    assert not len(table.take_dirty())


def test_the_same_value_again_sends_nothing():
    table = PageTable(NESTED)
    name = _name(NESTED, 0, (1, 1, 1), 0)
    table.set(name, DATA, 3)
    table.take_dirty()
    table.set(name, DATA, 3)
    assert not len(table.take_dirty())


def test_a_growing_table_asks_to_be_sent_anew():
    table = PageTable(NESTED, capacity=8)
    before = table.generation
    for i in range(12):
        table.set(_name(NESTED, 0, (0, i % 6, i), 0), DATA, 0)
    assert table.generation > before
    assert len(table.rows) >= 2 * len(table)


def test_one_chunk_writes_only_its_row_and_its_ancestors():
    # The volume is 4096 voxels wide; only what is active costs anything.
    big = _pyramid(
        [
            ((4096 >> i,) * 3, (64,) * 3, (2.0**i,) * 3, (2.0**i / 2 - 0.5,) * 3)
            for i in range(7)
        ]
    )
    table, rows, n = PageTable(big), 0, 0
    rng = np.random.default_rng(1)
    for index in rng.integers(0, 64, (500, 3)):
        table.set((0, int(pack_keys(0, index))), DATA, 0)
        rows += sum(end - first for first, end in runs_of(table.take_dirty()))
        n += 1
    assert 16 * rows / n <= 1024


def test_the_hash_of_the_shader_is_that_of_the_table():
    path = importlib.util.find_spec("brickfield.gpu").submodule_search_locations[0]
    from pathlib import Path

    text = Path(path, "wgsl", "pages.wgsl").read_text("utf-8")
    for constant in ("0x9E3779B1u", "0x85EBCA77u", "0x2C1B3C6Du"):
        assert constant in text


@given(
    st.integers(0, 4095),
    st.integers(0, 15),
    st.tuples(*[st.integers(0, (1 << 15) - 1)] * 3),
)
def test_two_names_never_pack_alike(plane, level, index):
    key = int(pack_keys(level, np.array(index)))
    low, high = pack_name((plane, key))
    assert low < 1 << 32
    assert high < 1 << 32
    z = low >> 30 | (high & 0x1FFF) << 2
    back = (z, low >> 15 & 0x7FFF, low & 0x7FFF)
    assert (high >> 17, high >> 13 & 15, back) == (plane, level, index)
    assert unpack_keys(np.int64(key))[0] == level


def test_full_tables_are_found_within_the_probes_of_the_shader():
    big = _pyramid([((640, 640, 640), (8, 8, 8), (1.0,) * 3, (0.0,) * 3)])
    table = PageTable(big)
    grid = np.indices((40, 40, 20)).reshape(3, -1).T
    for key in pack_keys(0, grid).tolist():
        table.set((0, key), DATA | 1, 0)
    assert all(_lookup(table.rows, 0, 0, index) == DATA | 1 for index in grid[::97])
    used = table.rows[:, 0] != EMPTY
    ends = np.flatnonzero(np.diff(np.concatenate([[0], used, [0]])) == -1)
    starts = np.flatnonzero(np.diff(np.concatenate([[0], used, [0]])) == 1)
    assert (ends - starts).max() < 256


def test_slots_pack_into_18_bits():
    assert slot_word((63, 63, 63)) == (1 << 18) - 1
    assert slot_word((1, 2, 3)) == 1 | 2 << 6 | 3 << 12


def test_the_last_cell_of_a_level_lies_under_all_cells_beyond_it():
    """The shader and the plan let it reach outwards without end; so does the table."""
    pyramid = _pyramid(
        [
            ((16, 16, 16), (8, 8, 8), (1, 1, 1), (0, 0, 0)),
            ((32, 16, 12), (8, 8, 8), (1, 1, 1), (-8, 0, 0)),
        ]
    )
    table = PageTable(pyramid)

    def parents(*index):
        (key,) = pack_keys(0, np.array([index]))
        level, indices = unpack_keys(np.array(table.parents_of(int(key))))
        assert (level == 1).all()
        return [sorted(set(column)) for column in indices.T.tolist()]

    assert parents(0, 0, 0) == [[0, 1], [0], [0]]
    assert parents(1, 1, 1) == [[2, 3], [1], [1]]
