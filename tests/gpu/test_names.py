"""Names by array are the names by set, whatever comes and goes."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from brickfield.gpu import MissingNames, NameSet, Wanted
from brickfield.gpu.names import WantedNames

names = st.tuples(st.integers(0, 2), st.integers(0, 30))
plans = st.dictionaries(names, st.booleans(), max_size=30)


@given(st.lists(st.tuples(st.sampled_from(["add", "discard", "clear", "look"]), names)))
def test_the_arrays_of_a_set_hold_what_came_and_did_not_go(steps):
    found, plain = NameSet(), set()
    for step, name in steps:
        if step == "look":
            assert found.array(name[0]).tolist() == sorted(
                k for p, k in plain if p == name[0]
            )
        elif step == "clear":
            found.clear()
            plain.clear()
        else:
            getattr(found, step)(name)
            getattr(plain, step)(name)
        assert (found, len(found)) == (plain, len(plain))
        assert (name in found) == (name in plain)


@given(st.lists(st.tuples(plans, st.lists(st.tuples(names, st.booleans())))))
def test_what_stays_named_is_missing_as_it_was(steps):
    wanted, before = WantedNames(), Wanted({})
    missing, plain, named = MissingNames(wanted), set(), {}
    for plan, notes in steps:
        after = Wanted.of(plan)
        gone, changed = after.changes(before)
        wanted.replace(after.by_plane, gone, changed)
        before, named = after, plan
        plain &= plan.keys()
        assert dict(wanted) == named
        for name, is_missing in notes:
            wanted.set_missing(name, is_missing=is_missing)
            if name in named:
                (plain.add if is_missing else plain.discard)(name)
            assert wanted.get(name) == named.get(name)
        assert missing == plain
        assert len(missing) == len(plain)
        assert all((n in missing) == (n in plain) for n, _ in notes)
        for plane in range(3):
            keys = missing.array(plane)
            assert keys.tolist() == sorted(k for p, k in plain if p == plane)


def test_many_chunks_are_noted_as_missing_at_once():
    wanted = WantedNames()
    plan = Wanted.of({(1, key): False for key in range(9)})
    wanted.replace(plan.by_plane, {}, plan.by_plane)
    wanted.set_all_missing(1, np.array([2, 3, 5]), is_missing=True)
    wanted.set_all_missing(1, np.array([3]), is_missing=False)
    assert MissingNames(wanted) == {(1, 2), (1, 5)}
