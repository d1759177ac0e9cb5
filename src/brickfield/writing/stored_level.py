"""One array of the store that is being written, frozen and picklable.

A block is written by one call into storage chunks of its own, each file replaced
whole, so a kill leaves old or new chunks and never half ones. A chunk is on disk when
its write returns, or, where levels are made so, after :meth:`StoredLevel.sync`.
"""

from __future__ import annotations

import errno
import json
import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import tensorstore as ts
from numpy.typing import NDArray

from brickfield.blockwise import BlockGrid, Slices
from brickfield.errors import StoreWriteError
from brickfield.writing.commit import begin_sync, sync_places
from brickfield.writing.level_plans import LevelPlan
from brickfield.writing.specs import array_spec

AnyArray = NDArray[np.generic]
_NO_ROOM = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EROFS, errno.EACCES)


@dataclass(frozen=True)
class StoredLevel:
    """One array of the written store.

    Attributes
    ----------
    folder : str
        Of the array.
    spec : str
        What tensorstore opens or creates, JSON.
    shape, chunk_shape, write_shape : tuple of int
    fill_value : float or int
    run : str
        Unique to a run: an array replaced since an earlier one is reopened.
    n_threads : int or None
        That encode chunks at once; one for each core if not given.
    syncs : bool
        Whether every chunk is on disk when its write returns; else whoever writes
        the folder syncs all of it.
    """

    folder: str
    spec: str
    shape: tuple[int, ...]
    chunk_shape: tuple[int, ...]
    write_shape: tuple[int, ...]
    fill_value: float | int
    run: str
    n_threads: int | None = None
    syncs: bool = True

    def create(self) -> None:
        """Write the array's metadata, unless it is there.

        Raises
        ------
        StoreWriteError
            When there is no room or no right to write.
        """
        try:
            self._opened()
        except (ValueError, OSError) as e:
            raise _write_error(e, self.folder) from e

    def _opened(self) -> Any:
        # Cached by value: the object is pickled to workers, where it opens by itself.
        return _open_level(self.spec, self.run, self.n_threads, self.syncs)

    def read(self, region: Slices) -> AnyArray:
        """Read a region."""
        return np.asarray(self._opened()[region].read().result())

    def write(self, region: Slices, data: AnyArray) -> None:
        """Write a region of whole chunks (or shards).

        Parameters
        ----------
        region : Slices
            One slice per axis, at borders of chunks (or shards).
        data : ndarray, shape of the region

        Raises
        ------
        StoreWriteError
            When there is no room or no right to write.
        """
        array = self._opened()
        try:
            if self.write_shape == self.chunk_shape:
                # The block lives until the write is over: no copy of it is made.
                array[region].write(
                    data, can_reference_source_data_indefinitely=True
                ).result()
            else:
                # One transaction, so that a shard is encoded and written once.
                with ts.Transaction() as transaction:
                    array.with_transaction(transaction)[region] = data
        except (ValueError, OSError) as e:
            raise _write_error(e, self.folder) from e
        if not self.syncs:
            for file in self._files(region):
                begin_sync(file)

    def is_missing(self, region: Slices) -> bool:
        """Tell whether nothing of a region is stored."""
        return not any(file.exists() for file in self._files(region))

    def _files(self, region: Slices) -> Iterator[Path]:
        grid = BlockGrid(self.shape, self.write_shape)
        is_v3 = "zarr3" in self.spec
        for block in grid.overlapping(region):
            parts = [str(i) for i in block.index]
            yield Path(self.folder, *(["c", *parts] if is_v3 else parts))

    def sync(self, regions: Iterable[Slices]) -> None:
        """Have on disk what was written to regions without waiting for it.

        Parameters
        ----------
        regions : iterable of Slices

        Raises
        ------
        StoreWriteError
            When there is no room.
        """
        files = {file for region in regions for file in self._files(region)}
        try:
            sync_places(files)
            sync_places({file.parent for file in files})
        except OSError as e:
            raise _write_error(e, self.folder) from e


@lru_cache(maxsize=64)
def _open_level(spec: str, run: str, n_threads: int | None, syncs: bool) -> Any:
    return ts.open(
        json.loads(spec), create=True, open=True, context=_context(n_threads, syncs)
    ).result()


@lru_cache(maxsize=8)
def _context(n_threads: int | None, syncs: bool) -> Any:
    return ts.Context(
        {
            "data_copy_concurrency": {"limit": n_threads or os.cpu_count() or 1},
            # With locks a chunk is first written to one file of a fixed name, and
            # that is not emptied first: a shorter chunk after a killed run ended in
            # the old one's bytes. Without, every write has a new file to rename, and
            # the journal keeps other processes away.
            "file_io_locking": {"mode": "none"},
            "file_io_sync": syncs,
        }
    )


def _write_error(error: Exception, folder: str) -> Exception:
    """Turn what no other block can do better into a StoreWriteError."""
    text = str(error)
    # tensorstore gives errors as text: the system's own words for them are looked for.
    number = next((n for n in _NO_ROOM if os.strerror(n) in text), None)
    if number is None:
        return error
    msg = (
        f"expected to write to {folder}; found: {os.strerror(number).lower()}: make"
        f" room or allow it, then run the same command again to go on"
    )
    return StoreWriteError(msg)


def stored_level(
    root: Path, plan: LevelPlan, dtype: np.dtype[np.generic], header: dict[str, Any]
) -> StoredLevel:
    """Describe an array to be written.

    Parameters
    ----------
    root : Path
        Group.
    plan : LevelPlan
    dtype : numpy.dtype
    header : dict
        ``version``, ``compressor``, ``fill_value``, ``names`` of the axes,
        ``run`` and, where they are told, ``n_threads`` and ``syncs``.
    """
    folder = str(root.resolve() / plan.path)
    spec = array_spec(plan, dtype, header)
    spec["kvstore"] = {"driver": "file", "path": folder + "/"}
    return StoredLevel(
        folder,
        json.dumps(spec, sort_keys=True),
        plan.shape,
        plan.chunk_shape,
        plan.write_shape,
        header["fill_value"],
        header["run"],
        header.get("n_threads"),
        header.get("syncs", True),
    )
