"""Looks at what a dock says, again and again, and notes each sentence that is false.

What is said follows what is so by a fifth of a second, and later on a machine with
much to do: a sentence that only lags counts as false when it has been false for
`LAG_S` without a break. What may not lag, the word of a picture's fidelity, is false
when it is so at three looks in a row.
"""

from __future__ import annotations

from collections.abc import Callable
from time import monotonic
from typing import Any

from qtpy.QtWidgets import (
    QAbstractButton,
    QComboBox,
    QLabel,
    QMenu,
    QScrollArea,
    QWidget,
)

from brickfield.qt.reports.status import BADGES, ElidedLabel
from brickfield.qt.view.picture import NO_LAYERS
from brickfield.viewer.receipts import least_true

LAG_S = 3.0
ARROW = 24
"""Room beside the words of a combo box, pixels."""
SILENT = ("storage has given nothing", "the server has sent nothing")
WORDS = {text: word for word, (text, *_) in BADGES.items()}
"""From what is written to the word of :attr:`LiveView.fidelity`."""


class Witness:
    """Notes what is false.

    Parameters
    ----------
    viewer : napari.Viewer
    dock : callable
        Returns the dock, or None while there is none.

    Attributes
    ----------
    found : list of str
        What was false, in words.
    percents : list of float
        What the progress bar showed since :meth:`begin`.
    """

    def __init__(self, viewer: Any, dock: Callable[[], Any]) -> None:
        self.viewer = viewer
        self._dock = dock
        self._since: dict[str, float] = {}
        self.found: list[str] = []
        self.percents: list[float] = []
        self._work: Any = None
        self._n_better = 0

    def begin(self) -> None:
        """Forget what the progress bar showed."""
        self.percents.clear()
        self._work = None

    def note(self, sentence: str) -> None:
        """Note that something is false, once."""
        if sentence not in self.found:
            print(f"    FALSE: {sentence}", flush=True)
            self.found.append(sentence)

    def expect(self, is_true: object, sentence: str) -> None:
        """Note a sentence if it is not so."""
        if not is_true:
            self.note(sentence)

    # -- at every moment ---------------------------------------------------------

    def look(self) -> None:
        """Compare what is said now with what is so."""
        dock = self._dock()
        if dock is None or dock.is_closed:
            return
        self._look_at_empty(dock)
        self._look_at_silence(dock)
        self._look_at_fidelity(dock)
        self._look_at_percent(dock)

    def _lag(self, name: str, *, is_false: bool, sentence: str) -> None:
        """Note what stays false."""
        if not is_false:
            self._since.pop(name, None)
        elif monotonic() - self._since.setdefault(name, monotonic()) > LAG_S:
            self.note(sentence)

    def _look_at_empty(self, dock: Any) -> None:
        has_image = any(type(x).__name__ == "Image" for x in self.viewer.layers)
        for kind, frame in dock.frames.items():
            says_so = frame.picture.text() == NO_LAYERS
            self._lag(
                f"empty {kind}",
                is_false=says_so and has_image,
                sentence=f'{kind}: "{NO_LAYERS}" with an image layer',
            )
            if says_so and dock.scene.layers:
                self.note(f'{kind}: "{NO_LAYERS}" while the scene has layers')

    def _look_at_silence(self, dock: Any) -> None:
        text = dock.status.text.whole
        n_out = sum(view.report_of_now.waiting for view in dock.views)
        self._lag(
            "silence",
            is_false=any(s in text for s in SILENT) and not n_out,
            sentence=f'"{text}" with no read out',
        )

    def _look_at_fidelity(self, dock: Any) -> None:
        label = dock.status.fidelity
        shown = [v.fidelity for v in dock.views if v.is_shown and v.layers]
        if not label.isVisible() or not shown:
            return
        said, is_so = WORDS[label.text()], least_true(shown)
        is_better = said != "improving" and least_true([said, is_so]) != said
        # A change that is being told of while this looks is told when it looks again.
        self._n_better = self._n_better + 1 if is_better else 0
        if self._n_better > 2:
            self.note(f'the badge says "{said}" while a picture is {is_so}')
        self._lag(
            "badge",
            is_false=said != is_so,
            sentence=f'the badge stays at "{said}" while the pictures are {is_so}',
        )

    def is_badge_true(self) -> bool:
        """Whether the dock's badge says what the pictures are now."""
        dock = self._dock()
        if dock is None or dock.is_closed or not dock.status.fidelity.isVisible():
            return True
        shown = [v.fidelity for v in dock.views if v.is_shown and v.layers]
        return not shown or WORDS[dock.status.fidelity.text()] == least_true(shown)

    def _look_at_percent(self, dock: Any) -> None:
        """Progress of one piece of work never goes back.

        Another camera, layer or size is other work: the percentage begins anew.
        """
        bar, views = dock.status.bar, dock.views
        if any(view.report.is_moving for view in views) or not bar.isVisible():
            self.percents.clear()
            return
        work = [(v.camera, v.viewport, v.report.state.layers) for v in views]
        if self._work is None or not _is_same(work, self._work):
            self.percents.clear()
            self._work = work
        if self.percents and bar.value() < self.percents[-1]:
            self.note(f"progress went back from {self.percents[-1]} to {bar.value()}")
        self.percents.append(bar.value())

    # -- at rest -----------------------------------------------------------------

    def look_at_rest(self) -> None:
        """Compare a dock whose pictures are complete with what was drawn."""
        dock = self._dock()
        for view in dock.views if dock is not None else ():
            if not view.layers or not view.is_shown:
                continue
            told = view.receipt.fidelity
            sentence = f"{view.kind}: {view.fidelity}, but its receipt says {told}"
            self.expect(told == view.fidelity, sentence)
        if dock is not None:
            self.look_for_cuts(dock)

    def look_for_cuts(self, dock: QWidget) -> None:
        """Note controls that have less room than their words need."""
        for widget in dock.findChildren(QWidget):
            if not widget.isVisible() or not _has_words(widget):
                continue
            room, wants = widget.width(), _room_for(widget)
            where = f"{type(widget).__name__} {_words_of(widget)!r}"
            self.expect(room >= wants, f"{where} has {room} of {wants} px")
            seen = widget.visibleRegion().boundingRect().width()
            if not _is_scrolled(widget):
                self.expect(seen >= room, f"{where}: {seen} of {room} px can be seen")


