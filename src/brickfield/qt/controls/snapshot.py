"""Pictures of the dock: to a file, to the clipboard.

Invariant: asking for a picture never holds the window up, and a picture that is
not complete says so, in the notice, in the file, and (unless that is switched off)
in its corner. Main thread only.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any
from weakref import ref

import numpy as np
from numpy.typing import NDArray
from qtpy.QtCore import QObject, QRect
from qtpy.QtGui import QAction, QImage
from qtpy.QtWidgets import QApplication, QFileDialog, QMenu

from brickfield.qt.background import Background
from brickfield.qt.host import DockHost
from brickfield.qt.view.capture import Capture, CapturedPicture
from brickfield.qt.view.view_frame import ViewFrame
from brickfield.viewer.export import mark_incomplete, write_png
from brickfield.viewer.receipts import least_true, notes_of
from brickfield.writing import check_file

TIMEOUT_S = 60.0
"""Longest wait for a complete picture."""
Picture = NDArray[np.uint8]
Finish = Callable[[Picture, str], None]


class Snapshots(QObject):
    """Takes pictures of a dock's views.

    Parameters
    ----------
    dock : DockHost
    menu : QMenu
        Is filled with what can be done.

    Attributes
    ----------
    dialog : QFileDialog or None
        Open while a file name is chosen.
    marks : QAction
        Whether an incomplete picture says so in its corner.
    """

    def __init__(self, dock: DockHost, menu: QMenu) -> None:
        super().__init__(dock)
        self._dock = dock
        self._background = Background()
        self._captures: list[Capture] = []
        self._folder = ""
        self.dialog: QFileDialog | None = None
        self._all: list[QAction] = []
        self._fill(menu)
        menu.aboutToShow.connect(self._look_at_views)
        dock.call_when_closed(partial(_end, self._background, ref(self)))

    def _fill(self, menu: QMenu) -> None:
        def add(text: str, hint: str, call: Callable[[], None]) -> QAction:
            action = menu.addAction(text)
            action.setToolTip(hint)
            action.triggered.connect(lambda _=False: call())
            return action

        add("Save picture…", "The view that was clicked last, as PNG", self.save)
        add("Copy picture", "To the clipboard", self.copy)
        menu.addSeparator()
        self._all = [
            add(
                "Save all views…", "Side by side as in the dock, as PNG", self.save_all
            ),
            add("Copy all views", "Side by side as in the dock", self.copy_all),
        ]
        menu.addSeparator()
        self.marks = menu.addAction("Mark incomplete pictures")
        self.marks.setCheckable(True)
        self.marks.setChecked(True)
        self.marks.setToolTip(
            "Write “incomplete” into a picture for which not all data could be read"
        )
        self.stop = add("Stop waiting", "Forget the picture", self.cancel)

    def _look_at_views(self) -> None:
        for action in self._all:
            action.setVisible(len(self._dock.frames) > 1)
        self.stop.setVisible(bool(self._captures))

    # -- what can be done --------------------------------------------------------

    def _front(self) -> list[ViewFrame]:
        """Return the frame whose picture has the keyboard, or the main view's."""
        frames = self._dock.frames.values()
        clicked = [f for f in frames if f.picture.hasFocus()]
        return (clicked or [f for f in frames if f.view is self._dock.main_view])[:1]

    def save(self) -> None:
        """Let the user choose a file, then save the picture of one view."""
        self._ask_for_file(self._front())

    def save_all(self) -> None:
        """Let the user choose a file, then save all views side by side."""
        self._ask_for_file(list(self._dock.frames.values()))

    def copy(self) -> None:
        """Put the picture of one view into the clipboard."""
        self._take(self._front(), "copying the picture", self._copied)

    def copy_all(self) -> None:
        """Put all views into the clipboard, side by side."""
        self._take(list(self._dock.frames.values()), "copying", self._copied)

    def save_to(self, path: Path, frames: Sequence[ViewFrame] | None = None) -> None:
        """Save a picture once it is complete; returns at once.

        Parameters
        ----------
        path : Path
        frames : sequence of ViewFrame, optional
            The views to show beside one another; default the one in front.
        """
        sources = [port.data.store.source for port in self._dock.scene.layers]
        shown = frames or self._front()
        scene = shown[0].view.pictures.scene_notes() if shown else {}

        def write(image: Picture, fidelity: str) -> None:
            check_file(path, sources)
            write_png(path, image, notes_of(fidelity) | scene)

        def finish(image: Picture, fidelity: str) -> None:
            self._background.run(
                lambda: write(image, fidelity),
                lambda _, error: self._saved(path, error, fidelity=fidelity),
            )

        self._take(shown, f"saving {path.name}", finish)

    def cancel(self) -> None:
        """Forget pictures that are waited for."""
        for capture in self._captures:
            capture.cancel()
        self._captures = []
        self._dock.status.set_job("")

    # -- asking for a file -------------------------------------------------------

    def _ask_for_file(self, frames: Sequence[ViewFrame]) -> None:
        dialog = QFileDialog(self._dock, "Save picture", self._folder)
        dialog.setAcceptMode(QFileDialog.AcceptMode.AcceptSave)
        dialog.setNameFilter("PNG picture (*.png)")
        dialog.setDefaultSuffix("png")
        dialog.selectFile(self._suggested())
        dialog.fileSelected.connect(lambda name: self._chosen(name, frames))
        self.dialog = dialog
        dialog.open()

    def _suggested(self) -> str:
        scene = self._dock.scene
        layer = scene.active or (scene.layers[-1] if scene.layers else None)
        name = layer.name if layer is not None else "picture"
        plain = re.sub(r"[^\w.-]+", "_", name).strip("_.") or "picture"
        return f"{plain}_{datetime.now().astimezone():%Y-%m-%d_%H%M%S}.png"

    def _chosen(self, name: str, frames: Sequence[ViewFrame]) -> None:
        path = Path(name)
        self._folder = str(path.parent)
        here = list(self._dock.frames.values())
        self.save_to(path, [frame for frame in frames if frame in here])

    # -- taking ------------------------------------------------------------------

    def _take(self, frames: Sequence[ViewFrame], what: str, finish: Finish) -> None:
        """Take a picture of each frame, then hand them on as one."""
        self._dock.status.set_job(what)
        taken: dict[int, CapturedPicture] = {}

        def done(index: int, result: CapturedPicture) -> None:
            taken[index] = result
            self._captures = [
                capture for capture in self._captures if not capture.is_over
            ]
            if len(taken) == len(frames):
                self._finish([taken[i] for i in range(len(frames))], frames, finish)

        self._captures += [
            Capture(f.view, self._background, partial(done, i), timeout_s=TIMEOUT_S)
            for i, f in enumerate(frames)
        ]

    def _finish(
        self,
        taken: Sequence[CapturedPicture],
        frames: Sequence[ViewFrame],
        finish: Finish,
    ) -> None:
        if not self._captures:
            self._dock.status.set_job("")
        problem = next((t.problem for t in taken if t.problem), "")
        images = [t.image for t in taken if t.image is not None]
        if problem or len(images) < len(frames):
            self._dock.status.say(f"no picture: {problem}")
            return
        image = side_by_side(images, [_box(frame) for frame in frames])
        if not all(t.is_complete for t in taken) and self.marks.isChecked():
            image = mark_incomplete(image)
        finish(image, least_true(t.fidelity for t in taken))

    def _copied(self, image: Picture, fidelity: str) -> None:
        pixels = np.ascontiguousarray(image)
        height, width = pixels.shape[:2]
        kind = QImage.Format.Format_RGBA8888
        # The array goes, so the clipboard has a copy.
        QApplication.clipboard().setImage(
            QImage(pixels.data, width, height, 4 * width, kind).copy()
        )
        self._dock.status.say(f"picture copied{_doubt(fidelity)}")

    def _saved(self, path: Path, error: BaseException | None, *, fidelity: str) -> None:
        if error is not None:
            self._dock.status.say(f"not saved: {error}", 20.0)
        else:
            self._dock.status.say(f"saved {path}{_doubt(fidelity)}")


