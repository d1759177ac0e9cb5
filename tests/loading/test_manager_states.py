"""Whatever is requested, taken, dropped and broken in any order, chunks end rightly.

A machine of random acts on a manager, beside a model that knows what each visual
requested and has not got. Reads may be held back by a gate, fail for a while or for
good, and the voxels may change under way; no rule depends on when a thread runs.
"""

from __future__ import annotations

import numpy as np
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
)

from brickfield.loading.cache.chunk_cache import ENTRY_BYTES, ChunkCache
from brickfield.loading.manager import ChunkManager
from brickfield.loading.retry import RetryRules
from brickfield.model.changes import ChunkChange
from brickfield.model.requests import ChunkState
from brickfield.testing import MemorySource
from brickfield.testing.loading import all_keys, ask, numbers, take_all, voxels_of

SHAPE, STORAGE, CHUNK = (2, 8, 8, 8), (1, 3, 4, 8), (4, 4, 4)
VISUALS = st.sampled_from("ab")
CHANNELS = st.sampled_from([(0,), (1,)])
PLACES = st.tuples(st.integers(0, 1), st.integers(0, 2), st.integers(0, 1), st.just(0))
SHORT = RetryRules((0.001, 0.002, 0.003))
CHUNK_BYTES = 4 * 64 + ENTRY_BYTES


class Manager(RuleBasedStateMachine):
    """Random acts on one manager; `owed` is what each visual has to get yet."""

    @initialize(budget=st.sampled_from([1, 3 * CHUNK_BYTES, 1 << 20]))
    def begin(self, budget):
        self.source = MemorySource(
            [numbers(SHAPE, np.uint32)], STORAGE, axes="czyx", chunk=CHUNK
        )
        self.keys = all_keys(self.source).tolist()
        self.budget = budget
        self.cache = ChunkCache(budget)
        self.manager = ChunkManager(self.source, cache=self.cache, retry=SHORT)
        self.named, self.owed, self.again, self.is_whole = {}, {}, {}, {}
        self.is_broken = False

    @rule(
        visual=VISUALS,
        channel=CHANNELS,
        rows=st.lists(st.integers(0, 7), unique=True),
        is_both=st.booleans(),
    )
    def request(self, visual, channel, rows, is_both):
        """A request replaces the former one: what it does not name is not owed."""
        channels = [(0,), (1,)] if is_both else [channel]
        keys = [self.keys[row] for row in rows]
        self.manager.request_chunks(
            [ask(keys, c, visual_id=visual) for c in channels], visual
        )
        names = {(c, key) for c in channels for key in keys}
        self.named[visual] = names
        self.owed[visual] = set(names)
        self.again[visual] = set()

    @rule(visual=VISUALS, most=st.integers(1, 4))
    def take(self, visual, most):
        self.check(visual, self.manager.take_ready(visual, most))

    @rule(visual=VISUALS)
    def release(self, visual):
        self.manager.release(visual)
        for known in (self.named, self.owed, self.again):
            known.pop(visual, None)
        assert self.manager.take_ready(visual) == []

    @rule()
    def hold_reads(self):
        self.source.gate.clear()

    @rule()
    def let_reads_go(self):
        self.source.gate.set()

    @rule(place=PLACES, times=st.sampled_from([1, 2, None]))
    def break_storage(self, place, times):
        self.is_broken = True
        self.source.fail(0, place, times=times)

    @rule()
    def empty_the_cache(self):
        self.cache.clear()

    @rule()
    def change_all(self):
        """All voxels change: what was not taken comes with the new ones."""
        self.source.arrays[0] = self.source.arrays[0] + 1000
        self.manager.forget()
        for visual, names in self.named.items():
            self.owed[visual] = set(names)
            self.again[visual] = set()

    @rule(channel=CHANNELS, row=st.integers(0, 7))
    def change_one(self, channel, row):
        """A box of voxels changes: chunks under it that wait bring the new ones."""
        corner = tuple(4 * int(i) for i in np.unravel_index(row, (2, 2, 2)))
        low = np.array([channel[0], *corner])
        box = tuple(slice(a, a + n) for a, n in zip(low, (1, 4, 4, 4), strict=True))
        changed = self.source.arrays[0].copy()
        changed[box] += 1000
        self.source.arrays[0] = changed
        ends = tuple((s.start, s.stop) for s in box)
        index = tuple(a // 4 for a in corner)
        self.manager.forget_changed(
            ChunkChange(0, ends, ends[:1], index, tuple(i + 1 for i in index))
        )

    @precondition(lambda self: self.source.gate.is_set())
    @rule(visual=VISUALS)
    def wait(self, visual):
        """Who waits gets all that is owed, unless others fill the budget."""
        self.check(visual, take_all(self.manager, visual))
        assert not self.owed.get(visual)
        assert self.manager.status(visual).is_complete

    @precondition(lambda self: self.source.gate.is_set() and self.is_broken)
    @rule()
    def repair(self):
        """After another try without faults every wanted chunk is whole."""
        self.source.heal()
        self.is_broken = False
        for visual in self.named:
            self.check(visual, take_all(self.manager, visual))
        for visual in self.named:
            self.manager.retry_failed(visual)
            for other, names in self.named.items():
                self.again[other] |= names
        for visual, names in self.named.items():
            self.check(visual, take_all(self.manager, visual))
            assert all(self.is_whole[visual, name] for name in names)
            assert self.manager.failures(visual) == []

    def check(self, visual, taken):
        """Each chunk is owed, comes once, and holds the voxels of now."""
        for chunk in taken:
            name = (chunk.selection, chunk.key)
            if name in self.owed[visual]:
                self.owed[visual].remove(name)
            else:
                self.again[visual].remove(name)
            self.is_whole[visual, name] = chunk.is_whole
            if chunk.data is not None:
                known = chunk.is_known()
                expected = voxels_of(self.source, chunk.key, chunk.selection)
                assert np.array_equal(chunk.data[known], expected[known])
            assert chunk.state is not ChunkState.MISSING

    @invariant()
    def the_budget_and_the_window_hold(self):
        if hasattr(self, "manager"):
            assert self.cache.nbytes <= self.budget
            assert self.cache.peak_bytes <= self.budget
            assert self.source.max_at_once <= self.source.concurrency

    @invariant()
    def what_is_told_is_what_was_asked(self):
        for visual, names in getattr(self, "named", {}).items():
            assert self.manager.status(visual).wanted == len(names)
            waiting = {(c.selection, c.key) for c in self.manager.waiting(visual)}
            assert waiting <= self.owed[visual] | self.again[visual]

    def teardown(self):
        if not hasattr(self, "manager"):
            return
        self.source.gate.set()
        for visual in list(self.named):
            self.check(visual, take_all(self.manager, visual))
            assert not self.owed[visual]
        for visual in list(self.named):
            self.manager.release(visual)
        self.manager.close()
        assert self.cache.reserved_bytes == 0


TestManager = Manager.TestCase
TestManager.settings = settings(max_examples=60, stateful_step_count=25)
