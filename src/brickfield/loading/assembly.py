"""Chunks that are being put together from storage chunks.

Invariant: a storage chunk is in ``needs.pending`` until its voxels are in the buffer or it is
known to hold none. Pieces do not overlap, so several threads may fill one buffer at
once; the thread that removes the last piece from there finishes the chunk. A
piece that cannot be read leaves a hole and costs no other piece.

:class:`AssemblyPool` holds all of them and bounds the memory that they take. Invariant:
the bytes of all assemblies are reserved in the RAM cache, so that assemblies and cache
together stay within one budget. New ones are begun while the assemblies take less than
a quarter of it (one is always allowed); chunks that share a storage chunk with one that
is being read may join up to a half, because decoding twice costs more than waiting.
When even one chunk finds no room, nothing is begun until what is ready is taken; only a
visual that has nothing to take gets one chunk beyond the cache, so that it cannot
starve.
"""

from __future__ import annotations

from collections.abc import Container, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from brickfield.loading.cache.chunk_cache import ENTRY_BYTES, ChunkCache, Name
from brickfield.loading.cache.voxel_memory import VOXEL_MEMORY, own_voxels, rows_of
from brickfield.loading.needs import Needs
from brickfield.loading.retry import ReadFailure
from brickfield.loading.storage_layout import FlatIndex, LevelLayout
from brickfield.model import ChunkId, ChunkKey, Int3, Selection, pack_keys
from brickfield.model.requests import ChunkFailure, ChunkState, Hole, LoadedChunk
from brickfield.sources import PartlyReadError


