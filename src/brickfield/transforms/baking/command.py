"""Baking: the voxels of a turned, shifted or filtered image, written as OME-Zarr.

Nothing of this is needed for looking at an image: napari and the volume view turn it by
a matrix. Baking is for what reads voxels: other programs, measurements, filters.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from threading import Event
from time import perf_counter
from typing import Any

from brickfield.blockwise import BlockJob, Progress
from brickfield.sources import ChunkSource
from brickfield.transforms.baking.blocks import CANCELLED
from brickfield.transforms.baking.options import BakeOptions
from brickfield.transforms.baking.result import BakeResult
from brickfield.transforms.baking.task import BakeTask, plan_bake, reader_of
from brickfield.transforms.recipes import Recipe
from brickfield.writing import StoredLevel, check_folder, place
from brickfield.writing.images import (
    ImageWork,
    RunOptions,
    publish_image,
    write_resumable,
)
from brickfield.writing.place import local_path, prepare_new
from brickfield.writing.stores import remove_contents


def bake(  # noqa: PLR0913 -- what is done, how, and who is told
    source: ChunkSource | str | Path,
    dst: str | Path,
    recipe: Recipe,
    options: BakeOptions | None = None,
    *,
    opening: Mapping[str, Any] | None = None,
    progress: Progress | None = None,
    cancel: Event | None = None,
) -> BakeResult:
    """Write the voxels of a transformed image, with a pyramid.

    Parameters
    ----------
    source : ChunkSource, str or Path
        Any source; one given open stays open.
    dst : str or Path
        New folder on this machine.
    recipe : Recipe
        What is done: :class:`~brickfield.transforms.recipes.Move`, ``Affine``,
        ``Deskew``, ``Gaussian`` or ``Downsample``.
    options : BakeOptions, optional
    opening : mapping, optional
        How `source` is opened, as for :func:`brickfield.open_store`.
    progress : callable, optional
        Told (blocks done, blocks in all, bytes written, seconds left or None), on this
        thread.
    cancel : Event, optional
        Set it (from any thread) to stop; the same call goes on later.

    Returns
    -------
    BakeResult
        Not complete when it was cancelled or blocks failed; the store is then not
        published, and the same call tries them again.

    Raises
    ------
    OptionError
        When an option cannot be used or something is in the way.
    BudgetError
        When the budget does not hold one block and what it is made of.
    StoreWriteError
        When there is no room to write; the same call goes on later.
    """
    options = options or BakeOptions()
    root = local_path(dst)
    cancel = cancel or Event()
    if not isinstance(source, str | Path):
        reader = reader_of(source, None, options.level)
        task = plan_bake(reader, root, recipe, options)
        return _run(task, source, options, progress, cancel)
    from brickfield.sources import open_source, opening_options
    from brickfield.sources.images import notes_on_choice

    opened = open_source(str(source), **opening_options(opening))
    try:
        reader = reader_of(opened, str(source), options.level, opening)
        task = plan_bake(reader, root, recipe, options)
        result = _run(task, opened, options, progress, cancel)
        notes = notes_on_choice(opened.info, dict(opening or {}))
        return replace(result, notes=(*result.notes, *notes))
    finally:
        opened.close()


def _run(
    task: BakeTask,
    source: ChunkSource,
    options: BakeOptions,
    progress: Progress | None,
    cancel: Event,
) -> BakeResult:
    start = perf_counter()
    check_folder(task.root, source)
    # Only here can files be synced that were written here.
    is_here = options.scheduler in (None, "threads")
    stored = task.stored(options.workers, syncs=not is_here)
    limits = (options.budget_bytes, _n_workers(source, options))
    jobs, n_workers, kept = task.jobs(stored, limits, cancel)

    work = _work(task, source, options, stored, jobs)
    how = RunOptions(
        n_workers,
        options.scheduler,
        options.overwrite,
        progress=progress,
        cancel=cancel,
    )
    try:
        result, notes = write_resumable(work, how)
    finally:
        kept.release()
    return BakeResult(
        str(task.root),
        task.version,
        task.levels,
        result.n_total,
        result.n_done,
        result.n_resumed,
        result.bytes_written,
        tuple(f for f in result.failures if f.reason != CANCELLED),
        result.is_complete,
        perf_counter() - start,
        (*notes, *_notes(task)),
        matrix=task.matrix,
    )


def _work(
    task: BakeTask,
    source: ChunkSource,
    options: BakeOptions,
    stored: list[StoredLevel],
    jobs: list[BlockJob],
) -> ImageWork:
    def remove_written() -> None:
        if place.has_journal(task.root):
            remove_contents(task.root)

    return ImageWork(
        task.root,
        task.fingerprint(source, stored),
        jobs,
        stored,
        lambda: task.source_data(source, reads_voxels=False),
        lambda: prepare_new(task.root, overwrite=options.overwrite),
        remove_written,
        lambda: publish_image(task.image, stored[-1], task.reader.dtype),
        task.info.uri,
    )


def _n_workers(source: ChunkSource, options: BakeOptions) -> int:
    if options.scheduler is not None and options.scheduler != "threads":
        return 1  # one block at a time in each place that works
    if options.workers is not None:
        return options.workers
    cores = os.cpu_count() or 1
    # One more than cores, since a write waits for the disk.
    return max(cores + 1, source.concurrency if source.is_remote else 1)


def _notes(task: BakeTask) -> tuple[str, ...]:
    notes = []
    if task.leaves_grid:
        notes.append(
            "part of the moved image lies outside the grid of the source and was left"
            " out: --fit holds all of it"
        )
    if task.info.labels:
        names = ", ".join(task.info.labels)
        notes.append(f"label images beside the source were not transformed: {names}")
    return tuple(notes)
