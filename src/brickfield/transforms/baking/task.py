"""What is baked and where it is written, decided before anything is touched."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import product
from math import prod
from pathlib import Path
from threading import Event
from typing import Any
from uuid import uuid4

import numpy as np

from brickfield.blockwise import BlockJob, format_bytes
from brickfield.errors import BudgetError, OptionError
from brickfield.model import Axis, ImageInfo, Int3
from brickfield.sources import ChunkSource, Fingerprint, fingerprint
from brickfield.sources.images import refuse_preview
from brickfield.transforms.baking.blocks import BakedBlock, TiledGrid
from brickfield.transforms.baking.chunk_cache import KeptReader
from brickfield.transforms.baking.options import BakeOptions
from brickfield.transforms.operations.convention import Matrix, translation
from brickfield.transforms.operations.grid import Region, parse_region
from brickfield.transforms.operations.operation import key_of
from brickfield.transforms.operations.rounding import check_fill
from brickfield.transforms.recipes import (
    Downsample,
    Place,
    Plan,
    Recipe,
    Sampling,
)
from brickfield.writing import (
    LevelOptions,
    Method,
    SourceReader,
    StoredLevel,
    fitting_jobs,
    place,
)
from brickfield.writing import described_level as stored_level
from brickfield.writing.images import NewImage
from brickfield.writing.level_plans import LevelPlan, image_levels, written_order

LEVELS = LevelOptions()
"""Chunks of 64³ voxels, and levels until one chunk holds the coarsest."""


@dataclass(frozen=True)
class BakeTask:
    """What is baked and where it is written.

    Attributes
    ----------
    root : Path
    version : str
    info : ImageInfo
        Of the source.
    reader : SourceReader
        Of the level that is read, axes in the written order.
    axes : tuple of Axis
        In the written order.
    spatial_axes : tuple of int
        Positions of z, y, x in the written order.
    lead_start : tuple of int
        First index that is read along every axis.
    plan : Plan
        For one volume; its place is that of the whole output.
    region : tuple of slice
        Part of the output that is written.
    levels : tuple of LevelPlan
    method : {"mean", "mode"}
    """

    root: Path
    version: str
    info: ImageInfo
    reader: SourceReader
    axes: tuple[Axis, ...]
    spatial_axes: Int3
    lead_start: tuple[int, ...]
    plan: Plan
    region: Region
    levels: tuple[LevelPlan, ...]
    method: Method

    @property
    def matrix(self) -> Matrix:
        """From source voxels to voxels that are written, 4 × 4."""
        start = [-s.start for s in self.region]
        return np.asarray(translation(start) @ self.plan.operation.forward())

    @property
    def image(self) -> NewImage:
        """What the metadata tell."""
        return NewImage(
            self.root,
            self.version,
            self.info,
            self.axes,
            self.levels,
            self.method,
            "brickfield.transforms.bake",
            self.plan.place.turned,
        )

    @property
    def leaves_grid(self) -> bool:
        """Whether voxels of the source go beyond the whole output by half a voxel."""
        forward = self.plan.operation.forward()
        ends = [(0.0, n - 1.0) for n in self.source_shape]
        moved = np.array([(*c, 1.0) for c in product(*ends)]) @ forward[:3].T
        last = np.array(self.plan.place.shape) - 0.5
        return bool((moved < -0.5).any() or (moved > last).any())

    @property
    def n_bytes(self) -> int:
        """Bytes of all levels before compression."""
        return sum(prod(p.shape) for p in self.levels) * self.reader.dtype.itemsize

    @property
    def fill_value(self) -> float | int:
        """What there is where nothing is written."""
        fill = getattr(self.plan.operation, "fill", None)
        if fill is None:
            level = self.info.pyramid.levels[self.reader.level]
            return level.fill_value
        return fill if self.reader.dtype.kind == "f" else int(fill)

    def stored(self, n_threads: int | None, *, syncs: bool) -> list[StoredLevel]:
        """Describe the arrays to be written.

        Parameters
        ----------
        n_threads : int or None
            That encode chunks at once.
        syncs : bool
            Whether every write waits for the disk; else the jobs bring much to it at once.
        """
        header = {
            "version": self.version,
            "compressor": "zstd",
            "fill_value": self.fill_value,
            "names": [a.name for a in self.axes],
            "run": uuid4().hex,
            "n_threads": n_threads,
            "syncs": syncs,
        }
        return [
            stored_level(self.root, p, self.reader.dtype, header) for p in self.levels
        ]

    def jobs(
        self, stored: Sequence[StoredLevel], limits: tuple[int, int], cancel: Event
    ) -> tuple[list[BlockJob], int, KeptReader]:
        """Make the jobs for as many workers as the budget allows.

        Parameters
        ----------
        stored : sequence of StoredLevel
        limits : tuple of int
            Budget in bytes for all workers, and the most workers.
        cancel : Event
            Ends blocks between their pieces.

        Returns
        -------
        jobs : list of BlockJob
        n_workers : int
        reader : KeptReader
            To be released after the first job.

        Raises
        ------
        BudgetError
            When the budget does not hold one block and what it is made of.
        """
        budget, n_workers = limits
        first = self.levels[0]
        need, chunk = self._bytes_of_block(first), self._bytes_of_chunk()
        while n_workers > 1 and n_workers * (need + chunk) > budget:
            n_workers -= 1
        if need + chunk > budget:
            msg = (
                f"expected a budget of at least {format_bytes(need + chunk)} for blocks"
                f" of {'x'.join(map(str, first.write_shape))} voxels and what they are"
                f" made of; found {format_bytes(budget)}: raise the budget, or choose a"
                f" coarser level with --level"
            )
            raise BudgetError(msg)
        room = budget - n_workers * need
        kept = KeptReader(self.reader, room // 2, f"{self.root}:{uuid4().hex}")
        jobs = [self._first_job(stored[0], kept, cancel)]
        if len(stored) > 1:
            before = _Written(stored[0], self.reader.dtype)
            coarser, _ = fitting_jobs(
                before,
                self.levels[1:],
                stored[1:],
                self.method,
                (budget - room // 2, n_workers),
            )
            jobs += coarser
        return list(map(_settling, jobs, stored)), n_workers, kept

    def block_function(
        self, kept: KeptReader, target: StoredLevel | None, cancel: Event
    ) -> BakedBlock:
        """Return what makes blocks of level 0.

        Parameters
        ----------
        kept : KeptReader
            Of the source.
        target : StoredLevel or None
            Where they are written; None where none is.
        cancel : Event
            Ends a block between its pieces.
        """
        start = tuple(s.start for s in self.region)
        return BakedBlock(
            kept,
            self.spatial_axes,
            self.lead_start,
            self.plan.operation,
            (start[0], start[1], start[2]),
            target,
            self.info.pyramid.levels[self.reader.level].fill_value,
            cancel,
        )

    def _first_job(
        self, target: StoredLevel, kept: KeptReader, cancel: Event
    ) -> BlockJob:
        first = self.levels[0]
        function = self.block_function(kept, target, cancel)
        n_space = sum(a >= 0 for a in self.spatial_axes)
        grid = TiledGrid(first.shape, first.write_shape, n_space)
        # A journal of other blocks, or of another order, tells nothing of these.
        name = f"0:{'x'.join(map(str, first.write_shape))}:tiled"
        return BlockJob(name, grid, function)

    def _bytes_of_chunk(self) -> int:
        return prod(self.reader.chunk_shape) * self.reader.dtype.itemsize

    def _bytes_of_block(self, level: LevelPlan) -> int:
        """Bound the memory that one worker needs beside the source's chunks."""
        sizes = [level.write_shape[a] if a >= 0 else 1 for a in self.spatial_axes]
        n_block = prod(level.write_shape) * self.reader.dtype.itemsize
        shape = self.source_shape
        operation = self.plan.operation
        return 2 * n_block + operation.scratch_bytes(
            (sizes[0], sizes[1], sizes[2]), shape, self.reader.dtype
        )

    @property
    def source_shape(self) -> Int3:
        """Voxels of the source's level (z, y, x)."""
        return self.info.pyramid.levels[self.reader.level].shape_zyx

    def fingerprint(
        self, source: ChunkSource, stored: Sequence[StoredLevel]
    ) -> dict[str, Any]:
        """Describe this work for the journal.

        Parameters
        ----------
        source : ChunkSource
        stored : sequence of StoredLevel
            The arrays to be written.
        """
        return {
            "source": self.reader.journal_name(source, self.info),
            "source data": self.source_data(source),
            "source shape": list(self.reader.shape),
            "operation": key_of(self.plan.operation),
            "start": [*self.lead_start, *(s.start for s in self.region)],
            "method": self.method,
            "levels": [p.path for p in self.levels],
            "arrays": [s.spec.replace(str(self.root.resolve()), "") for s in stored],
        }

    def source_data(
        self, source: ChunkSource, *, reads_voxels: bool = True
    ) -> Fingerprint:
        """Return the fingerprint of the voxels that are read.

        Parameters
        ----------
        source : ChunkSource
        reads_voxels : bool
            Sample voxels too, not files and times alone.
        """
        return fingerprint(source, self.reader.level, reads_voxels=reads_voxels)


