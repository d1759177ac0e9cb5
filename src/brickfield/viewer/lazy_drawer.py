"""A drawer that costs nothing until it is needed.

pygfx and wgpu take a second to import. The real drawer is made on the render
thread, in its first step, so that opening a window waits for none of that.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, cast

from brickfield.render.render_thread import RenderThread
from brickfield.viewer.live_state import FrameState, ViewReport


class LazyDrawer:
    """Makes a :class:`~brickfield.viewer.live_drawer.LiveDrawer` and hands on to it.

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

    def post(self, state: FrameState) -> None:
        """Draw this from now on. From any thread."""
        self._posted = state
        self.wake()

    def wake(self) -> None:
        """Ask for a step. From any thread."""
        self._thread.wake(self)

    def made(self) -> Any:
        """Return the drawer itself; on the render thread."""
        if self._drawer is None:
            from brickfield.viewer.live_drawer import LiveDrawer

            self._drawer = LiveDrawer(self._tell, self.wake)
        self._drawer.take(self._posted)
        return self._drawer

    def step(self) -> float | None:
        """Do a short piece of work."""
        if not self._posted.is_shown:
            return None
        return cast("float | None", self.made().step())

    def fail(self, error: Exception) -> None:
        """Tell the window why there is no picture."""
        text = str(error) or type(error).__name__
        self._tell(ViewReport(state=self._posted, error=text))

    def close(self) -> None:
        """Give everything back."""
        drawer, self._drawer = self._drawer, None
        self._posted = FrameState()
        if drawer is not None:
            drawer.close()
