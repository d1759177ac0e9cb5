"""Computes a transform of a scan and keeps it with the scan, whatever interrupts it.

The seed of the layout is ``cached/fft_4d/complex`` (``fft_detector``, ``fft_scan``)
with ``metadata`` beside it. What is done of it stands in a journal beside the file,
``.NAME.fft_MODE.journal``, until all of it is on disk.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from threading import Event
from time import perf_counter
from typing import Any

import numpy as np

from brickfield.blockwise import (
    Executor,
    Journal,
    OtherWorkError,
    Progress,
    format_bytes,
    open_executor,
)
from brickfield.errors import OptionError, StoreWriteError
from brickfield.sources.hdf5 import HDF5_LOCK, share
from brickfield.stem4d.cache.bulk import Bulk, BulkFile, allocate, complete, find_bulk
from brickfield.stem4d.cache.items import (
    PATHS,
    ROOT,
    Source,
    dataset_of,
    params_of,
)
from brickfield.stem4d.cache.lock import CacheLock, ComputedElsewhereError, Owner
from brickfield.stem4d.cache.manager import EMDCacheManager
from brickfield.stem4d.cache.places import LONG_S, writing_soon
from brickfield.stem4d.fft.passes import (
    BEGUN,
    FIRST,
    SECOND,
    Begun,
    FFTBlocks,
    FFTPasses,
    write_polar,
)
from brickfield.stem4d.fft.plan import (
    AXES,
    FFTOptions,
    FFTPlan,
    PartScan,
    plan_fft,
)
from brickfield.stem4d.passes import PassOptions

AXIS_NAMES = ("scan_y", "scan_x", "detector_y", "detector_x")


@dataclass(frozen=True, slots=True)
class FFTResult:
    """What a run came to.

    Attributes
    ----------
    path : Path
        The file that holds the result.
    dataset : str
        Its path in there.
    shape : tuple of int
        As stored.
    full_shape : tuple of int
    mode : str
    is_complete : bool
        False when it was cancelled: the same call goes on.
    was_there : bool
        Nothing had to be computed.
    n_resumed : int
        Blocks that an earlier run had done.
    seconds : float
    """

    path: Path
    dataset: str
    shape: tuple[int, ...]
    full_shape: tuple[int, ...]
    mode: str
    is_complete: bool
    was_there: bool
    n_resumed: int
    seconds: float

    def as_dict(self) -> dict[str, Any]:
        """Return plain values."""
        return {
            "path": str(self.path),
            "dataset": self.dataset,
            "mode": self.mode,
            "shape": list(self.shape),
            "full_shape": list(self.full_shape),
            "dtype": "complex64",
            "complete": self.is_complete,
            "cached": self.was_there,
            "blocks_resumed": self.n_resumed,
            "seconds": self.seconds,
        }


class ChunkedFFTProcessor:
    """Transforms a scan and stores the result with it.

    Parameters
    ----------
    cache : EMDCacheManager
        Of an open scan.
    options : FFTOptions, optional

    Raises
    ------
    OptionError
        If the cache keeps nothing.
    """

    def __init__(
        self, cache: EMDCacheManager, options: FFTOptions | None = None
    ) -> None:
        self.cache, self.options = cache, options or FFTOptions()
        if cache.target is None:
            msg = (
                "expected an EMD file that results can be kept with; found"
                f" {cache.kept_in.why_none}"
            )
            raise OptionError(msg)
        how = self.options
        self.data = PartScan(cache.scan.data, how.region, how.n_binned)

    def plan(self, n_workers: int | None = None) -> FFTPlan:
        """Return what would be written, with its size.

        Raises
        ------
        BudgetError
        """
        n = n_workers or self.options.workers or os.cpu_count() or 1
        budget = PassOptions(self.options.budget).budget_bytes
        return plan_fft(self.data, self.options, budget, n)

    def compute_and_store_fft(
        self,
        progress: Progress | None = None,
        cancel: Event | None = None,
        on_wait: Callable[[Owner], None] | None = None,
    ) -> FFTResult:
        """Compute what is not there yet.

        Parameters
        ----------
        progress : callable, optional
            Told (bytes done, bytes in all, bytes done, seconds left or None).
        cancel : Event, optional
            Set it to stop after the blocks under way; the same call goes on later.
        on_wait : callable, optional
            Told who computes for the scan, when that is another process: its result
            is waited for, and taken.

        Returns
        -------
        FFTResult

        Raises
        ------
        BudgetError
        ChunkReadError
            If patterns cannot be read, or waiting was cancelled.
        StoreWriteError
            When there is no room, with how much is needed and how much there is.
        StoreAccessError
            When the file is open in another program, and may not lie beside it.
        """
        start = perf_counter()
        while True:
            if (there := self._there(start)) is not None:
                return there
            try:
                with CacheLock(self.cache.lock_path, "the Fourier transform"):
                    # Another process may have been first.
                    return self._there(start) or self._run(
                        progress, cancel or Event(), start
                    )
            except ComputedElsewhereError:
                self.cache.wait(cancel, on_wait)

    def _there(self, start: float) -> FFTResult | None:
        kept = None if self.options.recompute else self._kept()
        return None if kept is None else self._result(kept, (True, True, 0), start)

    def _run(self, progress: Progress | None, cancel: Event, start: float) -> FFTResult:
        executor = open_executor(self.options.scheduler, self.options.workers)
        try:
            return self._work(executor, progress, cancel, start)
        finally:
            executor.close()

    def _kept(self) -> Path | None:
        how = self.options
        path = self.cache.find(how.item, **how.params())
        if path is None or (how.store_amplitude and not _has_polar(path, how.item)):
            return None
        return path

    @property
    def _source(self) -> Source:
        return self.cache.source(**self.options.params())

    def _work(
        self, executor: Executor, progress: Progress | None, cancel: Event, start: float
    ) -> FFTResult:
        plan, item = self.plan(executor.n_workers), self.options.item
        source = self._source
        interrupted = self._interrupted(source)
        if interrupted is not None:
            # Chunks are those of the run that was interrupted, whatever the budget.
            plan = replace(plan, chunks=interrupted.chunks)  # type: ignore[arg-type]
        else:
            self._check_room(plan)
        like = (plan.shape, np.dtype("<c8"), plan.chunks)
        about = self._attributes(plan)
        bulk = self.cache.written(
            partial(_allocated, name=item, like=like, source=source, about=about)
        )
        with self._journal(bulk, source, is_new=interrupted is None) as journal:
            resumed = sum(journal.mask(FIRST, len(plan.positions)))
            resumed += sum(journal.mask(SECOND, len(plan.tiles)))
            with BulkFile(bulk.path, is_writable=True) as file:
                begun = self._begun(bulk, journal, plan, is_new=interrupted is None)
                blocks = FFTBlocks(plan, self.data, bulk, file, begun, cancel)
                passes = FFTPasses(blocks, journal, executor, progress, cancel)
                is_done = passes.run()
                file.sync()
            if is_done:
                self._finish(plan, bulk, source)
                journal.remove()
        return self._result(bulk.path, (is_done, False, resumed), start)

    def _interrupted(self, source: Source) -> Bulk | None:
        """Return what an earlier run left that can be gone on with."""
        if self.options.restart:
            return None
        for place in self.cache.places:
            if not _journal_path(place, self.options).exists():
                continue
            if _is_of(place, self.options.item, source):
                return find_bulk(place, self.options.item)
        return None

    def _journal(self, bulk: Bulk, source: Source, *, is_new: bool) -> Journal:
        path = _journal_path(bulk.path, self.options)
        about = {
            "fingerprint": source.fingerprint,
            "params": dict(source.params),
            "chunks": list(bulk.chunks),
        }
        try:
            return Journal(path, about, restart=is_new)
        except OtherWorkError:
            return Journal(path, about, restart=True)

    def _begun(
        self, bulk: Bulk, journal: Journal, plan: FFTPlan, *, is_new: bool
    ) -> Begun:
        folder = _journal_path(bulk.path, self.options).with_suffix(".begun")
        begun = Begun(folder, bytearray(journal.mask(BEGUN, len(plan.tiles))), journal)
        if is_new:
            begun.forget()
        return begun

    def _check_room(self, plan: FFTPlan) -> None:
        target = self.cache.target
        if target is None:
            return
        needed = plan.n_bytes * (2 if self.options.store_amplitude else 1)
        free = shutil.disk_usage(target.parent).free
        if free < needed:
            msg = (
                f"expected {format_bytes(needed)} of free space for the transform in"
                f" {target}; found {format_bytes(free)}: make room, or take the half"
                " spectrum, a region or bins"
            )
            raise StoreWriteError(msg)

    def _attributes(self, plan: FFTPlan) -> dict[str, Any]:
        return {
            "mode": plan.options.mode,
            "spectrum": "half" if plan.options.half else "full",
            "full_shape": np.asarray(plan.real_shape, np.int64),
        }

    def _finish(self, plan: FFTPlan, bulk: Bulk, source: Source) -> None:
        item = self.options.item
        if self.options.store_amplitude:
            _store_polar(bulk, item)
        axes = AXES[plan.options.mode]
        about = {
            "computation_params": {
                **plan.options.params(),
                "budget": str(plan.options.budget),
                "library": "scipy.fft",
                "normalisation": "none forward",
            },
            "chunk_info": {
                "chunks": list(plan.chunks),
                "position_blocks": list(plan.positions.grid),
                "frequency_tiles": list(plan.tiles.grid),
                "bytes": plan.n_bytes,
            },
            "fft_axes_info": {
                "axes": list(axes),
                "names": [AXIS_NAMES[a] for a in axes],
                "shifted": False,
                "spectrum": "half" if plan.options.half else "full",
                "full_shape": list(plan.real_shape),
            },
        }
        import h5py

        with writing_soon(bulk.path, LONG_S) as file:
            group = file[f"{ROOT}/{PATHS[item]}"].parent.require_group("metadata")
            for name, values in about.items():
                if name in group:
                    del group[name]
                text = json.dumps(values)
                group.create_dataset(name, data=text, dtype=h5py.string_dtype())
        complete(bulk.path, item, source)

    def _result(
        self, path: Path, how: tuple[bool, bool, int], start: float
    ) -> FFTResult:
        item = self.options.item
        with HDF5_LOCK:
            shared = share(path)
            try:
                dataset = dataset_of(shared.file, item)
                shape = tuple(int(n) for n in dataset.shape)
                full = tuple(int(n) for n in dataset.attrs["full_shape"])
            finally:
                shared.close()
        where = f"/{ROOT}/{PATHS[item]}"
        seconds = perf_counter() - start
        return FFTResult(path, where, shape, full, self.options.mode, *how, seconds)


def share_done(cache: EMDCacheManager, options: FFTOptions) -> float | None:
    """Return the completed share of an interrupted transform, 0 to 1; None if there is none.

    Parameters
    ----------
    cache : EMDCacheManager
    options : FFTOptions
    """
    for place in cache.places:
        path = _journal_path(place, options)
        source = cache.source(**options.params())
        if not path.exists() or not _is_of(place, options.item, source):
            continue
        bulk = find_bulk(place, options.item)
        n_first = int(np.prod(bulk.offsets.shape[:2]))
        n_tiles = int(np.prod(bulk.offsets.shape[2:]))
        done = {FIRST: 0, SECOND: 0}
        for line in path.read_text(encoding="utf-8", errors="replace").splitlines():
            try:
                entry = json.loads(line)
            except ValueError:
                break
            if entry.get("job") in done:
                done[entry["job"]] += len(entry["done"])
        first = done[FIRST] / n_first
        if options.mode == "detector":
            return first
        return (first + done[SECOND] / n_tiles) / 2
    return None


def _allocated(
    place: Path, name: str, like: Any, source: Source, about: dict[str, Any]
) -> Bulk:
    return allocate(place, name, like, source, **about)


def _journal_path(place: Path, options: FFTOptions) -> Path:
    return place.with_name(f".{place.name}.{options.item}.journal")


def _is_of(place: Path, item: str, source: Source) -> bool:
    """Tell whether an item that is not complete is of this source and options."""
    try:
        shared = share(place)
    except OSError:
        return False
    try:
        with HDF5_LOCK:
            dataset = dataset_of(shared.file, item)
            if dataset is None or dataset.attrs.get("complete", 1):
                return False
            about = dataset.attrs
            is_alike = str(about.get("source_fingerprint")) == source.fingerprint
            return is_alike and params_of(about) == json.loads(
                json.dumps(dict(source.params))
            )
    except (OSError, RuntimeError, KeyError):
        return False
    finally:
        shared.close()


def _has_polar(path: Path, item: str) -> bool:
    shared = share(path)
    try:
        with HDF5_LOCK:
            group = dataset_of(shared.file, item).parent
            return all(
                name in group and group[name].attrs.get("complete", 0)
                for name in ("amplitude", "phase")
            )
    finally:
        shared.close()


def _store_polar(bulk: Bulk, item: str) -> None:
    """Store amplitude and phase beside the spectrum, chunked alike."""
    import h5py

    found = {}
    with writing_soon(bulk.path, LONG_S) as file:
        group = dataset_of(file, item).parent
        for name in ("amplitude", "phase"):
            if name in group:
                del group[name]
            properties = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
            properties.set_chunk(bulk.chunks)
            properties.set_alloc_time(h5py.h5d.ALLOC_TIME_EARLY)
            properties.set_fill_time(h5py.h5d.FILL_TIME_NEVER)
            space = h5py.h5s.create_simple(bulk.shape)
            kind = h5py.h5t.py_create(np.dtype("<f4"))
            h5py.h5d.create(group.id, name.encode(), kind, space, properties)
            group[name].attrs["complete"] = 0
            found[name] = Bulk.of(group[name], bulk.path)
    write_polar(bulk, found["amplitude"], found["phase"])
    with writing_soon(bulk.path, LONG_S) as file:
        group = dataset_of(file, item).parent
        for name in found:
            group[name].attrs["complete"] = 1
