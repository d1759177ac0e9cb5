"""Reading a finished file back with the reader that opens Imaris files here.

Every histogram has to count every voxel (those that are no numbers left out), and the
chunks that are looked at have to hold what was written, told by their check sums. So
the source, which may be expensive, is not read again.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from math import prod
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from brickfield.errors import ChunkReadError, StoreWriteError
from brickfield.imaris.planning.plan import ExportPlan
from brickfield.model import Int3

SAMPLED = 8
"""Chunks of each level that are read back when not all are."""
AnyArray = NDArray[Any]
Place = tuple[int, int, int, Int3]
"""Level, time point, channel, chunk."""


class DamagedFileError(StoreWriteError):
    """Raised when a file that was written holds something else."""


@dataclass(eq=False)
class CheckSums:
    """Check sums of the chunks that will be read back. From any thread.

    Attributes
    ----------
    all_chunks : bool
    sums : dict
    """

    all_chunks: bool
    n_chunks: tuple[int, ...]
    sums: dict[Place, int] = field(default_factory=dict)
    _seen: dict[int, int] = field(default_factory=dict)

    def note(self, place: Place, chunk: AnyArray) -> None:
        """Record the check sum of a chunk, or of every nth.

        Parameters
        ----------
        place : Place
            Level, time point, channel and position.
        chunk : ndarray, shape (z, y, x)
        """
        level = place[0]
        seen = self._seen[level] = self._seen.get(level, -1) + 1
        step = 1 if self.all_chunks else max(1, self.n_chunks[level] // SAMPLED)
        if seen % step == 0:
            self.sums[place] = check_sum(chunk)


def check_sum(chunk: AnyArray) -> int:
    """Return the CRC-32 of a chunk, padding included."""
    try:
        from isal.isal_zlib import crc32  # the same numbers, faster
    except ImportError:
        from zlib import crc32
    return int(crc32(chunk.data))


def check_sums(plan: ExportPlan, *, all_chunks: bool) -> CheckSums:
    """Return empty check sums for a plan.

    Parameters
    ----------
    plan : ExportPlan
    all_chunks : bool
        Record all chunks instead of a sample.
    """
    counts = tuple(
        prod(-(-n // c) for n, c in zip(lv.shape, lv.chunk_shape, strict=True))
        * plan.n_times
        * plan.n_channels
        for lv in plan.levels
    )
    return CheckSums(all_chunks, counts)


def verify(path: Path, plan: ExportPlan, sums: CheckSums) -> int:
    """Read a file back.

    Parameters
    ----------
    path : Path
        The finished file.
    plan : ExportPlan
        What it was written by.
    sums : CheckSums

    Returns
    -------
    int
        Chunks that were compared.

    Raises
    ------
    DamagedFileError
        Naming the first part that is not as it was written.
    """
    from brickfield.sources.hdf5 import open_imaris as open_source

    source = open_source(str(path))
    try:
        found = [lv.shape for lv in source.info.pyramid.levels]
        wanted = [(plan.n_times, plan.n_channels, *lv.shape) for lv in plan.levels]
        if found != wanted or source.info.pyramid.dtype != plan.dtype:
            raise _differs(path, f"levels {wanted}", str(found))
        with ThreadPoolExecutor(plan.n_workers, "imaris-verify") as pool:
            compared = pool.map(
                lambda known: _compare(source, path, plan, *known), sums.sums.items()
            )
            try:
                list(compared)
            except BaseException:
                # The first difference tells enough.
                pool.shutdown(cancel_futures=True)
                raise
    except ChunkReadError as error:
        raise _differs(path, "readable chunks", error.reason) from error
    finally:
        source.close()
    _check_histograms(path, plan)
    return len(sums.sums)


def _compare(
    source: Any, path: Path, plan: ExportPlan, place: Place, check: int
) -> None:
    level, time, channel, index = place
    data = source.read_storage_chunk(level, (time, channel, *index)).data
    whole = np.zeros(plan.levels[level].chunk_shape, plan.dtype)
    if data is not None:
        whole[tuple(slice(n) for n in data.shape[2:])] = data[0, 0]
    if check_sum(whole) != check:
        raise _differs(path, f"chunk {index} of level {level} as written", "another")


def _check_histograms(path: Path, plan: ExportPlan) -> None:
    from brickfield.sources.hdf5 import HDF5_LOCK, open_file

    shared = open_file(path)
    try:
        for level, about in enumerate(plan.levels):
            n_voxels = prod(about.shape)
            for time in range(plan.n_times):
                for channel in range(plan.n_channels):
                    place = (
                        f"ResolutionLevel {level}/TimePoint {time}/Channel {channel}"
                    )
                    with HDF5_LOCK:
                        counts = shared.file[f"DataSet/{place}/Histogram"]
                        counted = int(counts[...].sum())
                    is_right = counted == n_voxels
                    if plan.dtype.kind == "f":
                        is_right = counted <= n_voxels
                    if not is_right:
                        text = f"a histogram of {n_voxels} voxels in {place}"
                        raise _differs(path, text, str(counted))
    finally:
        shared.close()


def _differs(path: Path, wanted: str, found: str) -> DamagedFileError:
    msg = (
        f"expected {wanted} when {path} was read back; found {found}: write it again, to"
        " another disk if it happens twice"
    )
    return DamagedFileError(msg)
