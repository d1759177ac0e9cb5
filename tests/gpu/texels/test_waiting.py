"""A brick is due once all that it waits for has come."""

from brickfield.gpu.texels.waiting import WaitingBricks

A, B, C, D = ((0, i) for i in range(4))


def _due(waiting):
    found = []
    while waiting.is_due:
        found.append(waiting.next_due())
    return found


def test_a_brick_is_due_when_the_last_one_came():
    waiting = WaitingBricks()
    waiting.add(A, {B, C}, ())
    waiting.arrived(B)
    assert _due(waiting) == []
    waiting.arrived(C)
    assert _due(waiting) == [A]


def test_a_brick_is_due_once_however_many_come():
    waiting = WaitingBricks()
    waiting.add(A, set(), (B, C))
    waiting.arrived(B)
    waiting.arrived(C)
    assert _due(waiting) == [A]


def test_a_brick_that_waits_for_others_is_not_due_for_one_that_was_not_expected():
    waiting = WaitingBricks()
    waiting.add(A, {B}, (C,))
    waiting.arrived(C)
    assert _due(waiting) == []
    waiting.arrived(B)
    assert _due(waiting) == [A]


def test_what_is_expected_no_longer_is_not_waited_for():
    waiting = WaitingBricks()
    waiting.add(A, {B, C}, ())
    waiting.arrived(B)
    waiting.give_up({C, D})
    assert _due(waiting) == [A]
    assert not waiting.is_waiting


def test_what_was_given_up_and_comes_makes_its_neighbours_due():
    waiting = WaitingBricks()
    waiting.add(A, {B}, ())
    waiting.give_up({B})
    assert _due(waiting) == [A]
    waiting.arrived(B)
    assert _due(waiting) == [A]


def test_what_was_forgotten_is_never_due():
    waiting = WaitingBricks()
    waiting.add(A, {B}, (C,))
    waiting.plan((D,))
    waiting.forget(A)
    waiting.forget(D)
    waiting.arrived(B)
    waiting.arrived(C)
    assert _due(waiting) == []


def test_a_brick_that_waits_is_not_made_due_by_a_plan():
    waiting = WaitingBricks()
    waiting.add(A, {B}, ())
    waiting.plan((A, C))
    assert _due(waiting) == [C]
