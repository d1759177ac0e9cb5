"""One export from what was given to the finished file.

The file is written as ``NAME.ims.part`` and renamed when it is whole and was read back.
Beside it a journal says of what source and options it is; after a kill the same call
goes on with the first time point and channel that was not committed. What is committed
together is about two seconds of work, or one time point and channel.
"""

from __future__ import annotations

import json
import os
import shutil
from contextlib import ExitStack, closing
from dataclasses import dataclass
from math import prod
from pathlib import Path
from threading import Event, Thread
from time import perf_counter
from typing import Any

from brickfield.blockwise import Journal, OtherWorkError, Progress, format_bytes
from brickfield.errors import BrickfieldError, OptionError, StoreWriteError
from brickfield.imaris.check_sums import CheckSums
from brickfield.imaris.options import ImarisOptions
from brickfield.imaris.output import committed_file
from brickfield.imaris.output.bdv_xml import write_bdv_xml, xml_path
from brickfield.imaris.output.file import ImarisFile
from brickfield.imaris.passes import Passes, sample_tiles
from brickfield.imaris.planning.plan import ExportPlan, PreparedExport, prepare
from brickfield.imaris.reading.inputs import (
    notes_on_taking,
    open_sources,
    read_on_cluster,
)
from brickfield.imaris.reading.staging import Scratch
from brickfield.imaris.result import ImarisResult
from brickfield.imaris.verify import DamagedFileError, verify
from brickfield.sources import ChunkSource
from brickfield.sources import fingerprints as fingerprint
from brickfield.sources.io import may_write
from brickfield.writing import check_file, usable_path

SUFFIX = ".ims"


def export(
    source: Any,
    path: str | Path,
    options: ImarisOptions,
    progress: Progress | None = None,
    cancel: Event | None = None,
) -> ImarisResult:
    """Write an Imaris file; see :func:`brickfield.imaris.command.to_imaris`.

    Parameters
    ----------
    source
    path : str or Path
    options : ImarisOptions
    progress : Progress, optional
        Called with what is done and what there is.
    cancel : Event, optional
        Ends the work; it can be resumed.
    """
    target = target_path(path)
    with ExitStack() as opened:
        scratch = scratch_of(target, options)
        sources = open_sources(source, options, scratch, opened)
        taken = notes_on_taking(source, sources, options)
        prepared = prepare(sources, options, taken)
        check_target(target, sources, options, prepared.plan)
        options.encoder.check()
        if options.scheduler is not None:
            sources = read_on_cluster(sources, options, opened)
            prepared = prepare(sources, options, taken)
        work = _Export(target, sources, prepared, options, scratch)
        return work.run(progress, cancel)


def scratch_of(target: Path, options: ImarisOptions) -> Scratch:
    """Return the scratch space of an export; no folder is made yet.

    Parameters
    ----------
    target : Path
        File to write.
    options : ImarisOptions
    """
    folder = None if options.tmp_dir is None else Path(options.tmp_dir)
    return Scratch(target, folder)


def target_path(path: str | Path) -> Path:
    """Return the file that is meant.

    Raises
    ------
    OptionError
        When it is no name of an Imaris file.
    """
    text = str(path)
    if "://" in text and not text.startswith("file://"):
        msg = f"expected a file on this machine to write; found {text}"
        raise OptionError(msg)
    target = usable_path(text.removeprefix("file://"), "a file")
    if target.suffix.lower() != SUFFIX:
        msg = f"expected a name that ends in {SUFFIX}; found {target.name!r}"
        raise OptionError(msg)
    return target