def _is_same(one: Any, other: Any) -> bool:
    """Whether two pieces of work are of the same cameras, sizes and layers."""
    return len(one) == len(other) and all(
        a[0] == b[0] and a[1] == b[1] and _looks(a[2]) == _looks(b[2])
        for a, b in zip(one, other, strict=True)
    )


def _looks(layers: Any) -> list[Any]:
    return [(x.store, x.versions, x.visible, x.selections) for x in layers]


def _has_words(widget: QWidget) -> bool:
    kinds = (QAbstractButton, QComboBox, QLabel)
    is_cut_on_purpose = isinstance(widget, (ElidedLabel, QMenu))
    return (
        isinstance(widget, kinds)
        and not is_cut_on_purpose
        and bool(_words_of(widget))
        and not getattr(widget, "wordWrap", bool)()
    )


def _words_of(widget: Any) -> str:
    return str(
        widget.currentText() if hasattr(widget, "currentText") else widget.text()
    )


def _room_for(widget: Any) -> int:
    if isinstance(widget, QComboBox):
        # Its hint is of the longest of its words, which are not all to be seen.
        words = widget.fontMetrics().horizontalAdvance(widget.currentText())
        return int(words) + ARROW
    return int(widget.minimumSizeHint().width())


def _is_scrolled(widget: QWidget) -> bool:
    parent = widget.parentWidget()
    while parent is not None:
        if isinstance(parent, QScrollArea):
            return True
        parent = parent.parentWidget()
    return False
