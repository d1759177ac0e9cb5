"""What the interpreter is set to while much is loaded, and that it is put back."""

import gc
import sys

import pytest

from brickfield.viewer.interpreter import (
    RARELY,
    SWITCH_S,
    begin_loading,
    loading,
    quick_turns,
)


@pytest.fixture(autouse=True)
def as_python_begins():
    threshold, interval = gc.get_threshold(), sys.getswitchinterval()
    gc.set_threshold(700, 10, 10)
    sys.setswitchinterval(0.005)
    yield
    gc.set_threshold(*threshold)
    sys.setswitchinterval(interval)


def settings():
    return gc.get_threshold(), round(sys.getswitchinterval(), 4)


BEFORE = (700, 10, 10), 0.005
EASED = (700, 10, 10 * RARELY), SWITCH_S


def test_the_last_load_that_ends_puts_the_settings_back():
    first = begin_loading()
    assert settings() == EASED
    with loading():
        first()
        assert settings() == EASED
    assert settings() == BEFORE


def test_a_load_that_is_ended_twice_ends_no_other_one():
    first, second = begin_loading(), begin_loading()
    first()
    first()
    assert settings() == EASED
    second()
    assert settings() == BEFORE


def test_work_beside_the_window_leaves_the_collections_as_they_are():
    with quick_turns(), loading():
        assert settings() == EASED
    with quick_turns():
        assert settings() == ((700, 10, 10), SWITCH_S)
    assert settings() == BEFORE


def test_what_fails_while_it_loads_leaves_the_settings_as_they_were():
    with pytest.raises(ValueError, match="not this"), loading():
        raise ValueError("not this")
    assert settings() == BEFORE


def test_what_somebody_else_sets_meanwhile_stays():
    with loading():
        gc.set_threshold(5, 6, 7)
        sys.setswitchinterval(0.02)
    assert settings() == ((5, 6, 7), 0.02)


def test_a_shorter_interval_and_no_collections_stay_so():
    gc.set_threshold(700, 10, 0)
    sys.setswitchinterval(0.0001)
    with loading():
        assert settings() == ((700, 10, 0), 0.0001)
    assert settings() == ((700, 10, 0), 0.0001)


@pytest.fixture
def as_a_program():
    """Objects that the tests froze count again, as in a program that froze none."""
    gc.unfreeze()
    yield
    gc.collect()
    gc.freeze()


@pytest.mark.usefixtures("as_a_program")
def test_what_was_put_off_is_not_collected_at_once_but_later():
    class Ring:
        def __init__(self):
            self.me = self

    with loading():
        for _ in range(30):
            gc.collect(1)
            Ring()
        assert gc.get_count()[2] > 10
    assert gc.get_count()[2] < 10
    assert not gc.get_freeze_count()
    assert gc.collect() > 0


def test_what_somebody_froze_stays_frozen():
    gc.freeze()
    with loading():
        pass
    assert gc.get_freeze_count() > 1000