def check_target(
    target: Path, sources: list[ChunkSource], options: ImarisOptions, plan: ExportPlan
) -> None:
    """Refuse targets that must not be overwritten, and disks without enough room.

    Parameters
    ----------
    target : Path
    sources : list of ChunkSource
        What is read.
    options : ImarisOptions
    plan : ExportPlan

    Raises
    ------
    OptionError, StoreWriteError
    """
    made = [target, xml_path(target)] if options.bdv_xml else [target]
    for path in made:
        _check_new(path, sources, options)
    folder = target.absolute().parent
    if not folder.is_dir():
        msg = f"expected a folder to write to; found none at {folder}: make it first"
        raise OptionError(msg)
    if not may_write(folder):
        msg = f"expected a folder that may be written to; found {folder} read-only"
        raise StoreWriteError(msg)
    if target.exists():
        if not may_write(target):
            msg = f"expected a file that may be replaced; found {target} read-only"
            raise StoreWriteError(msg)
        _check_closed(target)
    _check_room(folder, plan, options)


def _check_new(path: Path, sources: list[ChunkSource], options: ImarisOptions) -> None:
    check_file(path, sources)
    if path.is_dir():
        msg = f"expected a file to write; found the folder {path}"
        raise OptionError(msg)
    if path.exists() and not options.overwrite:
        msg = f"expected a new file; found that {path} exists: give another name, or overwrite"
        raise OptionError(msg)


def _check_room(folder: Path, plan: ExportPlan, options: ImarisOptions) -> None:
    # Noise compresses by a quarter at least; what does not fit then is told as it
    # comes.
    needed = plan.n_bytes if options.compression == "none" else plan.n_bytes // 20
    scratch = Path(options.tmp_dir) if options.tmp_dir else folder
    if not scratch.is_dir():
        msg = f"expected a folder for intermediate data; found none at {scratch}"
        raise OptionError(msg)
    if not may_write(scratch):
        msg = (
            "expected a folder for intermediate data that may be written to; found"
            f" {scratch} read-only"
        )
        raise StoreWriteError(msg)
    free = shutil.disk_usage(folder).free
    if needed > free:
        msg = (
            f"expected at least {format_bytes(needed)} free in {folder}; found"
            f" {format_bytes(free)}: make room or write to another disk"
        )
        raise StoreWriteError(msg)


def _check_closed(target: Path) -> None:
    """Refuse to replace a file that another program holds open.

    HDF5 locks what it opens. Readers of this process keep the old file.
    """
    from brickfield.sources.hdf5 import is_shared

    try:
        import fcntl
    except ImportError:  # Windows refuses the renaming itself
        return
    if is_shared(target):
        return
    with target.open("rb") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            msg = (
                f"expected {target} closed; found it open in another program: close it"
                " there, or write to another name"
            )
            raise OptionError(msg) from error
        except OSError:  # a file system without locks
            return


@dataclass(frozen=True)
class ImarisOutlook:
    """What an export will take, as far as a few tiles tell.

    Attributes
    ----------
    n_source_bytes : int
        Voxels that are written as level 0, before compression.
    n_bytes : int
        Of the file, about.
    seconds : float
        About.
    free_bytes : int
        Where the file goes.
    n_levels : int
    dtype : str
        Of the voxels in the file.
    is_same : bool
        Whether every value is kept as it is.
    scratch_bytes : int
        That may go to the scratch folder at most.
    notes : tuple of str
        What the user should know.
    refusal : str
        Why it cannot be, and what to do; empty when it can.
    """

    n_source_bytes: int = 0
    n_bytes: int = 0
    seconds: float = 0.0
    free_bytes: int = 0
    n_levels: int = 0
    dtype: str = ""
    is_same: bool = True
    scratch_bytes: int = 0
    notes: tuple[str, ...] = ()
    refusal: str = ""


def look_ahead(source: Any, path: str | Path, **options: Any) -> ImarisOutlook:
    """Say what an export will take, from a few tiles of the source; writes nothing.

    Parameters
    ----------
    source, path, **options
        As for :func:`brickfield.imaris.command.to_imaris`.

    Returns
    -------
    ImarisOutlook
        With what would be refused, instead of an error.
    """
    try:
        chosen = ImarisOptions(**options)
        with ExitStack() as opened:
            target = target_path(path)
            scratch = scratch_of(target, chosen)
            opened.callback(scratch.clear)
            sources = open_sources(source, chosen, scratch, opened)
            prepared = prepare(
                sources, chosen, notes_on_taking(source, sources, chosen)
            )
            check_target(target, sources, chosen, prepared.plan)
            return _foreseen(prepared, target, scratch)
    except (BrickfieldError, OSError) as error:
        return ImarisOutlook(refusal=str(error))


