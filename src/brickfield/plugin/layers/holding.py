"""Stores end when their layers leave napari, and come back with them.

Invariant: a store that was opened for layers is kept by them while one of them is in
a layer list (or in none yet, in a script). When the last one leaves the lists, the
layers release it, and it is closed unless a script or a view has it. This does not
wait for the layers to be collected: a binding of Qt or a script may keep them. A
layer that is inserted again opens its store again.

Which lists there are is told by those that a layer is connected to. A list that is
not known costs no more than that: its layers keep their store until they go.

Main thread only.
"""

from __future__ import annotations

import weakref
from collections.abc import Iterable, Iterator
from typing import Any

from qtpy.QtCore import QTimer

from brickfield.model.secrets import has_secrets, hide_secrets
from brickfield.plugin.napari_names import lists_of, note_source_path
from brickfield.plugin.slicing.lazy import drop_feed, soon_after_slicing
from brickfield.plugin.window_thread import is_window_thread
from brickfield.store import LazyLevel, StoreHold

_watched: weakref.WeakSet[Any] = weakref.WeakSet()


def hold_of(layer: Any) -> StoreHold | None:
    """Return what a layer keeps its store with; None if it is not one of ours."""
    data: Any = getattr(layer, "data", None)
    if getattr(layer, "multiscale", False):
        data = data[0]
    return data.hold if isinstance(data, LazyLevel) else None


def watch_lists_of(layer: Any) -> None:
    """Be told when a layer leaves the lists that it is in."""
    for layers in lists_of(layer):
        watch(layers)


def watch(layers: Any) -> None:
    """Let stores go whose last layer leaves a layer list; may be called again."""
    if layers in _watched:
        return
    _watched.add(layers)
    layers.events.removed.connect(_on_removed)
    layers.events.inserted.connect(_on_inserted)


def release_stores(layers: Iterable[Any], *, but: Any = None) -> None:
    """Release the stores of layers that are in no layer list.

    Parameters
    ----------
    layers : iterable of napari.layers.Layer
    but : napari.layers.Layer, optional
        Its store is kept.
    """
    kept = hold_of(but)
    for layer in layers:
        hold = hold_of(layer)
        if hold is not None and hold is not kept:
            _release_unless_listed(layer, hold)


def _on_inserted(event: Any) -> None:
    """Mask what gives access in the path that napari notes of a layer of ours."""
    layer = event.value
    source: Any = getattr(layer, "source", None)
    path = str(getattr(source, "path", None) or "")
    if hold_of(layer) is None or not has_secrets(path):
        return
    note_source_path(layer, hide_secrets(path))


def _on_removed(event: Any) -> None:
    layer = event.value
    hold = hold_of(layer)
    if hold is None or not hold.can_reopen:
        return
    if is_window_thread():
        # A move to another list is a removal first.
        QTimer.singleShot(0, lambda: _release_unless_listed(layer, hold))
    else:
        _release_unless_listed(layer, hold)


def _release_unless_listed(layer: Any, hold: StoreHold) -> None:
    listed = {*_listed(), *_lists_members(layer)}
    if layer not in listed:
        drop_feed(layer)
    if all(hold_of(other) is not hold for other in listed):
        hold.release()


def _listed() -> Iterator[Any]:
    for layers in list(_watched):
        yield from layers


def _lists_members(layer: Any) -> Iterator[Any]:
    for layers in lists_of(layer):
        watch(layers)
        yield from layers


# A list that a layer was added to otherwise than by opening it there.
soon_after_slicing.append(watch_lists_of)