def _settling(job: BlockJob, level: StoredLevel) -> BlockJob:
    """Have a job bring to disk what a level's writes did not wait for."""
    if level.syncs:
        return job
    return replace(job, settle=lambda blocks: level.sync(b.slices for b in blocks))


@dataclass(frozen=True)
class _Written:
    """Level 0 on disk, as what the coarser ones are made from."""

    level: StoredLevel
    dtype: np.dtype[Any]

    @property
    def shape(self) -> tuple[int, ...]:
        return self.level.shape

    @property
    def chunk_shape(self) -> tuple[int, ...]:
        return self.level.chunk_shape

    def is_missing(self, region: tuple[slice, ...]) -> bool:
        return self.level.is_missing(region)

    def read(self, region: tuple[slice, ...]) -> np.ndarray[Any, Any]:
        return self.level.read(region)


def plan_bake(
    reader: SourceReader, root: Path, recipe: Recipe, options: BakeOptions
) -> BakeTask:
    """Decide what is written.

    Parameters
    ----------
    reader : SourceReader
        Of the level that is read, as :func:`reader_of` makes it.
    root : Path
    recipe : Recipe
    options : BakeOptions

    Raises
    ------
    OptionError
        When source, recipe, folder and options do not fit together.
    """
    assert reader.source is not None
    info = reader.source.info
    is_labels = info.is_labels or reader.dtype.kind == "b"
    refuse_preview(info)
    if place.same_folder(info.uri, root):
        msg = f"expected another folder than the source's; found {root} for both"
        raise OptionError(msg)
    check_fill(options.fill, reader.dtype)
    order = options.order_for(is_labels=is_labels)
    sampling = Sampling(order, options.fill, options.fit)
    if is_labels and isinstance(recipe, Downsample):
        recipe = replace(recipe, method="mode")
    level = info.pyramid.levels[options.level]
    version = options.version or "0.5"
    plan = recipe.plan(Place.of(level, info.placement), sampling)
    if version != "0.6":
        plan.place.expect_along_axes("write --version 0.6, which holds that, or ")
    z, y, x = (slice(0, n) for n in plan.place.shape)
    region: Region = (z, y, x)
    if options.region is not None:
        region = parse_region(options.region, plan.place.shape)
    lead = _chosen(info, options)
    spatial = _positions(info.pyramid.spatial_axes, reader.order)
    shape, geometry = _written_space(reader, plan, region, lead)
    return BakeTask(
        root,
        version,
        _info_of(info, lead),
        reader,
        tuple(info.pyramid.axes[a] for a in reader.order),
        spatial,
        tuple(lead[a].start if a in lead else 0 for a in reader.order),
        plan,
        region,
        image_levels(shape, geometry, spatial, LEVELS),
        "mode" if is_labels else "mean",
    )


