"""Forgets the chunks under a change, and reads anew what is on its way to them."""

from __future__ import annotations

import numpy as np

from brickfield.loading.queue import WAITING, Lane
from brickfield.loading.reader import Reader
from brickfield.model import ChunkChange


def forget_changed(reader: Reader, change: ChunkChange, *, is_reopened: bool) -> None:
    """Forget chunks of a reader; its lock is held.

    Parameters
    ----------
    reader : Reader
    change : ChunkChange
    is_reopened : bool
        Whether all that is being read comes from a source that is closed.
    """
    scheduler, level = reader.scheduler, change.level
    layout = scheduler.layouts[level]
    reader.pinned.forget_changed(change)
    for name in [n for n in reader.bad if n[0] == level]:
        if change.meets(layout.index_of(name[1]), layout.storage):
            del reader.bad[name]
    scheduler.stale |= {
        name
        for name in scheduler.in_flight
        if is_reopened
        or (name[0] == level and change.meets(layout.index_of(name[1]), layout.storage))
    }
    for assembly in list(scheduler.assemblies):
        if change.has(*assembly.name):
            scheduler.discard(assembly)
    for lane in scheduler.queue.lanes():
        _wait_again(lane, change)


def _wait_again(lane: Lane, change: ChunkChange) -> None:
    """Let the chunks of a lane that were not taken yet be read anew."""
    if not change.covers(lane.selection):
        return
    for row in np.flatnonzero(~lane.is_delivered).tolist():
        if change.has(lane.selection, int(lane.keys[row])):
            lane.set_state(row, WAITING)
