"""Objects of Qt that Python owns end on the thread that they live on.

Invariant: the object behind :func:`owned` is deleted by Qt's event loop, never by the
thread that happens to drop the last reference to it. PySide deletes an object of Qt
wherever its wrapper ends; Python's garbage collector runs on any thread, so a timer or
a receiver of queued calls could end on a worker while the window's thread was handling
its events, which ended the program. PyQt defers that by itself.
"""

from __future__ import annotations

import weakref
from contextlib import suppress
from typing import TypeVar

from qtpy.QtCore import QObject, Qt

Made = TypeVar("Made", bound=QObject)

_living: dict[int, QObject] = {}


def owned(made: Made, owner: object) -> Made:
    """Let an object without a parent live as long as what uses it.

    Parameters
    ----------
    made : QObject
        Must not refer to `owner` strongly, as a slot that is a lambda would.
    owner : object
        Whatever keeps `made`; may end on any thread.

    Returns
    -------
    QObject
        `made`.
    """
    key = id(made)
    _living[key] = made
    direct = Qt.ConnectionType.DirectConnection
    made.destroyed.connect(lambda *_: _living.pop(key, None), direct)
    end = weakref.finalize(owner, _end, made)
    # At the end of the program there may be no application any more.
    end.atexit = False
    return made


def _end(made: QObject) -> None:
    """Any thread."""
    with suppress(RuntimeError):  # Qt's half is gone already
        made.deleteLater()
