"""A drawer that costs nothing until it is needed, and survives what goes wrong.

pygfx and wgpu take a second to import. The real drawer is made on the render
thread, in its first step, so that opening a window waits for none of that.

Invariant: what cannot be drawn is told once, and tried again when something has
changed, by a drawer that nothing of the failure is left in. A picture for which the
device has no room is drawn with half the budget, and it is said so.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import replace
from typing import Any, TypeVar, cast

from brickfield.blockwise import format_bytes
from brickfield.errors import BrickfieldError, DeviceError, ViewClosedError
from brickfield.rendering import RenderThread
from brickfield.viewer.drawing_errors import is_out_of_memory, sentence_of, translated
from brickfield.viewer.live.frame_state import FrameState, ViewReport

logger = logging.getLogger(__name__)
_T = TypeVar("_T")
LEAST_BYTES = 16 << 20
"""A budget that is not halved any more."""


class LazyDrawer:
    """Makes a :class:`~brickfield.viewer.live.drawing.drawer.LiveDrawer` and hands on to it.

    Parameters
    ----------
    tell : callable
        Takes a :class:`ViewReport`; called on the render thread.
    thread : RenderThread
    """

    def __init__(
        self, tell: Callable[[ViewReport], None], thread: RenderThread
    ) -> None:
        self._tell = tell
        self._thread = thread
        self._drawer: Any = None
        self._posted = FrameState()
        self._failed: FrameState | None = None
        self._asked_bytes = 0
        self._most_bytes: int | None = None
        self._is_closed = False

    def post(self, state: FrameState) -> None:
        """Draw this from now on. From any thread."""
        self._posted = state
        if (drawer := self._drawer) is not None:
            # Also in the middle of a step.
            drawer.take(state)
        self.wake()

    def wake(self) -> None:
        """Request a step. From any thread."""
        self._thread.wake(self)

    def step(self) -> float | None:
        """Do a short piece of work."""
        if not self._posted.is_shown or self._posted is self._failed:
            return None
        with translated():
            return cast("float | None", self._made().step())

    def run(self, job: Callable[[Any], _T]) -> _T:
        """Run a function of the drawer itself; on the render thread."""
        try:
            with translated():
                return job(self._made())
        except Exception as error:
            if isinstance(error, DeviceError) or not isinstance(error, BrickfieldError):
                self._discard()
            raise

    def _made(self) -> Any:
        if self._is_closed:
            msg = "expected an open view; found that it was closed meanwhile"
            raise ViewClosedError(msg)
        if self._drawer is None:
            from brickfield.gpu import get_device

            get_device()
            self._thread.has_device = True
            from brickfield.viewer.live.drawing.drawer import LiveDrawer

            self._drawer = LiveDrawer(self._report, self.wake)
        if self._asked_bytes != self._posted.gpu_budget:
            # Another budget is another try.
            self._asked_bytes, self._most_bytes = self._posted.gpu_budget, None
        self._drawer.most_bytes = self._most_bytes
        self._drawer.take(self._posted)
        return self._drawer

    def _report(self, report: ViewReport) -> None:
        self._failed = None
        if self._most_bytes is not None:
            notice = (
                f"expected {format_bytes(self._asked_bytes)} on the graphics device"
                " (the GPU budget); found less memory: drawing with"
                f" {format_bytes(self._most_bytes)}, lower the budget"
            )
            report = replace(report, notice=notice)
        self._tell(report)

    # -- what goes wrong ---------------------------------------------------------

    def fail(self, error: Exception) -> None:
        """Get over an error of a step: tell the window, or try with less memory."""
        budget = self._most_bytes or self._posted.gpu_budget
        self._discard()
        if is_out_of_memory(error) and budget // 2 >= LEAST_BYTES:
            self._asked_bytes = self._posted.gpu_budget
            self._most_bytes = budget // 2
            self.wake()
            return
        self._failed = self._posted
        self._tell(ViewReport(state=self._posted, error=sentence_of(error)))

    def _discard(self) -> None:
        """Leave nothing half done behind."""
        drawer, self._drawer = self._drawer, None
        if drawer is None:
            return
        try:
            drawer.close()
        except Exception:  # of a device that was lost, for example
            logger.debug("a view could not be taken down", exc_info=True)

    def close(self) -> None:
        """Give everything back."""
        self._is_closed = True
        self._posted = FrameState()
        self._discard()
