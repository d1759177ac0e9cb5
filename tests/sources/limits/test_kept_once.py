"""What is kept is read once, however many threads ask, and takes bounded memory."""

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from brickfield.sources.limits.kept_once import KeptOnce


def counted(most_bytes=100):
    """Return what keeps strings of ten times their key's length, and the keys read."""
    read = []

    def fetch(key):
        read.append(key)
        return key * 10, len(key), 1

    return KeptOnce(fetch, len, most_bytes), read


def test_a_kept_value_costs_nothing():
    kept, read = counted()
    assert kept.get("ab") == ("ab" * 10, 2, 1)
    assert kept.get("ab") == ("ab" * 10, 0, 0)
    assert read == ["ab"]


def test_the_least_recently_used_is_dropped_first():
    kept, read = counted(most_bytes=25)
    for key in ("a", "b", "a", "c", "a", "b"):
        kept.get(key)
    assert read == ["a", "b", "c", "b"]


def test_the_newest_is_kept_whatever_its_size():
    kept, read = counted(most_bytes=5)
    kept.get("abc")
    kept.get("abc")
    assert read == ["abc"]


def test_threads_that_ask_for_one_key_wait_for_one_read():
    begun, go_on, read = threading.Event(), threading.Event(), []

    def fetch(key):
        read.append(key)
        begun.set()
        go_on.wait(10)
        return key, 1, 1

    kept = KeptOnce(fetch, len, 100)
    with ThreadPoolExecutor(4) as pool:
        first = pool.submit(kept.get, "a")
        assert begun.wait(10)
        others = [pool.submit(kept.get, "a") for _ in range(3)]
        go_on.set()
        assert first.result() == ("a", 1, 1)
        assert [other.result() for other in others] == [("a", 0, 0)] * 3
    assert read == ["a"]


def test_a_read_that_fails_is_tried_again_by_whoever_asks_next():
    answers = [OSError("the line is down"), ("value", 1, 1)]

    def fetch(key):
        answer = answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer

    kept = KeptOnce(fetch, len, 100)
    with pytest.raises(OSError, match="the line is down"):
        kept.get("a")
    assert kept.get("a") == ("value", 1, 1)
