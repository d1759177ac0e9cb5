"""What Qt gave to Python ends on its own thread, whoever lets it go."""

import gc
import threading
from functools import partial

import pytest
from qtpy.QtCore import QObject, Qt, QTimer

from brickfield.qt.deliver import Deliverer
from brickfield.qt.lifetimes import owned

pytestmark = pytest.mark.bindings


class Owner:
    """Keeps a timer, and itself by a circle."""

    def __init__(self, made):
        self.made = owned(made, self)
        self.circle = self


def let_go_elsewhere(box):
    worker = threading.Thread(target=lambda: (box.clear(), gc.collect()))
    worker.start()
    worker.join()


@pytest.mark.parametrize("is_running", [False, True])
def test_a_timer_collected_on_a_worker_ends_on_the_thread_of_the_window(
    qapp, hand, is_running
):
    ended, timer = [], QTimer()
    timer.destroyed.connect(
        lambda *_: ended.append(threading.current_thread()),
        Qt.ConnectionType.DirectConnection,
    )
    if is_running:
        timer.start(1)
    box = [Owner(timer)]
    del timer
    let_go_elsewhere(box)
    assert ended == []
    hand.wait(lambda: ended)
    assert ended == [threading.current_thread()]


def test_it_lives_as_long_as_its_owner(qapp, hand):
    ended, owner = [], Owner(QObject())
    owner.made.destroyed.connect(lambda *_: ended.append(1))
    hand.qtbot.wait(50)
    assert ended == []
    assert owner.made.objectName() == ""


def test_a_deliverer_collected_on_a_worker_ends_here_with_what_it_was_to_deliver(
    qapp, hand
):
    ended, seen, deliver = [], [], Deliverer()
    deliver._receiver.destroyed.connect(
        lambda *_: ended.append(threading.current_thread()),
        Qt.ConnectionType.DirectConnection,
    )
    deliver.circle = deliver
    for i in range(3):
        deliver(partial(seen.append, i))
    box = [deliver]
    del deliver
    let_go_elsewhere(box)
    assert ended == []
    hand.wait(lambda: ended)
    assert ended == [threading.current_thread()]
    assert seen in ([], [0, 1, 2])
