"""Small controls that all panels are made of: typed numbers and sliders.

A control emits only what the user did to it: `follow` shows a value
and is silent.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from math import exp, isfinite, log, log10

from qtpy.QtCore import QEvent, QObject, QSignalBlocker, Qt, Signal
from qtpy.QtGui import QKeyEvent
from qtpy.QtWidgets import QHBoxLayout, QLabel, QLineEdit, QSlider, QWidget

STEPS = 1000
"""Steps of a slider."""


@contextmanager
def quiet(*objects: QObject) -> Iterator[None]:
    """Block the signals of objects while they follow another value."""
    blockers = [QSignalBlocker(o) for o in objects]
    try:
        yield
    finally:
        for blocker in blockers:
            blocker.unblock()


def parse_number(text: str) -> float | None:
    """Read a number in front of a unit; None where there is none.

    A decimal comma counts as a point.
    """
    for end in range(len(text), 0, -1):
        try:
            value = float(text[:end].strip().replace(",", "."))
        except ValueError:
            continue
        return value if isfinite(value) else None
    return None


def number_format(dtype_kind: str, span: float) -> Callable[[float], str]:
    """Return how values of a kind of data are written.

    Parameters
    ----------
    dtype_kind : str
        Of ``numpy.dtype.kind``: whole numbers stay whole.
    span : float
        Range of the values; floats get a thousandth of it or finer.
    """
    if dtype_kind in "biu":
        return lambda value: f"{value:z.0f}"
    places = 3 if not (isfinite(span) and span > 0) else round(3 - log10(span))
    if not 0 <= places <= 6:
        return lambda value: f"{value:z.5g}"
    return lambda value: f"{value:z.{places}f}"


class NumberBox(QLineEdit):
    """A number that can be typed.

    Attributes
    ----------
    typed : Signal
        Emits a finite float when the user has entered another one.
    write : callable
        Turns the value into text; may add a unit, which need not be typed.
    read : callable
        Turns text into a value, or None.
    """

    typed = Signal(float)

    def __init__(
        self,
        write: Callable[[float], str] = "{:g}".format,
        *,
        tooltip: str = "",
        n_chars: int = 7,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self.write = write
        self.read: Callable[[str], float | None] = parse_number
        self.value = 0.0
        self.setInputMethodHints(Qt.InputMethodHint.ImhFormattedNumbersOnly)
        self.setToolTip(tooltip)
        self.setAlignment(Qt.AlignmentFlag.AlignRight)
        self.set_width(n_chars)
        self.editingFinished.connect(self._finish)
        self.follow(0.0)

    def set_width(self, n_chars: int) -> None:
        """Make room for a number of digits."""
        self.setFixedWidth(self.fontMetrics().horizontalAdvance("0" * n_chars) + 14)

    def follow(self, value: float) -> None:
        """Show a value, unless the user is typing another."""
        self.value = value
        if not (self.hasFocus() and self.isModified()):
            self._show()

    def _show(self) -> None:
        self.setText(self.write(self.value))
        self.setCursorPosition(0)

    def _finish(self) -> None:
        if not self.isModified():
            return
        value = self.read(self.text())
        self.setModified(False)
        if value is None or value == self.value:
            self._show()
            return
        self.typed.emit(value)
        # The owner may have taken another value, or none.
        self._show()

    def keyPressEvent(self, event: QKeyEvent) -> None:  # noqa: N802 - Qt's name
        """Let Escape give up what was typed."""
        if event.key() == Qt.Key.Key_Escape and self.isModified():
            self.setModified(False)
            self._show()
            return
        super().keyPressEvent(event)


class DoubleClicks(QObject):
    """Calls back when a widget is clicked twice; the widget sees it not."""

    def __init__(self, widget: QWidget, call: Callable[[], object]) -> None:
        super().__init__(widget)
        self._call = call
        widget.installEventFilter(self)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:  # noqa: N802
        """Act on double clicks and let everything else pass.

        Parameters
        ----------
        watched : QObject
        event : QEvent
        """
        if event.type() == QEvent.Type.MouseButtonDblClick:
            self._call()
            return True
        return False


class WheelGuard(QObject):
    """Lets the wheel scroll the panel, not a control that happens to be below it.

    A control that was clicked or tabbed to has the wheel for itself.
    """

    def __init__(self, widget: QWidget) -> None:
        super().__init__(widget)
        widget.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        widget.installEventFilter(self)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:  # noqa: N802
        """Pass the mouse wheel to the widget behind, unless this one has the focus.

        Parameters
        ----------
        watched : QObject
        event : QEvent
        """
        if event.type() == QEvent.Type.Wheel and not watched.hasFocus():
            event.ignore()
            return True
        return False


class NumberSlider(QWidget):
    """A slider with a typed number, reset by a double click.

    Parameters
    ----------
    low, high : float
        Ends of the slider. A typed number may lie beyond, within `limits`.
    usual : float or None
        What a double click sets; None emits :attr:`reset` instead.
    is_logarithmic : bool
        Whether equal ways are equal factors; `low` must be above 0.
    is_patient : bool
        Whether the value is emitted only when the mouse is released.

    Attributes
    ----------
    limits : tuple of float
        Least and largest number that can be typed.
    to_step : callable
        Rounds what the slider gives.
    moved : Signal
        Emits a float that the user chose.
    reset : Signal
        Emits on a double click where there is no usual value.
    """

    moved = Signal(float)
    reset = Signal()

    def __init__(
        self,
        low: float,
        high: float,
        usual: float | None = None,
        *,
        is_logarithmic: bool = False,
        is_patient: bool = False,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self.usual = usual
        self.limits = (low, high)
        self.to_step: Callable[[float], float] = lambda value: value
        self._is_logarithmic = is_logarithmic
        self.slider = QSlider(Qt.Orientation.Horizontal, self)
        self.slider.setRange(0, STEPS)
        self.slider.setMinimumWidth(50)
        WheelGuard(self.slider)
        self.box = NumberBox(parent=self)
        self.set_ends(low, high)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(4)
        layout.addWidget(self.slider, stretch=1)
        layout.addWidget(self.box)
        self.slider.valueChanged.connect(self._slid)
        self.slider.sliderMoved.connect(self._show)
        self.slider.setTracking(not is_patient)
        self.box.typed.connect(self._typed)
        DoubleClicks(self.slider, self._double_clicked)

    @property
    def value(self) -> float:
        """What is shown."""
        return self.box.value

    def set_ends(self, low: float, high: float) -> None:
        """Change the ends of the slider.

        Parameters
        ----------
        low, high : float
        """
        self._ends = (low, high) if low < high else (low, low + 1.0)

    def set_tooltip(self, text: str) -> None:
        """Explain the slider and the number."""
        self.slider.setToolTip(f"{text}\nDouble click: reset")
        self.box.setToolTip(text)

    def follow(self, value: float) -> None:
        """Show a value."""
        self.box.follow(value)
        if round(self._place(self._at(self.slider.value()))) != round(
            self._place(value)
        ):
            with quiet(self.slider):
                self.slider.setValue(round(self._place(value)))

    def _place(self, value: float) -> float:
        low, high = self._ends
        value = min(max(value, low), high)
        if self._is_logarithmic:
            return STEPS * log(value / low) / log(high / low)
        return STEPS * (value - low) / (high - low)

    def _at(self, place: int) -> float:
        low, high = self._ends
        share = place / STEPS
        if self._is_logarithmic:
            return low * exp(share * log(high / low))
        return low + share * (high - low)

    def _slid(self, place: int) -> None:
        self._choose(self.to_step(self._at(place)))

    def _show(self, place: int) -> None:
        self.box.follow(self.to_step(self._at(place)))

    def _typed(self, value: float) -> None:
        low, high = self.limits
        self._choose(min(max(value, low), high))

    def _choose(self, value: float) -> None:
        self.follow(value)
        self.moved.emit(value)

    def _double_clicked(self) -> None:
        if self.usual is None:
            self.reset.emit()
        else:
            self._choose(self.usual)


def label(text: str, tooltip: str = "", *, buddy: QWidget | None = None) -> QLabel:
    """Make a label that can explain itself.

    Parameters
    ----------
    text, tooltip : str
    buddy : QWidget, optional
        Widget that the label belongs to.
    """
    made = QLabel(text)
    made.setToolTip(tooltip)
    if buddy is not None:
        made.setBuddy(buddy)
    return made
