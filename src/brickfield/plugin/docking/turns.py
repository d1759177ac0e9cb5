"""Work of the window's thread, spread over turns of its event loop."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable

from qtpy.QtCore import QTimer


class Turns:
    """Steps that each get a turn of the event loop, in order. Main thread only.

    napari takes a tenth of a second to add a layer: several of them in one turn would
    stop the window for as long as all take.
    """

    def __init__(self) -> None:
        self._steps: deque[Callable[[], None]] = deque()
        self._timer = QTimer()
        self._timer.setSingleShot(True)
        self._timer.timeout.connect(self._run)

    @property
    def is_done(self) -> bool:
        """Whether nothing waits for its turn."""
        return not self._steps

    def add(self, step: Callable[[], None]) -> None:
        """Do something in a turn of its own, after what was added before."""
        self._steps.append(step)
        self._timer.start(0)

    def clear(self) -> None:
        """Forget what has not been done."""
        self._steps.clear()

    def _run(self) -> None:
        if self._steps:
            self._steps.popleft()()
        if self._steps:
            self._timer.start(0)
