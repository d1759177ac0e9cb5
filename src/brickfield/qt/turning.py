"""Waiting on the window's thread without holding the window up.

A function that a script or napari calls must often return its result, though the
work is done on another thread. Here it waits inside the event loop: windows are
drawn, other views go on, and what is pressed is handled.

Invariant: a wait ends when its future is done, when its time is over, on Ctrl-C, or
when the application ends; it never outlives any of them. Waits may be nested, for a
person can start something else meanwhile: the inner one ends first.
"""

from __future__ import annotations

import logging
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from contextvars import ContextVar
from functools import cache
from importlib import import_module
from time import monotonic
from typing import Any, TypeVar

from qtpy.QtCore import QCoreApplication, QEventLoop, QTimer

from brickfield.errors import BrickfieldError
from brickfield.qt.deliver import Deliverer
from brickfield.viewer import loading

logger = logging.getLogger(__name__)

LOOK_MS = 50
"""Time between two looks at the clock; Python sees Ctrl-C no sooner."""
_T = TypeVar("_T")
_is_held: ContextVar[bool] = ContextVar("_is_held", default=False)


def can_turn() -> bool:
    """Whether this thread has a Qt application's event loop."""
    is_main = threading.current_thread() is threading.main_thread()
    return is_main and QCoreApplication.instance() is not None


def turn_until(future: Future[Any], timeout_s: float | None = None) -> bool:
    """Run the event loop until a future is done; on the window's thread alone.

    Parameters
    ----------
    future : Future
    timeout_s : float, optional

    Returns
    -------
    bool
        Whether it is done. Not so when the time is over, or the application ends.

    Raises
    ------
    KeyboardInterrupt
        On Ctrl-C; the future goes on.
    """
    if future.done():
        return True
    end = None if timeout_s is None else monotonic() + timeout_s
    loop, timer = QEventLoop(), QTimer()
    # Emptied afterwards: the future may die on any thread, a loop of Qt's may not.
    waiting, deliver = [loop], _deliverer()
    with _interrupts() as was_interrupted:

        def look() -> None:
            is_late = end is not None and monotonic() >= end
            if future.done() or is_late or was_interrupted():
                loop.quit()

        timer.timeout.connect(look)
        timer.start(LOOK_MS)
        future.add_done_callback(lambda _: deliver(lambda: _quit(waiting)))
        loop.exec()
        timer.stop()
        waiting.clear()
        if was_interrupted():
            raise KeyboardInterrupt
    return future.done()


@cache
def _deliverer() -> Deliverer:
    return Deliverer()


def _quit(waiting: list[QEventLoop]) -> None:
    for loop in waiting:
        loop.quit()


@contextmanager
def holding_still() -> Iterator[None]:
    """Let nothing of the window happen meanwhile: functions run at once.

    For what must not be seen, nor changed by a hand, before it is whole.
    """
    token = _is_held.set(True)
    try:
        yield
    finally:
        _is_held.reset(token)


def run_beside(job: Callable[[], _T], *, name: str = "brickfield-beside") -> _T:
    """Run a function on a thread of its own and wait for it in the event loop.

    Where there is no event loop it runs at once, on the caller's thread.

    Parameters
    ----------
    job : callable
        Must not touch windows, layers or views.
    name : str
        Of the thread.

    Raises
    ------
    KeyboardInterrupt
        On Ctrl-C; what the function returns is lost.
    BrickfieldError
        When the application ends meanwhile.
    """
    if not can_turn() or _is_held.get():
        return job()
    future: Future[_T] = Future()
    threading.Thread(
        target=_carry_out, args=(future, job), name=name, daemon=True
    ).start()
    if not turn_until(future):
        msg = "expected the application to go on; found that it ends: nothing is opened"
        raise BrickfieldError(msg)
    return future.result()


def run_beside_then(
    job: Callable[[], object],
    then: Callable[[], None],
    *,
    name: str = "brickfield-beside",
) -> None:
    """Run a function on a thread of its own and another one after it; do not wait.

    On the window's thread alone. Where nothing may happen meanwhile, both run at once.

    Parameters
    ----------
    job : callable
        Must not touch windows, layers or views. What it raises is logged.
    then : callable
        Runs on the window's thread, whatever became of the first; never when the
        application ends before.
    name : str
        Of the thread.
    """
    if not can_turn() or _is_held.get():
        job()
        then()
        return
    deliver = _deliverer()

    def carry_out() -> None:
        try:
            job()
        except Exception:
            logger.exception("work beside the window failed")
        deliver(then)

    threading.Thread(target=carry_out, name=name, daemon=True).start()


def take_a_turn() -> None:
    """Let the event loop turn once between two pieces of work; not everywhere.

    Where there is no event loop, or nothing may happen meanwhile, nothing is done.
    """
    if not can_turn() or _is_held.get():
        return
    turned: Future[None] = Future()
    QTimer.singleShot(0, lambda: turned.set_result(None))
    turn_until(turned)


def import_beside(*names: str) -> None:
    """Import modules on a thread while the event loop turns.

    Python runs one thread at a time, so the window is not as quick as at rest; but it
    goes on between two modules, and while files are read.

    Parameters
    ----------
    *names : str
        What is loaded already costs nothing.
    """
    lacking = [name for name in names if not _is_loaded(name)]
    if lacking:
        with loading():
            run_beside(lambda: [import_module(name) for name in lacking])


def _is_loaded(name: str) -> bool:
    """Whether a module is there as a whole: another thread may still be loading it."""
    spec = getattr(sys.modules.get(name), "__spec__", None)
    # The mark by which Python itself tells.
    return spec is not None and not getattr(spec, "_initializing", False)


def _carry_out(future: Future[Any], job: Callable[[], Any]) -> None:
    try:
        future.set_result(job())
    except BaseException as error:  # noqa: BLE001 - it is the caller's
        future.set_exception(error)


@contextmanager
def _interrupts() -> Iterator[Callable[[], bool]]:
    """Note Ctrl-C instead of raising it in the middle of whatever Qt calls.

    An exception that leaves a slot ends the process with some bindings.
    """
    noted = threading.Event()
    if threading.current_thread() is not threading.main_thread():
        yield noted.is_set
        return
    before = signal.getsignal(signal.SIGINT)
    if before is None or before == signal.SIG_IGN:
        # Hidden by others, or on purpose: then it stays so.
        yield noted.is_set
        return
    signal.signal(signal.SIGINT, lambda *_: noted.set())
    try:
        yield noted.is_set
    finally:
        signal.signal(signal.SIGINT, before)
