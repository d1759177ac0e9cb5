"""Functions that run later on the window's thread."""

from __future__ import annotations

import logging
from collections.abc import Callable

from qtpy.QtCore import QObject, Qt, Signal, Slot

logger = logging.getLogger(__name__)


class Deliverer(QObject):
    """Runs functions on the thread that it lives on, in order, from its event loop.

    Calling it is allowed on any thread, also after the window is gone: what cannot
    be delivered any more is dropped.
    """

    _call = Signal(object)

    def __init__(self) -> None:
        super().__init__()
        self._is_closed = False
        self._call.connect(self._run, Qt.ConnectionType.QueuedConnection)

    def __call__(self, function: Callable[[], None]) -> None:
        """Run a function soon."""
        if self._is_closed:
            return
        try:
            self._call.emit(function)
        except RuntimeError:  # Qt's half is gone already
            self._is_closed = True

    def close(self) -> None:
        """Deliver nothing any more."""
        self._is_closed = True

    # Declared, so that PyQt moves it with the object, not a proxy of its own.
    @Slot(object)  # type: ignore[untyped-decorator]
    def _run(self, function: Callable[[], None]) -> None:
        if not self._is_closed:
            function()
