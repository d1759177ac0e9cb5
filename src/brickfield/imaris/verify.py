"""Reading a finished file back with the reader that opens Imaris files here.

Every histogram has to count every voxel (those that are no numbers left out), and the
chunks that are looked at have to hold what was written, told by their check sums. So
the source, which may be expensive, is not read again. Chunks of an earlier run that
noted none are decoded, which proves the check sum of the compressed stream alone.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from itertools import chain
from math import prod
from pathlib import Path
from typing import Any

import numpy as np

from brickfield.errors import ChunkReadError, StoreWriteError
from brickfield.imaris.check_sums import CheckSums, Place, check_sum
from brickfield.imaris.planning.plan import ExportPlan


class DamagedFileError(StoreWriteError):
    """Raised when a file that was written holds something else."""


def verify(path: Path, plan: ExportPlan, sums: CheckSums) -> tuple[int, int]:
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
    (int, int)
        Chunks that were compared, and those that were decoded alone.

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
        unknown = dict.fromkeys(sums.unknown())
        with ThreadPoolExecutor(plan.n_workers, "imaris-verify") as pool:
            compared = pool.map(
                lambda known: _compare(source, path, plan, *known),
                chain(sums.sums.items(), unknown.items()),
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
    return len(sums.sums), len(unknown)


def _compare(
    source: Any, path: Path, plan: ExportPlan, place: Place, check: int | None
) -> None:
    level, time, channel, index = place
    data = source.read_storage_chunk(level, (time, channel, *index)).data
    whole = np.zeros(plan.levels[level].chunk_shape, plan.dtype)
    if data is not None:
        whole[tuple(slice(n) for n in data.shape[2:])] = data[0, 0]
    if check is not None and check_sum(whole) != check:
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
