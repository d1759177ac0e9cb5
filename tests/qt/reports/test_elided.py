"""A line of text never widens its window."""

from qtpy.QtWidgets import QHBoxLayout, QWidget

from brickfield.qt.reports.status import ElidedLabel

LONG = "sharpening 83 % · 12 s left · 1/4 → full resolution · 40 MB/s"


def test_what_does_not_fit_is_cut_and_whole_in_the_tooltip(qtbot):
    window = QWidget()
    qtbot.addWidget(window)
    label = ElidedLabel(window)
    QHBoxLayout(window).addWidget(label)
    label.say(LONG, "more")
    window.resize(180, 40)
    window.show()
    assert window.width() == 180
    # Parts go as a whole, the last first; the first is cut only where it must be.
    assert label.text() == "sharpening 83 %"
    window.resize(70, 40)
    assert label.text().endswith("…")
    assert label.whole == LONG
    assert label.toolTip() == f"{LONG}\nmore"
    window.resize(900, 40)
    assert label.text() == LONG
    assert label.toolTip() == "more"


def test_several_lines_become_one(qtbot):
    label = ElidedLabel()
    qtbot.addWidget(label)
    label.say("one\ntwo")
    assert label.whole == "one two"