def _doubt(fidelity: str) -> str:
    if fidelity == "limited":
        return ", limited: parts are coarser than asked for"
    return "" if fidelity == "final" else ", incomplete: not all data could be read"


def _box(frame: ViewFrame) -> QRect:
    """Where a picture is in the dock, physical pixels."""
    ratio = frame.picture.devicePixelRatioF()
    at, size = frame.pos(), frame.picture.size()
    return QRect(
        round(at.x() * ratio),
        round(at.y() * ratio),
        round(size.width() * ratio),
        round(size.height() * ratio),
    )


def side_by_side(images: Sequence[Picture], boxes: Sequence[QRect]) -> Picture:
    """Put pictures where they are in the dock, on black.

    Parameters
    ----------
    images : sequence of ndarray, shape (h, w, 4), uint8
    boxes : sequence of QRect
        Where each has its upper left corner, physical pixels.
    """
    if len(images) == 1:
        return images[0]
    left, top = min(b.x() for b in boxes), min(b.y() for b in boxes)
    places = [(b.y() - top, b.x() - left) for b in boxes]
    sized = list(zip(places, images, strict=True))
    height = max(y + image.shape[0] for (y, _), image in sized)
    width = max(x + image.shape[1] for (_, x), image in sized)
    whole = np.zeros((height, width, 4), np.uint8)
    whole[..., 3] = 255
    for (y, x), image in sized:
        whole[y : y + image.shape[0], x : x + image.shape[1]] = image
    return whole


def _end(background: Background, snapshots: Any) -> None:
    background.close()
    alive = snapshots()
    if alive is not None:
        for capture in alive._captures:
            capture.cancel()
