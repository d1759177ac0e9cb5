"""Writes a scan as an EMD file, in the background and resumably.

The file grows beside its target under a name with a dot and is put in place by one
rename when all of it is on disk. What is done stands in a journal, so that the same
call goes on after a kill; it starts over where the source or the options changed.
Overviews are computed in the same pass over the source. The source is only read.
"""

from __future__ import annotations

import os
import shutil
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from threading import Event
from time import perf_counter
from typing import Any

import numpy as np
from numpy.typing import NDArray

from brickfield.blockwise import (
    Block,
    GatherOptions,
    Journal,
    OtherWorkError,
    Progress,
    format_bytes,
    gather,
    open_executor,
)
from brickfield.errors import (
    BudgetError,
    ChunkReadError,
    OptionError,
    StoreFormatError,
    StoreWriteError,
)
from brickfield.sources import of_files
from brickfield.sources.hdf5 import HDF5_LOCK
from brickfield.sources.io import may_write
from brickfield.sources.scans import Scan
from brickfield.stem4d.cache.manager import WHERE, EMDCacheManager
from brickfield.stem4d.chunk_writer import ChunkWriter
from brickfield.stem4d.convert_plan import ChunkWork, Made, Plan
from brickfield.stem4d.emd_file import (
    COMPRESSIONS,
    DATASET,
    Target,
    create,
)
from brickfield.stem4d.open import OpenOptions, open_scan
from brickfield.stem4d.passes import DEFAULT_BUDGET, PassOptions
from brickfield.stem4d.summing.sums import sum_dtype
from brickfield.stem4d.viewers import scan_region
from brickfield.writing import check_file, usable_path

ENDS = (".emd", ".h5", ".hdf5")
JOB = "blocks"
NOTED_AT_ONCE = 16
"""Blocks between two entries of the journal."""
MOST_AHEAD = 4
"""Blocks that a thread works on before the first is noted."""
MOST_BIN = 64


@dataclass(frozen=True, slots=True)
class ConvertOptions:
    """How a scan is written.

    Attributes
    ----------
    opening : OpenOptions
        How the source is read.
    budget : str or int
    workers : int or None
    scheduler : str or None
        Address of a dask scheduler instead of threads.
    cache : {"auto", "file", "sidecar", "none"}
        Where overviews are kept: in the file that is written, or beside it.
    overwrite : bool
        Replace a file that is there.
    restart : bool
        Do not go on with an interrupted run.
    """

    opening: OpenOptions = field(default_factory=OpenOptions)
    budget: str | int = DEFAULT_BUDGET
    workers: int | None = None
    scheduler: str | None = None
    cache: str = "auto"
    overwrite: bool = False
    restart: bool = False


@dataclass(frozen=True, slots=True)
class Converted:
    """What a conversion came to.

    Attributes
    ----------
    path : Path
    shape : tuple of int
    dtype : str
    bytes_written : int
        By this run, compressed.
    n_resumed : int
        Blocks of chunks that an earlier run had written.
    seconds : float
    is_complete : bool
        False when it was cancelled: the same call goes on.
    """

    path: Path
    shape: tuple[int, ...]
    dtype: str
    bytes_written: int
    n_resumed: int
    seconds: float
    is_complete: bool

    def as_dict(self) -> dict[str, Any]:
        """Return plain values."""
        return {
            "path": str(self.path),
            "dataset": DATASET,
            "shape": list(self.shape),
            "dtype": self.dtype,
            "bytes_written": self.bytes_written,
            "chunks_resumed": self.n_resumed,
            "seconds": self.seconds,
            "complete": self.is_complete,
        }


