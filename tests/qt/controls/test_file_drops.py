"""Files that are dropped on a dock."""

import gc

import pytest
from qtpy.QtCore import QMimeData, QPointF, Qt, QUrl
from qtpy.QtGui import QDragEnterEvent, QDropEvent
from qtpy.QtWidgets import QApplication, QVBoxLayout, QWidget

from brickfield.qt.controls.file_drops import FileDrops, places_in

pytestmark = [pytest.mark.qt, pytest.mark.bindings]
BUTTON, KEYS = Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier


class Taker(QWidget):
    """Notes what is dropped on it."""

    def __init__(self):
        super().__init__()
        self.taken = []
        self.inner = QWidget(self)
        QVBoxLayout(self).addWidget(self.inner)
        FileDrops(self, self.take)

    def take(self, places):
        self.taken.append(list(places))


@pytest.fixture
def taker(qtbot):
    made = Taker()
    qtbot.addWidget(made)
    return made


def mime_of(*urls) -> QMimeData:
    data = QMimeData()
    data.setUrls([QUrl(url) for url in urls])
    return data


def enter(widget, data) -> bool:
    event = QDragEnterEvent(
        QPointF(5, 5).toPoint(), Qt.DropAction.CopyAction, data, BUTTON, KEYS
    )
    event.ignore()
    QApplication.sendEvent(widget, event)
    return event.isAccepted()


def drop(widget, data) -> bool:
    event = QDropEvent(QPointF(5, 5), Qt.DropAction.CopyAction, data, BUTTON, KEYS)
    event.ignore()
    QApplication.sendEvent(widget, event)
    return event.isAccepted()


def test_files_and_addresses_are_handed_on_in_a_later_turn(taker, qtbot):
    data = mime_of("file:///data/a.ome.zarr", "https://host/b.zarr")
    assert enter(taker, data)
    assert drop(taker, data)
    assert taker.taken == []
    qtbot.waitUntil(lambda: bool(taker.taken))
    assert taker.taken == [["/data/a.ome.zarr", "https://host/b.zarr"]]


def test_what_is_no_file_is_left_to_others(taker):
    text = QMimeData()
    text.setText("some words")
    assert not enter(taker, text)
    assert not drop(taker, text)
    assert not enter(taker, mime_of("mailto:a@example.org"))
    assert places_in(None) == []


def test_it_keeps_nothing_alive(qtbot):
    taker = Taker()
    drops = taker.findChildren(FileDrops)[0]
    take = drops._take
    assert take() is not None
    del drops
    taker.deleteLater()
    qtbot.wait(1)
    del taker
    gc.collect()
    assert take() is None
