"""Finds, adds, checks and drops what is kept with a scan.

Results lie in the EMD file itself, or beside it in ``NAME.cache.h5`` where the file
may not be written to, lies on a share, is open in another program, or where the user
chose so. Files of other formats keep nothing of their own: for them there is only the
file beside. Thread rule: methods may be called from any thread.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from threading import Event
from typing import Any, Self

import numpy as np

from brickfield.errors import (
    ChunkReadError,
    OptionError,
    StoreAccessError,
    StoreFormatError,
    StoreWriteError,
)
from brickfield.sources.hdf5 import HDF5_LOCK, is_shared, share
from brickfield.sources.scans import Scan
from brickfield.stem4d.cache.bulk import BulkFile, BulkSink, allocate, complete
from brickfield.stem4d.cache.content import digest_of
from brickfield.stem4d.cache.items import (
    OVERVIEWS,
    PATHS,
    CacheItem,
    Source,
    check_item,
    dataset_of,
    drop_item,
    find_items,
    params_of,
    read_item,
    why_invalid,
    write_items,
)
from brickfield.stem4d.cache.kinds import layout_of, own_params
from brickfield.stem4d.cache.lock import (
    CacheLock,
    ComputedElsewhereError,
    Owner,
    owner_of,
)
from brickfield.stem4d.cache.places import (
    CachePlaces,
    writing_soon,
)
from brickfield.stem4d.overviews import (
    BESIDE,
    OverviewComputer,
    OverviewOptions,
    Sink,
)
from brickfield.stem4d.passes import PassOptions

WHERE = ("auto", "file", "sidecar", "none")
LARGE = ("sum_over_x", "sum_over_y", "binned")
"""Overviews that go to the file as they are computed."""
POLL_S = 0.2
_FAILURES = (OSError, RuntimeError, KeyError, ValueError)


class EMDCacheManager:
    """What is kept with one scan.

    Parameters
    ----------
    scan : Scan or path
        Open; a path is opened, and closed with this.
    where : {"auto", "file", "sidecar", "none"}
        Where results are kept: in the file, beside it, nowhere.
    context : mapping, optional
        What else results depend on (which series), plain values.

    Raises
    ------
    OptionError
        If `where` is none of these, or the file is no HDF5 file.

    Attributes
    ----------
    scan : Scan
    kept_in : CachePlaces
        The files that results are read from and written to.
    """

    def __init__(
        self,
        scan: Scan | str | Path,
        where: str = "auto",
        context: Mapping[str, Any] | None = None,
    ) -> None:
        if where not in WHERE:
            msg = f"expected a cache out of {', '.join(WHERE)}; found {where!r}"
            raise OptionError(msg)
        self._is_own = not isinstance(scan, Scan)
        if not isinstance(scan, Scan):
            from brickfield.stem4d.open import open_scan

            scan = open_scan(scan)
        self.scan, self.where = scan, where
        self.kept_in = CachePlaces(scan.path, where, is_hdf5=bool(scan.dataset))
        if where == "file" and not scan.dataset:
            msg = (
                f"expected an EMD file to keep results in; found {scan.path}: choose"
                " sidecar"
            )
            raise OptionError(msg)
        self._context = dict(context or {})
        self._digest: str | None = None

    @property
    def places(self) -> tuple[Path, ...]:
        """Files that hold results, the one that is asked first in front."""
        return self.kept_in.places

    @property
    def target(self) -> Path | None:
        """The file that results are written to; None where there is none."""
        return self.kept_in.target

    @property
    def lock_path(self) -> Path:
        """The lock file of the process that computes."""
        path = self.scan.path
        return path.with_name(f".{path.name}.cache.lock")

    @property
    def owner(self) -> Owner | None:
        """The process that computes for this scan right now, if any."""
        return owner_of(self.lock_path)

    def source(self, **params: Any) -> Source:
        """Return what results are of now, with further parameters."""
        if self._digest is None:
            self._digest = digest_of(self.scan)
        grid = self.scan.shape_found.grid
        about = {
            "dataset": self.scan.dataset,
            "scan": [grid.ny, grid.nx, grid.first, grid.line_skip],
            "corrections": self.scan.corrections,
            **self._context,
            **params,
        }
        return Source(self._digest, self.scan.data.shape, about)

    def refresh(self) -> None:
        """Check the source again when it is needed next."""
        self._digest = None

    def items(self) -> list[CacheItem]:
        """List what is kept, valid or not."""
        found: list[CacheItem] = []
        for place in self.places:
            found += self._read(place, partial(self._listed, place=place)) or []
        return found

    def _listed(self, file: Any, place: Path) -> list[CacheItem]:
        # A file without results is not hashed for nothing.
        is_empty = all(dataset_of(file, name) is None for name in PATHS)
        return [] if is_empty else list(find_items(file, self.source(), place))

    def get(self, name: str, **params: Any) -> Any:
        """Read an item that is valid.

        Parameters
        ----------
        name : str
            One of :data:`~brickfield.stem4d.cache.items.PATHS`.
        **params
            What it must have been computed with.

        Returns
        -------
        ndarray, dict, Histogram or None
            None when it is not there, or not valid.
        """
        place = self.find(name, **params)
        return (
            None if place is None else self._read(place, lambda f: read_item(f, name))
        )

    def find(self, name: str, **params: Any) -> Path | None:
        """Return the file that holds a valid item."""
        check_item(name)

        def is_valid(file: Any) -> bool:
            dataset = dataset_of(file, name)
            if dataset is None:
                return False
            about, source = dataset.attrs, self.source(**params)
            return not why_invalid(about, source, params_of(about))

        return next((p for p in self.places if self._read(p, is_valid)), None)

    @staticmethod
    def _read(place: Path, function: Callable[[Any], Any]) -> Any:
        """Read of a file; None when it cannot be read."""
        try:
            shared = share(place)
        except _FAILURES:
            return None
        try:
            with HDF5_LOCK:
                return function(shared.file)
        except _FAILURES:
            return None
        finally:
            shared.close()

    def put(self, items: Mapping[str, Any], **params: Any) -> Path | None:
        """Keep results.

        Parameters
        ----------
        items : mapping
            Item to value.
        **params
            What they were computed with.

        Returns
        -------
        Path or None
            The file they are in; None where nothing may be kept.

        Raises
        ------
        StoreAccessError, StoreWriteError, StoreFormatError
        """
        source = self.source(**params)
        written = {check_item(n): (v, source) for n, v in items.items()}

        def write(place: Path) -> Path:
            with writing_soon(place) as file:
                write_items(file, written)
            return place

        place: Path | None = self.written(write)
        return place

    def written(self, write: Callable[[Path], Any]) -> Any:
        """Have something written where results go; beside the file if not in it."""
        return self.kept_in.write(write)

    def overviews(
        self,
        wanted: OverviewOptions | None = None,
        how: PassOptions | None = None,
        on_wait: Callable[[Owner], None] | None = None,
    ) -> dict[str, Any]:
        """Return overviews: those that are kept, and the others computed and kept.

        Parameters
        ----------
        wanted : OverviewOptions, optional
        how : PassOptions, optional
        on_wait : callable, optional
            Told who computes for the scan, when that is another process: its results
            are waited for, and taken.

        Returns
        -------
        dict
            As :meth:`OverviewComputer.compute` returns them.

        Raises
        ------
        ChunkReadError
            If patterns cannot be read, or the work was cancelled.
        """
        wanted, how = wanted or OverviewOptions(), how or PassOptions()
        while True:
            found = self._kept(wanted)
            missing = [n for n in wanted.items if n not in found]
            if not missing:
                return found
            if self.target is None:
                return self._computed(wanted, how)
            try:
                with CacheLock(self.lock_path, "overviews"):
                    return found | self._compute_and_keep(wanted, missing, how)
            except ComputedElsewhereError:
                self.wait(how.cancel, on_wait)

    def wait(
        self,
        cancel: Event | None = None,
        on_wait: Callable[[Owner], None] | None = None,
    ) -> None:
        """Wait until no other process computes for this scan.

        Parameters
        ----------
        cancel : Event, optional
        on_wait : callable, optional
            Told once who computes.

        Raises
        ------
        ChunkReadError
            When it was cancelled.
        """
        owner = self.owner
        if owner is not None and on_wait is not None:
            on_wait(owner)
        while self.owner is not None:
            if cancel is not None and cancel.is_set():
                msg = "expected to wait for another process; found: it was cancelled"
                raise ChunkReadError(msg, is_transient=True)
            time.sleep(POLL_S)

    def _kept(self, wanted: OverviewOptions) -> dict[str, Any]:
        found = {}
        for name in wanted.items:
            value = self.get(OVERVIEWS[name], **own_params(name, wanted))
            if value is not None:
                found[name] = value
        return found

    def _computed(
        self,
        wanted: OverviewOptions,
        how: PassOptions,
        sinks: Mapping[str, Sink] | None = None,
    ) -> dict[str, Any]:
        return OverviewComputer(self.scan.data, how).compute(wanted, sinks)

    def _compute_and_keep(
        self, wanted: OverviewOptions, missing: Sequence[str], how: PassOptions
    ) -> dict[str, Any]:
        """Compute in one pass what is missing, and what costs nothing beside it."""
        again = self._kept(wanted)  # another process may have been first
        missing = [n for n in missing if n not in again]
        if not missing:
            return again
        names = tuple(dict.fromkeys((*missing, *BESIDE)))
        more = OverviewOptions(names, wanted.n_binned, wanted.centre)
        large = [n for n in missing if n in LARGE]
        try:
            found = self._into_file(more, large, how)
        except (StoreAccessError, StoreWriteError, StoreFormatError):
            # Results count, whether they can be kept or not.
            found = self._computed(more, how)
        return again | {n: found[n] for n in missing}

    def _into_file(
        self, wanted: OverviewOptions, large: Sequence[str], how: PassOptions
    ) -> dict[str, Any]:
        with ExitStack() as stack:
            sinks: dict[str, Sink] = {}
            sources = {n: self.source(**own_params(n, wanted)) for n in large}
            place, files = self.target, []
            for name in large:
                like = layout_of(self.scan, name, wanted.n_binned)
                item = OVERVIEWS[name]
                bulk = self.written(
                    partial(allocate, name=item, like=like, source=sources[name])
                )
                place = bulk.path
                file = stack.enter_context(BulkFile(place, is_writable=True))
                files.append(file)
                sinks[name] = BulkSink(bulk, file)
            found = self._computed(wanted, how, sinks)
            for file in files:
                file.sync()
        for name in large:
            complete(place, OVERVIEWS[name], sources[name])  # type: ignore[arg-type]
        small = {OVERVIEWS[n]: v for n, v in found.items() if n not in large}
        self._put_each(small, wanted)
        return found | {n: self.get(OVERVIEWS[n]) for n in large}

    def _put_each(self, items: Mapping[str, Any], wanted: OverviewOptions) -> None:
        plain = {n: v for n, v in items.items() if n != "profile"}
        try:
            self.put(plain)
            if "profile" in items:
                profile = {"profile": items["profile"]}
                self.put(profile, **own_params("profile", wanted))
        except (StoreAccessError, StoreWriteError, StoreFormatError):
            return  # they are returned all the same

    def drop(self, name: str) -> list[Path]:
        """Delete an item, wherever it is kept.

        Returns
        -------
        list of Path
            The files that it was in.

        Raises
        ------
        OptionError
            If there is no such item.
        ComputedElsewhereError, StoreAccessError, StoreWriteError
        """
        check_item(name)
        held = [i.place for i in self.items() if i.item == name]
        if not held:
            there = ", ".join(i.item for i in self.items()) or "nothing"
            msg = f"expected {name} in the cache of {self.scan.path}; found {there}"
            raise OptionError(msg)
        with CacheLock(self.lock_path, "what is dropped"):
            for place in held:
                with writing_soon(place) as file:
                    drop_item(file, name)
        return held

    def verify(self, how: PassOptions | None = None) -> list[CacheItem]:
        """Compare what is kept with the patterns, every one of them.

        One pass computes the scan's image and the pattern sums again. Where a kept one
        differs, the patterns were changed in a place that the digest does not see:
        everything that is kept is marked as not complete.

        Returns
        -------
        list of CacheItem
            What is kept, afterwards.
        """
        self.refresh()
        names = ("scan", "sum", "max", "min")
        found = self._computed(OverviewOptions(names), how or PassOptions())
        for place in self.places:
            kept = {n: self._read(place, _reader(OVERVIEWS[n])) for n in names}
            is_same = all(
                v is None or np.array_equal(v, found[n]) for n, v in kept.items()
            )
            if is_same:
                continue
            with writing_soon(place) as file:
                for name in PATHS:
                    dataset = dataset_of(file, name)
                    if dataset is not None:
                        dataset.attrs["complete"] = 0
        return self.items()

    def repack_bytes(self) -> int:
        """Return the bytes that :meth:`repack` has to write."""
        return sum(place.stat().st_size for place in self.places)

    def repack(self) -> int:
        """Write the files again, without the space of what was dropped.

        Nobody else may have them open; open the scan again afterwards.

        Returns
        -------
        int
            Bytes that were freed.

        Raises
        ------
        StoreAccessError
            When they are open in this process.
        StoreWriteError
        """
        from brickfield.stem4d.cache.places import repack_file

        places = self.places
        if self._is_own:
            self.scan.close()
        with CacheLock(self.lock_path, "what is repacked"):
            freed = 0
            for place in places:
                if is_shared(place):
                    msg = f"expected {place} to be closed; found it open: close it"
                    raise StoreAccessError(msg)
                freed += repack_file(place)
        return freed

    def close(self) -> None:
        """Close the scan, if it was opened here."""
        if self._is_own:
            self.scan.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def _reader(name: str) -> Callable[[Any], Any]:
    return lambda file: (
        None if dataset_of(file, name) is None else read_item(file, name)
    )
