"""A loop gives the same with numba and without."""

from importlib.util import find_spec

from brickfield.blockwise.compiled import compiled


def add_up(n: int) -> int:
    total = 0
    for i in range(n):
        total += i
    return total


def test_a_compiled_loop_gives_what_the_plain_one_gives():
    assert compiled(add_up)(10) == add_up(10) == 45


def test_without_numba_a_loop_stays_the_function_that_it_is():
    assert (compiled(add_up) is add_up) == (find_spec("numba") is None)