def _foreseen(
    prepared: PreparedExport, target: Path, scratch: Scratch
) -> ImarisOutlook:
    plan, image = prepared.plan, prepared.image
    first = plan.levels[0]
    seconds, n_raw, n_encoded = sample_tiles(image, plan, scratch)
    n_source = prod(first.shape) * plan.n_times * plan.n_channels * plan.dtype.itemsize
    share = n_encoded / n_raw if n_raw else 1.0
    return ImarisOutlook(
        n_source_bytes=n_source,
        n_bytes=round(plan.n_bytes * share),
        seconds=seconds / max(1, n_raw) * plan.n_bytes / plan.n_workers,
        free_bytes=shutil.disk_usage(target.absolute().parent).free,
        n_levels=len(plan.levels),
        dtype=plan.dtype.name,
        is_same=all(change.how == "same" for change in plan.changes),
        scratch_bytes=plan.scratch_bytes,
        notes=prepared.notes,
    )


class _Export:
    """One run."""

    def __init__(
        self,
        target: Path,
        sources: list[ChunkSource],
        prepared: PreparedExport,
        options: ImarisOptions,
        scratch: Scratch,
    ) -> None:
        self._target = target
        self._scratch = scratch
        self._part = target.with_name(f"{target.name}.part")
        self._journal = target.with_name(f"{target.name}.part.journal")
        self._sources = sources
        self._prepared = prepared
        self._options = options
        self._start = perf_counter()

    def run(self, progress: Progress | None, cancel: Event | None) -> ImarisResult:
        options, plan = self._options, self._prepared.plan
        scratch = self._scratch
        scratch.remove_leftovers()
        try:
            with self._open_journal() as journal:
                # A file without a journal, or of other work, is of no use.
                is_new = not (_has_begun(journal) and self._part.exists())
                file = ImarisFile(
                    self._part, plan, restart=is_new, committed=lambda: _begin(journal)
                )
                sums = CheckSums(self._part, plan, all_chunks=options.verify)
                sums.resume(file.n_done)
                passes = Passes(self._prepared, options, file, scratch, sums)
                try:
                    with closing(file):
                        done = passes.run(progress, cancel)
                        if done:
                            passes.finish()
                    if not done:
                        return self._result(passes, n_verified=0, is_complete=False)
                    n_verified, n_decoded = verify(self._part, plan, sums)
                except (OptionError, DamagedFileError):
                    # Values that do not fit, or chunks that are not as written: no
                    # later run may go on with this file.
                    committed_file.remove(self._part)
                    sums.remove()
                    journal.remove()
                    raise
                self._put_in_place()
                sums.remove()
                journal.remove()
        finally:
            scratch.clear()
        if n_decoded:
            passes.notes.append(
                f"{n_decoded} chunks of an earlier run without verify were decoded; it"
                " had not noted what they hold"
            )
        return self._result(passes, n_verified=n_verified, is_complete=True)

    def _open_journal(self) -> Journal:
        facts = self._fingerprint()
        try:
            return Journal(self._journal, facts, restart=self._options.restart)
        except OtherWorkError:
            # An array in memory has no name by which it could be known again: a run of
            # it that ended early is of no use, and the same call must not be refused.
            is_lost = _is_same_but_arrays(facts, _facts_in(self._journal))
            if not (self._options.overwrite or is_lost):
                raise
            return Journal(self._journal, facts, restart=True)
        except OSError as error:
            if isinstance(error, BrickfieldError):
                raise
            msg = f"expected to write {self._journal}; found: {error.strerror}"
            raise StoreWriteError(msg) from error

    def _fingerprint(self) -> dict[str, Any]:
        image = self._prepared.image
        known = [
            fingerprint.fingerprint(s, image.channels[0].level) for s in self._sources
        ]
        return {
            "program": "imaris 1",
            "source": [
                found or source.source_id
                for found, source in zip(known, self._sources, strict=True)
            ],
            "region": [*image.origin, *image.shape],
            "time points": list(image.time_points),
            "channels": [[c.level, c.index] for c in image.channels],
            "plan": self._prepared.plan.as_dict(),
        }

    def _put_in_place(self) -> None:
        try:
            if self._options.bdv_xml:
                write_bdv_xml(self._target, self._prepared)
            _replace(self._part, self._target)
        except OSError as error:
            if isinstance(error, BrickfieldError):
                raise
            msg = f"expected to write {self._target}; found: {error.strerror}"
            raise StoreWriteError(msg) from error
        committed_file.remove(self._part)

    def _notes(self, passes: Passes) -> list[str]:
        """Return what was known before, with the ranges that were found since."""
        plan = self._prepared.plan
        found = {
            f"{channel.name}: {planned.text}": f"{channel.name}: {change.text}"
            for channel, planned, change in zip(
                self._prepared.image.channels, plan.changes, passes.changes, strict=True
            )
        }
        return [found.get(note, note) for note in self._prepared.notes]

    def _result(
        self, passes: Passes, *, n_verified: int, is_complete: bool
    ) -> ImarisResult:
        plan = self._prepared.plan
        where = self._target if is_complete else self._part
        return ImarisResult(
            path=str(self._target),
            shape=(plan.n_times, plan.n_channels, *plan.levels[0].shape),
            levels=plan.levels,
            dtype=plan.dtype.name,
            changes=tuple(c.text for c in passes.changes if c.text),
            n_bytes=where.stat().st_size if where.exists() else 0,
            seconds=perf_counter() - self._start,
            is_complete=is_complete,
            n_resumed=passes.n_resumed,
            n_decoded=passes.n_decoded,
            n_verified=n_verified,
            failures=tuple(passes.failures),
            notes=(*self._notes(passes), *passes.notes),
        )


