"""One layer's image in a session: all its voxels, or a small preview of them.

The image's own metadata are written after its voxels; the collection round it is
published by the writer of the session.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import CancelledError
from contextlib import closing
from dataclasses import dataclass
from math import prod
from pathlib import Path
from threading import Event
from typing import Any
from uuid import uuid4

import numpy as np
from numpy.typing import NDArray

from brickfield.blockwise import BlockJob, JobOptions, Progress, open_executor, run_jobs
from brickfield.errors import BrickfieldError, StoreWriteError
from brickfield.model import Channel
from brickfield.sessions.contents import SessionOptions
from brickfield.sessions.document import SessionImage
from brickfield.sessions.voxels import LayerGrid, LayerReader
from brickfield.sources import ChunkSource
from brickfield.writing import LevelOptions, Method, StoredLevel, fitting_jobs
from brickfield.writing import described_level as stored_level
from brickfield.writing import downsample_downsample as downsample
from brickfield.writing.level_plans import LevelPlan, image_levels
from brickfield.writing.metadata import (
    image_attributes,
    method_attributes,
    new_group,
    omero_attributes,
)

PREVIEW_BYTES = 2 << 20
"""Most of a preview, before compression."""
MOST_READ = 64 << 20
"""Of a coarsest level, decoded, that is read for a preview."""
MADE_BY = "brickfield.sessions.SessionManager"


@dataclass(frozen=True)
class LayerImage:
    """What is written of one layer.

    Attributes
    ----------
    image : str
        Its number, the name of its folder.
    source : ChunkSource
        Open.
    channel : int or None
        That is shown; None for all.
    about : Channel
        Name, colour and window for other programs.
    is_labels : bool
    position : dict of str to int
        Index on further axes that a preview shows.
    """

    image: str
    source: ChunkSource
    channel: int | None
    about: Channel
    is_labels: bool
    position: dict[str, int]

    @property
    def grid(self) -> LayerGrid:
        """Axes of the layer."""
        return LayerGrid.of(self.source.info.pyramid, self.channel)

    @property
    def written_channel(self) -> int | None:
        """What a scene calls the channel of the image that is written."""
        return None if any(a.kind == "channel" for a in self.grid.axes) else 0

    @property
    def method(self) -> Method:
        """How voxels of coarser levels are made."""
        dtype = self.source.info.pyramid.dtype
        return "mode" if self.is_labels or dtype.kind == "b" else "mean"


def described(one: LayerImage, *, embedded: bool) -> SessionImage:
    """Describe the grid of level 0, with axes as the layer has them.

    Parameters
    ----------
    one : LayerImage
    embedded : bool
        Whether the voxels are in the session.
    """
    level, grid = one.source.info.pyramid.levels[0], one.grid
    return SessionImage(
        image=one.image,
        embedded=embedded,
        shape=grid.in_layer(grid.shown(level.shape)),
        voxel_size=grid.in_layer(grid.shown(tuple(map(float, level.voxel_size)))),
        translation=grid.in_layer(grid.shown(tuple(map(float, level.translation)))),
    )


# -- all voxels --------------------------------------------------------------------


def embedding_jobs(
    one: LayerImage, root: Path, options: SessionOptions
) -> tuple[list[BlockJob], Callable[[], None], int]:
    """Plan to copy a layer block by block.

    Parameters
    ----------
    one : LayerImage
    root : Path
        Folder of the session.
    options : SessionOptions

    Returns
    -------
    jobs : list of BlockJob
    publish : callable
        Writes the image's metadata once they are done.
    n_workers : int
    """
    level, grid = one.source.info.pyramid.levels[0], one.grid
    reader = LayerReader.of(one.source, 0, grid)
    size = tuple(map(float, grid.shown(level.voxel_size)))
    shift = tuple(map(float, grid.shown(level.translation)))
    how = LevelOptions(options.chunk_zyx, options.shard_zyx)
    shape = tuple(map(int, grid.shown(level.shape)))
    plans = image_levels(shape, (size, shift), grid.spatial_axes, how)
    stored = _arrays(one, root, plans, reader.dtype, options)
    limits = (options.budget_bytes, options.workers or 4)
    jobs, n_workers = fitting_jobs(reader, plans, stored, one.method, limits)

    def publish() -> None:
        _publish(one, root, plans, options.version, _window(one, stored[-1]))

    return jobs, publish, n_workers


def embed(
    images: list[LayerImage],
    root: Path,
    options: SessionOptions,
    progress: Progress | None,
    cancel: Event | None,
) -> list[SessionImage]:
    """Copy the voxels of layers into a session.

    Parameters
    ----------
    images : list of LayerImage
    root : Path
        Folder of the session.
    options : SessionOptions
    progress : Progress or None
        Called with what is done and what there is.
    cancel : Event or None
        Ends the work.

    Raises
    ------
    StoreWriteError
        When a block cannot be read or written.
    CancelledError
    """
    planned = [embedding_jobs(one, root, options) for one in images]
    jobs = [job for jobs, _, _ in planned for job in jobs]
    n_workers = min((n for _, _, n in planned), default=1)
    with closing(open_executor(None, n_workers)) as executor:
        result = run_jobs(jobs, executor, JobOptions(None, progress, cancel))
    if cancel is not None and cancel.is_set():
        raise CancelledError
    if not result.is_complete:
        reason = result.failures[0].reason if result.failures else "it was stopped"
        msg = f"expected to copy all voxels into the session; found: {reason}"
        raise StoreWriteError(msg)
    for _, publish, _ in planned:
        publish()
    return [described(one, embedded=True) for one in images]


def _arrays(
    one: LayerImage,
    root: Path,
    plans: tuple[LevelPlan, ...],
    dtype: np.dtype[Any],
    options: SessionOptions,
) -> list[StoredLevel]:
    fill = one.source.info.pyramid.levels[0].fill_value
    header = {
        "version": options.version,
        "compressor": "zstd",
        "fill_value": abs(fill) if isinstance(fill, complex) else fill,
        "names": [a.name for a in one.grid.axes],
        "run": uuid4().hex,
        "n_threads": options.workers,
        # The whole folder is synced before it is put in place.
        "syncs": False,
    }
    stored = [stored_level(root / one.image, plan, dtype, header) for plan in plans]
    for level in stored:
        level.create()
    return stored


def _window(one: LayerImage, level: StoredLevel) -> tuple[float, float]:
    """Return the contrast that the layer has, else what a coarse level spans."""
    if one.about.window is not None:
        return one.about.window
    corner = tuple(
        slice(0, 1 if n > 1 and i < len(level.shape) - 3 else n)
        for i, n in enumerate(level.shape)
    )
    return _span(level.read(corner))


def _span(data: NDArray[Any]) -> tuple[float, float]:
    good = data[np.isfinite(data)] if data.dtype.kind == "f" else data
    if good.size == 0:
        return (0.0, 1.0)
    low, high = float(good.min()), float(good.max())
    return (low, high) if low < high else (low, low + 1.0)


# -- previews ----------------------------------------------------------------------


def preview(one: LayerImage, root: Path, options: SessionOptions) -> SessionImage:
    """Write a layer's coarsest level, or less of it where that is large.

    What cannot be read, or would take long, is left out: the image is there, its
    chunks are missing.

    Parameters
    ----------
    one : LayerImage
    root : Path
        Folder of the session.
    options : SessionOptions
    """
    pyramid, grid = one.source.info.pyramid, one.grid
    number = pyramid.n_levels - 1
    level = pyramid.levels[number]
    reader = LayerReader.of(one.source, number, grid)
    shape = tuple(map(int, reader.shape))
    n_other = len(shape) - (3 if grid.has_z else 2)
    factors = _factors(shape, n_other, reader.dtype.itemsize)
    made = tuple(-(-n // f) for n, f in zip(shape, factors, strict=True))
    size = tuple(map(float, grid.shown(level.voxel_size)))
    shift = tuple(
        float(t) + s * (f - 1) / 2
        for t, s, f in zip(grid.shown(level.translation), size, factors, strict=True)
    )
    size = tuple(s * f for s, f in zip(size, factors, strict=True))
    chunk = (1,) * n_other + made[n_other:]
    plan = LevelPlan("0", made, size, shift, (1,) * len(made), chunk, chunk)
    (stored,) = _arrays(one, root, (plan,), reader.dtype, options)
    data = _seen(one, reader, n_other, factors)
    if data is not None:
        place, voxels = data
        stored.write(place, voxels)
    window = one.about.window or ((0.0, 1.0) if data is None else _span(data[1]))
    _publish(one, root, (plan,), options.version, window)
    return described(one, embedded=False).model_copy(
        update={
            "preview_voxel_size": grid.in_layer(size),
            "preview_translation": grid.in_layer(shift),
        }
    )


def _factors(shape: tuple[int, ...], n_other: int, itemsize: int) -> tuple[int, ...]:
    """Choose how many voxels join, so that one volume is no more than a preview."""
    factors = [1] * len(shape)

    def left(axis: int) -> int:
        return -(-shape[axis] // factors[axis])

    space = range(n_other, len(shape))
    while itemsize * prod(left(a) for a in space) > PREVIEW_BYTES:
        factors[max(space, key=left)] *= 2
    return tuple(factors)


def _seen(
    one: LayerImage, reader: LayerReader, n_other: int, factors: tuple[int, ...]
) -> tuple[tuple[slice, ...], NDArray[Any]] | None:
    """Read the volume at the layer's position; None if that would take too long."""
    shape, grid = reader.shape, one.grid
    at = [
        min(max(one.position.get(axis.name, 0), 0), n - 1)
        for axis, n in zip(grid.axes[:n_other], shape, strict=False)
    ]
    place = tuple(slice(i, i + 1) for i in at)
    region = place + tuple(slice(0, n) for n in shape[n_other:])
    level = one.source.info.pyramid.levels[-1]
    n_read = reader.dtype.itemsize * prod(shape[n_other:]) * level.read_factor
    if n_read > MOST_READ:
        return None
    try:
        voxels = downsample(reader.read(region), factors, one.method)
    except BrickfieldError:
        return None
    return place + tuple(slice(0, n) for n in voxels.shape[n_other:]), voxels


# -- metadata ----------------------------------------------------------------------


def _publish(
    one: LayerImage,
    root: Path,
    plans: tuple[LevelPlan, ...],
    version: str,
    window: tuple[float, float],
) -> None:
    attributes = image_attributes(version, one.about.name, one.grid.axes, plans)
    attributes["multiscales"][0].update(method_attributes(one.method, MADE_BY))
    if one.is_labels:
        attributes["image-label"] = {"version": "0.4"} if version == "0.4" else {}
    else:
        dtype = one.source.info.pyramid.dtype
        limits = None
        if dtype.kind in "iu":
            kinds = np.iinfo(dtype)  # type: ignore[type-var]
            limits = (float(kinds.min), float(kinds.max))
        attributes.update(omero_attributes(*_channels(one, window), limits))
    new_group(root / one.image, version, attributes).publish(syncs=False)


def _channels(
    one: LayerImage, window: tuple[float, float]
) -> tuple[list[Channel], list[tuple[float, float]]]:
    """Return one entry for each channel that the image has."""
    kinds = [a.kind for a in one.grid.axes]
    if "channel" not in kinds:
        return [one.about], [window]
    known = one.source.info.channels
    return list(known), [channel.window or window for channel in known]
