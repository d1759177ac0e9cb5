"""A bar below the pictures that makes movies.

What a movie shows is chosen on a page (once round, or key frames), tried out in
the view, and recorded in the background. While that goes on, the bar and the
status line say how far it is, and the view can be worked with. Main thread only.
"""

from __future__ import annotations

from pathlib import Path
from time import monotonic
from weakref import WeakMethod

from qtpy.QtCore import QSize, Qt, Signal
from qtpy.QtGui import QAction, QActionGroup
from qtpy.QtWidgets import (
    QComboBox,
    QFileDialog,
    QHBoxLayout,
    QMessageBox,
    QProgressBar,
    QSizePolicy,
    QStackedWidget,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from brickfield.camera import KeyFrame
from brickfield.errors import OptionError
from brickfield.model.units import duration
from brickfield.qt.host import DockHost
from brickfield.qt.movie.pages import KeyFramePage, Page, TurntablePage
from brickfield.qt.movie.preview import Preview
from brickfield.qt.movie.recipe import SIZES, looks_of, movie_size, outcome
from brickfield.qt.movie.recorder import Recorder, Recording, time_axis
from brickfield.qt.reports.status import ElidedLabel
from brickfield.qt.theme import Theme, button_sheet
from brickfield.qt.view.view_frame import ViewFrame
from brickfield.viewer.export import Movie, MovieOptions, MovieResult

_MP4 = "MP4 movie, frames beside it (*.mp4)"
_PNG = "PNG frames alone, in a folder (*)"
_NO_VOLUME = "movies show the volume: choose 3D or 2×2"


class MovieBar(QWidget):
    """Makes movies of a dock's volume view.

    Parameters
    ----------
    dock : DockHost
    marks : QAction
        Whether frames that are not complete say so in their corner.

    Attributes
    ----------
    recording_changed : Signal
        Emits whether a movie is being recorded (bool).
    turntable : TurntablePage
    key_frames : KeyFramePage
    size : QComboBox
    recorder : Recorder
    player : Preview
    by_name : dict of str to QAction
        ``turntable``, ``key_frames``, ``preview``, ``record``, ``stop``.
    dialog : QFileDialog or None
    question : QMessageBox or None
    """

    recording_changed = Signal(bool)

    def __init__(self, dock: DockHost, marks: QAction) -> None:
        super().__init__(dock)
        self._dock = dock
        self._marks = marks
        self._began = 0.0
        self._path = Path()
        self._folder = ""
        self._progress = (0, 0)
        self.dialog: QFileDialog | None = None
        self.question: QMessageBox | None = None
        self.by_name: dict[str, QAction] = {}
        self.recorder = Recorder(dock.scene, self)
        self.player = Preview(self)
        self._theme = Theme(self, button_sheet)
        self._make_parts()
        self._arrange()
        self.recorder.progressed.connect(self._show_progress)
        self.recorder.ended.connect(self._on_ended)
        self.player.ended.connect(self._show_state)
        end = WeakMethod(self.recorder.close)
        dock.call_when_closed(lambda: (f := end()) and f())
        self._show_state()

    # -- parts -------------------------------------------------------------------

    def _action(self, name: str, text: str, hint: str, icon: str = "") -> QAction:
        action = QAction(text, self)
        action.setToolTip(hint)
        if icon:
            self._theme.set_icon(action, icon)
        self.by_name[name] = action
        return action

    def _make_parts(self) -> None:
        self.turntable = TurntablePage()
        self.key_frames = KeyFramePage(self.here)
        self.key_frames.gone_to.connect(self._go_to)
        self.pages = QStackedWidget(self)
        self.pages.addWidget(self.turntable)
        self.pages.addWidget(self.key_frames)
        # As high as the page that is shown.
        self.pages.currentChanged.connect(self._fit_pages)
        tabs = QActionGroup(self)
        for i, (name, text, hint) in enumerate(
            (
                ("turntable", "Turntable", "Once round what is looked at"),
                ("key_frames", "Key frames", "From one view that you set to the next"),
            )
        ):
            tab = self._action(name, text, hint)
            tab.setCheckable(True)
            tab.setChecked(i == 0)
            tab.setActionGroup(tabs)
            tab.triggered.connect(lambda _=False, i=i: self.pages.setCurrentIndex(i))
        self.size = QComboBox(self)
        self.size.addItems(list(SIZES))
        adjust = QComboBox.SizeAdjustPolicy.AdjustToContents
        self.size.setSizeAdjustPolicy(adjust)
        self.size.setToolTip("Size of the movie, pixels")
        preview = self._action("preview", "Preview", "Play it in the view", "play")
        preview.triggered.connect(self.play)
        record = self._action("record", "Record…", "Save it as a movie", "record")
        record.triggered.connect(self.ask_for_file)
        stop = self._action(
            "stop", "Stop", "Stop; frames that are written stay", "stop"
        )
        stop.triggered.connect(self.stop)
        self.bar = QProgressBar(self)
        self.bar.setTextVisible(False)
        self.bar.setFixedHeight(10)
        self.text = ElidedLabel(self)

    def _button(self, name: str, *, is_segment: bool = False) -> QToolButton:
        button = QToolButton(self)
        button.setProperty("segment", is_segment)
        button.setDefaultAction(self.by_name[name])
        button.setIconSize(QSize(16, 16))
        if not is_segment:
            style = Qt.ToolButtonStyle.ToolButtonTextBesideIcon
            button.setToolButtonStyle(style)
        return button

    def _arrange(self) -> None:
        top = QHBoxLayout()
        top.setSpacing(0)
        top.addWidget(self._button("turntable", is_segment=True))
        top.addWidget(self._button("key_frames", is_segment=True))
        top.addStretch(1)
        top.addWidget(self.size)
        bottom = QHBoxLayout()
        bottom.setSpacing(4)
        self._buttons = {n: self._button(n) for n in ("preview", "record", "stop")}
        bottom.addWidget(self._buttons["preview"])
        bottom.addWidget(self.bar)
        bottom.addWidget(self.text, stretch=1)
        bottom.addWidget(self._buttons["record"])
        bottom.addWidget(self._buttons["stop"])
        column = QVBoxLayout(self)
        column.setContentsMargins(6, 2, 6, 4)
        column.setSpacing(4)
        column.addLayout(top)
        column.addWidget(self.pages)
        column.addLayout(bottom)
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Fixed)
        self._fit_pages(0)

    def _fit_pages(self, index: int) -> None:
        for i in range(self.pages.count()):
            vertical = QSizePolicy.Policy.Preferred
            if i != index:
                vertical = QSizePolicy.Policy.Ignored
            self.pages.widget(i).setSizePolicy(QSizePolicy.Policy.Preferred, vertical)
        self.pages.adjustSize()

    # -- what there is -----------------------------------------------------------

    @property
    def page(self) -> Page:
        """The page that is shown."""
        page: Page = self.pages.currentWidget()
        return page

    def _frame(self) -> ViewFrame | None:
        """The volume view's frame; None without one that shows something."""
        frame = self._dock.frames.get("3D")
        return frame if frame is not None and frame.view.camera is not None else None

    def here(self) -> KeyFrame | None:
        """Return what the volume view shows now."""
        frame = self._frame()
        if frame is None or frame.view.camera is None:
            return None
        axis = time_axis(self._dock.scene)
        return KeyFrame(frame.view.camera, 0 if axis is None else axis[1])

    def _go_to(self, key: KeyFrame) -> None:
        frame, axis = self._frame(), time_axis(self._dock.scene)
        if frame is not None:
            frame.view.move_to(key.camera)
        if axis is not None:
            self._dock.scene.move_slider(axis[0], key.time)

    def _frames(self) -> tuple[KeyFrame, ...]:
        """Return the frames of the page, or say why there are none."""
        here = self.here()
        if here is None:
            self._dock.status.say(_NO_VOLUME)
            return ()
        try:
            return self.page.frames(here)
        except OptionError as error:
            self._dock.status.say(str(error))
            return ()

    # -- trying out --------------------------------------------------------------

    def play(self) -> None:
        """Play the movie in the view, or stop playing it."""
        if self.player.is_playing:
            self.player.stop()
            return
        frames, frame = self._frames(), self._frame()
        if frames and frame is not None:
            cameras = [f.camera for f in frames]
            self.player.play(frame.view, cameras, self.page.fps)
            self._show_state()

    # -- recording ---------------------------------------------------------------

    def ask_for_file(self) -> None:
        """Let the user choose a file, then record."""
        self.player.stop()
        if not self._frames():
            return
        dialog = QFileDialog(self._dock, "Record movie", self._folder)
        dialog.setAcceptMode(QFileDialog.AcceptMode.AcceptSave)
        dialog.setNameFilters([_MP4, _PNG])
        dialog.setDefaultSuffix("mp4")
        dialog.filterSelected.connect(
            lambda kind: dialog.setDefaultSuffix("mp4" if kind == _MP4 else "")
        )
        dialog.selectFile("movie.mp4")
        dialog.fileSelected.connect(lambda name: self.record_to(Path(name)))
        self.dialog = dialog
        dialog.open()

    def record_to(self, path: Path, *, overwrite: bool = False) -> None:
        """Record in the background.

        Parameters
        ----------
        path : Path
            An ``.mp4``, whose frames are kept in ``NAME_frames`` beside it, or a
            folder for frames alone.
        overwrite : bool
            Whether frames of another movie there are replaced.
        """
        frames, frame = self._frames(), self._frame()
        if not frames or frame is None or self.recorder.is_running:
            return
        self._path, self._folder = path, str(path.parent)
        is_mp4 = path.suffix.lower() == ".mp4"
        size, ratio = movie_size(frame, SIZES[self.size.currentText()])
        looks = f"{size} {ratio} {frame.view.overlays} {frame.view.quality}"
        recording = Recording(
            Movie(frames, self.page.fps, looks_of(self._dock.scene) + looks),
            path.with_name(f"{path.stem}_frames") if is_mp4 else path,
            MovieOptions(
                mp4=path if is_mp4 else None,
                marks_incomplete=self._marks.isChecked(),
                overwrite=overwrite,
            ),
            size,
            ratio,
            self._dock.gpu_budget // 3,
        )
        self._dock.lend_budget(recording.gpu_budget)
        self._began, self._progress = monotonic(), (0, len(frames))
        self.recorder.start(recording, frame.view)
        self._show_state()
        self._show_progress(0, len(frames))

    def stop(self) -> None:
        """Stop what is going on: the recording, or the preview."""
        self.recorder.stop()
        self.player.stop()

    def _show_progress(self, n_done: int, n: int) -> None:
        self._progress = (n_done, n)
        self.bar.setRange(0, n)
        self.bar.setValue(n_done)
        is_drawn = n_done == n
        text = "writing the movie" if is_drawn else f"recording {n_done} of {n}"
        self._dock.status.set_job(text)
        spent = monotonic() - self._began
        left = spent / max(n_done, 1) * (n - n_done)
        is_known = 0 < n_done < n and spent > 2
        self.text.say(f"{duration(left)} left" if is_known else "")

    def _on_ended(self, result: MovieResult | None, error: Exception | None) -> None:
        self._dock.lend_budget(0)
        self._dock.status.set_job("")
        self.text.say("")
        self._show_state()
        if isinstance(error, OptionError) and "another movie" in str(error):
            self._ask_to_overwrite(str(error))
        else:
            self._dock.status.say(outcome(result, error, self._progress), 20.0)

    def _ask_to_overwrite(self, message: str) -> None:
        path = self._path
        box = QMessageBox(self._dock)
        box.setWindowTitle("Record movie")
        box.setText("There are frames of another movie. Replace them?")
        box.setInformativeText(message)
        buttons = QMessageBox.StandardButton
        box.setStandardButtons(buttons.Yes | buttons.No)
        box.button(buttons.Yes).clicked.connect(
            lambda: self.record_to(path, overwrite=True)
        )
        self.question = box
        box.open()

    def _show_state(self) -> None:
        is_recording, is_playing = self.recorder.is_running, self.player.is_playing
        self.pages.setEnabled(not is_recording)
        self.size.setEnabled(not is_recording)
        self.bar.setVisible(is_recording)
        self._buttons["record"].setVisible(not is_recording)
        self._buttons["stop"].setVisible(is_recording)
        self._buttons["preview"].setVisible(not is_recording)
        self.by_name["preview"].setText("Stop" if is_playing else "Preview")
        self._theme.set_icon(self.by_name["preview"], "stop" if is_playing else "play")
        self.recording_changed.emit(is_recording)
