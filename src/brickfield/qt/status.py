"""One line that says how far the picture is, in a biologist's words."""

from __future__ import annotations

from qtpy.QtWidgets import QHBoxLayout, QLabel, QProgressBar, QToolButton, QWidget

from brickfield.viewer.live_state import ViewReport
from brickfield.viewer.live_view import LiveView


class StatusLine(QWidget):
    """Progress of the view that has most to do; quiet when all is there."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._reports: dict[LiveView, ViewReport] = {}
        self.bar = QProgressBar(self)
        self.bar.setTextVisible(False)
        self.bar.setFixedSize(90, 10)
        self.text = QLabel(self)
        self.failures = QLabel(self)
        self.retry = QToolButton(self)
        self.retry.setText("Retry")
        self.retry.setToolTip("Read the chunks that could not be read once more")
        self.retry.clicked.connect(self._retry)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(4, 0, 4, 0)
        for widget in (self.bar, self.text):
            layout.addWidget(widget)
        layout.addStretch(1)
        for widget in (self.failures, self.retry):
            layout.addWidget(widget)
            widget.hide()

    def watch(self, view: LiveView) -> None:
        """Tell of this view too."""
        self._reports[view] = view.report
        view.reported.connect(lambda report: self._take(view, report))

    def forget(self, view: LiveView) -> None:
        """Tell of this view no more."""
        self._reports.pop(view, None)
        self._show()

    def _take(self, view: LiveView, report: ViewReport) -> None:
        if view in self._reports:
            self._reports[view] = report
            self._show()

    def _retry(self) -> None:
        for view in self._reports:
            view.retry_failed()

    def _show(self) -> None:
        reports = [r for r in self._reports.values() if r.state.layers]
        waiting = [r for r in reports if not r.is_complete]
        shown = min(waiting or reports, key=lambda r: r.percent, default=None)
        if shown is None:
            self.text.setText("")
            self.bar.hide()
            return
        self.bar.setVisible(bool(waiting))
        self.bar.setValue(int(shown.percent))
        self.text.setText("complete" if not waiting else f"{shown.percent:.0f} %")
        failures = [f for r in reports for f in r.failures]
        self.failures.setVisible(bool(failures))
        self.retry.setVisible(bool(failures))
        self.failures.setText(f"{len(failures)} chunks could not be read")
