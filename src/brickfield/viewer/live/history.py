"""Undo and redo of the user's changes to a picture: one history for each scene.

Invariant: a step holds the values before and after one act of the hand, of one view's
place or of one attribute of a layer or of several layers that were given the same
value, and carrying it out writes to the same owners as the hand did. What happens by
itself (a picture refitted to a new size, contrast estimated from the data) is no step.
A new act forgets what could have been redone.

Changes of one attribute that follow each other closely are one act: a drag of the mouse
or of a slider. Main thread only.
"""

from __future__ import annotations

import weakref
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from time import monotonic
from typing import TYPE_CHECKING, Any

from psygnal import Signal

if TYPE_CHECKING:
    from brickfield.viewer.live.ports import LayerPort, ScenePort

TRACKED = ("contrast", "gamma", "opacity_curve", "clip_box")
"""Attributes of a layer that can be undone."""
ONE_ACT_S = 0.5
"""Pause after which another change of the same attribute is another act."""
MOST = 200
"""Steps that are kept."""


@dataclass
class _Change:
    """Of one owner, from which value to which."""

    owner: weakref.ref[Any]
    before: Any
    after: Any


@dataclass
class _Step:
    """One act: what, whose, from which values to which."""

    name: str
    changes: list[_Change]
    ended_at: float
    is_open: bool

    def goes_on(self, owner: Any, name: str, after: Any) -> bool:
        """Whether a change is more of this act.

        A clip box for all layers is written to one layer after the other.
        """
        if name != self.name:
            return False
        is_same = bool(self.changes[-1].after == after)
        return self.change_of(owner) is not None or is_same

    def change_of(self, owner: Any) -> _Change | None:
        """Return what was changed of an owner."""
        return next((c for c in self.changes if c.owner() is owner), None)

    @property
    def there(self) -> list[tuple[Any, _Change]]:
        """Owners that are still there, with what was changed of them."""
        found = ((change.owner(), change) for change in self.changes)
        return [
            (owner, change)
            for owner, change in found
            if owner is not None and not getattr(owner, "is_closed", False)
        ]


class History:
    """Acts that can be undone and redone.

    Parameters
    ----------
    scene : ScenePort
        Its layers are watched.
    clock : callable
        Seconds of any clock.

    Attributes
    ----------
    changed : psygnal.SignalInstance
        What can be undone or redone changed; no arguments.
    """

    changed = Signal()

    def __init__(
        self, scene: ScenePort, *, clock: Callable[[], float] = monotonic
    ) -> None:
        self._scene = weakref.ref(scene)
        self._clock = clock
        self._done: list[_Step] = []
        self._undone: list[_Step] = []
        self._is_held = False
        self._known: weakref.WeakKeyDictionary[Any, dict[str, Any]] = (
            weakref.WeakKeyDictionary()
        )
        self._watchers: list[_Watcher] = []
        scene.layers_changed.connect(self._watch_layers)
        self._watch_layers()

    # -- layers ------------------------------------------------------------------

    def _watch_layers(self) -> None:
        scene = self._scene()
        ports = [] if scene is None else list(scene.layers)
        for port in ports:
            if port not in self._known:
                self._known[port] = _values_of(port)
                watcher = _Watcher(self, port)
                self._watchers.append(watcher)
        gone = [w for w in self._watchers if w.port() not in ports]
        for watcher in gone:
            watcher.close()
            self._watchers.remove(watcher)

    def _on_layer(self, port: LayerPort, name: str) -> None:
        known = self._known.get(port)
        if known is None or name not in TRACKED:
            return
        before, after = known[name], getattr(port, name)
        known[name] = after
        if before != after:
            self.record(port, name, before, after, is_going_on=True)

    # -- recording ---------------------------------------------------------------

    def record(
        self, owner: Any, name: str, before: Any, after: Any, *, is_going_on: bool
    ) -> None:
        """Record that an attribute was changed by the user or a script.

        Parameters
        ----------
        owner : object
            Held weakly; the attribute is set on it to undo.
        name : str
        before, after : object
        is_going_on : bool
            Whether more of the same act may follow soon.
        """
        if _paused:
            return
        now = self._clock()
        last = self._done[-1] if self._done else None
        self._undone.clear()
        is_more = (
            last is not None
            and last.is_open
            and is_going_on
            and (self._is_held or now - last.ended_at < ONE_ACT_S)
            and last.goes_on(owner, name, after)
        )
        if last is None or not is_more:
            last = _Step(name, [], now, is_going_on)
            self._done.append(last)
            del self._done[:-MOST]
        change, last.ended_at = last.change_of(owner), now
        if change is None:
            last.changes.append(_Change(weakref.ref(owner), before, after))
        else:
            change.after = after
        self.changed.emit()

    def begin_act(self) -> None:
        """Treat all changes of one attribute as one act until :meth:`end_act`."""
        self._close_last()
        self._is_held = True

    def end_act(self) -> None:
        """Let the next change be another act."""
        self._close_last()
        self._is_held = False

    @contextmanager
    def one_act(self) -> Iterator[None]:
        """Treat all changes of one attribute within the block as one act.

        However long they take: each layer's owner does much when it is written to.
        """
        was_held, last = self._is_held, self._done[-1] if self._done else None
        if not was_held and last and self._clock() - last.ended_at >= ONE_ACT_S:
            last.is_open = False
        self._is_held = True
        try:
            yield
        finally:
            self._is_held = was_held

    def _close_last(self) -> None:
        if self._done:
            self._done[-1].is_open = False

    # -- carrying out ------------------------------------------------------------

    @property
    def can_undo(self) -> bool:
        """Whether there is an act to take back."""
        return any(step.there for step in self._done)

    @property
    def can_redo(self) -> bool:
        """Whether there is an act to do again."""
        return any(step.there for step in self._undone)

    def undo(self) -> bool:
        """Take the last act back; tell whether there was one."""
        return self._move(self._done, self._undone, "before")

    def redo(self) -> bool:
        """Do again what was taken back last; tell whether there was anything."""
        return self._move(self._undone, self._done, "after")

    def _move(self, source: list[_Step], target: list[_Step], value: str) -> bool:
        while source:
            step = source.pop()
            there = step.there
            if not there:
                continue
            step.is_open = False
            with unrecorded():
                for owner, change in there:
                    setattr(owner, step.name, getattr(change, value))
            target.append(step)
            self.changed.emit()
            return True
        return False


class _Watcher:
    """Listens to one layer, holding neither it nor the history."""

    def __init__(self, history: History, port: LayerPort) -> None:
        self._history = weakref.ref(history)
        self.port: Callable[[], Any] = weakref.ref(port)
        port.changed.connect(self._on_changed)

    def _on_changed(self, name: str) -> None:
        history, port = self._history(), self.port()
        if history is not None and port is not None:
            history._on_layer(port, name)

    def close(self) -> None:
        """Disconnect from all signals."""
        port = self.port()
        if port is not None:
            port.changed.disconnect(self._on_changed, missing_ok=True)


def _values_of(port: LayerPort) -> dict[str, Any]:
    return {name: getattr(port, name) for name in TRACKED}


_paused: list[None] = []


@contextmanager
def unrecorded() -> Iterator[None]:
    """Changes within this block are not recorded; main thread only."""
    _paused.append(None)
    try:
        yield
    finally:
        _paused.pop()


_histories: weakref.WeakKeyDictionary[Any, History] = weakref.WeakKeyDictionary()


def history_of(scene: ScenePort) -> History:
    """Return the history of a scene; one for all its views."""
    found = _histories.get(scene)
    if found is None:
        found = _histories[scene] = History(scene)
    return found
