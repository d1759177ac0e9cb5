"""What is to be written and where, decided before anything is touched.

A source goes whole into a new store (level 0 is copied), or, when it is the
OME-Zarr folder that is written to, gets the levels it lacks.
"""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import uuid4

from brickfield.errors import OptionError, StoreFormatError
from brickfield.model import AffineTransform, Axis, ImageInfo, Int3
from brickfield.pyramid.options import PyramidOptions
from brickfield.sources import (
    ChunkSource,
    Fingerprint,
    fingerprint,
    of_files,
)
from brickfield.sources.images import refuse_preview
from brickfield.writing import Method, SourceReader, StoredLevel, check_folder, place
from brickfield.writing import described_level as stored_level
from brickfield.writing.level_plans import (
    LevelPlan,
    coarser_levels,
    image_levels,
    level_names,
    make_level,
    written_order,
)
from brickfield.writing.metadata import Group, last_geometry, read_group
from brickfield.writing.stores import check_array, remove_contents


@dataclass(frozen=True)
class Task:
    """What is to be written, decided before anything is touched.

    Attributes
    ----------
    root : Path
    group : metadata.Group or None
        The image that levels are added to; None for a new store.
    version : str
    info : ImageInfo
        Of the source.
    reader : SourceReader
    axes : tuple of Axis
        In the written order.
    plans : tuple of LevelPlan
    method : {"mean", "mode"}
    """

    root: Path
    group: Group | None
    version: str
    info: ImageInfo
    reader: SourceReader
    axes: tuple[Axis, ...]
    plans: tuple[LevelPlan, ...]
    method: Method

    @property
    def placement(self) -> AffineTransform | None:
        """What the metadata of a new store say besides the boxes of its levels."""
        return self.info.placement if self.version == "0.6" else None

    def stored(
        self, compressor: str, n_threads: int | None = None
    ) -> list[StoredLevel]:
        """Describe the arrays to be written.

        Parameters
        ----------
        compressor : str
            "zstd", "blosc" or "none".
        n_threads : int, optional
            Threads that encode; None leaves it to tensorstore.
        """
        header = {
            "version": self.version,
            "compressor": compressor,
            "fill_value": self.info.pyramid.levels[self.reader.level].fill_value,
            "names": [a.name for a in self.axes],
            "run": uuid4().hex,
            "n_threads": n_threads,
        }
        return [
            stored_level(self.root, p, self.reader.dtype, header) for p in self.plans
        ]

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
            "source": self._name_of(source),
            "source data": self.source_data(source),
            "source shape": list(self.reader.shape),
            "method": self.method,
            "factors": [list(p.factors) for p in self.plans],
            "levels": [p.path for p in self.plans],
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
        level = self.reader.level
        if self.group is None:
            return fingerprint(source, level, reads_voxels=reads_voxels)
        # The folder round it changes, since it is written to.
        return of_files([self.root / self.info.pyramid.levels[level].path])

    def _name_of(self, source: ChunkSource) -> str:
        """Say which source this is, whatever its data are like now."""
        if self.group is not None:
            return "this folder"
        return self.reader.journal_name(source, self.info)

    def check_target(self, source: ChunkSource) -> None:
        """Refuse to write where the source is read from.

        Raises
        ------
        OptionError
        """
        if self.group is None:
            check_folder(self.root, source)
            return
        for p in self.plans:
            check_folder(self.root / p.path, source, within=self.root)

    def remove_written(self) -> None:
        """Remove what an earlier run wrote.

        Raises
        ------
        OptionError
            When something else lies there; then nothing is removed.
        """
        if self.group is None:
            if place.has_journal(self.root):
                remove_contents(self.root)
            return
        folders = [self.root / p.path for p in self.plans]
        folders = [f for f in folders if f.exists() or f.is_symlink()]
        for folder in folders:
            check_array(folder)
        place.remove_journal(self.root)
        for folder in folders:
            shutil.rmtree(folder)


def plan_task(
    source: ChunkSource, uri: str | None, root: Path, options: PyramidOptions
) -> Task:
    """Decide what is to be written.

    Parameters
    ----------
    source : ChunkSource
    uri : str or None
        What the source was opened by; None for arrays in memory.
    root : Path
        Folder to write.
    options : PyramidOptions

    Raises
    ------
    OptionError, StoreFormatError
        When source, folder and options do not fit together.
    """
    info = source.info
    refuse_preview(info)
    pyramid = info.pyramid
    kind = pyramid.dtype.kind
    if kind not in "biuf":
        msg = (
            f"expected integers, floats or booleans; found {pyramid.dtype.name}: write"
            f" a real part or a magnitude first"
        )
        raise OptionError(msg)
    is_mode = info.is_labels or kind == "b"
    method: Method = options.method or ("mode" if is_mode else "mean")
    if place.same_folder(info.uri, root):
        return _plan_addition(source, uri, root, options, method)
    order = written_order([a.kind for a in pyramid.axes], pyramid.spatial_axes)
    first_level = pyramid.levels[0]
    size = tuple(float(first_level.voxel_size[a]) for a in order)
    shift = tuple(float(first_level.translation[a]) for a in order)
    plans = image_levels(
        tuple(first_level.shape[a] for a in order),
        (size, shift),
        _moved(pyramid.spatial_axes, order),
        options.level_options,
        options.levels,
    )
    return Task(
        root,
        None,
        options.version or "0.5",
        info,
        SourceReader(0, order, uri, source, skip_failed=options.skip_failed),
        tuple(pyramid.axes[a] for a in order),
        plans,
        method,
    )


def _moved(spatial_axes: Int3, order: tuple[int, ...]) -> Int3:
    z, y, x = (order.index(a) if a >= 0 else -1 for a in spatial_axes)
    return (z, y, x)


def _plan_addition(
    source: ChunkSource,
    uri: str | None,
    root: Path,
    options: PyramidOptions,
    method: Method,
) -> Task:
    info = source.info
    pyramid = info.pyramid
    group = read_group(root)
    if options.version not in (None, group.version):
        msg = (
            f"expected version {group.version}, as the store {root} has; found"
            f" {options.version}: write to another folder to change it"
        )
        raise OptionError(msg)
    if group.version == "0.4" and options.shard_shape is not None:
        msg = (
            f"expected no shards in OME-Zarr 0.4; found some for {root}: leave them out"
        )
        raise OptionError(msg)
    paths = [str(d["path"]) for d in group.image["datasets"]]
    if paths != [lv.path for lv in pyramid.levels]:
        msg = (
            f"expected the levels {', '.join(paths)} of the first image in {root}; the"
            f" source shows {', '.join(lv.path for lv in pyramid.levels)}: write to"
            f" another folder"
        )
        raise StoreFormatError(msg)
    last, levels = pyramid.levels[-1], options.level_options
    spatial, geometry = pyramid.spatial_axes, last_geometry(group)
    first = make_level(last.path, last.shape, geometry, spatial, levels)
    n_new = None if options.levels is None else options.levels - pyramid.n_levels
    names = level_names(paths)
    plans = coarser_levels(first, spatial, names, levels, n_new)
    order = tuple(range(len(pyramid.axes)))
    last_level = pyramid.n_levels - 1
    reader = SourceReader(
        last_level, order, uri, source, skip_failed=options.skip_failed
    )
    return Task(
        root, group, group.version, info, reader, pyramid.axes, tuple(plans), method
    )
