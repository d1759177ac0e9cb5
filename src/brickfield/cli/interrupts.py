"""What Ctrl-C does: status 130 and no word, at any moment.

While modules are imported, and again while the process ends, nothing is half done:
the process leaves at once. In between, the first interruption unwinds the work like
any error, so that files are corrected and threads end; the second leaves at once. A
library may turn the first into another error, or lose it; the status says still
that there was one, and what would be printed of it is not.
"""

from __future__ import annotations

import os
import signal
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import NoReturn

INTERRUPTED = 130
"""Exit status of what was interrupted, as shells have it."""


class _State:
    """What the next interruption does. Thread rule: the main thread's."""

    unwinds = False
    has_happened = False
    status: int | None = None


def leave_at_once() -> None:
    """Let an interruption end the process where it is."""
    _State.unwinds = False
    if signal.getsignal(signal.SIGINT) is not _handle:
        signal.signal(signal.SIGINT, _handle)


def unwind() -> None:
    """Let the next interruption be an exception."""
    _State.unwinds = True


def has_happened() -> bool:
    """Tell whether there was an interruption."""
    return _State.has_happened


def end_with(status: int) -> None:
    """Say with what status the process shall end."""
    _State.status = status


def end() -> None:
    """End the process with the status that was said, if one was."""
    if _State.status is not None:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(_State.status)


def leave() -> NoReturn:
    """End the process as interrupted; nothing more is run or printed."""
    try:
        _clear_line()
    finally:
        os._exit(INTERRUPTED)


def _handle(_number: int, _frame: object) -> None:
    if not _State.unwinds:
        leave()
    _State.unwinds, _State.has_happened = False, True
    # Libraries print of an interruption: "Aborted.", tracebacks of destructors.
    sys.stderr = open(os.devnull, "w", encoding="utf-8")  # noqa: PTH123, SIM115
    sys.unraisablehook = _unraisable
    raise KeyboardInterrupt


def _unraisable(lost: sys.UnraisableHookArgs, /) -> None:
    """End the process when the exception came where none can be raised."""
    if issubclass(lost.exc_type, KeyboardInterrupt):
        leave()


def _clear_line() -> None:
    """Take a progress bar away and show the cursor that it hid."""
    terminal = sys.__stderr__
    if terminal is not None and terminal.isatty():
        terminal.write("\r\x1b[2K\x1b[?25h")
        terminal.flush()
