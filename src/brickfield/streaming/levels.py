"""Coarser levels of a stream, made of what is on disk of the finer ones.

A storage unit of a coarser level is made when the last of the units that it is joined
from is on disk, so in order each is written once. What does not become whole (frames
that are skipped, single blocks) is made after a while, and at the end. Nothing of the
levels is kept in memory but which units are under way.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import ceil, prod
from time import monotonic
from typing import Any

from brickfield.blockwise import Block, Slices
from brickfield.streaming.arrays import StreamArray
from brickfield.streaming.plan import StreamPlan
from brickfield.writing import LevelBlock

logger = logging.getLogger(__name__)
Unit = tuple[int, tuple[int, ...]]
"""Level and index of a storage unit."""
PIECE_BYTES = 8 << 20
"""Voxels that are read at once to be joined."""


@dataclass(frozen=True)
class Family:
    """Which storage units of one level are joined to which of the next."""

    child: StreamArray
    parent: StreamArray

    def parent_of(self, unit: tuple[int, ...]) -> tuple[int, ...]:
        """Return the unit of the coarser level that a unit is joined to."""
        factors = self.parent.plan.factors
        return tuple(
            i * c // (f * p)
            for i, c, f, p in zip(
                unit,
                self.child.write_shape,
                factors,
                self.parent.write_shape,
                strict=True,
            )
        )

    def n_children(self, parent: tuple[int, ...]) -> int:
        """Return how many units of the finer level a unit is joined from."""
        return prod(len(r) for r in self._children(parent))

    def _children(self, parent: tuple[int, ...]) -> list[range]:
        return [
            range(i * p * f // c, ceil(min((i + 1) * p * f, n) / c))
            for i, p, f, c, n in zip(
                parent,
                self.parent.write_shape,
                self.parent.plan.factors,
                self.child.write_shape,
                self.child.shape,
                strict=True,
            )
        ]


class CoarseLevels:
    """Makes coarser levels on a thread of its own.

    Parameters
    ----------
    plan : StreamPlan
    arrays : sequence of StreamArray
    on_written : callable
        Told (level, region) of what is on disk, on that thread.
    patience_s : float
        After which a unit is made of what there is.
    """

    def __init__(
        self,
        plan: StreamPlan,
        arrays: Sequence[StreamArray],
        on_written: Callable[[int, Slices, bool], None],
        *,
        patience_s: float,
    ) -> None:
        self._arrays = list(arrays)
        self._families = [Family(a, b) for a, b in pairwise(arrays)]
        self._on_written = on_written
        self._patience_s = patience_s
        self._plan = plan
        self._lock = threading.Condition()
        self._here: dict[Unit, set[tuple[int, ...]]] = {}
        self._dirty: dict[Unit, float] = {}
        self._ready: dict[Unit, None] = {}
        self._is_busy = False
        self._is_ending = False
        self.error: Exception | None = None
        self._thread: threading.Thread | None = None

    # -- what is on disk ---------------------------------------------------------

    def note(self, region: Slices, *, is_whole: bool) -> None:
        """Record that a region of level 0, within one storage unit, is on disk.

        Parameters
        ----------
        region : Slices
            One slice per axis.
        is_whole : bool
            Whether its whole slab of the unit has come.
        """
        if not self._families:
            return
        unit = tuple(s.start // u for s, u in zip(region, self._plan.unit, strict=True))
        slab = tuple(
            s.start // n for s, n in zip(region, self._plan.slab_shape, strict=False)
        )
        with self._lock:
            if not is_whole:
                self._touch((0, unit))
            else:
                self._arrived((0, unit), slab, self._n_slabs_of(unit))
            self._lock.notify_all()
        self._start()

    def _n_slabs_of(self, unit: tuple[int, ...]) -> int:
        """Return how many slabs a storage unit is written by."""
        extents = (
            min((i + 1) * u, n) - i * u
            for i, u, n in zip(
                unit, self._plan.unit, self._arrays[0].shape, strict=True
            )
        )
        slabs = self._plan.slab_shape
        return prod(ceil(e / s) for e, s in zip(extents, slabs, strict=False))

    def _arrived(self, unit: Unit, part: tuple[int, ...], n_parts: int) -> None:
        """Count a part of a unit; the last one makes it whole (locked)."""
        here = self._here.setdefault(unit, set())
        here.add(part)
        if len(here) < n_parts:
            self._touch(unit)
            return
        del self._here[unit]
        level, index = unit
        if level >= len(self._families):
            return
        family = self._families[level]
        parent = (level + 1, family.parent_of(index))
        brothers = self._here.setdefault(parent, set())
        brothers.add(index)
        # Should the others never come, it is made of what there is after a while.
        self._dirty.setdefault(parent, monotonic())
        if len(brothers) >= family.n_children(parent[1]):
            del self._here[parent]
            self._dirty.pop(parent, None)
            self._ready[parent] = None

    def _touch(self, unit: Unit) -> None:
        """Note that the parent of a unit is to be made again some time (locked)."""
        level, index = unit
        if level < len(self._families):
            parent = (level + 1, self._families[level].parent_of(index))
            self._dirty.setdefault(parent, monotonic())

    def mark(self, level: int, unit: tuple[int, ...]) -> None:
        """Have a unit computed from what there is.

        Parameters
        ----------
        level : int
        unit : tuple of int
            Position in the grid of storage units.
        """
        with self._lock:
            self._dirty.setdefault((level, unit), 0.0)
            self._lock.notify_all()
        self._start()

    # -- the thread --------------------------------------------------------------

    def _start(self) -> None:
        if self._thread is None:
            self._thread = threading.Thread(
                target=self._run, name="brickfield-stream-levels", daemon=True
            )
            self._thread.start()

    def _run(self) -> None:
        while True:
            with self._lock:
                unit = self._next()
                while unit is None and not self._is_ending:
                    self._lock.wait(self._wait_s())
                    unit = self._next()
                if unit is None:
                    return
                self._is_busy = True
            whole = True
            try:
                whole = self._make(unit)
            except Exception as error:  # noqa: BLE001 -- raised where it is waited for
                self.error = error
                logger.warning("level %d could not be written: %s", unit[0], error)
            finally:
                with self._lock:
                    self._is_busy = False
                    if self.error is None:
                        self._told(unit, is_whole=whole)
                    else:
                        # Tried again once somebody was told of the error.
                        self._dirty.setdefault(unit, monotonic())
                    self._lock.notify_all()

    def _next(self) -> Unit | None:
        """Take the unit that is made next, the finest level first (locked)."""
        if self._ready:
            # Units sort by level: a coarser one may read what a finer one is to write.
            unit = min(self._ready)
            del self._ready[unit]
            return unit
        end = monotonic() - self._patience_s
        due = [u for u, since in self._dirty.items() if since <= end]
        if not due or self.error is not None:
            return None
        unit = min(due)
        del self._dirty[unit]
        return unit

    def _wait_s(self) -> float | None:
        if not self._dirty:
            return None
        return max(0.01, min(self._dirty.values()) + self._patience_s - monotonic())

    def _make(self, unit: Unit) -> bool:
        """Make a storage unit of the level before it; tell whether it is whole."""
        level, index = unit
        with self._lock:
            # Before it is made: what comes meanwhile marks it for another time.
            is_whole = unit not in self._here
        array, before = self._arrays[level], self._arrays[level - 1]
        plan = array.plan
        slices = tuple(
            slice(i * u, min((i + 1) * u, n))
            for i, u, n in zip(index, array.write_shape, array.shape, strict=True)
        )
        piece = _piece_of(plan, array.dtype.itemsize)
        target: Any = _Target(array)
        make = LevelBlock(before, target, plan.factors, "mean", piece, array.dtype)
        if make(Block(index, slices)):
            self._on_written(level, slices, target.was_there)
        return is_whole

    def _told(self, unit: Unit, *, is_whole: bool) -> None:
        """Count a unit that was made towards the next level (locked)."""
        if is_whole:
            self._arrived(unit, unit[1], 1)
        else:
            self._touch(unit)

    # -- waiting -----------------------------------------------------------------

    def wait(self) -> None:
        """Wait until all units that are whole are made."""
        with self._lock:
            self._lock.wait_for(
                lambda: self.error is not None or not (self._ready or self._is_busy)
            )
        self._raise_error()

    def catch_up(self) -> None:
        """Make all that is not up to date."""
        with self._lock:
            # With less than no patience everything that is not up to date is due.
            patience_s, self._patience_s = self._patience_s, -1.0
            self._lock.notify_all()
            self._lock.wait_for(
                lambda: (
                    self.error is not None
                    or not (self._ready or self._dirty or self._is_busy)
                )
            )
            self._patience_s = patience_s
        self._raise_error()

    def finish(self) -> None:
        """Make all that is not up to date and end the thread."""
        self.catch_up()
        self.stop()

    def stop(self) -> None:
        """End the thread after what it is doing."""
        with self._lock:
            self._is_ending = True
            self._ready, self._dirty = {}, {}
            self._lock.notify_all()
        if self._thread is not None:
            self._thread.join()

    def _raise_error(self) -> None:
        error, self.error = self.error, None
        if error is not None:
            raise error


@dataclass
class _Target:
    """A storage unit that a level block is written to."""

    array: StreamArray
    was_there: bool = False

    @property
    def fill_value(self) -> Any:
        """Of voxels that nothing is stored for."""
        return self.array.fill_value

    def write(self, region: Slices, data: Any) -> None:
        """Write the unit and wait for it."""
        self.was_there = not self.array.is_missing(region)
        self.array.write(region, data).result()


def _piece_of(plan: Any, itemsize: int) -> tuple[int, ...]:
    """Return the voxels that are made at once, so that little is read for them."""
    piece = list(plan.write_shape)
    while prod(piece) * prod(plan.factors) * (itemsize + 12) > PIECE_BYTES:
        axis = max(range(len(piece)), key=lambda a: piece[a])
        if piece[axis] == 1:
            break
        piece[axis] = ceil(piece[axis] / 2)
    return tuple(piece)
