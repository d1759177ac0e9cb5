"""Pages of the dock that are closed until they are wanted."""

from __future__ import annotations

from qtpy.QtWidgets import QComboBox, QLabel, QSizePolicy, QWidget

from brickfield.qt.stem.session import ScanSession


class Page(QWidget):
    """A page. Nothing is looked up for it while it is closed.

    Parameters
    ----------
    session : ScanSession

    Attributes
    ----------
    title, tooltip : str
    """

    title = ""
    tooltip = ""

    def __init__(self, session: ScanSession, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.session = session
        self.is_open = False

    def set_open(self, is_open: bool) -> None:
        """Record whether the page is visible."""
        self.is_open = is_open
        if is_open:
            self.follow()

    def follow(self) -> None:
        """Show what there is now; for subclasses."""


def words(parent: QWidget) -> QLabel:
    """Make a label for sentences: it breaks lines, and widens no window."""
    made = QLabel(parent)
    made.setWordWrap(True)
    made.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Minimum)
    return made


def narrow(*boxes: QComboBox) -> None:
    """Let boxes be narrower than their longest line."""
    policy = QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon
    for box in boxes:
        box.setSizeAdjustPolicy(policy)
        box.setMinimumContentsLength(6)
