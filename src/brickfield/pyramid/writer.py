"""Writing a pyramid: run the block jobs, publish the metadata last.

While work is under way a journal lies in the folder; what interrupts it (a kill,
a full disk) leaves the journal, and the same call goes on from there. The
journal is removed after the metadata stands.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from contextlib import closing, suppress
from pathlib import Path
from threading import Event
from time import perf_counter
from typing import Any

import numpy as np

from brickfield.blockwise import (
    BlockGrid,
    Extrema,
    JobOptions,
    JobResult,
    Journal,
    OtherWorkError,
    Progress,
    extrema,
    open_executor,
    run_jobs,
)
from brickfield.errors import OptionError, StoreWriteError
from brickfield.pyramid import resume
from brickfield.pyramid.options import PyramidOptions
from brickfield.pyramid.result import PyramidResult
from brickfield.pyramid.task import Task
from brickfield.sources import ChunkSource
from brickfield.writing import (
    JOURNAL,
    StoredLevel,
    dataset,
    fitting_jobs,
    image_attributes,
    method_attributes,
    new_group,
    omero_attributes,
    place,
    prepare_new,
    remove_lock_files,
)


def run_task(
    task: Task,
    source: ChunkSource,
    options: PyramidOptions,
    progress: Progress | None,
    cancel: Event | None,
) -> PyramidResult:
    """Write what was planned.

    Parameters
    ----------
    task : Task
        Made by ``plan_task``.
    source : ChunkSource
    options : PyramidOptions
    progress : Progress or None
        Called with what is done and what there is.
    cancel : Event or None
        Ends the work after the present block; it can be resumed.
    """
    start = perf_counter()
    stored = task.stored(options.compressor, options.workers)
    result = JobResult(0, 0, 0, 0, (), is_complete=True)
    told: tuple[str, ...] = ()
    if task.plans:
        task.check_target(source)
        limits = (options.budget_bytes, _n_workers(source, options))
        jobs, n_workers = fitting_jobs(
            task.reader, task.plans, stored, task.method, limits
        )
        fingerprint = task.fingerprint(source, stored)
        resume.remove_leftover(task.root, fingerprint)
        told = resume.settle(task, fingerprint)
        _make_room(task, fingerprint, options)
        is_resumed = place.has_journal(task.root)
        journal = _open_journal(task, fingerprint, options)
        with journal, closing(open_executor(options.scheduler, n_workers)) as executor:
            for level in stored:
                level.create()
            how = JobOptions(journal, progress, cancel, options.skip_failed)
            result = run_jobs(jobs, executor, how)
            if result.is_complete:
                resume.check_unchanged(task, source, fingerprint)
                has_locks = is_resumed or options.scheduler is not None
                _finish(task, stored, journal, has_locks=has_locks)
    else:
        resume.remove_done(task.root)
    return PyramidResult(
        str(task.root),
        task.version,
        task.plans,
        result.n_total,
        result.n_done,
        result.n_resumed,
        result.bytes_written,
        result.failures,
        result.is_complete,
        perf_counter() - start,
        (*told, *_notes(task)),
    )


def _finish(
    task: Task, stored: Sequence[StoredLevel], journal: Journal, *, has_locks: bool
) -> None:
    _publish(task, stored)
    if has_locks:
        remove_lock_files([Path(s.folder) for s in stored])
    journal.close()
    place.remove_journal(task.root)


def _n_workers(source: ChunkSource, options: PyramidOptions) -> int:
    if options.scheduler is not None and options.scheduler != "threads":
        return 1  # one block at a time in each place that works
    # More than cores, since a write waits for the disk.
    cores = max(4, os.cpu_count() or 1)
    return options.workers or max(cores, source.concurrency if source.is_remote else 1)


def _make_room(
    task: Task, fingerprint: dict[str, Any], options: PyramidOptions
) -> None:
    if not options.resume and place.has_journal(task.root):
        # Opened first: what another process is still writing is not removed.
        with suppress(OtherWorkError):
            _journal(task.root, fingerprint).close()
        task.remove_written()
    if task.group is None:
        prepare_new(task.root, overwrite=options.overwrite)
        return
    in_way = [p.path for p in task.plans if (task.root / p.path).exists()]
    if in_way and not place.has_journal(task.root):
        if not options.overwrite:
            msg = (
                f"expected no folder {in_way[0]} in {task.root}, since its metadata names"
                f" none; found one: overwrite to replace it"
            )
            raise OptionError(msg)
        task.remove_written()


def _open_journal(
    task: Task, fingerprint: dict[str, Any], options: PyramidOptions
) -> Journal:
    try:
        return _journal(task.root, fingerprint)
    except OtherWorkError:
        if not options.overwrite:
            raise
        task.remove_written()
        return _journal(task.root, fingerprint)


def _journal(root: Path, fingerprint: dict[str, Any]) -> Journal:
    try:
        return Journal(root / JOURNAL / "journal.jsonl", fingerprint)
    except StoreWriteError:
        raise
    except OSError as e:
        msg = f"expected to write to {root}; found: {e.strerror}"
        raise StoreWriteError(msg) from e


def _publish(task: Task, stored: Sequence[StoredLevel]) -> None:
    if task.group is not None:
        task.group.image["datasets"].extend(dataset(p) for p in task.plans)
        task.group.publish()
        return
    attributes = image_attributes(task.version, task.info.name, task.axes, task.plans)
    attributes["multiscales"][0].update(method_attributes(task.method))
    if task.info.is_labels:
        version = {"version": "0.4"} if task.version == "0.4" else {}
        attributes["image-label"] = version
    else:
        attributes.update(_omero(task, stored[-1]))
    new_group(task.root, task.version, attributes).publish()


def _omero(task: Task, coarsest: StoredLevel) -> dict[str, Any]:
    kinds = [a.kind for a in task.axes]
    axis = kinds.index("channel") if "channel" in kinds else None
    windows = []
    for i, channel in enumerate(task.info.channels):
        windows.append(channel.window or _window(coarsest, axis, i))
    limits = None
    if task.reader.dtype.kind in "iu":
        info = np.iinfo(task.reader.dtype)  # type: ignore[type-var]
        limits = (float(info.min), float(info.max))
    return omero_attributes(task.info.channels, windows, limits)


def _window(level: StoredLevel, axis: int | None, channel: int) -> tuple[float, float]:
    """Smallest and largest finite value of one channel of the coarsest level."""
    start = [0] * len(level.shape)
    shape = list(level.shape)
    if axis is not None:
        start[axis], shape[axis] = channel, 1

    def read(region: tuple[slice, ...]) -> np.ndarray[Any, np.dtype[np.generic]]:
        there = tuple(
            slice(s.start + o, s.stop + o) for s, o in zip(region, start, strict=True)
        )
        data = level.read(there)
        return data[np.isfinite(data)] if data.dtype.kind == "f" else data

    found: Extrema = extrema(read, BlockGrid(tuple(shape), level.write_shape))
    if found.low is None or found.high is None:
        return (0.0, 1.0)
    return (float(found.low), float(found.high))


def _notes(task: Task) -> tuple[str, ...]:
    notes = []
    if task.group is not None and not task.plans:
        notes.append(f"{task.root} has a whole pyramid already; nothing was written")
    if task.group is None and task.info.labels:
        names = ", ".join(task.info.labels)
        notes.append(f"label images beside the source were not copied: {names}")
    return tuple(notes)
