"""Slots go where the view needs them, never beyond the budget."""

from hypothesis import given
from hypothesis import strategies as st

from brickfield.gpu.level_texture import distribute


@st.composite
def _cases(draw):
    n = draw(st.integers(1, 5))
    bytes_ = draw(st.lists(st.integers(1, 50), min_size=n, max_size=n))
    need = draw(st.lists(st.integers(0, 40), min_size=n, max_size=n))
    have = draw(st.lists(st.integers(0, 60), min_size=n, max_size=n))
    grids = draw(st.lists(st.integers(1, 80), min_size=n, max_size=n))
    spare = draw(st.integers(0, 2000))
    budget = sum(a * b for a, b in zip(need, bytes_, strict=True)) + spare
    return need, have, bytes_, grids, budget


@given(_cases())
def test_the_need_is_met_within_the_budget(case):
    need, have, bytes_, grids, budget = case
    slots = distribute(need, have, bytes_, grids, budget)
    assert all(s >= n for s, n in zip(slots, need, strict=True))
    assert sum(s * b for s, b in zip(slots, bytes_, strict=True)) <= budget


@given(_cases())
def test_nothing_moves_while_nothing_is_short(case):
    need, have, bytes_, grids, _ = case
    have = [max(n, h) for n, h in zip(need, have, strict=True)]
    budget = sum(a * b for a, b in zip(have, bytes_, strict=True))
    assert distribute(need, have, bytes_, grids, budget) == have


@given(_cases())
def test_a_level_never_grows_beyond_its_chunks_or_its_need(case):
    need, have, bytes_, grids, budget = case
    slots = distribute(need, have, bytes_, grids, budget)
    for s, n, h, g in zip(slots, need, have, grids, strict=True):
        assert s <= max(n, h, g)


def test_a_texture_that_grows_takes_as_much_again_for_the_next_views():
    assert distribute([10], [5], [1], [1000], 1000) == [20]
    assert distribute([20], [5], [1], [1000], 1000) == [29], "3 % of the budget"


def test_a_texture_of_much_of_the_budget_is_made_once_as_large_as_it_can_be():
    assert distribute([20], [5], [1], [1000], 100) == [100]
    assert distribute([20], [5], [1], [70], 100) == [70]
    assert distribute([10], [5], [1], [100], 100, 0.25) == [20], "not yet large"


def test_the_largest_texture_fits_beside_the_small_one_that_it_replaces():
    assert distribute([40], [30], [1], [2000], 1000)[0] in (969, 970)
    assert distribute([400], [30], [1], [2000], 1000)[0] in (969, 970)
    assert distribute([990], [30], [1], [2000], 1000) == [1000], "or plans do not fit"


def test_slots_that_nobody_needs_are_given_to_who_is_short():
    assert distribute([50, 10], [10, 60], [1, 1], [99, 99], 70) == [58, 12]
