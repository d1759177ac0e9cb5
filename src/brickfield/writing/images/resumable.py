"""Writing an image block by block, so that an interrupted run can go on.

While work is under way a journal lies in the folder; what interrupts it (a kill, a full
disk) leaves the journal, and the same call goes on from there. The metadata that make
the folder an image come last, by one rename; then the journal is removed.

A run goes on only over the same data: half of an image of the old voxels and half of
the new ones would be neither. What a run left that was killed after its image stood is
removed.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import closing, suppress
from dataclasses import dataclass
from pathlib import Path
from threading import Event
from typing import Any

from brickfield.blockwise import (
    BlockJob,
    JobOptions,
    JobResult,
    Journal,
    OtherWorkError,
    Progress,
    open_executor,
    read_fingerprint,
    run_jobs,
)
from brickfield.errors import (
    BrickfieldError,
    StoreFormatError,
    StoreWriteError,
)
from brickfield.sources import Fingerprint, is_same
from brickfield.writing.metadata import read_group
from brickfield.writing.place import has_journal, remove_journal, remove_lock_files
from brickfield.writing.stored_level import StoredLevel
from brickfield.writing.stores import JOURNAL

SOURCE_DATA = "source data"
"""Where a journal's fingerprint says what the source's data were like."""
LEVELS = "levels"
"""Where it names the arrays that are written."""


@dataclass(frozen=True)
class ImageWork:
    """An image to be written.

    Attributes
    ----------
    root : Path
    fingerprint : dict
        What work this is, plain JSON values; :data:`SOURCE_DATA` and :data:`LEVELS`
        are among them.
    jobs : sequence of BlockJob
    stored : sequence of StoredLevel
        Arrays that they write.
    source_data : callable
        Tells what the source's data are like now.
    make_room : callable
        Prepares the folder, or refuses it.
    remove_written : callable
        Removes what an earlier run wrote.
    publish : callable
        Writes the metadata.
    uri : str
        Of the source, for messages.
    """

    root: Path
    fingerprint: dict[str, Any]
    jobs: Sequence[BlockJob]
    stored: Sequence[StoredLevel]
    source_data: Callable[[], Fingerprint]
    make_room: Callable[[], None]
    remove_written: Callable[[], None]
    publish: Callable[[], None]
    uri: str


@dataclass(frozen=True)
class RunOptions:
    """How an image is written.

    Attributes
    ----------
    n_workers : int
    scheduler : str or None
        See :func:`~brickfield.blockwise.executors.open_executor`.
    overwrite, resume, skip_failed : bool
        Replace other interrupted work; go on with one's own; finish without blocks that
        cannot be made.
    progress : callable or None
    cancel : Event or None
        Set it to stop after the blocks under way.
    """

    n_workers: int = 1
    scheduler: str | None = None
    overwrite: bool = False
    resume: bool = True
    skip_failed: bool = False
    progress: Progress | None = None
    cancel: Event | None = None


def write_resumable(
    work: ImageWork, options: RunOptions
) -> tuple[JobResult, tuple[str, ...]]:
    """Write an image, or go on with it.

    Parameters
    ----------
    work : ImageWork
    options : RunOptions

    Returns
    -------
    result : JobResult
    notes : tuple of str
        What is to be told, one sentence each.

    Raises
    ------
    OptionError
        When something is in the way, or another process is at work there.
    StoreFormatError
        When the source changed meanwhile; nothing is published then.
    StoreWriteError
        When there is no room to write; the same call goes on later.
    """
    # First, so that nothing is touched when no scheduler answers.
    with closing(open_executor(options.scheduler, options.n_workers)) as executor:
        remove_leftover(work.root, work.fingerprint)
        notes = _settle(work)
        if not options.resume and has_journal(work.root):
            # Opened first: what another process is still writing is not removed.
            with suppress(OtherWorkError):
                _journal(work).close()
            work.remove_written()
        work.make_room()
        is_resumed = has_journal(work.root)
        with _opened(work, options) as journal:
            for level in work.stored:
                level.create()
            how = JobOptions(
                journal, options.progress, options.cancel, options.skip_failed
            )
            result = run_jobs(work.jobs, executor, how)
            if result.is_complete:
                _check_unchanged(work)
                work.publish()
                if is_resumed or options.scheduler is not None:
                    remove_lock_files([Path(s.folder) for s in work.stored])
                journal.close()
                remove_journal(work.root)
    return result, notes


def remove_leftover(root: Path, wanted: dict[str, Any] | None) -> None:
    """Remove the journal of other work whose image stands already.

    Parameters
    ----------
    root : Path
    wanted : dict or None
        The work that is to be done; its own journal stays and is gone on with.

    Raises
    ------
    OptionError
        When another process is at work there.
    """
    path = _path(root)
    found = read_fingerprint(path)
    if found is None or _is_alike(found, wanted):
        return
    try:
        named = {str(d["path"]) for d in read_group(root).image["datasets"]}
    except (BrickfieldError, OSError, KeyError, TypeError):
        return
    levels = found.get(LEVELS)
    if isinstance(levels, list) and levels and {str(p) for p in levels} <= named:
        Journal(path, found).close()  # refused while it is held
        remove_journal(root)


def _settle(work: ImageWork) -> tuple[str, ...]:
    """Let interrupted work of the same data go on, and remove that of other data."""
    path, wanted = _path(work.root), work.fingerprint
    found = read_fingerprint(path)
    if found is None or not _is_alike(found, wanted):
        return ()
    if is_same(found.get(SOURCE_DATA), wanted[SOURCE_DATA]):
        wanted[SOURCE_DATA] = found[SOURCE_DATA]
        return ()
    Journal(path, found).close()
    work.remove_written()
    return (
        "the source has changed since the interrupted run: all of it was written anew",
    )


def _check_unchanged(work: ImageWork) -> None:
    if not is_same(work.fingerprint[SOURCE_DATA], work.source_data()):
        msg = (
            f"expected {work.uri} to stay as it is while an image is made of it; found"
            f" that it has changed: the same command begins anew"
        )
        raise StoreFormatError(msg)


def _is_alike(found: dict[str, Any], wanted: dict[str, Any] | None) -> bool:
    """Tell whether two fingerprints are of one work, its data left aside."""
    if wanted is None:
        return False
    keys = ({*found} | {*wanted}) - {SOURCE_DATA}
    return all(found.get(key) == wanted.get(key) for key in keys)


def _opened(work: ImageWork, options: RunOptions) -> Journal:
    try:
        return _journal(work)
    except OtherWorkError:
        if not options.overwrite:
            raise
        work.remove_written()
        return _journal(work)


def _journal(work: ImageWork) -> Journal:
    try:
        return Journal(_path(work.root), work.fingerprint)
    except StoreWriteError:
        raise
    except OSError as e:
        msg = f"expected to write to {work.root}; found: {e.strerror}"
        raise StoreWriteError(msg) from e


def _path(root: Path) -> Path:
    return root / JOURNAL / "journal.jsonl"
