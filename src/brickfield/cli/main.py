"""Entry point of the command line.

Everything is imported below :func:`main`, after an interruption has been given a
meaning: it ends with status 130 and without a word, at any moment.
"""

from __future__ import annotations

import sys

from brickfield.cli import interrupts

TYPE_CHECKING = False  # typing itself takes a part of the time before main()
if TYPE_CHECKING:
    from typing import NoReturn


def run() -> NoReturn:
    """Run the command that ``sys.argv`` names and leave with its exit status."""
    from brickfield.cli.app import run as run_command

    run_command()


def main() -> NoReturn:
    """Run the command and end the process, whatever a stalled server still holds."""
    try:
        interrupts.leave_at_once()
        import atexit

        # Registered first, so run last, when threads have ended and files are shut.
        # What the interpreter does after that would again be open to a signal.
        atexit.register(interrupts.end)
        _end(_status())
    except KeyboardInterrupt:
        interrupts.leave()


def _status() -> int:
    """Run the command; every import of it comes before its work."""
    from brickfield.cli.app import run as run_command

    try:
        interrupts.unwind()
        run_command()
    except SystemExit as end:
        status = end.code if isinstance(end.code, int) else int(bool(end.code))
    finally:
        interrupts.leave_at_once()
    # Whatever became of the interruption on its way up, it was one.
    return interrupts.INTERRUPTED if interrupts.has_happened() else status


def _end(status: int) -> NoReturn:
    import os
    import threading

    if status == interrupts.INTERRUPTED:
        interrupts.leave()
    interrupts.end_with(status)
    sys.stdout.flush()
    sys.stderr.flush()
    if any(t.name.startswith("brickfield") for t in threading.enumerate()):
        # All results are written; only reads that are not waited for are left.
        os._exit(status)
    sys.exit(status)


if __name__ == "__main__":
    main()
