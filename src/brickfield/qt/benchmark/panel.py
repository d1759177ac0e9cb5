"""What is measured, what came of it so far, and its files.

Invariant: nothing is measured or opened on the window's thread; rows arrive while tests
run. A run that is cancelled keeps its rows, and what is exported is what is shown.
Main thread only.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from threading import Event
from time import monotonic
from typing import Any

from qtpy.QtCore import Qt, Signal
from qtpy.QtWidgets import (
    QCheckBox,
    QFileDialog,
    QGridLayout,
    QHBoxLayout,
    QLabel,
    QProgressBar,
    QPushButton,
    QSpinBox,
    QVBoxLayout,
    QWidget,
)

from brickfield.benchmarks import (
    TESTS,
    BenchmarkOptions,
    BenchmarkResult,
    BenchmarkRun,
    Progress,
    TestResult,
)
from brickfield.errors import BrickfieldError
from brickfield.model.secrets import hide_secrets
from brickfield.qt.background import Background
from brickfield.qt.benchmark.comparison_dialog import ComparisonDialog
from brickfield.qt.benchmark.table import ResultTable

SIZES = (100, 200, 300)
_SIZES = dict(zip(SIZES, ("Small", "Medium", "Large"), strict=True))
USUAL_SIZE = 200
COLUMNS = 4
MOST_NAME_PX = 120
"""Of a layer's name; longer ones are cut in the middle, and whole in the tooltip."""
TELL_S = 0.1
"""Least time between two updates of a row."""
_NAMES = {
    "gaussian": "Gaussian",
    "rotation_15": "Rotation 15°",
    "rotation_45": "Rotation 45°",
    "rotation_90": "Rotation 90°",
    "shift": "Shift",
    "downsample_3": "Downsample 3×",
    "full_pipeline": "Full pipeline",
    "read": "Read",
    "render": "Render",
    "stream": "Stream",
}
Subject = tuple[str, Any]
"""Name and voxels of what is current: a store, a layer, an array, an address."""


