"""Check sums of the chunks that will be read back, kept for a run that goes on later.

They wait in ``NAME.ims.part.sums`` beside the file, as records of one size: level, time
point, channel, position (z, y, x) and CRC-32. Those of a time point and channel are on
disk before the file says that it is whole, so a run that goes on knows all of them;
what a kill cut short belongs to a part that is written again.
"""

from __future__ import annotations

import os
import struct
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from brickfield.blockwise import BlockGrid
from brickfield.errors import StoreWriteError
from brickfield.imaris.planning.plan import ExportPlan
from brickfield.model import Int3

SAMPLED = (8, 2)
"""Chunks of level 0, and of each other, that are read back when not all are."""
AnyArray = NDArray[Any]
Place = tuple[int, int, int, Int3]
"""Level, time point, channel, chunk."""
_RECORD = struct.Struct("<7I")


class CheckSums:
    """Check sums of some or all chunks of a file. :meth:`note` from any thread.

    Parameters
    ----------
    part : Path
        The unfinished file.
    plan : ExportPlan
    all_chunks : bool
        Record all chunks instead of a sample.

    Attributes
    ----------
    sums : dict of Place to int
    """

    def __init__(self, part: Path, plan: ExportPlan, *, all_chunks: bool) -> None:
        self._path = part.with_name(f"{part.name}.sums")
        self._plan = plan
        self._is_all = all_chunks
        self._lock = threading.Lock()
        self._seen = [0] * len(plan.levels)
        self._steps = [self._step(level) for level in range(len(self._seen))]
        self._unsaved: list[bytes] = []
        self.sums: dict[Place, int] = {}

    def resume(self, n_done: int) -> None:
        """Take over what an earlier run saved; forget what it did not finish.

        Parameters
        ----------
        n_done : int
            Time points and channels that are whole in the file, channels fastest.
        """
        try:
            raw = self._path.read_bytes() if n_done else b""
        except OSError:
            raw = b""
        whole = len(raw) // _RECORD.size * _RECORD.size
        for level, time, channel, z, y, x, check in _RECORD.iter_unpack(raw[:whole]):
            if time * self._plan.n_channels + channel < n_done:
                self.sums[level, time, channel, (z, y, x)] = check
        self.remove()
        self._unsaved = [_packed(*known) for known in self.sums.items()]

    def note(self, place: Place, chunk: AnyArray) -> None:
        """Record the check sum of a chunk, or of every nth.

        Parameters
        ----------
        place : Place
            Level, time point, channel and position.
        chunk : ndarray, shape (z, y, x)
        """
        level = place[0]
        with self._lock:
            seen, self._seen[level] = self._seen[level], self._seen[level] + 1
        if seen % self._steps[level]:
            return
        check = check_sum(chunk)
        with self._lock:
            self.sums[place] = check
            self._unsaved.append(_packed(place, check))

    def save(self) -> None:
        """Bring what was noted to disk.

        Raises
        ------
        StoreWriteError
            When there is no room.
        """
        with self._lock:
            new, self._unsaved = self._unsaved, []
        try:
            with self._path.open("ab") as file:
                file.write(b"".join(new))
                file.flush()
                os.fsync(file.fileno())
        except OSError as error:
            msg = f"expected to write {self._path}; found: {error.strerror}: make room"
            raise StoreWriteError(msg) from error

    def unknown(self) -> Iterator[Place]:
        """Places of which all are to be read back, but no sum is known."""
        if not self._is_all:
            return
        plan = self._plan
        for level in range(len(plan.levels)):
            for part in range(plan.n_times * plan.n_channels):
                time, channel = divmod(part, plan.n_channels)
                for block in _grid(plan, level):
                    z, y, x = block.index
                    place = (level, time, channel, (z, y, x))
                    if place not in self.sums:
                        yield place

    def remove(self) -> None:
        """Remove what was saved."""
        self._path.unlink(missing_ok=True)

    def _step(self, level: int) -> int:
        if self._is_all:
            return 1
        n_parts = self._plan.n_times * self._plan.n_channels
        n_chunks = len(_grid(self._plan, level)) * n_parts
        return max(1, n_chunks // SAMPLED[level > 0])


def check_sum(chunk: AnyArray) -> int:
    """Return the CRC-32 of a chunk, padding included."""
    try:
        from isal.isal_zlib import crc32  # the same numbers, faster
    except ImportError:
        from zlib import crc32
    return int(crc32(chunk.data))


def _grid(plan: ExportPlan, level: int) -> BlockGrid:
    about = plan.levels[level]
    return BlockGrid(about.shape, about.chunk_shape)


def _packed(place: Place, check: int) -> bytes:
    level, time, channel, index = place
    return _RECORD.pack(level, time, channel, *index, check)
