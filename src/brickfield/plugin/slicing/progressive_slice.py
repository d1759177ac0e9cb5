"""One array that napari shows, filled while it is shown.

While planes or time points are stepped through, the chunks that come next are
prefetched (:func:`names_ahead`). Invariant: nothing is prefetched before a move has
shown its direction, and then one step at most: the next chunk along a spatial axis, the
next index along any other. A change of level, or of more than one axis, is no such
move.
"""

from __future__ import annotations

import os
from collections.abc import Generator, Iterable, Iterator
from pathlib import Path
from time import monotonic
from typing import Any

import numpy as np
from numpy.typing import NDArray

from brickfield.errors import BudgetError
from brickfield.loading import ChunkManager
from brickfield.model import Pyramid, pack_keys, unpack_keys
from brickfield.model.requests import LoadedChunk
from brickfield.store import LazyLevel, Mosaic, Name

_PLENTY = 8 << 30


def available_bytes() -> int:
    """Return the bytes that can be taken without swapping; 8 GiB if unknown."""
    try:
        text = Path("/proc/meminfo").read_text(encoding="ascii")
        line = next(row for row in text.splitlines() if row.startswith("MemAvailable:"))
        return int(line.split()[1]) << 10
    except (OSError, StopIteration, ValueError, IndexError):
        pass
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // 2
    except (AttributeError, ValueError, OSError):
        return _PLENTY


HOLD_S = 1.0
"""Most time that the pixels of the place before stand in for those of the next."""
AT_ONCE_S = 0.015
"""Time for what is loaded, and again for coarser data, before napari goes on."""


class ProgressiveSlice:
    """One array that napari shows, filled as its chunks arrive.

    Attributes
    ----------
    view : LazyLevel
        What napari asked for.
    array : ndarray
        What napari got; written to until it is complete.
    lacking : dict
        Names of chunks on their way, most wanted first.
    failed : set
        Names of those that could not be read.
    ahead : list
        Names of chunks that are likely needed next.
    held_until : float
        Until when the pixels of the slice before stand in, :func:`time.monotonic`; 0 if
        they do not.

    Parameters
    ----------
    view : LazyLevel
    manager : ChunkManager
        Of its store.
    before : ProgressiveSlice, optional
        Shown before it, of the same shape. Its pixels stand in for what is not loaded,
        so that stepping and playing do not flicker.
    """

    def __init__(
        self,
        view: LazyLevel,
        manager: ChunkManager,
        before: ProgressiveSlice | None = None,
    ) -> None:
        self.view = view
        self.mosaic: Mosaic = view.mosaic()
        self.array: NDArray[Any] = view.as_shown(self.mosaic.out)
        self.is_coarsest = view.level == view.pyramid.n_levels - 1
        self.failed: set[Name] = set()
        self.ahead: list[Name] = []
        # Painting coarser data can take longer than a redraw may wait, so it is an
        # iterator that goes on in the next turn of the event loop.
        self._steps: Iterator[None] = iter(())
        end = monotonic() + AT_ONCE_S
        lacking = self._paint_known(manager, end)
        self.lacking: dict[Name, None] = dict.fromkeys(lacking)
        self.held_until = 0.0
        if before is not None and lacking:
            self._hold(before)
        self.stand_in(manager, end + AT_ONCE_S)

    def _hold(self, before: ProgressiveSlice) -> None:
        if before.mosaic.out.shape != self.mosaic.out.shape:
            return
        now = monotonic()
        # Held pixels are not held for longer by stepping on.
        held_until = before.held_until if before.lacking else 0.0
        self.held_until = held_until or now + HOLD_S
        if self.held_until > now:
            self.mosaic.hold(before.mosaic.out)

    def end_hold(self, manager: ChunkManager) -> bool:
        """Let the pixels of the slice before stand in no more, if it is time.

        It is, too, when nothing more is on its way: what failed has no picture.

        Returns
        -------
        bool
            Whether pixels changed.
        """
        if not self.held_until or (self.lacking and monotonic() < self.held_until):
            return False
        self.held_until = 0.0
        if not self.lacking and not self.failed:
            return False
        self.mosaic.clear_open()
        self.stand_in(manager, monotonic() + AT_ONCE_S)
        return True

    def _paint_known(self, manager: ChunkManager, end: float) -> list[Name]:
        """Paint what is loaded, as far as the time goes; return the rest."""
        lacking = []
        names = iter(list(self.mosaic.names))
        for name in names:
            chunk = manager.peek(*name)
            if chunk is None or not self.mosaic.paint(chunk):
                lacking.append(name)
            elif monotonic() > end:
                # The manager hands out the others in turn.
                break
        # Where the user looks first.
        return self.mosaic.centre_first([*lacking, *names])

    def stand_in(self, manager: ChunkManager, end: float) -> None:
        """Fill missing chunks from coarser levels, as far as time allows.

        Parameters
        ----------
        manager : ChunkManager
            Of the store.
        end : float
            Time of :func:`time.perf_counter`.
        """
        self._steps = self.mosaic.coarser_steps(manager.peek)
        self.go_on(end)

    def go_on(self, end: float) -> bool:
        """Go on with drawing coarser data; tell whether something was drawn."""
        is_new = False
        for _ in self._steps:
            is_new = True
            if monotonic() > end:
                return True
        self._steps = iter(())
        return is_new

    @property
    def has_steps(self) -> bool:
        """Whether coarser data are still to be drawn."""
        # The empty iterator that stands for "done" is no generator.
        return isinstance(self._steps, Generator)

    def take(self, chunk: LoadedChunk) -> bool:
        """Paint a chunk; tell whether it was wanted here."""
        name = (chunk.selection, chunk.key)
        if name not in self.lacking:
            return False
        del self.lacking[name]
        if not self.mosaic.paint(chunk):
            self.failed.add(name)
        return True

    def give_up(self) -> None:
        """Wait for nothing more."""
        self.failed.update(self.lacking)
        self.lacking.clear()

    def retry(self) -> None:
        """Wait again for what failed."""
        self.lacking.update(dict.fromkeys(self.failed))
        self.failed.clear()


