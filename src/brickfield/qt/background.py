"""Work that the window does not wait for.

Invariant: one thread, only while there is work; answers come back on the window's
thread, and none after :meth:`Background.close`.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future
from typing import Any

from qtpy.QtCore import QTimer

from brickfield.loading import AsynchronousDataSlicer
from brickfield.qt.deliver import Deliverer
from brickfield.qt.lifetimes import owned


class Background:
    """Runs functions on a thread, one after another. Main thread only."""

    def __init__(self) -> None:
        self.deliver = Deliverer()
        self._pool: AsynchronousDataSlicer | None = None

    def run(
        self,
        job: Callable[[], Any],
        on_done: Callable[[Any, BaseException | None], object],
    ) -> None:
        """Run a function in the background.

        Parameters
        ----------
        job : callable
        on_done : callable
            Takes what it returned and what it raised, later, on this thread.
        """
        if self._pool is None:
            self._pool = AsynchronousDataSlicer(1, name="brickfield-write")
        self.follow(self._pool.submit(job), on_done)

    def follow(
        self,
        future: Future[Any],
        on_done: Callable[[Any, BaseException | None], object],
    ) -> None:
        """Deliver the result of a future to this thread, unless it is cancelled.

        Parameters
        ----------
        future : Future
        on_done : callable
            Called with the result and the error, one of them None.
        """

        def answered(done: Future[Any]) -> None:
            if done.cancelled():
                return
            error = done.exception()
            result = None if error is not None else done.result()

            def tell() -> None:
                on_done(result, error)

            self.deliver(tell)

        future.add_done_callback(answered)

    def timer(self, on_timeout: Callable[[], object]) -> QTimer:
        """Return a timer that fires once each time it is started.

        Parameters
        ----------
        on_timeout : callable
            A method, so that the timer does not keep what has this.

        Returns
        -------
        QTimer
            Ends with this object, on the thread of both.
        """
        made = owned(QTimer(), self)
        made.setSingleShot(True)
        made.timeout.connect(on_timeout)
        return made

    def close(self) -> None:
        """Take nothing more; what is running ends by itself."""
        self.deliver.close()
        if self._pool is not None:
            self._pool.shutdown(wait=False)
            self._pool = None
