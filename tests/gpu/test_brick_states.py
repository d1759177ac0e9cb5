"""What is wanted, missing, drawn and resident is what plain sets of names would say."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    invariant,
    rule,
    run_state_machine_as_test,
)

from brickfield.gpu import CONSTANT, DATA, FAILED, Wanted, codes_of
from brickfield.gpu.page_table import TARGET
from brickfield.model import pack_keys
from brickfield.model.requests import ChunkState, LoadedChunk

pytestmark = pytest.mark.gpu

SLOTS = 40


def names_of(pyramid):
    """All chunks of two planes, coarse ones last."""
    return [
        (plane, int(key))
        for plane in range(2)
        for level, grid in enumerate(pyramid.grids_zyx.tolist())
        for key in pack_keys(level, np.indices(grid).reshape(3, -1).T)
    ]


class Bricks(RuleBasedStateMachine):
    """One set of bricks beside sets of names that follow the rules one by one."""

    make_stage = None

    def __init__(self):
        super().__init__()
        self.stage = self.make_stage()
        self.bricks, self.names = self.stage.bricks, names_of(self.stage.pyramid)
        self.wanted, self.missing, self.drawn = {}, set(), {}

    def teardown(self):
        self.stage.close()

    def _pick(self, rows):
        return [self.names[row % len(self.names)] for row in rows]

    @rule(
        rows=st.lists(st.integers(0, 200), max_size=SLOTS),
        bits=st.integers(0, 2**SLOTS),
        n_empty=st.integers(0, 6),
    )
    def want(self, rows, bits, n_empty):
        named = list(dict.fromkeys(self._pick(rows)))
        plan = {name: bool(bits >> i & 1) for i, name in enumerate(named)}
        empty = set(named[len(named) - min(n_empty, len(named)) :])
        plan |= dict.fromkeys(empty, True)
        self.bricks.want(self._arrays(plan, empty))
        self._follow(plan, empty)

    def _arrays(self, plan, empty):
        by_plane = {}
        for plane in range(2):
            keys = [k for p, k in plan if p == plane and (p, k) not in empty]
            is_target = [plan[plane, key] for key in keys]
            constant = sorted(k for p, k in empty if p == plane)
            by_plane[plane] = codes_of(
                np.array(keys, np.int64),
                np.array(is_target, bool),
                np.array(constant, np.int64),
            )
        return Wanted(by_plane)

    def _follow(self, plan, empty):
        before, self.wanted = self.wanted, plan
        was_empty, self.empty = getattr(self, "empty", set()), empty
        self.missing &= plan.keys()
        changed = {
            name
            for name, is_target in plan.items()
            if before.get(name) != is_target or (name in empty) != (name in was_empty)
        }
        for name in changed:
            if name in empty and self.drawn.get(name) in (None, FAILED):
                self.drawn[name] = CONSTANT
                self.missing.discard(name)
            if name not in self.drawn:
                self.missing.add(name)

    @rule(row=st.integers(0, 200), kind=st.sampled_from(["data", "missing", "failed"]))
    def arrive(self, row, kind):
        (name,) = self._pick([row])
        if name not in self.wanted or name in self.empty:
            return
        self.missing.discard(name)
        if kind == "data":
            self.bricks.accept(name, self.stage.chunk((0, name[1])))
            self.drawn[name] = DATA
        elif name not in self.bricks.atlas:
            state = ChunkState.MISSING if kind == "missing" else ChunkState.FAILED
            self.bricks.accept(name, LoadedChunk(name[1], (), state, None, 7.0, 7.0))
            self.drawn[name] = CONSTANT if kind == "missing" else FAILED
        # Chunks that no plan names may have given their slots.
        for other in [n for n, kind in self.drawn.items() if kind == DATA]:
            if other not in self.bricks.atlas:
                assert other not in self.wanted
                del self.drawn[other]

    @rule()
    def retire(self):
        self.bricks.retire()
        gone = self.drawn.keys() - self.bricks.table.active
        assert not gone & self.wanted.keys()
        for name in gone:
            del self.drawn[name]

    @rule(row=st.integers(0, 200))
    def renew(self, row):
        (name,) = self._pick([row])
        is_resident = name in self.bricks.atlas
        self.bricks.renew(name)
        if name in self.wanted:
            self.missing.add(name)
        elif is_resident:
            self.drawn.pop(name, None)
            assert name not in self.bricks.atlas

    @rule()
    def forget_all(self):
        self.bricks.forget_all()
        self.wanted, self.missing, self.drawn, self.empty = {}, set(), {}, set()

    @invariant()
    def is_what_the_names_say(self):
        bricks = self.bricks
        assert dict(bricks.wanted) == self.wanted
        assert bricks.missing == self.missing
        assert len(bricks.missing) == len(self.missing)
        assert set(bricks.idle) == set(bricks.table.active) - self.wanted.keys()
        for plane in range(2):
            arrays = bricks.missing.array(plane), bricks.table.active.array(plane)
            sets = self.missing, set(bricks.table.active)
            for array, names in zip(arrays, sets, strict=True):
                assert array.tolist() == sorted(k for p, k in names if p == plane)
            keys = np.array(sorted(k for p, k in self.names if p == plane))
            is_here = bricks.atlas.are_resident(plane, keys).tolist()
            assert is_here == [(plane, k) in bricks.atlas for k in keys.tolist()]
        for name in self.drawn.keys() & self.wanted.keys():
            value = bricks.table.value_of(name)
            assert value & self.drawn[name]
            assert bool(value & TARGET) == self.wanted[name]


def test_bricks_follow_any_order_of_plans_arrivals_and_changes(harness):
    def make():
        arrays = [np.full((32 >> i,) * 3, 9 - i, np.uint8) for i in range(3)]
        pyramid = harness.pyramid_of([a.shape for a in arrays], np.uint8, (8, 8, 8))
        budget = SLOTS * 12**3
        look = harness.look_of(contrast=(0, 255))
        return harness.Stage(pyramid, [arrays, arrays], look, budget=budget)

    machine = type("Machine", (Bricks,), {"make_stage": staticmethod(make)})
    run_state_machine_as_test(
        machine,
        settings=settings(max_examples=25, stateful_step_count=25, deadline=None),
    )
