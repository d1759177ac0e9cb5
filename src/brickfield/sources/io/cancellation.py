"""Waiting for storage, as long as the answer is of use.

A stalled server answers after half a minute or never. Closing a source, or
ending the program, must not wait for that: every wait checks a few times a second
whether it is still wanted, and ends in a :class:`ChunkReadError` when it is not.
The request goes on in the library's own threads, which are not waited for.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator

# Before the registration below: what is registered last is called first, and the
# pools' own end waits for every read.
from concurrent.futures import thread as _pools  # noqa: F401
from contextlib import contextmanager, suppress
from time import monotonic
from typing import Any, NamedTuple

from brickfield.errors import ChunkReadError

LONGEST_S = 40.0
"""A wait that would else be endless (no connection, a trickle) ends after so long."""
SLOWEST = 256 << 10
"""Decoded bytes a second at which a slow line still counts as alive."""
LOOK_S = 0.25
"""Longest time until a wait notices that it is over."""


class _Limit(NamedTuple):
    end: float
    seconds: float


_ending = threading.Event()
_reader = threading.local()


@contextmanager
def while_wanted(
    is_wanted: Callable[[], bool], limit_s: float | None = None
) -> Iterator[None]:
    """Let the waits of this thread end as soon as a read is not wanted any more.

    Inside another one, both conditions must hold.

    Parameters
    ----------
    is_wanted : callable
        Asked a few times a second.
    limit_s : float, optional
        Seconds from now after which a wait ends in any case; inside another limit
        the later of both.
    """
    before = getattr(_reader, "is_wanted", _always)
    limit_before = getattr(_reader, "limit", None)
    # Nested: a source that reads through another one is subject to both conditions.
    _reader.is_wanted = lambda: before() and is_wanted()
    if limit_s is not None:
        limit = _Limit(monotonic() + limit_s, limit_s)
        _reader.limit = max(limit, limit_before) if limit_before else limit
    try:
        yield
    finally:
        _reader.is_wanted = before
        _reader.limit = limit_before


def carried(function: Callable[..., Any]) -> Callable[..., Any]:
    """Make a function wait, in whatever thread it runs, as long as this one would.

    Parameters
    ----------
    function : callable

    Returns
    -------
    callable
        Takes and returns the same.
    """
    is_wanted = getattr(_reader, "is_wanted", _always)
    limit: _Limit | None = getattr(_reader, "limit", None)

    def run(*args: Any) -> Any:
        left = None if limit is None else limit.end - monotonic()
        with while_wanted(is_wanted, left):
            return function(*args)

    return run


def _always() -> bool:
    return True


def result_of(future: Any) -> Any:
    """Return the result of a tensorstore future.

    Raises
    ------
    ChunkReadError
        When it is not needed any more, or nothing came for too long.
    """
    pardoned_s = 0.0
    while True:
        began_at = monotonic()
        try:
            # With a time limit, so that it is seen when the read is no longer wanted.
            return future.result(timeout=LOOK_S)
        except TimeoutError:
            pardoned_s += late_by(began_at, LOOK_S)
            is_wanted = getattr(_reader, "is_wanted", _always)
            limit: _Limit | None = getattr(_reader, "limit", None)
            if limit is not None and monotonic() > limit.end + pardoned_s:
                future.cancel()
                msg = f"the server did not answer within {limit.seconds:.0f} s"
                raise ChunkReadError(msg, is_transient=True) from None
            if is_wanted() and not _ending.is_set():
                continue
            future.cancel()
            msg = "the read was given up, because the image is no longer looked at"
            # A look during the end starts another try.
            is_transient = not _ending.is_set()
            raise ChunkReadError(msg, is_transient=is_transient) from None


def late_by(began_at: float, wait_s: float) -> float:
    """Return by how much a wait was longer than it should have been.

    A machine that is asleep, or too busy to look, has not waited for storage: that
    is no reason to give up what may have come meanwhile.

    Parameters
    ----------
    began_at : float
        Seconds of :func:`time.monotonic`.
    wait_s : float

    Returns
    -------
    float
        Seconds; 0 where the wait took no longer than twice its time.
    """
    late_s = monotonic() - began_at - wait_s
    return late_s if late_s > wait_s else 0.0


def wait_for(event: threading.Event) -> None:
    """Wait for another thread's read.

    Parameters
    ----------
    event : Event

    Raises
    ------
    ChunkReadError
        When it is not needed any more.
    """
    is_wanted = getattr(_reader, "is_wanted", _always)
    while not event.wait(LOOK_S):
        if not is_wanted() or _ending.is_set():
            msg = "the read was given up, because the image is no longer looked at"
            raise ChunkReadError(msg, is_transient=not _ending.is_set())


def has_limit() -> bool:
    """Whether the waits of this thread end after some time in any case."""
    return getattr(_reader, "limit", None) is not None


def is_ending() -> bool:
    """Whether the program is ending; its main thread no longer answers."""
    return _ending.is_set()


def at_end(function: Callable[[], object]) -> Callable[[], object]:
    """Call a function when the program ends, before its threads are waited for."""
    # Python's own pools use it; `atexit` comes after the waiting.
    register = getattr(threading, "_register_atexit", None)
    if register is not None:
        # It refuses when the program is ending already.
        with suppress(RuntimeError):
            register(function)
    return function


at_end(_ending.set)
