"""Complete pictures of a view and their receipts, taken at once or later.

Invariant: the render thread gets pieces of a quarter of a second at most, so that
other views are drawn between them, and the view can end.
"""

from __future__ import annotations

from collections.abc import Callable, Generator
from concurrent.futures import CancelledError, Future
from dataclasses import replace
from operator import methodcaller
from pathlib import Path
from time import monotonic
from typing import Any

import numpy as np
from numpy.typing import NDArray

from brickfield.errors import OptionError, ViewClosedError
from brickfield.viewer.export.files import SCENE_KEY, write_png
from brickfield.viewer.live.render_client import PATIENCE_S, RenderClient
from brickfield.viewer.receipts.fidelity import notes_of
from brickfield.viewer.receipts.receipt import Receipt
from brickfield.writing import check_file

USUAL_SIZE = (800, 600)
"""Width and height of the picture of a view that no window has given a size."""
PIECE_S = 0.25
"""Longest time for which a screenshot keeps other views from being drawn."""
Job = Callable[[Any], Any]
"""A function of a drawer."""
Picture = tuple[NDArray[np.uint8], str]
"""sRGB, straight alpha, shape (h, w, 4), and its fidelity."""
Steps = Generator[Job, Any, Picture]
"""Yields jobs for the drawer, is sent their results, returns the picture."""


class PictureTaker:
    """Takes complete pictures of one view, and tells what they cost.

    Main thread only.

    Parameters
    ----------
    client : RenderClient
        Of the view.
    """

    def __init__(self, client: RenderClient) -> None:
        self._client = client
        self.scene_text: Callable[[], str] | None = None
        """What gives the scene document that pictures carry; on the owner's thread."""

    def receipt_later(self) -> Future[Receipt]:
        """Find out what the picture cost, without waiting."""
        return self._client.ask(lambda drawer: drawer.receipt())

    @property
    def receipt(self) -> Receipt:
        """What the current picture cost.

        Waits for the render thread, a minute at most; never for data.

        Raises
        ------
        OptionError
            If there is no layer.
        ViewClosedError, ViewBusyError, AdapterError
        """
        self._be_ready()
        receipt: Receipt = self._client.answer(lambda drawer: drawer.receipt())
        # A picture that is still to be framed is not the one that was asked for.
        if self._client.is_shown and self._client.fidelity == "improving":
            return replace(receipt, fidelity="improving")
        return receipt

    def take(self, path: Any = None, *, timeout_s: float = 60.0) -> NDArray[np.uint8]:
        """Load to the full quality, draw, and write a PNG.

        In a window its event loop turns meanwhile: other views and windows go on,
        and what the hand does on this view is dropped.

        Parameters
        ----------
        path : str or Path, optional
            File to write.
        timeout_s : float
            Seconds after which the picture is taken as it is.

        Returns
        -------
        ndarray, shape (h, w, 4), uint8
            sRGB, straight alpha, row 0 on top; physical pixels.

        Raises
        ------
        OptionError
            If there is no layer, or if the file belongs to what is drawn.
        ViewClosedError, ViewBusyError, AdapterError
        """
        self._check_target(path)
        if self._client.wait_for is not None and not self._client.is_on_render_thread:
            future = self.take_later(path, timeout_s=timeout_s)
            try:
                return self._client.waited_for(future, timeout_s + PATIENCE_S)
            finally:
                future.cancel()
        self._be_ready()
        notes = self.scene_notes() if path is not None else {}
        image, fidelity = steps_now(picture_steps(timeout_s), self._client.answer)
        if path is not None:
            write_png(Path(path), image, notes_of(fidelity) | notes)
        return image

    def take_later(
        self, path: Any = None, *, timeout_s: float = 60.0
    ) -> Future[NDArray[np.uint8]]:
        """Take a screenshot, shape (h, w, 4), as :meth:`take` does, without waiting.

        Parameters
        ----------
        path : str or Path, optional
            Where to write a PNG.
        timeout_s : float
            Seconds after which the picture is taken as it is.

        Returns
        -------
        Future
            Of the picture; done once the file is written, too. In it is what
            :meth:`take` raises.
        """
        self._check_target(path)
        self._be_ready()
        notes = self.scene_notes() if path is not None else {}

        def finish(picture: Picture) -> NDArray[np.uint8]:
            image, fidelity = picture
            if path is not None:
                write_png(Path(path), image, notes_of(fidelity) | notes)
            return image

        return steps_later(picture_steps(timeout_s), self._client.ask, finish)

    def scene_notes(self) -> dict[str, str]:
        """Return the text with which a picture taken now tells its scene."""
        text = "" if self.scene_text is None else self.scene_text()
        return {SCENE_KEY: text} if text else {}

    def _check_target(self, path: Any) -> None:
        """Refuse to write over what is drawn."""
        if path is not None:
            check_file(
                Path(path), [layer.store.source for layer in self._client.layers]
            )

    def _be_ready(self) -> None:
        """See to it that there is something to draw, and a size to draw it in."""
        if self._client.is_closed:
            return
        if self._client.state.camera is None:
            msg = "expected an image layer to take a picture of; found none: add one"
            raise OptionError(msg)
        if min(self._client.state.size) < 2:
            self._client.resize(USUAL_SIZE)


def picture_steps(timeout_s: float) -> Steps:
    """Load to the full quality, then draw as it is after some seconds at most."""
    end = monotonic() + timeout_s
    is_loaded = False
    while not is_loaded and (left := end - monotonic()) > 0:
        is_loaded = yield methodcaller("load", min(PIECE_S, left))
    image, _ = yield methodcaller("picture", 0.0)
    fidelity = yield methodcaller("fidelity")
    return image, fidelity


def steps_now(steps: Steps, answer: Callable[[Job], Any]) -> Picture:
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


def steps_later(
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