class BenchmarkPanel(QWidget):
    """Choices, a live table, and buttons for its files.

    Parameters
    ----------
    find_subject : callable
        Returns the current layer as (name, store), or None; asked when the window is
        shown and when a run begins.

    Attributes
    ----------
    finished : Signal
        Emits the result (BenchmarkResult), also of a run that was cancelled.
    result : BenchmarkResult or None
        Of the last run, or of the one under way so far.
    """

    finished = Signal(object)

    def __init__(
        self,
        find_subject: Callable[[], Subject | None] = lambda: None,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self._find_subject = find_subject
        self._background = Background()
        self._run: BenchmarkRun | None = None
        self._cancel = Event()
        # A widget that is deleted is not closed first.
        self._ends = ends = [self._cancel.set, self._background.close]
        self.destroyed.connect(lambda: [end() for end in ends])
        self.result: BenchmarkResult | None = None
        column = QVBoxLayout(self)
        column.addLayout(self._make_sizes())
        column.addLayout(self._make_counts())
        column.addLayout(self._make_tests())
        self.table = ResultTable(_NAMES, self)
        column.addWidget(self.table, stretch=1)
        self.bar = QProgressBar(self)
        self.bar.setVisible(False)
        column.addWidget(self.bar)
        self.words = QLabel("A run takes seconds to minutes.", self)
        self.words.setWordWrap(True)
        column.addWidget(self.words)
        column.addLayout(self._make_buttons())
        self.look()
        self._show_state()

    # -- parts -------------------------------------------------------------------

    def _make_sizes(self) -> QHBoxLayout:
        row = QHBoxLayout()
        row.addWidget(QLabel("Sizes", self))
        self.sizes = {n: QCheckBox(f"{n}³", self) for n in SIZES}
        for n, box in self.sizes.items():
            box.setChecked(n == USUAL_SIZE)
            box.setToolTip(
                f"{_SIZES[n]}: an image of {n} × {n} × {n} voxels, uint16, made for it"
            )
            row.addWidget(box)
        self.current = QCheckBox("Current layer", self)
        row.addWidget(self.current)
        row.addStretch(1)
        return row

    def _make_counts(self) -> QHBoxLayout:
        row = QHBoxLayout()
        self.iterations, self.warmup = QSpinBox(self), QSpinBox(self)
        self.iterations.setRange(1, 1000)
        self.iterations.setValue(5)
        self.iterations.setToolTip("Calls of each test whose times count")
        self.warmup.setRange(0, 100)
        self.warmup.setValue(1)
        self.warmup.setToolTip("Calls of each test before them, which do not count")
        for text, spin in (("Iterations", self.iterations), ("Warm-up", self.warmup)):
            spin.setAccessibleName(text)
            row.addWidget(QLabel(text, self))
            row.addWidget(spin)
        row.addStretch(1)
        return row

    def _make_tests(self) -> QGridLayout:
        grid = QGridLayout()
        self.tests = {name: QCheckBox(_NAMES[name], self) for name in TESTS}
        for number, box in enumerate(self.tests.values()):
            box.setChecked(True)
            grid.addWidget(box, number // COLUMNS, number % COLUMNS)
        return grid

    def _make_buttons(self) -> QHBoxLayout:
        row = QHBoxLayout()
        self.start = self._button("Run", self.run)
        self.cancel = self._button("Cancel", self.stop)
        self.csv = self._button("Export CSV…", lambda: self._ask_where("csv"))
        self.json = self._button("Export JSON…", lambda: self._ask_where("json"))
        self.compare = self._button("Compare with…", self._ask_for_files)
        self.compare.setToolTip(
            "Put an earlier result (JSON) beside this one, or two of them"
        )
        row.addWidget(self.start)
        row.addWidget(self.cancel)
        row.addStretch(1)
        for button in (self.csv, self.json, self.compare):
            row.addWidget(button)
        return row

    def _button(self, text: str, act: Callable[[], object]) -> QPushButton:
        button = QPushButton(text, self)
        # What it does, without the marks of a question that follows.
        button.setAccessibleName(text.removesuffix("…").removesuffix(" with"))
        button.clicked.connect(lambda: act())
        return button

    # -- what is chosen ----------------------------------------------------------

    def look(self) -> None:
        """Find out what the current layer is."""
        found = self._find_subject()
        self.current.setEnabled(found is not None)
        if found is None:
            self.current.setChecked(False)
        name, metrics = "" if found is None else found[0], self.current.fontMetrics()
        middle = Qt.TextElideMode.ElideMiddle
        short = metrics.elidedText(name, middle, MOST_NAME_PX)
        self.current.setText(f"Layer {short}" if name else "Current layer")
        self.current.setToolTip(
            (f"{name}: voxels" if name else "Voxels")
            + " in the middle of the layer, at most those of a cube of 300³; read,"
            " render and stream use its chunks"
        )

    @property
    def options(self) -> BenchmarkOptions:
        """What is chosen.

        Raises
        ------
        OptionError
            When that is no test or no size.
        """
        sizes: list[int | None] = [n for n, b in self.sizes.items() if b.isChecked()]
        if self.current.isChecked():
            sizes.append(None)
        return BenchmarkOptions(
            tuple(name for name, box in self.tests.items() if box.isChecked()),
            tuple(sizes),
            self.iterations.value(),
            self.warmup.value(),
            has_made_cubes=True,
        )

    # -- the run -----------------------------------------------------------------

    @property
    def is_running(self) -> bool:
        """Whether tests are made now."""
        return self._run is not None

    def run(self) -> None:
        """Begin to measure what is chosen."""
        if self.is_running:
            return
        self.look()
        try:
            options = self.options
        except BrickfieldError:
            self.words.setText("Choose at least one test and one size")
            return
        found = self._find_subject()
        self._cancel = Event()
        self._ends[0] = self._cancel.set
        told = _Throttle(self._background.deliver, self._show)
        self._run = run = BenchmarkRun(
            options,
            source=None if found is None or None not in options.sizes else found[1],
            progress=told,
            cancel=self._cancel,
        )
        self.result = None
        self.table.clear_rows()
        self.bar.setRange(0, run.n_calls)
        self.bar.setValue(0)
        self.words.setText("Preparing…")
        self._show_state()
        self._background.run(run.run, self._on_done)

    def stop(self) -> None:
        """End after the call that is under way; what is done is kept."""
        if self.is_running:
            self._cancel.set()
            self.words.setText("Stopping after the current call…")

    def _show(self, progress: Progress) -> None:
        if self._run is None:
            return
        self.bar.setValue(progress.done)
        self.table.show_row(progress.result)
        if not self._cancel.is_set():
            name = _NAMES.get(progress.result.test, progress.result.test)
            self.words.setText(f"{name}: {progress.done} of {progress.total} calls")

    def _on_done(
        self, result: BenchmarkResult | None, error: BaseException | None
    ) -> None:
        run, self._run = self._run, None
        assert run is not None
        self.result = run.result if result is None else result
        for row in self.result.results:
            self.table.show_row(row)
        self.words.setText(self._ended(self.result, error))
        self._show_state()
        self.finished.emit(self.result)

    def _ended(self, result: BenchmarkResult, error: BaseException | None) -> str:
        if error is not None:
            return hide_secrets(str(error))
        failed = [row for row in result.results if row.error]
        if self._cancel.is_set():
            return "Cancelled: what is done is in the table"
        if failed:
            return f"{_NAMES[failed[0].test]}: {failed[0].error}"
        return f"Done on {result.machine['cpu']}"

    def _show_state(self) -> None:
        is_running, has_rows = self.is_running, bool(self.rows)
        for widget in (*self.sizes.values(), *self.tests.values()):
            widget.setEnabled(not is_running)
        for spin in (self.iterations, self.warmup):
            spin.setEnabled(not is_running)
        self.current.setEnabled(not is_running and self._find_subject() is not None)
        self.start.setEnabled(not is_running)
        self.cancel.setEnabled(is_running)
        self.csv.setEnabled(not is_running and has_rows)
        self.json.setEnabled(not is_running and has_rows)
        self.compare.setEnabled(not is_running)
        self.bar.setVisible(is_running)

    @property
    def rows(self) -> tuple[TestResult, ...]:
        """Results of the last run."""
        return () if self.result is None else self.result.results

    # -- files -------------------------------------------------------------------

    def export(self, path: str | Path) -> None:
        """Write the result as a file, CSV or JSON by its name."""
        if self.result is None:
            return
        try:
            if Path(path).suffix.lower() == ".csv":
                self.result.write_csv(path)
            else:
                self.result.write_json(path)
        except BrickfieldError as error:
            self.words.setText(str(error))
        else:
            self.words.setText(f"Written: {Path(path).name}")

    def compare_with(self, old: str | Path, new: str | Path | None = None) -> None:
        """Show an earlier result beside this one, or beside another file.

        Parameters
        ----------
        old : str or Path
            JSON file.
        new : str or Path, optional
            JSON file; the result in the table if not given.
        """
        try:
            before = BenchmarkResult.read_json(old)
            after = self.result if new is None else BenchmarkResult.read_json(new)
            if after is None:
                self.words.setText("Measure first, or choose two files")
                return
        except BrickfieldError as error:
            self.words.setText(str(error))
            return
        names = (Path(old).name, "now" if new is None else Path(new).name)
        dialog = ComparisonDialog(before, after, names, _NAMES, self.window())
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.show()

    def _ask_where(self, kind: str) -> None:
        dialog = QFileDialog(self, f"Export {kind.upper()}", f"benchmark.{kind}")
        dialog.setAcceptMode(QFileDialog.AcceptMode.AcceptSave)
        dialog.setNameFilter(f"{kind.upper()} (*.{kind})")
        dialog.setDefaultSuffix(kind)
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.fileSelected.connect(self.export)
        dialog.open()

    def _ask_for_files(self) -> None:
        many = self.result is None
        what = "Two results, the older first" if many else "An earlier result"
        dialog = QFileDialog(self, what)
        mode = QFileDialog.FileMode
        dialog.setFileMode(mode.ExistingFiles if many else mode.ExistingFile)
        dialog.setNameFilter("JSON (*.json)")
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.filesSelected.connect(self._take_files)
        dialog.open()

    def _take_files(self, paths: list[str]) -> None:
        if len(paths) > 1:
            old, new = sorted(paths, key=_started)[:2]
            self.compare_with(old, new)
        elif paths:
            self.compare_with(paths[0])


def _started(path: str) -> str:
    """When a result was made; files that are none come last and are told."""
    try:
        return BenchmarkResult.read_json(path).started
    except BrickfieldError:
        return "~"


class _Throttle:
    """Delivers progress to the window's thread, not more often than it can be seen."""

    def __init__(
        self,
        deliver: Callable[[Callable[[], object]], object],
        show: Callable[[Progress], object],
    ) -> None:
        self._deliver = deliver
        self._show = show
        self._last = 0.0
        self._row: tuple[str, Any] | None = None

    def __call__(self, progress: Progress) -> None:
        """Take progress of a call, on the thread that measures."""
        now, row = monotonic(), (progress.result.test, progress.result.size)
        is_news = progress.result.complete or progress.result.error or row != self._row
        if is_news or now - self._last >= TELL_S:
            self._last, self._row = now, row
            self._deliver(lambda: self._show(progress))
