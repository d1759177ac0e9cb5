"""Files that are dropped on a dock.

Invariant: only local files and addresses of the web are taken; they are handed over in a
later turn, since the program they come from waits for the end of the drop. Main thread
only.
"""

from __future__ import annotations

import weakref
from collections.abc import Callable, Sequence

from qtpy.QtCore import QEvent, QMimeData, QObject, QTimer
from qtpy.QtGui import QDropEvent
from qtpy.QtWidgets import QWidget

Take = Callable[[Sequence[str]], object]


class FileDrops(QObject):
    """Hands on what is dropped on a widget or on what lies in it.

    Parameters
    ----------
    widget : QWidget
        Keeps this.
    take : callable
        A method, not kept alive; takes the paths and addresses.
    """

    def __init__(self, widget: QWidget, take: Take) -> None:
        super().__init__(widget)
        self._take = weakref.WeakMethod(take)
        self._dropped: list[str] = []
        self._soon = QTimer(self)
        self._soon.setSingleShot(True)
        self._soon.timeout.connect(self._hand_on)
        widget.setAcceptDrops(True)
        widget.installEventFilter(self)

    def eventFilter(self, _watched: QObject, event: QEvent) -> bool:  # noqa: N802 - Qt's name
        """Accept files; let every other event pass."""
        kinds = (QEvent.Type.DragEnter, QEvent.Type.DragMove, QEvent.Type.Drop)
        if event.type() not in kinds or not isinstance(event, QDropEvent):
            return False
        places = places_in(event.mimeData())
        if not places:
            return False
        event.acceptProposedAction()
        if event.type() == QEvent.Type.Drop:
            self._dropped += places
            self._soon.start(0)
        return True

    def _hand_on(self) -> None:
        dropped, self._dropped = self._dropped, []
        take = self._take()
        if take is not None and dropped:
            take(dropped)


def places_in(data: QMimeData | None) -> list[str]:
    """Return the local paths and web addresses that are dragged, in order.

    Parameters
    ----------
    data : QMimeData
    """
    urls = data.urls() if data is not None and data.hasUrls() else []
    places = [u.toLocalFile() if u.isLocalFile() else u.toString() for u in urls]
    return [p for p, u in zip(places, urls, strict=True) if p and _is_known(u.scheme())]


def _is_known(scheme: str) -> bool:
    return scheme in ("file", "http", "https", "s3", "gs")
