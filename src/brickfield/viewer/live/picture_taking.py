"""The steps of a complete picture, taken at once or later.

Invariant: the render thread gets pieces of a quarter of a second at most, so that
other views are drawn between them, and the view can end.
"""

from __future__ import annotations

from collections.abc import Callable, Generator
from concurrent.futures import CancelledError, Future
from operator import methodcaller
from time import monotonic
from typing import Any

import numpy as np
from numpy.typing import NDArray

from brickfield.errors import ViewClosedError

PIECE_S = 0.25
"""Longest time for which a screenshot keeps other views from being drawn."""
Job = Callable[[Any], Any]
"""A function of a drawer."""
Picture = tuple[NDArray[np.uint8], str]
"""sRGB, straight alpha, shape (h, w, 4), and its fidelity."""
Steps = Generator[Job, Any, Picture]
"""Yields jobs for the drawer, is sent their results, returns the picture."""


def picture_steps(timeout_s: float) -> Steps:
    """Load to the full quality, then draw as it is after some seconds at most."""
    end = monotonic() + timeout_s
    is_loaded = False
    while not is_loaded and (left := end - monotonic()) > 0:
        is_loaded = yield methodcaller("load", min(PIECE_S, left))
    image, _ = yield methodcaller("picture", 0.0)
    fidelity = yield methodcaller("fidelity")
    return image, fidelity


def take_now(steps: Steps, answer: Callable[[Job], Any]) -> Picture:
    """Run the steps with a function that waits for each.

    Parameters
    ----------
    steps : Steps
    answer : callable
        Runs a job and returns its result.
    """
    result = None
    try:
        while True:
            result = answer(steps.send(result))
    except StopIteration as end:
        picture: Picture = end.value
        return picture


def take_later(
    steps: Steps,
    ask: Callable[[Job], Future[Any]],
    finish: Callable[[Picture], NDArray[np.uint8]],
) -> Future[NDArray[np.uint8]]:
    """Run the steps one after the other; the picture has shape (h, w, 4), uint8.

    Parameters
    ----------
    steps : generator
    ask : callable
        Takes a job and returns a future.
    finish : callable
        Makes the result of the picture; on the render thread.

    Returns
    -------
    Future
        Cancelling it ends the work after its present step.
    """
    future: Future[NDArray[np.uint8]] = Future()

    def go_on(done: Future[Any] | None) -> None:
        try:
            result = None if done is None else done.result()
            if future.cancelled():
                return
            ask(steps.send(result)).add_done_callback(go_on)
        except StopIteration as end:
            picture: Picture = end.value
            _settle(future, lambda: finish(picture))
        except CancelledError:
            msg = "expected an open view; found that it was closed meanwhile"
            _settle(future, error=ViewClosedError(msg))
        except BaseException as error:  # noqa: BLE001 - it is the caller's
            _settle(future, error=error)

    go_on(None)
    return future


def _settle(
    future: Future[Any],
    make: Callable[[], Any] | None = None,
    error: BaseException | None = None,
) -> None:
    if not future.set_running_or_notify_cancel():
        return
    try:
        if error is not None:
            raise error
        future.set_result(None if make is None else make())
    except BaseException as found:  # noqa: BLE001 - it is the caller's
        future.set_exception(found)
