"""The dock *Live acquisition*: an image that grows, and a microscope to try it with.

Invariant: nothing is read or written on the window's thread; what goes wrong is one
sentence. Main thread only.
"""

from __future__ import annotations

import tempfile
from concurrent.futures import CancelledError
from pathlib import Path
from typing import Any

from qtpy.QtCore import Qt, QTimer
from qtpy.QtWidgets import QFileDialog, QWidget

from brickfield.errors import BrickfieldError
from brickfield.plugin.docking.settling import DockPlace
from brickfield.plugin.layers.registry import plain
from brickfield.plugin.live.follower import (
    LiveFollower,
    LiveState,
    followers_of,
    open_live,
)
from brickfield.plugin.scenes.scene_menu import tell
from brickfield.qt import RunningTask, task_board
from brickfield.qt.live import LivePanel, LiveText
from brickfield.streaming import Microscope, StreamWriter, simulate

DEMO = Microscope(frames=3200, size=(512, 512), planes=16, channels=1, fps=60.0)
LOOK_MS = 250
"""Between two looks at how full the buffer is."""


class LiveDock(LivePanel):
    """Follows an image that is written, in a napari viewer.

    Parameters
    ----------
    napari_viewer : napari.Viewer
    """

    def __init__(self, napari_viewer, parent: QWidget | None = None) -> None:  # type: ignore[no-untyped-def]  # noqa: ANN001
        super().__init__(parent)
        self._place = DockPlace(self, napari_viewer)
        viewer: Any = plain(napari_viewer)
        self._follower: LiveFollower | None = None
        self._demo: RunningTask | None = None
        self._demos: list[RunningTask] = []
        self._writer: StreamWriter | None = None
        demos = self._demos
        self.destroyed.connect(lambda: _cancel_all(demos))
        self._timer = QTimer(self)
        self._timer.timeout.connect(self._show_now)
        self.follow_asked.connect(self._ask_what_to_follow)
        self.demo_asked.connect(lambda: self.run_demo())
        self.stop_asked.connect(self.end)
        self.newest_toggled.connect(self._toggle_newest)
        self.dropped.connect(lambda path: self.follow_image(Path(path)))
        followed = followers_of(viewer)
        if followed:
            self._attach(followed[-1])

    # -- following ---------------------------------------------------------------

    def follow_image(self, path: Path) -> None:
        """Open a local image in the viewer and follow it."""
        viewer = self._place.viewer
        if viewer is None:
            return
        try:
            follower = open_live(str(path), viewer)
        except BrickfieldError as error:
            tell(error)
            return
        self._attach(follower)

    def _attach(self, follower: LiveFollower) -> None:
        if self._follower is not None:
            self._follower.changed.disconnect(self._follow_state, missing_ok=True)
        self._follower = follower
        follower.follows_newest = self.newest.isChecked()
        follower.changed.connect(self._follow_state)
        self._show_now()

    def end(self) -> None:
        """Stop following, and end a demo."""
        if self._demo is not None:
            self._demo.cancel()
        elif self._follower is not None:
            self._follower.stop()
        self._show_now()

    def _toggle_newest(self, is_on: bool) -> None:
        if self._follower is not None:
            self._follower.follows_newest = is_on

    def _follow_state(self, _state: LiveState) -> None:
        try:
            self._show_now()
        except RuntimeError:  # Qt's half is gone already
            if self._follower is not None:
                self._follower.changed.disconnect(self._follow_state, missing_ok=True)

    def _show_now(self) -> None:
        if self._follower is None:
            self.show_state(LiveText())
            return
        state = self._follower.state
        word = "complete" if state.is_complete else "growing"
        if self._follower.is_over and not state.is_complete:
            word = "stopped"
        self.show_state(
            LiveText(
                name=state.name,
                state=word,
                frames=state.frames,
                time_points=state.time_points,
                fps=state.fps,
                buffer=None if self._writer is None else self._writer.buffered_share,
                problem=state.problem,
            )
        )

    def _ask_what_to_follow(self) -> None:
        dialog = QFileDialog(self, "Folder that is being written")
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.setFileMode(QFileDialog.FileMode.Directory)
        dialog.fileSelected.connect(lambda name: self.follow_image(Path(name)))
        dialog.open()

    # -- the demo ----------------------------------------------------------------

    def run_demo(self, microscope: Microscope = DEMO, path: Path | None = None) -> None:
        """Simulate a microscope, and follow what it writes.

        Parameters
        ----------
        microscope : Microscope
        path : Path, optional
            New folder; by default one among the temporary files.
        """
        if self._demo is not None or self._place.viewer is None:
            return
        if path is None:
            path = Path(tempfile.mkdtemp(prefix="brickfield-")) / "demo.ome.zarr"
        place = path
        self.demo.setEnabled(False)
        running = task_board().begin("Simulating a microscope", unit="frames")
        self._demo = running
        self._demos[:] = [running]

        def begun(writer: StreamWriter) -> None:
            self._place.background.deliver(lambda: self._demo_begun(writer, place))

        def job(_running: RunningTask) -> Any:
            return simulate(
                place,
                microscope,
                progress=lambda done, total: running.tell(done, total),
                cancel=running.cancelled.is_set,
                on_begin=begun,
            )

        self._place.background.follow(
            task_board().start(running, job), self._demo_ended
        )

    def _demo_begun(self, writer: StreamWriter, place: Path) -> None:
        self._writer = writer
        self._timer.start(LOOK_MS)
        self.follow_image(place)

    def _demo_ended(self, _stats: Any, error: BaseException | None) -> None:
        self._demo = self._writer = None
        self._timer.stop()
        self.demo.setEnabled(True)
        if error is not None and not isinstance(error, CancelledError):
            tell(error)
        self._show_now()


def _cancel_all(demos: list[RunningTask]) -> None:
    for demo in demos:
        demo.cancel()