class Assembly:
    """One chunk on its way. Not thread-safe but for :meth:`fill`.

    Parameters
    ----------
    layout : LevelLayout
    chunk_id : ChunkId
    needs : Needs
        The storage chunks under it; a record that it may share.
    """

    __slots__ = (
        "bad", "buffer", "key", "layout", "lost", "needs", "origin", "reserved", "rows",
        "selection", "shape",
    )  # fmt: skip

    def __init__(self, layout: LevelLayout, chunk_id: ChunkId, needs: Needs) -> None:
        self.layout = layout
        self.key: ChunkKey = chunk_id.key
        self.selection = chunk_id.selection
        self.origin, self.shape = layout.box_of(chunk_id.index)
        self.needs = needs
        self.bad: dict[FlatIndex, ReadFailure] = {}
        self.lost: list[Hole] = []
        self.reserved = 0
        self.buffer: NDArray[np.generic] | None = None
        self.rows: NDArray[np.void] | None = None

    @property
    def name(self) -> tuple[Selection, ChunkKey]:
        """What the assembly is filed under."""
        return self.selection, self.key

    @property
    def buffer_dtype(self) -> np.dtype[np.generic] | None:
        """Type of the voxels, None before they are allocated."""
        return None if self.buffer is None else self.buffer.dtype

    def make_buffer(self, dtype: np.dtype[np.generic]) -> None:
        """Allocate the voxels (not yet touched), unless they are there."""
        if self.buffer is None and not self.needs.is_single:
            # Not zeroed: every voxel is written, by a piece or by the fill value in
            # `finish`.
            self.buffer = self._new(dtype)
            rows = rows_of(self.buffer, self.shape[2])
            self.rows = None if rows is None else rows[..., 0]

    def fill(
        self,
        part: NDArray[np.generic],
        target: Sequence[int],
        whole: NDArray[np.generic],
    ) -> None:
        """Copy a piece to where it belongs.

        Parameters
        ----------
        part : ndarray, shape (z, y, x)
            The piece, a view of a storage chunk.
        target : sequence of int
            Its first voxel within the chunk.
        whole : ndarray
            The storage chunk.
        """
        if self.needs.is_single:
            self.buffer = own_voxels(part, whole)
            if self.buffer is None:
                self.buffer = self._new(part.dtype.newbyteorder("="))
                self.buffer[...] = part
            return
        assert self.buffer is not None
        (z, y, x), (d, h, w) = target, part.shape
        self.buffer[z : z + d, y : y + h, x : x + w] = part

    def _new(self, dtype: np.dtype[np.generic]) -> NDArray[np.generic]:
        # Chunks that are cut at an edge have many sizes, of few chunks each.
        is_whole = self.shape == self.layout.chunk_zyx
        return (
            VOXEL_MEMORY.empty(self.shape, dtype)
            if is_whole
            else np.empty(self.shape, dtype)
        )

    def fail(self, flat: FlatIndex, failure: ReadFailure) -> bool:
        """Record that a storage chunk cannot be read; tell whether it was the last.

        Parameters
        ----------
        flat : FlatIndex
            Flat index of the storage chunk.
        failure : ReadFailure

        Returns
        -------
        bool
            Whether nothing is pending now that was before.
        """
        if flat not in self.needs.pending:
            return False
        # Others with the same needs may have got it, or go on to wait for it.
        self.needs = self.needs.of_one(self)
        self.needs.pending.discard(flat)
        if failure.partly is None:
            self.bad[flat] = failure
        else:
            self._take_part(flat, failure.partly, is_transient=failure.is_transient)
        return not self.needs.pending

    def _take_part(
        self, flat: FlatIndex, partly: PartlyReadError, *, is_transient: bool
    ) -> None:
        """Take what there is of a storage chunk, and note what is lost of it."""
        self.make_buffer(partly.data.dtype)
        view = self.layout.view_zyx(partly.data, flat, self.selection)
        source, target = self.layout.piece(flat, self.origin, self.shape)
        self.fill(view[source], target, partly.data)
        self.needs.n_stored += 1
        first = np.array([p.start for p in source])
        size = np.array([p.stop for p in source]) - first
        for lost in partly.lost:
            ends = np.clip(np.array([lost.low, lost.high]) - first, 0, size) + target
            # Of an empty box the failure alone is told.
            ends = ends.astype(np.int64) * int((ends[0] < ends[1]).all())
            (z, y, x), (d, h, w) = ends.tolist()
            failure = ChunkFailure(
                ChunkId.from_key(self.key, self.selection),
                lost.key,
                lost.reason,
                is_transient,
                self.layout.index_of(flat),
            )
            self.lost.append(Hole((z, y, x), (d, h, w), failure))

    def finish(self, fill_value: float) -> LoadedChunk:
        """Make the chunk: voxels, fill value in gaps and holes, range.

        It has failed when nothing at all is known of it. Where something failed, the
        voxels must have been allocated before.
        """
        holes = tuple(self._hole(flat, bad) for flat, bad in sorted(self.bad.items()))
        holes += tuple(self.lost)
        # A gap is knowledge, too: "nothing is stored there" is the fill value, not a
        # failure.
        if holes and not (self.needs.n_stored or self.needs.gaps):
            failed = ChunkState.FAILED
            first = holes[0].failure
            return LoadedChunk(
                self.key, self.selection, failed, failure=first, holes=holes
            )
        # Nothing is stored below it: no voxels are kept, however large the chunk.
        if not holes and (self.buffer is None or self.needs.n_stored == 0):
            value = float(fill_value)
            return LoadedChunk(
                self.key, self.selection, ChunkState.MISSING, None, value, value
            )
        assert self.buffer is not None
        for flat in (*self.needs.gaps, *self.bad):
            (z, y, x), (d, h, w) = self._box(flat)
            self.buffer[z:d, y:h, x:w] = fill_value
        loaded = self.key, self.selection, ChunkState.LOADED, self.buffer
        if not holes:
            return LoadedChunk(*loaded, *value_range(self.buffer))
        chunk = LoadedChunk(*loaded, failure=holes[0].failure, holes=holes)
        # The fill value in a hole is no measurement and must not widen the range, by
        # which the shader skips bricks.
        low, high = value_range(chunk.known_voxels())
        return replace(chunk, minimum=low, maximum=high)

    def _box(self, flat: FlatIndex) -> tuple[Int3, Int3]:
        """Return a storage chunk's first and past-the-last voxel within the chunk."""
        pieces = self.layout.pieces(flat, np.array([self.origin], dtype=np.int64))
        low = pieces.target[0]
        z, y, x = low.tolist()
        d, h, w = (low + pieces.size[0]).tolist()
        return (z, y, x), (d, h, w)

    def _hole(self, flat: FlatIndex, bad: ReadFailure) -> Hole:
        failure = ChunkFailure(
            ChunkId.from_key(self.key, self.selection),
            bad.key,
            bad.reason,
            bad.is_transient,
            self.layout.index_of(flat),
        )
        return Hole(*self._box(flat), failure)


def value_range(data: NDArray[np.generic]) -> tuple[float, float]:
    """Return the smallest and the largest value, any shape; NaN left out.

    Returns
    -------
    minimum, maximum : float
        NaN when every voxel is NaN.
    """
    if data.dtype.kind == "c":
        data = np.abs(data)
    # The quick functions return NaN as soon as there is one.
    low, high = data.min(), data.max()
    if np.isnan(low):  # only then is the slower way worth it
        with np.errstate(invalid="ignore"):
            low, high = np.fmin.reduce(data, axis=None), np.fmax.reduce(data, axis=None)
    return float(low), float(high)


@dataclass(frozen=True, slots=True)
class Begun:
    """A chunk to begin, and the bytes reserved for it."""

    name: Name
    room: int