def reader_of(
    source: ChunkSource,
    uri: str | None,
    level: int,
    opening: Mapping[str, Any] | None = None,
) -> SourceReader:
    """Show one level of a source in the written axis order.

    Parameters
    ----------
    source : ChunkSource
        Open.
    uri : str, optional
        Where other processes open it.
    level : int
    opening : mapping, optional
        Options with which it was opened.

    Raises
    ------
    OptionError
        When it has no such level, or voxels that have no values in between.
    """
    pyramid = source.info.pyramid
    if not 0 <= level < pyramid.n_levels:
        msg = f"expected a level from 0 to {pyramid.n_levels - 1}; found {level}"
        raise OptionError(msg)
    if pyramid.dtype.kind not in "biuf":
        msg = (
            f"expected integers, floats or booleans; found {pyramid.dtype.name}: write"
            f" a real part or a magnitude first"
        )
        raise OptionError(msg)
    if 0 in pyramid.levels[level].shape:
        shape = " × ".join(map(str, pyramid.levels[level].shape))
        msg = f"expected voxels to transform; found an image of {shape}"
        raise OptionError(msg)
    order = written_order([a.kind for a in pyramid.axes], pyramid.spatial_axes)
    return SourceReader(level, order, uri, source, tuple((opening or {}).items()))


