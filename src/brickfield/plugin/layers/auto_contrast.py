"""Contrast limits and mode of new layers, without a wait for the window.

A store's own window is taken where it has one. Else the coarsest level is looked at
on a thread of its own; on the window's thread that is waited for only briefly, and
what comes later is set on the layers then, if their limits were not changed.

The mode is a matter of the voxels alone: a file that states a window is looked at,
too, or the same data would begin in one mode from this format and in another from
that.
"""

from __future__ import annotations

import threading
import weakref
from dataclasses import dataclass
from math import inf
from typing import Any

import numpy as np

from brickfield.errors import BrickfieldError
from brickfield.model import Selection
from brickfield.plugin.slicing.lazy import (
    first_shown,
    layers_shown,
)
from brickfield.plugin.window_thread import is_window_thread, on_window_thread
from brickfield.store import PATIENCE_S, ChunkedImageStore, LazyLevel
from brickfield.viewer.live import unrecorded

BRIEFLY_S = 0.25

Window = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Limits:
    """Contrast limits for a new layer.

    Attributes
    ----------
    window : tuple of float
        Values drawn as the first and the last colour.
    is_final : bool
        False while better ones are still looked for.
    """

    window: Window
    is_final: bool = True


def patience_s() -> float:
    """Return how long this thread may wait for limits, seconds."""
    return BRIEFLY_S if is_window_thread() else 2 * PATIENCE_S


def limits_of(
    store: ChunkedImageStore, channels: list[int | None], wait_s: float | None = None
) -> list[Limits]:
    """Choose contrast limits for channels; None means all of them in one.

    It takes at most about `wait_s`, :func:`patience_s` if not given.

    Parameters
    ----------
    store : ChunkedImageStore
    channels : list of int or None
        Index of each channel; None for all of them in one layer.
    wait_s : float, optional
        Seconds; default :func:`patience_s`.
    """
    found = [_own_window(store, channel) for channel in channels]
    unknown = [c for c, window in zip(channels, found, strict=True) if window is None]
    judged = channels if may_be_dense(store, channels) else []
    if not unknown and not judged:
        return [Limits(window) for window in found if window is not None]
    look = _Look(store, unknown or judged, for_limits=bool(unknown))
    patience = patience_s() if wait_s is None else wait_s
    if store.manager.gathering.is_on:
        # Nothing is read before the layers are shown.
        patience = 0.0
    look.wait(patience if unknown else min(patience, BRIEFLY_S))
    return [
        look.limits(c) if w is None else Limits(w)
        for c, w in zip(channels, found, strict=True)
    ]


def may_be_dense(store: ChunkedImageStore, channels: list[int | None]) -> bool:
    """Tell whether the mode of new layers depends on what the voxels are like.

    Channels are shown together, which only a maximum is good for; planes have no
    depth.

    Parameters
    ----------
    store : ChunkedImageStore
    channels : list of int or None
        Index of each channel; None for all of them in one layer.
    """
    is_thick = store.pyramid.levels[0].shape_zyx[0] > 1
    return len(channels) == 1 and is_thick and store.pyramid.dtype.kind in "iuf"


def mode_of(store: ChunkedImageStore, channels: list[int | None]) -> str:
    """Return the initial mode of layers of these channels.

    Where the voxels were not looked at yet, it is corrected later.

    Parameters
    ----------
    store : ChunkedImageStore
    channels : list of int or None
        Index of each channel; None for all of them in one layer.
    """
    if not may_be_dense(store, channels):
        return "mip"
    dense = store.is_dense(first_selection(store, channels[0]))
    if dense is None:
        selection = store.default_selection(channels[0] or 0)
        _unjudged.setdefault(store, set()).add(selection)
    # A maximum of what has no dark surroundings is a white box.
    return "translucent" if dense else "mip"


def _own_window(store: ChunkedImageStore, channel: int | None) -> Window | None:
    if store.pyramid.dtype.kind == "b":
        return (0, 1)
    known = store.channels
    at = channel or 0
    window = known[at].window if channel is not None and at < len(known) else None
    if window is None:
        return None
    low, high = (float(v) for v in window)
    return (low, high) if np.isfinite([low, high]).all() and low < high else None


def first_selection(store: ChunkedImageStore, channel: int | None) -> Selection:
    """Return what napari shows first of a channel: the middle of every further axis.

    Parameters
    ----------
    store : ChunkedImageStore
    channel : int or None
        None for all of them in one layer, which has an axis of them then.

    Returns
    -------
    tuple of int
        Index on every non-spatial axis.
    """
    pyramid = store.pyramid
    shape = pyramid.levels[0].shape
    return tuple(
        channel
        if a == pyramid.channel_axis and channel is not None
        else (shape[a] - 1) // 2
        for a in pyramid.other_axes
    )