class AssemblyPool:
    """Assemblies of one source. Guarded by the scheduler's lock.

    Parameters
    ----------
    cache : ChunkCache
        Where the bytes are reserved.
    """

    def __init__(self, cache: ChunkCache) -> None:
        self._cache = cache
        self._by_selection: dict[Selection, dict[ChunkKey, Assembly]] = {}
        self._needs: dict[Selection, dict[Needs, None]] = {}
        self.n_removed = 0
        self._bytes = 0
        self._n_begun = 0

    @property
    def n_bytes(self) -> int:
        """Bytes of chunks being put together."""
        return self._bytes

    def __iter__(self) -> Iterator[Assembly]:
        """Walk all assemblies, oldest first within a selection."""
        for group in self._by_selection.values():
            yield from group.values()

    # -- room --------------------------------------------------------------------

    def admit(self, data_bytes: int, *, may_overflow: bool) -> int | None:
        """Reserve room for a chunk to begin with.

        Parameters
        ----------
        data_bytes : int
            Bytes of its voxels.
        may_overflow : bool
            Whether the chunk may do without room when nothing else is begun.

        Returns
        -------
        int or None
            Bytes reserved (0 for a chunk beyond the cache); None if it has to wait.
        """
        cost = data_bytes + ENTRY_BYTES
        # With nothing begun, waiting could last for ever: nothing would come free.
        is_first = self._n_begun == 0
        if is_first or self._bytes + cost <= self._cache.budget_bytes // 4:
            if self._reserve(cost):
                return cost
            if is_first and may_overflow:
                self._n_begun += 1
                # Beyond the cache, once: a visual that has nothing to take would starve
                # otherwise.
                return 0
        return None

    def admit_sibling(self, data_bytes: int) -> int | None:
        """Reserve room for a chunk to join a read; None if there is none."""
        cost = data_bytes + ENTRY_BYTES
        fits = self._bytes + cost <= self._cache.budget_bytes // 2
        return cost if fits and self._reserve(cost) else None

    def _reserve(self, cost: int) -> bool:
        if not self._cache.reserve(cost):
            return False
        self._bytes += cost
        self._n_begun += 1
        return True

    def settle(self, reserved: int) -> None:
        """Stop counting room that now belongs to a finished chunk."""
        self._bytes -= reserved
        self._n_begun -= 1

    def release(self, reserved: int) -> None:
        """Release reserved memory that is not needed."""
        self.settle(reserved)
        self._cache.unreserve(reserved)

    # -- assemblies --------------------------------------------------------------

    def get(self, name: Name) -> Assembly | None:
        """Return an assembly."""
        return self._by_selection.get(name[0], {}).get(name[1])

    def add(self, assembly: Assembly, reserved: int) -> None:
        """Add an assembly with the memory that was reserved for it.

        Parameters
        ----------
        assembly : Assembly
        reserved : int
            Bytes.
        """
        assembly.reserved = reserved
        self._by_selection.setdefault(assembly.selection, {})[assembly.key] = assembly
        assembly.needs.join(assembly, self._needs.setdefault(assembly.selection, {}))

    def remove(self, assembly: Assembly) -> bool:
        """Take an assembly out; False if it is not (or no longer) here."""
        group = self._by_selection.get(assembly.selection, {})
        # Identity, not name: after a change of the data another assembly may have the
        # name.
        if group.get(assembly.key) is not assembly:
            return False
        del group[assembly.key]
        assembly.needs.leave(assembly)
        self.n_removed += 1
        if not group:
            del self._by_selection[assembly.selection]
            del self._needs[assembly.selection]
        return True

    def needing(self, layout: LevelLayout, flat: FlatIndex) -> list[Needs]:
        """List the records of assemblies that still need a storage chunk.

        Parameters
        ----------
        layout : LevelLayout
            Of the storage chunk's level.
        flat : FlatIndex
            Its flat index.
        """
        found: list[Needs] = []
        ranges = layout.chunks_over(flat)
        n_chunks = len(ranges[0]) * len(ranges[1]) * len(ranges[2])
        for selection, group in self._by_selection.items():
            if not layout.holds(flat, selection):
                continue
            records = self._needs[selection]
            near: Iterable[Needs]
            # Of the three ways the one that looks at the least is taken: a plane-wise
            # storage chunk lies under thousands of chunks, a small one under one.
            if 4 * n_chunks > len(records):
                near = [n for n in records if n.layout.level == layout.level]
            elif n_chunks == 1:
                index = (ranges[0][0], ranges[1][0], ranges[2][0])
                alone = group.get(ChunkId(layout.level, index).key)
                near = [] if alone is None else [alone.needs]
            else:
                keys = keys_of(layout, ranges)
                near = dict.fromkeys(
                    group[k].needs for k in keys.tolist() if k in group
                )
            found += [n for n in near if flat in n.pending]
        return found

    def keys(self, selection: Selection) -> Container[ChunkKey]:
        """Return the keys of a selection's assemblies."""
        return self._by_selection.get(selection, {})

    def keys_by_selection(self) -> list[tuple[Selection, list[ChunkKey]]]:
        """List the assemblies' keys for whole-array questions."""
        return [(s, list(group)) for s, group in self._by_selection.items()]


def keys_of(
    layout: LevelLayout, ranges: tuple[range, range, range]
) -> NDArray[np.int64]:
    """Pack the keys of a box of chunks.

    Parameters
    ----------
    layout : LevelLayout
        Gives the level.
    ranges : tuple of range
        Grid indices along (z, y, x).

    Returns
    -------
    ndarray, shape (n,), int64
    """
    z, y, x = (np.arange(r.start, r.stop) for r in ranges)
    grid = np.stack(np.broadcast_arrays(z[:, None, None], y[:, None], x), axis=-1)
    return pack_keys(layout.level, grid.reshape(-1, 3))