def _chosen(info: ImageInfo, options: BakeOptions) -> dict[int, slice]:
    """Return which indices are read along axes of time and channels."""
    pyramid = info.pyramid
    found = {}
    for name, axis, index in (
        ("time", pyramid.time_axis, options.time),
        ("channel", pyramid.channel_axis, options.channel),
    ):
        n = 1 if axis is None else pyramid.levels[options.level].shape[axis]
        if index is not None and not 0 <= index < n:
            msg = f"expected a {name} from 0 to {n - 1}; found {index}"
            raise OptionError(msg)
        if axis is not None:
            found[axis] = slice(0, n) if index is None else slice(index, index + 1)
    return found


def _info_of(info: ImageInfo, lead: Mapping[int, slice]) -> ImageInfo:
    """Return what is known of the image, of the chosen channels alone."""
    axis = info.pyramid.channel_axis
    if axis is None:
        return info
    return replace(info, channels=info.channels[lead[axis]])


def _positions(spatial_axes: Int3, order: Sequence[int]) -> Int3:
    z, y, x = (order.index(a) if a >= 0 else -1 for a in spatial_axes)
    return (z, y, x)


def _written_space(
    reader: SourceReader, plan: Plan, region: Region, lead: Mapping[int, slice]
) -> tuple[tuple[int, ...], tuple[tuple[float, ...], tuple[float, ...]]]:
    """Return shape, voxel size and translation that are written, all axes."""
    assert reader.source is not None
    pyramid = reader.source.info.pyramid
    level = pyramid.levels[reader.level]
    found = []
    for axis in reader.order:
        if axis in pyramid.spatial_axes:
            k = pyramid.spatial_axes.index(axis)
            part = region[k]
            size, origin = plan.place.voxel_size[k], plan.place.origin[k]
        else:
            part = lead.get(axis, slice(0, level.shape[axis]))
            size, origin = level.voxel_size[axis], level.translation[axis]
        found.append(
            (part.stop - part.start, float(size), float(origin + size * part.start))
        )
    shape, sizes, shifts = zip(*found, strict=True)
    return tuple(shape), (tuple(sizes), tuple(shifts))
