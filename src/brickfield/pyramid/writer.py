"""Writing a pyramid: the block jobs, then the metadata.

What interrupts it leaves a journal, and the same call goes on from there; see
:mod:`brickfield.writing.images.resumable`.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from contextlib import suppress
from threading import Event
from time import perf_counter

from brickfield.blockwise import JobResult, Progress
from brickfield.errors import OptionError
from brickfield.pyramid.options import PyramidOptions
from brickfield.pyramid.result import PyramidResult
from brickfield.pyramid.task import Task
from brickfield.sources import ChunkSource
from brickfield.sources.images import notes_on_placement, notes_on_room
from brickfield.writing import StoredLevel, fitting_jobs, place
from brickfield.writing.images import (
    ImageWork,
    NewImage,
    RunOptions,
    publish_image,
    remove_leftover,
    write_resumable,
)
from brickfield.writing.place import prepare_new

_KEEPING = '--version 0.6 keeps it, and "brickfield fuse" writes voxels along the axes of the world'
"""What to do about an image that is turned."""


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
    result = JobResult(0, 0, 0, 0, (), is_complete=True)
    told: tuple[str, ...] = ()
    if task.plans:
        result, told = _write(task, source, options, progress, cancel)
    else:
        with suppress(OptionError):  # held by another process
            remove_leftover(task.root, None)
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


def _write(
    task: Task,
    source: ChunkSource,
    options: PyramidOptions,
    progress: Progress | None,
    cancel: Event | None,
) -> tuple[JobResult, tuple[str, ...]]:
    stored = task.stored(options.compressor, options.workers)
    task.check_target(source)
    limits = (options.budget_bytes, _n_workers(source, options))
    jobs, n_workers = fitting_jobs(task.reader, task.plans, stored, task.method, limits)
    work = ImageWork(
        task.root,
        task.fingerprint(source, stored),
        jobs,
        stored,
        lambda: task.source_data(source, reads_voxels=False),
        lambda: _make_room(task, options),
        task.remove_written,
        lambda: _publish(task, stored),
        task.info.uri,
    )
    how = RunOptions(
        n_workers,
        options.scheduler,
        options.overwrite,
        options.resume,
        options.skip_failed,
        progress,
        cancel,
    )
    return write_resumable(work, how)


def _n_workers(source: ChunkSource, options: PyramidOptions) -> int:
    if options.scheduler is not None and options.scheduler != "threads":
        return 1  # one block at a time in each place that works
    # More than cores, since a write waits for the disk.
    cores = max(4, os.cpu_count() or 1)
    return options.workers or max(cores, source.concurrency if source.is_remote else 1)


def _make_room(task: Task, options: PyramidOptions) -> None:
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


def _publish(task: Task, stored: Sequence[StoredLevel]) -> None:
    if task.group is not None:
        task.group.add(task.plans)
        task.group.publish()
        return
    image = NewImage(
        task.root,
        task.version,
        task.info,
        task.axes,
        task.plans,
        task.method,
        "brickfield.pyramid.write_pyramid",
        task.placement,
    )
    publish_image(image, stored[-1], task.reader.dtype)


def _notes(task: Task) -> tuple[str, ...]:
    notes = []
    if task.group is not None and not task.plans:
        notes.append(f"{task.root} has a whole pyramid already; nothing was written")
    if task.group is None and task.info.labels:
        names = ", ".join(task.info.labels)
        notes.append(f"label images beside the source were not copied: {names}")
    if task.group is None and task.placement is None:
        notes += notes_on_placement(task.info, _KEEPING)
    return (*notes, *notes_on_room(task.info))