def convert(  # noqa: PLR0913 -- what a user chooses
    src: str | Path,
    dst: str | Path,
    compression: str = "none",
    overviews: bool = True,
    bin: int | None = None,  # noqa: A002 -- the option's name
    region: Any = None,
    progress: Progress | None = None,
    cancel: Event | None = None,
    *,
    options: ConvertOptions | None = None,
) -> Converted:
    """Write a scan as an EMD file.

    Parameters
    ----------
    src : str or Path
        A scan of any format.
    dst : str or Path
        Ends in ``.emd``, ``.h5`` or ``.hdf5``.
    compression : {"none", "gzip", "lz4"}
        ``"gzip"`` is read by every program, ``"lz4"`` (with bitshuffle) by those
        that have hdf5plugin.
    overviews : bool
        Compute and store the scan's overview and the patterns' sum and maximum.
    bin : int, optional
        Sum squares of `bin` by `bin` detector pixels; pixels that make no whole
        square at the far edges are left out.
    region : tuple of two slices or of four int, optional
        Part of the scan.
    progress : callable, optional
        Told (bytes read, bytes in all, bytes read, seconds left or None).
    cancel : Event, optional
        Set it to stop after the chunks under way; the same call goes on later.
    options : ConvertOptions, optional

    Returns
    -------
    Converted

    Raises
    ------
    OptionError
        When an option cannot be used, or something is in the way.
    StoreNotFoundError, StoreAccessError, StoreFormatError
        When the source cannot be opened, or changed meanwhile.
    StoreWriteError
        When there is no room or no right to write; the same call goes on later.
    ChunkReadError
        When patterns cannot be read.
    """
    options = options or ConvertOptions()
    _check_choice(compression, bin, options)
    scan = open_scan(src, options.opening)
    try:
        where = _checked_target(dst, scan, options)
        ys, xs = scan_region(region or (slice(None), slice(None)), scan.data.shape)
        is_kept = overviews and options.cache != "none"
        plan = Plan(scan, where, (ys, xs), bin or 1, compression, is_kept)
        return _Conversion(plan, options).run(progress, cancel or Event())
    finally:
        scan.close()


def _check_choice(
    compression: str, n_binned: int | None, options: ConvertOptions
) -> None:
    if options.cache not in WHERE:
        msg = f"expected a cache out of {', '.join(WHERE)}; found {options.cache!r}"
        raise OptionError(msg)
    if compression not in COMPRESSIONS:
        known = ", ".join(COMPRESSIONS)
        msg = f"expected a compression out of {known}; found {compression!r}"
        raise OptionError(msg)
    if n_binned is not None and not 1 <= n_binned <= MOST_BIN:
        msg = f"expected to bin 1 to {MOST_BIN} pixels; found {n_binned}"
        raise OptionError(msg)
    if compression == "lz4":
        try:
            import hdf5plugin  # noqa: F401 - registers its filters
        except ImportError as error:
            msg = "expected the package hdf5plugin for lz4; found none: use gzip"
            raise OptionError(msg) from error


def _checked_target(dst: str | Path, scan: Scan, options: ConvertOptions) -> Path:
    where = usable_path(dst, "a file to write").absolute()
    if where.suffix.lower() not in ENDS:
        msg = f"expected a file to write that ends in {', '.join(ENDS)}; found {dst}"
        raise OptionError(msg)
    check_file(where, [scan.data])
    if where.is_dir() or not where.parent.is_dir():
        msg = f"expected a file to write in a folder that exists; found {dst}"
        raise OptionError(msg)
    if where.exists() and not options.overwrite:
        msg = f"expected a new file; found that {dst} is there: use --overwrite"
        raise OptionError(msg)
    if not may_write(where.parent):
        msg = f"expected to write into {where.parent}; the system refuses: allow it"
        raise StoreWriteError(msg)
    return where


@dataclass
class _Sums:
    """Overviews so far; on the calling thread alone."""

    scan: NDArray[Any]
    total: NDArray[Any]
    highest: NDArray[Any] | None = None
    n_bytes: int = 0
    waiting: list[int] = field(default_factory=list)

    @classmethod
    def of(cls, target: Target) -> _Sums:
        kind = sum_dtype(target.dtype)
        return cls(np.zeros(target.shape[:2], kind), np.zeros(target.shape[2:], kind))

    def add(self, block: Block, made: Made) -> None:
        """Join what a chunk came to."""
        self.n_bytes += made.n_bytes
        if not made.found:
            return
        self.scan[block.slices] = made.found["scan"].reshape(block.shape)
        self.total += made.found["sum"]
        highest, old = made.found["max"], self.highest
        self.highest = highest if old is None else np.maximum(old, highest, out=old)

    def items(self) -> dict[str, NDArray[Any]]:
        highest = np.zeros_like(self.total) if self.highest is None else self.highest
        return {
            "scan_overview": self.scan,
            "pattern_sum": self.total,
            "pattern_mean": self.total / self.scan.size,
            "pattern_max": highest,
        }


