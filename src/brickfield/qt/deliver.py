"""Functions that run later on the window's thread."""

from __future__ import annotations

import logging
from collections.abc import Callable

from qtpy.QtCore import QObject, Qt, Signal, Slot

from brickfield.qt.lifetimes import owned

logger = logging.getLogger(__name__)


class Deliverer:
    """Runs functions on the thread that it lives on, in order, from its event loop.

    Calling it is allowed on any thread, also after the window is gone: what cannot
    be delivered any more is dropped. It may end on any thread, too.
    """

    def __init__(self) -> None:
        self._receiver = owned(_Receiver(), self)

    def __call__(self, function: Callable[[], object]) -> None:
        """Run a function soon."""
        receiver = self._receiver
        if receiver.is_closed:
            return
        try:
            receiver.call.emit(function)
        except RuntimeError:  # Qt's half is gone already
            receiver.is_closed = True

    def move_beside(self, other: QObject) -> None:
        """Live on the thread of `other` from now on; called on the own thread."""
        self._receiver.moveToThread(other.thread())

    def close(self) -> None:
        """Stop delivering."""
        self._receiver.is_closed = True


class _Receiver(QObject):
    """Qt's half: its thread's event loop hands it the functions."""

    call = Signal(object)

    def __init__(self) -> None:
        super().__init__()
        self.is_closed = False
        self.call.connect(self._run, Qt.ConnectionType.QueuedConnection)

    # Declared, so that PyQt moves it with the object, not a proxy of its own.
    @Slot(object)  # type: ignore[untyped-decorator]
    def _run(self, function: Callable[[], object]) -> None:
        if not self.is_closed:
            function()
