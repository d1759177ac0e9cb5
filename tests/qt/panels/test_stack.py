"""Panels are closed until somebody wants them, and it is remembered which are open."""

from __future__ import annotations

import numpy as np
import pytest
from qtpy.QtCore import Qt
from qtpy.QtTest import QTest
from qtpy.QtWidgets import QLabel, QVBoxLayout

from brickfield.qt.panels.panel import Panel
from brickfield.qt.panels.stack import PanelStack


class Words(Panel):
    """A panel that counts how often it looked."""

    def __init__(self, host, title):
        self.title = title
        super().__init__(host)
        layout = QVBoxLayout(self)
        layout.addWidget(QLabel("words\n" * 10))
        self.n_looks = 0
        self.connections.bind(host.scene.layers_changed, self.when_open)

    def follow(self):
        self.n_looks += 1


@pytest.fixture
def panels(host):
    return [Words(host, "One"), Words(host, "Two")]


def stack_of(panels, memory=None):
    stack = PanelStack(memory)
    for panel in panels:
        stack.add(titled(panel.title), lambda panel=panel: panel)
    return stack


def titled(title):
    """Give the class of a panel with a title."""
    return type("Titled", (Words,), {"title": title})


def made(stack):
    return [name for name, section in stack.sections.items() if section.is_made]


@pytest.fixture
def stack(qtbot, panels):
    stack = stack_of(panels)
    qtbot.addWidget(stack)
    stack.resize(320, 400)
    stack.show()
    return stack


def click(stack, name):
    QTest.mouseClick(stack.sections[name].header, Qt.MouseButton.LeftButton)


def test_all_panels_are_closed_at_first(stack, panels):
    assert [p.isVisible() for p in panels] == [False, False]


def test_a_panel_is_made_once_and_not_before_it_is_opened(stack, panels):
    assert made(stack) == []
    for _ in range(3):
        click(stack, "two")
    assert made(stack) == ["two"]
    assert stack.sections["two"].panel is panels[1]


def test_a_panel_made_after_the_end_follows_nothing(stack, panels, scene):
    for end in stack.releases():
        end()
    click(stack, "one")
    looks = panels[0].n_looks
    scene.layers_changed.emit()
    assert panels[0].n_looks == looks


def test_a_dock_with_all_panels_closed_makes_none(dock):
    assert made(dock.panels) == []
    dock.set_layout("2x2")
    dock.toolbar.by_name["clip"].setChecked(True)
    assert made(dock.panels) == ["clip"]


def test_a_click_on_its_title_opens_a_panel_and_another_closes_it(stack, panels):
    click(stack, "one")
    assert [p.isVisible() for p in panels] == [True, False]
    click(stack, "one")
    assert [p.isVisible() for p in panels] == [False, False]


def test_what_is_open_is_remembered(qtbot, host, panels):
    memory = {"two": True}
    stack = stack_of(panels, memory)
    qtbot.addWidget(stack)
    assert [s.is_open for s in stack.sections.values()] == [False, True]
    click(stack, "one")
    click(stack, "two")
    assert memory == {"one": True, "two": False}


def test_a_closed_panel_follows_nothing_until_it_is_opened(stack, panels, scene):
    scene.layers_changed.emit()
    assert panels[0].n_looks == 0
    click(stack, "one")
    scene.layers_changed.emit()
    assert panels[0].n_looks == 2


def test_an_open_panel_asks_for_its_room(stack):
    closed = stack.sizeHint().height()
    click(stack, "one")
    assert stack.sizeHint().height() > closed + 50


def test_after_the_end_nothing_is_followed(stack, panels, scene):
    click(stack, "one")
    looks = panels[0].n_looks
    for end in stack.releases():
        end()
    scene.layers_changed.emit()
    assert panels[0].n_looks == looks


def test_keys_of_the_pictures_open_panels_and_play(make_dock, scene, hand):
    scene.add(np.zeros((3, 8, 8, 8), np.uint8), axes="tzyx")
    dock = make_dock(size=(360, 600))
    picture, panels = dock.frames["3D"].picture, dock.panels
    clip = dock.toolbar.by_name["clip"]
    QTest.keyClick(picture, Qt.Key.Key_C)
    assert (panels.clip.is_open, clip.isChecked()) == (True, True)
    hand.click(panels.section_of(panels.clip).header)
    assert (panels.clip.is_open, clip.isChecked()) == (False, False)
    QTest.keyClick(picture, Qt.Key.Key_R)
    hand.wait(lambda: panels.receipt.receipt is not None)
    QTest.keyClick(picture, Qt.Key.Key_Space)
    assert panels.time.player.is_playing
    QTest.keyClick(picture, Qt.Key.Key_Space)
    assert not panels.time.player.is_playing


def test_open_panels_leave_two_fifths_of_the_dock_to_the_picture(
    make_dock, scene, hand
):
    for name in ("nuclei", "vessels"):
        scene.add(np.zeros((8, 8, 8), np.uint8), name)
    dock = make_dock(size=(620, 700))
    for panel in (dock.panels.appearance, dock.panels.clip):
        dock.panels.open(panel)
    hand.wait(lambda: dock.panels.height() > 200)
    picture = dock.frames["3D"].picture
    hand.wait(lambda: picture.height() >= 0.4 * dock.height())