def _has_begun(journal: Journal) -> bool:
    """Whether the unfinished file beside a journal holds a part of its work."""
    return bool(journal.mask("begun", 1)[0])


def _begin(journal: Journal) -> None:
    """Note that the unfinished file is of this work.

    Once something lasts in it, not before: a file of other work may lie there until it
    is emptied, and a journal of a work of less than a second need not wait for the disk.
    """
    if not _has_begun(journal):
        journal.record("begun", [0])


def _replace(part: Path, target: Path) -> None:
    """Give the finished file its name; an older file of that name is gone at once.

    The system frees what the older one took when its last reader ends, which takes
    seconds for a large one: a thread of its own waits for that.
    """
    old = None
    if os.name == "posix" and target.exists():
        old = os.open(target, os.O_RDONLY)
    try:
        part.replace(target)
    finally:
        if old is not None:
            Thread(target=os.close, args=(old,), name="imaris-free").start()


def _facts_in(journal: Path) -> dict[str, Any]:
    """Read what a journal says of its work; nothing where it cannot be read."""
    try:
        with journal.open("rb") as file:
            found = json.loads(file.readline())["fingerprint"]
    except (OSError, ValueError, KeyError, TypeError):
        return {}
    return found if isinstance(found, dict) else {}


def _is_same_but_arrays(facts: dict[str, Any], before: dict[str, Any]) -> bool:
    """Tell whether two pieces of work differ in which arrays in memory they read alone."""
    now = json.loads(json.dumps(facts))
    sources = [now.pop("source"), before.pop("source", None)]
    return now == before and all(
        isinstance(names, list)
        and all(isinstance(s, str) and s.startswith("memory:") for s in names)
        for names in sources
    )
