"""``brickfield pyramid SRC DST``: the one call behind the command."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from threading import Event
from typing import Any, cast

from brickfield.blockwise import Progress
from brickfield.pyramid.options import PyramidOptions
from brickfield.pyramid.result import PyramidResult
from brickfield.pyramid.task import plan_task
from brickfield.pyramid.writer import run_task
from brickfield.sources import ChunkSource
from brickfield.writing import Method, Triple
from brickfield.writing.place import local_path


def write_pyramid(  # noqa: PLR0913 -- one keyword for each option of the command
    source: ChunkSource | str | Path,
    dst: str | Path,
    *,
    version: str | None = None,
    factors: Triple = "auto",
    chunk_shape: Triple = 64,
    shard_shape: Triple | None = None,
    compressor: str = "zstd",
    method: Method | None = None,
    levels: int | None = None,
    scheduler: str | None = None,
    budget: str | int = "1 GiB",
    workers: int | None = None,
    overwrite: bool = False,
    resume: bool = True,
    skip_failed: bool = False,
    opening: Mapping[str, Any] | None = None,
    progress: Progress | None = None,
    cancel: Event | None = None,
) -> PyramidResult:
    """Write a multiscale OME-Zarr image, or add the levels that one lacks.

    Parameters
    ----------
    source : ChunkSource, str or Path
        Any source; a source given open stays open.
    dst : str or Path
        Folder on this machine. When it is the OME-Zarr image that `source` reads,
        only missing levels are added; else a new store is written.
    version, factors, chunk_shape, shard_shape, compressor, method, levels
        What is written, see :class:`~brickfield.pyramid.options.PyramidOptions`.
    scheduler, budget, workers, overwrite, resume, skip_failed
        How it is written, see there.
    opening : mapping, optional
        How `source` is opened, as for :func:`brickfield.open_store`.
    progress : callable, optional
        Told (blocks done, blocks in all, bytes written, seconds left or None), on
        this thread.
    cancel : Event, optional
        Set it (from any thread) to stop after the blocks under way; the same call
        goes on later.

    Returns
    -------
    PyramidResult
        Not complete when it was cancelled, or blocks failed and `skip_failed` is
        off; the store is then not published and the same call tries them again.

    Raises
    ------
    OptionError
        When an option cannot be used or something is in the way.
    BudgetError
        When the budget does not hold one chunk (or shard) and what it is made of.
    StoreWriteError
        When there is no room to write; the same call goes on later.
    """
    options = PyramidOptions(
        version=version,
        factors=factors,
        chunk_shape=chunk_shape,
        shard_shape=shard_shape,
        compressor=compressor,
        method=method,
        levels=levels,
        scheduler=scheduler,
        budget=budget,
        workers=workers,
        overwrite=overwrite,
        resume=resume,
        skip_failed=skip_failed,
    )
    root = local_path(dst)
    if not isinstance(source, str | Path):
        # A mosaic is given open with room to move its tiles in, which is not written.
        trim = getattr(source, "without_room", None)
        source = source if trim is None else cast("ChunkSource", trim())
        task = plan_task(source, None, root, options)
        return run_task(task, source, options, progress, cancel)
    from brickfield.sources import open_source
    from brickfield.sources.images import notes_on_choice

    uri = str(source)
    given = dict(opening or {})
    opened = open_source(uri, **given)
    try:
        task = plan_task(opened, uri, root, options)
        task = replace(task, reader=replace(task.reader, opening=tuple(given.items())))
        result = run_task(task, opened, options, progress, cancel)
        notes = notes_on_choice(opened.info, given)
        return replace(result, notes=(*result.notes, *notes))
    finally:
        opened.close()
