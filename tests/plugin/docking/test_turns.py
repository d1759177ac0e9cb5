"""Steps that each get a turn of the event loop."""

from qtpy.QtCore import QTimer

from brickfield.plugin.docking.turns import Turns


def test_other_events_come_between_two_steps(qtbot):
    turns, seen = Turns(), []

    def step(name):
        QTimer.singleShot(0, lambda: seen.append(f"after {name}"))
        seen.append(name)

    turns.add(lambda: step("first"))
    turns.add(lambda: step("second"))
    assert seen == []
    qtbot.waitUntil(lambda: len(seen) == 4)
    assert seen.index("after first") < seen.index("second")
    assert turns.is_done


def test_a_step_may_add_another(qtbot):
    turns, seen = Turns(), []
    turns.add(lambda: turns.add(lambda: seen.append(1)))
    qtbot.waitUntil(lambda: seen == [1])


def test_what_is_forgotten_is_not_done(qtbot):
    turns, seen = Turns(), []
    turns.add(lambda: seen.append(1))
    turns.clear()
    turns.add(lambda: seen.append(2))
    qtbot.waitUntil(lambda: bool(seen))
    assert seen == [2]
