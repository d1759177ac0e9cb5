"""Requests, computations and results, without threads."""

from concurrent.futures import CancelledError

import numpy as np
import pytest
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from brickfield.errors import OptionError
from brickfield.transforms.requests.book import RequestBook, wait_for
from brickfield.transforms.requests.cache import ResultCache
from brickfield.transforms.requests.workers import VolumeWorker


class BookMachine(RuleBasedStateMachine):
    """Requests of few contents, looked up, computed and cancelled in any order.

    The model: for each request what it asks for, its priority, and how it ended.
    """

    def __init__(self):
        super().__init__()
        self.book = RequestBook(ResultCache(2, 16))
        self.wants, self.ended, self.seen = {}, {}, set()
        self.waiting, self.running = [], []
        self.n_looked_up = self.n_failed_late = 0

    @rule(key=st.sampled_from("abc"), priority=st.integers(0, 2))
    def submit(self, key, priority):
        request = self.book.add(VolumeWorker(volume=key, priority=priority))
        self.wants[request.number] = key
        self.waiting.append(request)

    @rule()
    def look_up(self):
        request = self.book.next_to_look_up()
        still = [r for r in self.waiting if not r.is_over]
        if not still:
            assert request is None
            return
        # Higher priority first, then first come.
        assert request is min(still, key=lambda r: (-r.priority, r.number))
        self.waiting.remove(request)
        was_kept = self.book.cache.get(self.wants[request.number]) is not None
        self.book.looked_up(request, self.wants[request.number])
        self.n_looked_up += 1
        assert request.is_over == was_kept

    @rule()
    def begin(self):
        computation = self.book.next_to_compute()
        if computation is None:
            return
        assert computation.requests
        assert not computation.cancel.is_set()
        # Nothing equal is computed twice at a time for anybody who still wants it.
        assert all(
            r.key != computation.key for r in self.running if not r.cancel.is_set()
        )
        self.running.append(computation)

    @precondition(lambda self: self.running)
    @rule(data=st.data(), is_good=st.booleans())
    def end(self, data, is_good):
        computation = data.draw(st.sampled_from(self.running))
        self.running.remove(computation)
        if is_good:
            self.book.computed_result(
                computation, np.frombuffer(computation.key.encode() * 8, np.uint8)
            )
        else:
            self.book.failed(computation, OptionError("no"))

    @precondition(lambda self: self.wants)
    @rule(data=st.data())
    def cancel(self, data):
        request = self.book.request(data.draw(st.sampled_from(sorted(self.wants))))
        was_over = request.is_over
        assert self.book.cancel(request) == (not was_over)
        assert request.is_over

    @rule()
    def hear(self):
        while self.book.emissions:
            name, (number, *said) = self.book.emissions.popleft()
            assert number not in self.ended, "nothing is told after the end"
            if name == "transform_started":
                assert number not in self.seen
                self.seen.add(number)
            elif name == "transform_completed":
                assert number in self.seen
                assert bytes(said[1]) == self.wants[number].encode() * 8
                self.ended[number] = name
            else:
                self.ended[number] = name

    @invariant()
    def a_computation_is_given_up_when_nobody_wants_it(self):
        for computation in self.running:
            assert computation.cancel.is_set() == (not computation.requests)

    @invariant()
    def every_request_is_counted_once(self):
        book = self.book
        assert book.hits + book.misses + book.shared == self.n_looked_up
        assert book.cache.n_bytes <= 16

    def teardown(self):
        for request in self.book.open_requests():
            self.book.cancel(request)
        self.hear()
        assert set(self.ended) == set(self.wants)


TestBook = BookMachine.TestCase


@pytest.fixture
def book():
    return RequestBook(ResultCache(2, 100))


def begun(book, key="a", priority=0):
    request = book.add(VolumeWorker(volume=None, priority=priority))
    assert book.next_to_look_up() is request
    book.looked_up(request, key)
    return request


def test_a_shared_computation_has_the_highest_priority_of_its_requests(book):
    first, other = begun(book, "a"), begun(book, "b", 1)
    begun(book, "a", 2)
    assert book.next_to_compute() is first.computation
    assert book.next_to_compute() is other.computation
    assert book.next_to_compute() is None


def test_cancelling_one_of_two_leaves_the_other_its_result(book):
    first, second = begun(book), begun(book)
    computation = book.next_to_compute()
    book.cancel(first)
    assert not computation.cancel.is_set()
    book.computed_result(computation, np.zeros(1))
    assert book.claim(second).shape == (1,)
    with pytest.raises(CancelledError):
        wait_for(first, 0)


def test_what_was_given_up_is_computed_anew_for_who_asks_then(book):
    first = begun(book)
    old = book.next_to_compute()
    book.cancel(first)
    second = begun(book)
    new = book.next_to_compute()
    assert new is not old
    book.computed_result(new, np.ones(1))
    assert book.claim(second) == [1]


def test_a_result_is_held_until_it_is_claimed_and_then_no_longer(book):
    request = begun(book)
    book.computed_result(book.next_to_compute(), np.zeros(1000))  # too large to keep
    result = book.claim(request)
    assert book.claim(request) is result
    book.emissions.clear()
    del result
    with pytest.raises(OptionError, match="submit"):
        book.claim(request)


def test_the_volume_of_a_request_that_is_over_is_let_go(book):
    request = begun(book)
    book.computed_result(book.next_to_compute(), np.zeros(1))
    assert request.worker is None
    assert request.computation is None


def test_an_unknown_request_is_refused(book):
    with pytest.raises(OptionError, match="id"):
        book.request(7)
