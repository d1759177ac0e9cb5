"""Saving from napari's File menu, beside the window.

napari expects the names of written files as the result of the call. So the work is done
on a thread, and the call waits inside the event loop: the window goes on, and the
common strip of tasks says how far the work is.

Invariant: one save at a time; a second one waits for the first. Under the final name
there is the whole image or nothing: it is written under another name beside it, and
put in place by one rename. Whatever goes wrong is one StoreWriteError.
"""

from __future__ import annotations

import os
import shutil
import threading
import warnings
from collections.abc import Callable
from concurrent.futures import Future
from pathlib import Path

from brickfield.errors import BrickfieldError, StoreWriteError
from brickfield.plugin.docking.activity import in_activity_bar
from brickfield.plugin.names import PLUGIN
from brickfield.qt import RunningTask, can_turn, task_board, turn_until
from brickfield.viewer import quick_turns

N_WORKERS = 1
"""Threads that work on blocks, and that encode chunks, of a save.

The window needs a core and Python's interpreter. While 134 MB were saved on two cores
that other work kept busy (load average 5 to 18), one turn of the event loop in a
hundred was late by (medians of three interleaved runs, then all three; at rest 12 ms):

==================== ======= ============
blocks + encoding    median  runs
==================== ======= ============
2 + 2                97 ms   80, 97, 109
1 + 1                93 ms   21, 93, 152
1 + 2                51 ms   14, 51, 157
2 + 1                79 ms   41, 79, 93
==================== ======= ============

The runs of one kind differ by more than the kinds, so nothing is shown to be better.
One of each is kept until a measurement on an idle machine decides. The block thread at
a lower priority was no better (83, 112 and 123 ms).
"""
ENDING_S = 30.0
"""Longest wait for a cancelled save to end, seconds."""
TOLD_S = 0.2
"""Longest wait for napari's activity bar before a save begins, seconds."""
_turn = threading.Lock()
"""Held by the save that writes."""


def save_beside(
    title: str,
    path: str,
    write: Callable[[Path, RunningTask], bool],
    *,
    unit: str = "blocks",
) -> list[str]:
    """Write something on a thread, and wait for it in napari's event loop.

    Parameters
    ----------
    title : str
        What is done, as "Saving cells".
    path : str
        Final name: a file or a folder that does not exist.
    write : callable
        Writes to the path that it is given, tells the task how far it is, ends soon
        when the task is cancelled, and returns whether all is written. On a thread:
        it must not touch windows, layers or views.
    unit : str
        What the task counts.

    Returns
    -------
    list of str
        The path, as napari expects it; nothing when the save was cancelled.

    Raises
    ------
    StoreWriteError
        In one sentence; nothing is under the final name then.
    KeyboardInterrupt
        On Ctrl-C; likewise.
    """
    if not can_turn():
        running = RunningTask(title, unit, can_cancel=True)
        return _named(path, title, _put(Path(path), write, running))
    running = task_board().begin(title, unit=unit)
    future: Future[bool] = Future()
    is_told = threading.Event()

    def save() -> bool:
        # napari draws its whole window for the bar: two threads would take longer. Not
        # without end, for another save may be asked for, and wait, meanwhile.
        is_told.wait(TOLD_S)
        return _put(Path(path), write, running)

    threading.Thread(
        target=_carry_out,
        args=(future, running, save),
        name="brickfield-save",
        daemon=True,
    ).start()
    with in_activity_bar(running):
        is_told.set()
        _wait_for(future, running)
    return _named(path, title, future.result())


def _named(path: str, title: str, is_written: bool) -> list[str]:
    if is_written:
        return [path]
    from napari.utils.notifications import show_info

    show_info(f"{title} was cancelled: nothing was written")
    # napari cannot know that this is what was wanted.
    nothing = f"Plugin '{PLUGIN}' tried to save layers but did not return"
    warnings.filterwarnings("ignore", message=nothing)
    return []


def _wait_for(future: Future[bool], running: RunningTask) -> None:
    """Wait in the event loop; whatever ends the wait early cancels the save."""
    try:
        if turn_until(future):
            return
    except KeyboardInterrupt:
        _end(future, running)
        raise
    # The application ends.
    _end(future, running)
    if not future.done():
        msg = "expected to save until napari was closed; found that it takes longer"
        raise StoreWriteError(msg)


def _end(future: Future[bool], running: RunningTask) -> None:
    running.cancelled.set()
    try:
        future.exception(ENDING_S)
    except TimeoutError:
        return


def _carry_out(
    future: Future[bool], running: RunningTask, save: Callable[[], bool]
) -> None:
    try:
        running.wait(True)
        with _turn, quick_turns():
            running.wait(False)
            is_written = save()
    except BaseException as error:  # noqa: BLE001 - it is the caller's
        running.end()
        future.set_exception(error)
    else:
        running.end()
        future.set_result(is_written)


# -- on the thread ----------------------------------------------------------------


def _put(
    target: Path, write: Callable[[Path, RunningTask], bool], running: RunningTask
) -> bool:
    """Write beside the target and put it in place; tell whether it was."""
    beside = target.with_name(f".{target.name}.{os.getpid()}.part")
    try:
        if running.cancelled.is_set():
            return False
        if os.path.lexists(target):
            msg = f"expected a new name; found that {target} exists: choose another"
            raise StoreWriteError(msg)
        if not write(beside, running) or running.cancelled.is_set():
            return False
        beside.rename(target)
    except StoreWriteError:
        raise
    except BrickfieldError as error:
        # napari takes a ValueError for "no writer" and says nothing.
        raise StoreWriteError(str(error)) from error
    except OSError as error:
        msg = f"expected to write {target}; the system says: {error.strerror or error}"
        raise StoreWriteError(msg) from error
    finally:
        _remove(beside)
    return True


def _remove(beside: Path) -> None:
    if beside.is_dir():
        shutil.rmtree(beside, ignore_errors=True)
    else:
        beside.unlink(missing_ok=True)