def refuse_what_cannot_fit(view: LazyLevel) -> None:
    """Refuse an array that would take most of the memory there is.

    Raises
    ------
    BudgetError
        If it would take more than 60 % of the free memory.
    """
    free = available_bytes()
    if view.nbytes > 0.6 * free:
        msg = (
            f"expected a slice or level of less than {0.6 * free / 1e9:.1f} GB, since"
            f" napari holds it whole in memory; found {view.nbytes / 1e9:.1f} GB: choose"
            " a coarser level, or look at it in the volume view"
        )
        raise BudgetError(msg)


Move = tuple[int, int]
"""Which of the picks moved (non-spatial axes, then z, y and x), and by how much."""


def move_between(before: LazyLevel, now: LazyLevel) -> Move | None:
    """Tell along which axis a view moved, if along one that is not displayed.

    Parameters
    ----------
    before, now : LazyLevel
        Views that were asked for one after the other.
    """
    if before.level != now.level or before.hold is not now.hold:
        return None
    moved = [
        (axis, _first(b) - _first(a))
        for axis, (a, b) in enumerate(zip(before.picks, now.picks, strict=True))
        if a != b
    ]
    # A change of two axes at once is a jump or a rotation, which has no next step.
    if len(moved) != 1:
        return None
    pick = now.picks[moved[0][0]]
    is_thin = isinstance(pick, int) or len(pick) == 1
    return moved[0] if is_thin and moved[0][1] else None


def follows(before: LazyLevel, now: LazyLevel) -> bool:
    """Tell whether a view shows the same place as another one, or one beside it.

    Parameters
    ----------
    before, now : LazyLevel
        Views that were asked for one after the other.
    """
    is_same = before.level == now.level and before.hold is now.hold
    is_there = is_same and before.picks == now.picks
    return is_there or move_between(before, now) is not None


def names_ahead(names: Iterable[Name], move: Move, view: LazyLevel) -> list[Name]:
    """Return the chunks that the next step of a move needs.

    Parameters
    ----------
    names : iterable of (selection, key)
        Chunks of the view.
    move : tuple of int
    view : LazyLevel
    """
    axis, step = move
    pyramid: Pyramid = view.pyramid
    n_others = len(pyramid.other_axes)
    if axis < n_others:
        length = pyramid.levels[view.level].shape[pyramid.other_axes[axis]]
        return [
            ((*sel[:axis], sel[axis] + step, *sel[axis + 1 :]), key)
            for sel, key in names
            if 0 <= sel[axis] + step < length
        ]
    known = list(names)
    keys = np.array([key for _, key in known], dtype=np.int64)
    _, indices = unpack_keys(keys)
    # Along a spatial axis the next chunk, whatever the step: it holds many planes.
    indices[:, axis - n_others] += 1 if step > 0 else -1
    grid = np.array(pyramid.levels[view.level].grid_zyx)
    outside = ((indices < 0) | (indices >= grid)).any(axis=1)
    rows = np.flatnonzero(~np.asarray(outside)).tolist()
    ahead = pack_keys(view.level, indices).tolist()
    return [(known[i][0], ahead[i]) for i in rows]


def _first(pick: range | int) -> int:
    return pick if isinstance(pick, int) else pick.start
