"""The table of keys opens under ? and blocks nothing."""

from qtpy.QtCore import Qt
from qtpy.QtTest import QTest


def test_the_question_mark_opens_the_table(dock):
    QTest.keyClick(dock.frames["3D"].picture, Qt.Key.Key_Question)
    window = dock.toolbar.help
    assert window.isVisible()
    assert not window.isModal()
    assert "Double click" in window.table.toPlainText()
    QTest.keyClick(window, Qt.Key.Key_Escape)
    assert not window.isVisible()


def test_the_menu_opens_it_too_and_only_once(dock, hand):
    hand.choose(dock.toolbar.menu, "Keys and mouse")
    first = dock.toolbar.help
    hand.choose(dock.toolbar.menu, "Keys and mouse")
    assert dock.toolbar.help is first
    assert first.isVisible()