def _sync(path: Path) -> None:
    with path.open("rb") as file:
        os.fsync(file.fileno())


class _Conversion:
    """One run."""

    def __init__(self, plan: Plan, options: ConvertOptions) -> None:
        self.plan, self.options = plan, options
        self.target = plan.target
        self.grid = plan.blocks

    def run(self, progress: Progress | None, cancel: Event) -> Converted:
        start = perf_counter()
        fingerprint = self.plan.fingerprint()
        with self._journal(fingerprint) as journal:
            mask = journal.mask(JOB, len(self.grid))
            # A journal without its file: nothing that it notes as done is there.
            if not self.plan.partial.exists():
                mask = bytearray(len(self.grid))
            with self._writer(mask, journal) as writer:
                # After a power cut the journal may be ahead of the file.
                self._forget_unstored(mask, writer)
                sums, is_whole = self._pass(writer, journal, mask, (progress, cancel))
            if is_whole:
                self._finish(sums, fingerprint)
                journal.remove()
        return Converted(
            self.plan.where,
            self.target.shape,
            self.target.dtype.name,
            sums.n_bytes,
            sum(mask),
            perf_counter() - start,
            is_whole,
        )

    def _journal(self, fingerprint: dict[str, Any]) -> Journal:
        path = self.plan.journal
        try:
            return Journal(path, fingerprint, restart=self.options.restart)
        except OtherWorkError:
            # Of another source, or other options: nothing of it can be used.
            return Journal(path, fingerprint, restart=True)

    def _writer(self, mask: bytearray, journal: Journal) -> ChunkWriter:
        partial = self.plan.partial
        if any(mask):
            try:
                return ChunkWriter(partial, self.target)
            except StoreFormatError:
                pass  # killed while its structure was written: start over
        mask[:] = bytes(len(mask))
        try:
            self._check_room()
            partial.unlink(missing_ok=True)
            create(partial, self.target, self.plan.calibration(), self.plan.notes())
            return ChunkWriter(partial, self.target)
        except StoreWriteError:
            journal.remove()  # nothing is begun that could be gone on with
            raise
        except (OSError, RuntimeError, StoreFormatError) as error:
            msg = f"expected to write {partial}; found: {error}: make room or allow it"
            raise StoreWriteError(msg) from error

    def _check_room(self) -> None:
        if self.target.compression != "none":
            return
        free = shutil.disk_usage(self.plan.where.parent).free
        old = self.plan.partial
        free += old.stat().st_size if old.exists() else 0
        if free < self.target.n_bytes:
            msg = (
                f"expected {format_bytes(self.target.n_bytes)} of free space for"
                f" {self.plan.where}; found {format_bytes(free)}: make room, compress or"
                " take a region"
            )
            raise StoreWriteError(msg)

    def _forget_unstored(self, mask: bytearray, writer: ChunkWriter) -> None:
        for number, is_done in enumerate(mask):
            if not is_done:
                continue
            chunks = self.plan.chunks_of(self.grid[number])
            if not all(writer.is_stored(*index) for index, _place in chunks):
                mask[number] = 0

    def _pass(
        self,
        writer: ChunkWriter,
        journal: Journal,
        mask: bytearray,
        telling: tuple[Progress | None, Event],
    ) -> tuple[_Sums, bool]:
        """Read every chunk, write what is not yet written, and sum all of it."""
        work = ChunkWork(self.plan, writer, mask)

        def merge(sums: _Sums, block: Block, made: Made | None) -> _Sums:
            if made is not None:
                for index, raw in made.raw:
                    sums.n_bytes += writer.store(index, raw)
                sums.add(block, made)
            number = work.number(block)
            if not mask[number]:
                sums.waiting.append(number)
            if len(sums.waiting) >= NOTED_AT_ONCE:
                self._note(sums, writer, journal)
            return sums

        start = _Sums.of(self.target)
        budget = PassOptions(self.options.budget).budget_bytes
        executor = open_executor(self.options.scheduler, self._n_workers(budget))
        how = GatherOptions(
            # Results that wait to be merged; the rest is for the patterns that workers
            # hold.
            budget_bytes=max(budget // 4, 1),
            bytes_per_voxel=self.plan.scan.data.stored_frame_bytes,
            progress=telling[0],
            cancel=telling[1],
            most_ahead=MOST_AHEAD * executor.n_workers,
        )
        try:
            found = gather(self.grid, work, merge, start, executor, how)
        finally:
            executor.close()
            self._note(start, writer, journal)
        if work.write_error is not None:
            raise work.write_error
        if found.failures:
            found.require()
        return start, found.is_complete

    def _n_workers(self, budget_bytes: int) -> int | None:
        """As many threads as the budget holds chunks for: as read, as written, more."""
        chunk = self.target.chunk_shape[1]
        stored = self.plan.scan.data.stored_frame_bytes
        # Twice each: as read and as converted, as given to the filter and as encoded.
        each = chunk * (2 * stored + 2 * self.target.pattern_bytes)
        if budget_bytes < each:
            msg = (
                f"expected a budget of at least {format_bytes(each)} for chunks of"
                f" {chunk} patterns; found {format_bytes(budget_bytes)}"
            )
            raise BudgetError(msg)
        most = max(1, budget_bytes // each)
        wished = self.options.workers or os.cpu_count() or 1
        return min(wished, most)

    @staticmethod
    def _note(sums: _Sums, writer: ChunkWriter, journal: Journal) -> None:
        if sums.waiting:
            # The chunks first: what the journal notes as done must be in the file.
            writer.flush()
            journal.record(JOB, sums.waiting)
            sums.waiting.clear()

    def _finish(self, sums: _Sums, fingerprint: dict[str, Any]) -> None:
        """Check the source and what was written, and put the file in place."""
        import h5py

        plan = self.plan
        # A scan that was written to meanwhile gives a file of two states.
        if of_files(plan.scan.data.places()) != fingerprint["source"]:
            msg = (
                f"expected {plan.scan.path} to stay as it is while it is converted;"
                " found that it has changed: the same command begins anew"
            )
            raise StoreFormatError(msg)
        is_beside = self.options.cache == "sidecar"
        try:
            with ThreadPoolExecutor(1, thread_name_prefix="brickfield-sync") as aside:
                # What is left goes to disk while what was written is looked at.
                stored = aside.submit(_sync, plan.partial)
                with HDF5_LOCK, h5py.File(plan.partial, "r") as file:
                    self._check_some(file[DATASET])
                if plan.has_overviews and not is_beside:
                    self._keep(sums, plan.partial, "file", stored)
                stored.result()
            # On disk before it gets its name: the name is only ever that of a whole
            # file.
            _sync(plan.partial)
            plan.partial.replace(plan.where)
            if plan.has_overviews and is_beside:
                self._keep(sums, plan.where, "sidecar")
        except (OSError, RuntimeError) as error:
            msg = f"expected to write {plan.where}; found: {error}: make room, go on"
            raise StoreWriteError(msg) from error

    @staticmethod
    def _keep(
        sums: _Sums, path: Path, where: str, stored: Future[None] | None = None
    ) -> None:
        """Store what was computed, as results of the patterns that were written."""
        from brickfield.sources.emd import open_emd_scan as open_emd

        written = open_emd(path, dataset=DATASET)
        try:
            cache = EMDCacheManager(written, where)
            cache.source()  # hashes some of the patterns, until the others are stored
            if stored is not None:
                stored.result()
            cache.put(sums.items())
        finally:
            written.close()

    def _check_some(self, dataset: Any) -> None:
        """Read some chunks back: the first, the last, and between."""
        source = ChunkWork(self.plan, None, bytearray())  # type: ignore[arg-type]
        # Three places only: this finds a wrong layout or filter, not a bad disk.
        for number in sorted({0, len(self.grid) // 2, len(self.grid) - 1}):
            _index, place = next(self.plan.chunks_of(self.grid[number]))
            written = dataset[place][0]
            if not np.array_equal(written, source.patterns(place), equal_nan=True):
                msg = (
                    f"expected to read back what was written to {self.plan.partial};"
                    f" found other values at the position"
                    f" {place[0].start}, {place[1].start}"
                )
                raise ChunkReadError(msg)
