"""What the chooser reads, one item after another, on a thread of its own.

Invariant: the last request is read first, since that is what is looked at; at
most :data:`MOST_WAITING` items wait and :data:`MOST_KEPT` are kept. After
:meth:`ImageReading.close` nothing is begun, and what is under way is not waited
for. Main thread only, except where it says otherwise.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray
from qtpy.QtCore import QObject, Signal

from brickfield.errors import BrickfieldError
from brickfield.qt.background import Background
from brickfield.sources.images import Catalogue, ImageEntry
from brickfield.sources.io import while_wanted
from brickfield.store import open_store
from brickfield.viewer import thumbnail

MOST_WAITING = 2000
MOST_KEPT = 2000
"""Pictures; of 96 pixels each, about 50 MB."""


@dataclass(frozen=True, slots=True)
class Look:
    """What was seen of a well or an image.

    Attributes
    ----------
    entries : tuple of ImageEntry
        Fields and label images of a well, the image itself else; empty where nothing
        is stored.
    picture : ndarray, shape (height, width, 3), uint8, or None
    why : str
        Why there is no picture.
    """

    entries: tuple[ImageEntry, ...]
    picture: NDArray[np.uint8] | None = None
    why: str = ""


class ImageReading(QObject):
    """Lists the images of a store and draws small pictures of them.

    Parameters
    ----------
    uri : str
    reading : dict
        As for :class:`~brickfield.sources.images.catalogue.Catalogue`.

    Attributes
    ----------
    listed : Signal
        Emits the catalogue and, where it is no plate, the entries: (Catalogue, tuple).
    looked : Signal
        Emits name and :class:`Look`.
    failed : Signal
        Emits a sentence: nothing can be listed.
    """

    listed = Signal(object, object)
    looked = Signal(str, object)
    failed = Signal(str)

    def __init__(
        self, uri: str, reading: dict[str, Any], parent: QObject | None = None
    ) -> None:
        super().__init__(parent)
        self._uri = uri
        self._options = dict(reading)
        self._background = Background()
        self._closed = threading.Event()
        self._catalogue: Catalogue | None = None
        self._waiting: OrderedDict[str, Callable[[], Look]] = OrderedDict()
        self._looks: OrderedDict[str, Look] = OrderedDict()
        self._busy = ""
        # A window that is taken down with its parent gets no close event.
        self.destroyed.connect(partial(_end, self._closed, self._background))

    def start(self) -> None:
        """Begin with the list."""
        self._background.run(self._wanted(self._list), self._on_listed)

    def _wanted(self, job: Callable[[], Any]) -> Callable[[], Any]:
        closed = self._closed

        def run() -> Any:
            with while_wanted(lambda: not closed.is_set()):
                return job()

        return run

    def _list(self) -> tuple[Catalogue, tuple[ImageEntry, ...]]:
        catalogue = Catalogue(self._uri, **self._options)
        return catalogue, () if catalogue.plate is not None else catalogue.entries()

    def _on_listed(self, found: Any, error: BaseException | None) -> None:
        if error is not None:
            self.failed.emit(_sentence(error))
            return
        self._catalogue, entries = found
        self.listed.emit(self._catalogue, entries)

    # -- one after another -------------------------------------------------------

    @property
    def n_waiting(self) -> int:
        """How many items are still to be read."""
        return len(self._waiting) + bool(self._busy)

    def look_at(self, name: str) -> Look | None:
        """Return what was seen of a name; None while nothing was."""
        return self._looks.get(name)

    def want_well(self, path: str) -> None:
        """Read a well's fields and a picture of its first one."""
        self._want(path, lambda: self._look_at_well(path))

    def want_image(self, entry: ImageEntry) -> None:
        """Read a picture of an image."""
        self._want(entry.name, lambda: self._picture_of((entry,)))

    def _want(self, name: str, job: Callable[[], Look]) -> None:
        if self._closed.is_set() or name in self._looks or name == self._busy:
            return
        self._waiting[name] = job
        self._waiting.move_to_end(name)
        while len(self._waiting) > MOST_WAITING:
            self._waiting.popitem(last=False)
        self._next()

    def _next(self) -> None:
        if self._busy or not self._waiting:
            return
        self._busy, job = self._waiting.popitem()
        self._background.run(self._wanted(job), self._on_looked)

    def _on_looked(self, look: Look | None, error: BaseException | None) -> None:
        name, self._busy = self._busy, ""
        seen = Look((), None, _sentence(error)) if look is None else look
        self._looks[name] = seen
        while len(self._looks) > MOST_KEPT:
            self._looks.popitem(last=False)
        self.looked.emit(name, seen)
        self._next()

    # -- on the thread -----------------------------------------------------------

    def _look_at_well(self, path: str) -> Look:
        assert self._catalogue is not None
        entries = self._catalogue.fields_of([path])
        if not entries:
            return Look((), None, "listed on the plate, but not stored")
        return self._picture_of(entries)

    def _picture_of(self, entries: Sequence[ImageEntry]) -> Look:
        try:
            choice = {**self._options, **entries[0].options}
            with open_store(self._uri, **choice) as store:
                picture = thumbnail(store)
        except BrickfieldError as error:
            return Look(tuple(entries), None, str(error))
        why = "" if picture is not None else "no level is small enough for a picture"
        return Look(tuple(entries), picture, why)

    def close(self) -> None:
        """Begin nothing more; may be called twice."""
        self._waiting.clear()
        _end(self._closed, self._background)


def _end(closed: threading.Event, background: Background, *_: object) -> None:
    closed.set()
    background.close()


def _sentence(error: BaseException | None) -> str:
    if isinstance(error, BrickfieldError):
        return str(error)
    return f"expected to read the images; found {error or type(error).__name__}: Reload may help"
