"""Patterns from datasets of HDF5 that are stored in chunks."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import accumulate
from pathlib import Path
from threading import Lock
from typing import Any

import numpy as np
from numpy.typing import NDArray

from brickfield.blockwise import BlockGrid, ThreadBuffers, intersect, shift
from brickfield.errors import ChunkReadError
from brickfield.sources.protocol import StoredArray
from brickfield.sources.scans.frame_stack import Shape4


@dataclass(frozen=True, slots=True)
class Held:
    """The files that patterns are read from.

    Attributes
    ----------
    places : callable
        Returns them, absolute.
    close : callable
    again : tuple of (callable, tuple)
        What opens the same patterns in another process, and its arguments.
    """

    places: Callable[[], Sequence[Path]]
    close: Callable[[], None]
    again: tuple[Callable[..., Any], tuple[Any, ...]]


def read_region(
    stored: StoredArray, region: tuple[slice, ...], dtype: np.dtype[Any]
) -> NDArray[Any]:
    """Assemble a region from storage chunks.

    Parameters
    ----------
    stored : StoredArray
    region : tuple of slice
        One slice per axis, with start and stop.
    dtype : np.dtype
        Of the result.

    Returns
    -------
    ndarray, shape of the region
        The fill value where nothing is stored.

    Raises
    ------
    ChunkReadError
    """
    whole = np.zeros([s.stop - s.start for s in region], dtype)
    start = tuple(s.start for s in region)
    for block in BlockGrid(stored.shape, stored.chunk_shape).overlapping(region):
        common = intersect(block.slices, region)
        data = stored.read_chunk(block.index).data
        if data is not None:
            whole[shift(common, start)] = data[shift(common, block.start)]
        elif fill := getattr(stored, "fill_value", 0):
            whole[shift(common, start)] = fill
    return whole


class Elsewhere:
    """Patterns that another process has open; opened here by the first read.

    What carries work to a cluster unpacks it on the way, where nothing is to be read.

    Parameters
    ----------
    about : dict
        Attributes of the patterns, such as ``shape`` and ``dtype``.
    again : tuple of (callable, tuple)
    """

    def __init__(
        self,
        about: dict[str, Any],
        again: tuple[Callable[..., Any], tuple[Any, ...]],
    ) -> None:
        self.__dict__.update(about)
        self._again = again
        self._opened: Any = None
        self._lock = Lock()

    def __reduce__(self) -> tuple[Any, ...]:
        own = ("_again", "_opened", "_lock")
        about = {k: v for k, v in self.__dict__.items() if k not in own}
        return (Elsewhere, (about, self._again))

    def view(self, *where: Any) -> NDArray[Any]:
        """Read patterns, shape (…, rows, columns); see the protocols of scans and frames."""
        with self._lock:
            if self._opened is None:
                function, arguments = self._again
                self._opened = function(*arguments)
        return np.asarray(self._opened.view(*where))


def _elsewhere(data: Any, names: Sequence[str], held: Held) -> tuple[Any, ...]:
    return (Elsewhere, ({n: getattr(data, n) for n in names}, held.again))


class DatasetScan:
    """A scan in one dataset of four axes, or of five; safe in threads.

    Parameters
    ----------
    stored : StoredArray
    order : tuple of int
        The last four axes as (scan y, scan x, detector y, detector x).
    lead : int or None
        Index on the first of five axes.
    held : Held
    """

    def __init__(
        self,
        stored: StoredArray,
        order: Sequence[int],
        lead: int | None,
        held: Held,
    ) -> None:
        self._stored, self._lead, self._held = stored, lead, held
        self._order = tuple(order)
        shape, chunk = stored.shape[-4:], stored.chunk_shape[-4:]
        ny, nx, h, w = (shape[a] for a in self._order)
        self.shape: Shape4 = (ny, nx, h, w)
        self.dtype = stored.dtype
        self.block = (chunk[self._order[0]], chunk[self._order[1]])
        self.stored_frame_bytes = h * w * stored.dtype.itemsize
        self._is_closed = False

    def __reduce__(self) -> tuple[Any, ...]:
        names = ("shape", "dtype", "block", "stored_frame_bytes")
        return _elsewhere(self, names, self._held)

    def view(self, ys: slice, xs: slice, buffers: ThreadBuffers) -> NDArray[Any]:
        """Read the patterns of a rectangle of the scan; see the protocol.

        Parameters
        ----------
        ys : slice
            Rows of the scan.
        xs : slice
            Columns of the scan.
        buffers : ThreadBuffers
            Not used: every read has an array of its own.

        Returns
        -------
        ndarray, shape (n_y, n_x, rows, columns)

        Raises
        ------
        ChunkReadError
            If they cannot be read, or the scan is closed.
        """
        if self._is_closed:
            msg = "expected an open scan; it was closed before the read"
            raise ChunkReadError(msg)
        region = [slice(0, n) for n in self._stored.shape[-4:]]
        region[self._order[0]], region[self._order[1]] = ys, xs
        lead = [] if self._lead is None else [slice(self._lead, self._lead + 1)]
        found = read_region(self._stored, (*lead, *region), self.dtype)
        return (found if self._lead is None else found[0]).transpose(self._order)

    def places(self) -> tuple[Path, ...]:
        """Return the files that are read, absolute."""
        return tuple(self._held.places())

    def close(self) -> None:
        """Give files back."""
        if not self._is_closed:
            self._is_closed = True
            self._held.close()


class DatasetFrames:
    """Frames in one dataset of three axes or several; safe in threads.

    Parameters
    ----------
    parts : sequence of StoredArray
        Of the same pattern and data type, in the order of their frames.
    held : Held
    """

    def __init__(self, parts: Sequence[StoredArray], held: Held) -> None:
        self._parts = tuple(parts)
        self._starts = list(accumulate((p.shape[0] for p in parts), initial=0))
        self.n_frames = self._starts[-1]
        self.frame_shape = (parts[0].shape[1], parts[0].shape[2])
        self.dtype = parts[0].dtype
        h, w = self.frame_shape
        self.stored_frame_bytes = h * w * self.dtype.itemsize
        self._held = held
        self._is_closed = False

    def __reduce__(self) -> tuple[Any, ...]:
        names = ("n_frames", "frame_shape", "dtype", "stored_frame_bytes")
        return _elsewhere(self, names, self._held)

    def view(self, start: int, stop: int, buffers: ThreadBuffers) -> NDArray[Any]:
        """Read consecutive frames, shape (stop - start, rows, columns).

        Parameters
        ----------
        start : int
            First frame.
        stop : int
            The one after the last frame.
        buffers : ThreadBuffers
            Not used: every read has an array of its own.

        Raises
        ------
        ChunkReadError
            If they cannot be read, or the scan is closed.
        """
        if self._is_closed:
            msg = "expected an open scan; it was closed before the read"
            raise ChunkReadError(msg)
        found = []
        done = start
        while done < stop:
            which = bisect_right(self._starts, done) - 1
            first = self._starts[which]
            last = min(stop, self._starts[which + 1])
            part = self._parts[which]
            region = (slice(done - first, last - first), *_whole(part.shape[1:]))
            found.append(read_region(part, region, self.dtype))
            done = last
        return found[0] if len(found) == 1 else np.concatenate(found)

    def places(self) -> tuple[Path, ...]:
        """Return the files that are read, absolute."""
        return tuple(self._held.places())

    def close(self) -> None:
        """Give files back."""
        if not self._is_closed:
            self._is_closed = True
            self._held.close()


def _whole(shape: Sequence[int]) -> tuple[slice, ...]:
    return tuple(slice(0, n) for n in shape)
