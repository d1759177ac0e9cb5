"""Readers together keep within what one of them might take."""

from concurrent.futures import ThreadPoolExecutor

from brickfield.sources.io.in_flight import Gate


def always():
    return True


def test_more_than_fits_waits_until_room_is_given_back():
    gate = Gate(10)
    gate.take(6, always)
    with ThreadPoolExecutor(1) as pool:
        second = pool.submit(gate.take, 5, always)
        assert not second.done()
        gate.give(6)
        assert second.result(10)
    assert gate.taken_bytes == 5


def test_what_is_larger_than_the_gate_goes_through_alone():
    gate = Gate(10)
    with gate.room(50), ThreadPoolExecutor(1) as pool:
        assert gate.taken_bytes == 50
        assert not pool.submit(gate.take, 1, lambda: False).result(10)
    assert gate.taken_bytes == 0


def test_room_is_given_in_the_order_of_asking():
    """A large one is not overtaken for ever by small ones."""
    gate = Gate(10)
    gate.take(6, always)
    with ThreadPoolExecutor(2) as pool:
        large = pool.submit(gate.take, 9, always)
        while not gate.n_waiting:
            pass
        small = pool.submit(gate.take, 1, lambda: not large.done())
        gate.give(6)
        assert large.result(10)
        assert small.result(10)
