"""What a plan changes is found by whole arrays, and is what sets of names would say."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from brickfield.gpu import Wanted, codes_of
from brickfield.gpu.page_table import DATA, PageTable
from brickfield.gpu.wanted import IS_CONSTANT, IS_TARGET, Overdrawn, keys_of
from brickfield.model import ChunkId, unpack_keys
from brickfield.sample import VirtualImage, VirtualSource

PYRAMID = VirtualSource(VirtualImage((256, 192, 130), storage_chunk=(32, 32, 32))).info
names = st.dictionaries(
    st.tuples(st.integers(0, 2), st.integers(0, 30)), st.booleans(), max_size=40
)


@given(names, names)
def test_a_change_is_what_the_names_differ_by(before, after):
    gone, changed = Wanted.of(after).changes(Wanted.of(before))
    left = {(p, k) for p, keys in gone.items() for k in keys.tolist()}
    came = {
        (p, c >> 2): bool(c & IS_TARGET)
        for p, codes in changed.items()
        for c in codes.tolist()
    }
    assert left == before.keys() - after.keys()
    assert came == dict(after.items() - before.items())


@given(
    st.dictionaries(st.integers(0, 60), st.booleans(), max_size=30),
    st.sets(st.integers(0, 60), max_size=10),
    st.sets(st.integers(0, 60), max_size=10),
)
def test_every_chunk_has_one_code_and_the_plan_decides_its_bits(plan, empty, extra):
    empty = empty - plan.keys()
    keys = np.array(list(plan), dtype=np.int64)
    codes = codes_of(
        keys,
        np.array(list(plan.values()), dtype=bool),
        np.array(sorted(empty), dtype=np.int64),
        extra=list(extra),
    )
    assert keys_of(codes).tolist() == sorted({*plan, *empty, *extra})
    bits = {c >> 2: c & 3 for c in codes.tolist()}
    for key, is_target in plan.items():
        assert bits[key] == is_target * IS_TARGET
    assert all(bits[key] == IS_TARGET | IS_CONSTANT for key in empty)
    assert all(bits[key] == 0 for key in extra - plan.keys() - empty)


def _centre_lies_below(key, other):
    """Whether a chunk's centre lies in a coarser one."""
    (level, at), (coarse, there) = (
        (int(n), i)
        for n, i in (
            (int(unpack_keys(np.array(k))[0]), unpack_keys(np.array(k))[1])
            for k in (key, other)
        )
    )
    if coarse <= level:
        return False
    pyramid = PYRAMID.pyramid
    middle = (at + 0.5) * 32 - 0.5
    place = middle * pyramid.downscale[level] + pyramid.offset[level]
    index = (place - pyramid.offset[coarse]) / pyramid.downscale[coarse] + 0.5
    limit = pyramid.grids_zyx[coarse] - 1
    return bool((np.clip(np.floor(index / 32), 0, limit) == there).all())


@st.composite
def _chunks(draw):
    level = draw(st.integers(0, PYRAMID.pyramid.n_levels - 1))
    grid = PYRAMID.pyramid.grids_zyx[level].tolist()
    index = tuple(draw(st.integers(0, min(n, 3) - 1)) for n in grid)
    return ChunkId(level, index).key


@given(st.lists(st.tuples(st.sampled_from("dwrn"), _chunks()), max_size=40))
def test_chunks_leave_when_a_drawn_leaf_lies_over_them_and_only_then(steps):
    table = PageTable(PYRAMID.pyramid)
    overdrawn = Overdrawn(PYRAMID.pyramid, table)
    wanted: dict[tuple[int, int], bool] = {}
    for step, key in steps:
        name = (0, key)
        if step == "d":
            table.set(name, DATA, 0)
            overdrawn.add(name, is_target=wanted.get(name))
        elif step == "w":
            wanted[name] = True
            overdrawn.names.discard(name)
            if name in table:
                overdrawn.add(name, is_target=True)
        elif step == "n" and wanted.pop(name, False) and name in table:
            overdrawn.add(name, is_target=None)
        elif step == "r":
            gone = set(overdrawn.replaced(Wanted.of(wanted), wanted))
            idle = set(table.active) - wanted.keys()
            leaves = [n for n in wanted if n in table]
            assert gone == {
                n for n in idle if any(_centre_lies_below(n[1], o[1]) for o in leaves)
            }
            for other in gone:
                table.remove(other)
                overdrawn.names.discard(other)
            assert overdrawn.names == set(table.active) - wanted.keys()
