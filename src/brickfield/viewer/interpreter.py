"""What Python's interpreter is set to while much is loaded beside the window.

Invariant: what is set meanwhile is as before afterwards. From any thread.
"""

from __future__ import annotations

import gc
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

SWITCH_S = 0.0005
"""After so long a thread gives Python's interpreter to one that waits for it."""
RARELY = 100
"""So many times less often all objects are looked through for garbage."""


class _WhileAnyone:
    """Changes a setting of the interpreter as long as anyone wants it changed.

    Invariant: it is changed by the first who begins and put back by the last who
    ends. From any thread.

    Parameters
    ----------
    change : callable
        Changes the setting and returns how it is put back.
    """

    def __init__(self, change: Callable[[], Callable[[], None]]) -> None:
        self._change = change
        self._lock = threading.Lock()
        self._n = 0
        self._put_back: Callable[[], None] | None = None

    def begin(self) -> None:
        with self._lock:
            self._n += 1
            if self._n == 1:
                self._put_back = self._change()

    def end(self) -> None:
        with self._lock:
            self._n -= 1
            if self._n == 0 and self._put_back is not None:
                self._put_back()


def _switch_sooner() -> Callable[[], None]:
    before = sys.getswitchinterval()
    sys.setswitchinterval(min(before, SWITCH_S))
    now = sys.getswitchinterval()

    def put_back() -> None:
        # Another value is somebody else's wish.
        if sys.getswitchinterval() == now:
            sys.setswitchinterval(before)

    return put_back


def _collect_rarely() -> Callable[[], None]:
    young, middle, before = gc.get_threshold()
    # 0 is never.
    gc.set_threshold(young, middle, RARELY * before)

    def put_back() -> None:
        young, middle, old = gc.get_threshold()
        if old != RARELY * before:
            return
        gc.set_threshold(young, middle, before)
        # The count towards the next full collection begins anew, or what has been put
        # off came at once. Objects that somebody froze stay as they are.
        if not gc.get_freeze_count():
            gc.freeze()
            gc.unfreeze()

    return put_back


_turns = _WhileAnyone(_switch_sooner)
_collections = _WhileAnyone(_collect_rarely)


@contextmanager
def quick_turns() -> Iterator[None]:
    """Give the interpreter to the window's thread soon while another one computes.

    A thread of Python that waits for a file, or calls OpenGL, gives the interpreter
    away, and another one that computes gives it back after 5 ms at the earliest: the
    window's thread does so dozens of times a turn, and stood still for 0.2 s. The
    interval becomes a tenth meanwhile.
    """
    _turns.begin()
    try:
        yield
    finally:
        _turns.end()


def begin_loading() -> Callable[[], None]:
    """Let the window have its turns while another thread loads much.

    Besides :func:`quick_turns`, full collections of garbage come a hundred times less
    often. Each looks through all objects of a napari process, 0.13 s in which no
    thread runs, and modules that are imported, which are no garbage, cause several.

    Returns
    -------
    callable
        Ends it; may be called twice.
    """
    ending = [_turns.end, _collections.end]
    _turns.begin()
    _collections.begin()

    def end() -> None:
        while ending:
            ending.pop()()

    return end


@contextmanager
def loading() -> Iterator[None]:
    """Let the window have its turns meanwhile; see :func:`begin_loading`."""
    end = begin_loading()
    try:
        yield
    finally:
        end()
