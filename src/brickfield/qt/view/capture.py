"""One complete picture of a view, taken without holding anything up.

The view sharpens by itself while the window goes on; the picture is taken when it
has. The render thread is asked for it in pieces of half a second at most, so that
other views go on, too. Main thread only.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from time import monotonic
from typing import Any

import numpy as np
from numpy.typing import NDArray
from qtpy.QtCore import QTimer

from brickfield.qt.background import Background
from brickfield.qt.lifetimes import owned
from brickfield.viewer.live import LiveView

PIECE_S = 0.5
"""Longest piece of work for the render thread, beside drawing."""
LOOK_MS = 100
"""Time between two looks at a view that says nothing."""


@dataclass(frozen=True, eq=False)
class CapturedPicture:
    """What a shot came to.

    Attributes
    ----------
    image : ndarray, shape (h, w, 4), uint8, or None
        None when there is none, see `problem`.
    fidelity : str
        See :data:`brickfield.viewer.receipts.fidelity.Fidelity`.
    problem : str
        Why there is no picture; "" otherwise.
    """

    image: NDArray[np.uint8] | None = None
    fidelity: str = "improving"
    problem: str = ""

    @property
    def is_complete(self) -> bool:
        """Whether all that was wanted is in it."""
        return self.fidelity in ("final", "limited")


class Capture:
    """Waits until a view is complete, then takes the picture.

    Parameters
    ----------
    view : LiveView
    background : Background
        Brings answers back to this thread.
    on_taken : callable
        Takes a :class:`CapturedPicture`, once; never after :meth:`cancel`.
    timeout_s : float
        Then the picture is taken as it is.
    """

    def __init__(
        self,
        view: LiveView,
        background: Background,
        on_taken: Callable[[CapturedPicture], object],
        *,
        timeout_s: float,
    ) -> None:
        self._view = view
        self._background = background
        self._on_taken: Callable[[CapturedPicture], object] | None = on_taken
        self._deadline = monotonic() + timeout_s
        self._is_asking = False
        self._timer = owned(QTimer(), self)
        self._timer.setInterval(LOOK_MS)
        self._timer.timeout.connect(self._look)
        self._timer.start()
        view.reported.connect(self._look)
        # Not before the caller has the object.
        background.deliver(self._look)

    @property
    def is_over(self) -> bool:
        """Whether the picture was taken or is not wanted any more."""
        return self._on_taken is None

    def cancel(self) -> None:
        """Cancel the picture."""
        self._on_taken = None
        self._timer.stop()
        self._view.reported.disconnect(self._look, missing_ok=True)

    def _look(self, _report: object = None) -> None:
        view = self._view
        if self._is_asking or self.is_over:
            return
        is_late = monotonic() >= self._deadline
        if view.is_closed:
            self._end(CapturedPicture(problem="the view was closed before"))
        elif view.report.error:
            self._end(CapturedPicture(problem=view.report.error))
        elif view.camera is None:
            problem = "expected an image layer to take a picture of; found none"
            self._end(CapturedPicture(problem=problem))
        elif view.is_settled or not view.is_shown or is_late:
            # A hidden view loads nothing by itself.
            self._ask(0.0 if is_late else PIECE_S, is_late=is_late)

    def _ask(self, piece_s: float, *, is_late: bool) -> None:
        self._is_asking = True
        future = self._view.client.ask(lambda drawer: _picture(drawer, piece_s))
        self._background.follow(
            future, lambda result, error: self._answer(result, error, is_late=is_late)
        )

    def _answer(
        self, result: Any, error: BaseException | None, *, is_late: bool
    ) -> None:
        self._is_asking = False
        if self.is_over:
            return
        if error is not None:
            self._end(CapturedPicture(problem=str(error) or type(error).__name__))
            return
        image, fidelity, is_loaded = result
        if is_loaded or is_late:
            self._end(CapturedPicture(image, fidelity))

    def _end(self, taken: CapturedPicture) -> None:
        tell = self._on_taken
        self.cancel()
        if tell is not None:
            tell(taken)


def _picture(drawer: Any, timeout_s: float) -> tuple[NDArray[np.uint8], str, bool]:
    """Return picture, its fidelity, and whether waiting will not help."""
    image, _ = drawer.picture(timeout_s)
    return image, drawer.fidelity(), drawer.view.is_complete
