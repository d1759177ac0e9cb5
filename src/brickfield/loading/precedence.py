"""Reading threads let a camera change go first.

All threads of Python share one interpreter, and numpy hands it to another thread at
every operation on more than 500 elements. A plan is some hundreds of these: beside
four reading threads it cost three to five times the CPU that it costs alone, most of
it for changing threads. So while a plan is made, reading threads wait at places where
they hold nothing; what they have begun they bring to such a place first.

Invariant: nobody waits longer than :data:`MOST_S` at one place, whatever happens to
the thread that goes first. May be used from any thread.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

MOST_S = 0.02
"""Longest wait at one place: a few times what a plan takes."""


class Precedence:
    """Who goes first."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._first: list[int] = []
        self._is_over = threading.Event()
        self._is_over.set()

    @contextmanager
    def taken(self) -> Iterator[None]:
        """Go first until the end of the block; several threads may at once."""
        me = threading.get_ident()
        with self._lock:
            self._first.append(me)
            self._is_over.clear()
        try:
            yield
        finally:
            with self._lock:
                self._first.remove(me)
                if not self._first:
                    self._is_over.set()

    def give_way(self) -> None:
        """Wait while another thread goes first; called without any lock."""
        if self._first and threading.get_ident() not in self._first:
            self._is_over.wait(MOST_S)


PRECEDENCE = Precedence()
"""Of this process: all views and sources share the interpreter."""
