"""Results that are kept within two limits."""

import numpy as np
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from brickfield.transforms.requests.cache import ResultCache


class CacheMachine(RuleBasedStateMachine):
    """Beside a list of (key, size) in the order of use."""

    def __init__(self):
        super().__init__()
        self.cache = ResultCache(4, 100)
        self.model = []

    @rule(key=st.sampled_from("abcdefgh"), size=st.integers(0, 120))
    def put(self, key, size):
        self.cache.put(key, np.zeros(size, np.uint8))
        self.model = [(k, n) for k, n in self.model if k != key]
        if size <= 100:
            self.model.append((key, size))
            while len(self.model) > 4 or sum(n for _, n in self.model) > 100:
                self.model.pop(0)

    @rule(key=st.sampled_from("abcdefgh"))
    def get(self, key):
        found = self.cache.get(key)
        known = dict(self.model)
        assert (found is not None) == (key in known)
        if found is not None:
            assert found.nbytes == known[key]
            self.model.sort(key=lambda entry: entry[0] == key)

    @precondition(lambda self: self.model)
    @rule()
    def clear(self):
        self.cache.clear()
        self.model = []

    @invariant()
    def both_limits_hold(self):
        assert len(self.cache) == len(self.model) <= 4
        assert self.cache.n_bytes == sum(n for _, n in self.model) <= 100


TestCache = CacheMachine.TestCase


def test_a_cache_of_no_entries_keeps_nothing():
    cache = ResultCache(0, 100)
    cache.put("a", np.zeros(1))
    assert cache.get("a") is None