class _Look:
    """Looks at the coarsest level of some channels, on a thread of its own.

    Parameters
    ----------
    store : ChunkedImageStore
    channels : list of int or None
    for_limits : bool
        Whether limits are looked for; else only whether the voxels are dense.
    """

    def __init__(
        self, store: ChunkedImageStore, channels: list[int | None], *, for_limits: bool
    ) -> None:
        self._for_limits = for_limits
        # Closing the image must not wait for the look.
        self._store = weakref.ref(store)
        self._preliminary = preliminary(store)
        self._windows: dict[int | None, Window] = {}
        self._lock = threading.Lock()
        self._is_late = False
        self._channels = channels
        # Never keeps the program from ending.
        self._thread = threading.Thread(
            target=self._run, name="brickfield-contrast", daemon=True
        )
        self._thread.start()

    def _run(self) -> None:
        for channel in self._channels:
            store = self._store()
            if store is None:
                return
            try:
                window = self._window_of(store, channel)
            except BrickfieldError:
                continue
            if window is None:
                continue
            with self._lock:
                self._windows[channel] = window
                is_late = self._is_late
            if is_late:
                set_later(store, channel, window if self._for_limits else None)
            del store

    def _window_of(
        self, store: ChunkedImageStore, channel: int | None
    ) -> Window | None:
        """Look at a channel; None where nothing of it could be read."""
        selection = first_selection(store, channel)
        # Nobody waits for this thread.
        window = store.estimate_contrast(selection, patience_s=inf)
        start = store.default_selection(channel or 0)
        if selection != start and store.is_constant(selection):
            # Such as time points that are still to come.
            window = store.estimate_contrast(start, patience_s=inf)
            selection = start
        return None if store.is_constant(selection) is None else window

    def wait(self, timeout_s: float) -> None:
        """Wait; what is found after that is set on the layers."""
        self._thread.join(timeout_s)
        with self._lock:
            self._is_late = True

    def limits(self, channel: int | None) -> Limits:
        """Return what is known by now."""
        with self._lock:
            window = self._windows.get(channel)
        if window is not None:
            return Limits(window)
        return Limits(self._preliminary, is_final=False)


def preliminary(store: ChunkedImageStore) -> Window:
    """Return limits that any data of the type fit in."""
    dtype: Any = store.pyramid.dtype
    if dtype.kind in "iu":
        ends = np.iinfo(dtype)
        return (float(ends.min), float(ends.max))
    return (0.0, 1.0)


_late: weakref.WeakKeyDictionary[ChunkedImageStore, dict[Selection, Window]] = (
    weakref.WeakKeyDictionary()
)

_unjudged: weakref.WeakKeyDictionary[ChunkedImageStore, set[Selection]] = (
    weakref.WeakKeyDictionary()
)
"""Selections of which layers began in a mode before their voxels were looked at."""
_judged: weakref.WeakSet[Any] = weakref.WeakSet()
"""Layers whose mode was corrected, or confirmed."""


def set_later(
    store: ChunkedImageStore, channel: int | None, window: Window | None
) -> None:
    """Set limits on the layers of a channel that still have preliminary ones.

    None leaves limits alone, which the file states; the mode is set all the same.

    Parameters
    ----------
    store : ChunkedImageStore
    channel : int or None
    window : Window or None
        Low and high; None leaves the limits, which the file states.
    """
    if window is not None:
        _late.setdefault(store, {})[store.default_selection(channel or 0)] = window

    def set_now() -> None:
        for layer in layers_shown(store):
            _set_late(layer)

    on_window_thread(set_now)


def _set_late(layer: Any) -> None:
    """Set what was found after a layer was made, unless the user chose otherwise."""
    level = layer.data[0] if layer.multiscale else layer.data
    if not isinstance(level, LazyLevel) or not hasattr(layer, "contrast_limits"):
        return
    _set_late_mode(layer, level)
    window = _late.get(level.store, {}).get(level.selection_at())
    limits = tuple(float(v) for v in layer.contrast_limits)
    if window is not None and limits == preliminary(level.store):
        with unrecorded():
            layer.contrast_limits_range = window
            layer.contrast_limits = window
    if layer.contrast_limits_range == layer.contrast_limits:
        layer.contrast_limits_range = room_around(layer.contrast_limits, level.dtype)


def _set_late_mode(layer: Any, level: LazyLevel) -> None:
    """Show dense data as a solid, once, and unless the user chose a mode."""
    selection = level.selection_at()
    is_open = selection in _unjudged.get(level.store, ()) and layer not in _judged
    steps = [len(pick) for pick in level.picks[:-3] if isinstance(pick, range)]
    seen = level.selection_at(tuple((n - 1) // 2 for n in steps))
    dense = level.store.is_dense(seen) if is_open else None
    if dense is None:
        return
    _judged.add(layer)
    if dense and layer.rendering == "mip":
        with unrecorded():
            layer.rendering = "translucent"


def room_around(window: Window, dtype: np.dtype[Any]) -> Window:
    """Return ends of a slider that let limits be moved both ways.

    Parameters
    ----------
    window : Window
        Low and high.
    dtype : np.dtype
        Of the voxels; ends stay within integers of that type.
    """
    low, high = (float(v) for v in window)
    start, stop = min(0.0, low - (high - low) / 2), high + (high - low)
    if low >= 0:
        start = 0.0
    if dtype.kind in "iu":
        ends = np.iinfo(dtype)
        return (max(start, float(ends.min)), min(stop, float(ends.max)))
    return (start, stop)


# A layer that was not shown until now.
first_shown.append(_set_late)
