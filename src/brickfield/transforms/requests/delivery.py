"""Calling a function soon on the thread that made a manager.

Where the program has Qt's event loop on that thread, it does so; nothing of Qt is
imported here that is not loaded already. Elsewhere whoever made the manager calls
:meth:`~brickfield.transforms.requests.manager.TransformManager.deliver`.
"""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable
from importlib import import_module
from typing import Any

_BINDINGS = ("PyQt6", "PySide6", "PyQt5", "PySide2")


class Waker:
    """Lets a function run soon on the thread that made this. Any thread may call it.

    Parameters
    ----------
    function : callable
    """

    def __init__(self, function: Callable[[], object]) -> None:
        self._function = function
        # Qt's event loop runs on the main thread.
        self._is_main = threading.current_thread() is threading.main_thread()
        self._emitter: Any = None
        self._lock = threading.Lock()
        self._is_closed = False

    def __call__(self) -> None:
        """Let the function run soon, if there is an event loop; once for all calls."""
        emitter = self._made()
        if emitter is None:
            return
        try:
            emitter.soon.emit()
        except RuntimeError:  # Qt's half is gone already
            self._is_closed = True

    def close(self) -> None:
        """Stop running functions."""
        self._is_closed = True

    def _made(self) -> Any:
        with self._lock:
            if self._emitter is None and self._is_main and not self._is_closed:
                self._emitter = _emitter(self._run)
            return None if self._is_closed else self._emitter

    def _run(self) -> None:
        if not self._is_closed:
            self._function()


def _emitter(function: Callable[[], None]) -> Any:
    """Make an object of Qt on the thread of its event loop; None without one."""
    loaded = next((b for b in _BINDINGS if f"{b}.QtCore" in sys.modules), None)
    if loaded is None:
        return None
    core: Any = import_module(f"{loaded}.QtCore")
    application = core.QCoreApplication.instance()
    if application is None:
        return None
    signal = getattr(core, "pyqtSignal", None) or core.Signal

    class Emitter(core.QObject):  # type: ignore[misc]
        soon = signal()

        def run(self) -> None:
            function()

    made = Emitter()
    made.moveToThread(application.thread())
    made.soon.connect(made.run, core.Qt.ConnectionType.QueuedConnection)
    return made
