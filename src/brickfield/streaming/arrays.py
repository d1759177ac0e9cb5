"""One array of a stream on disk: written by regions beyond what its metadata says.

Metadata are written by this module alone, each file replaced by one rename: what
tensorstore is told is an array whose first axis has no end, so growing takes no lock
and opens nothing again. Storage units are replaced whole, by rename. Nothing is synced
to disk while frames come; :meth:`StreamArray.sync` does it.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import tensorstore as ts
from numpy.typing import NDArray

from brickfield.blockwise import BlockGrid, Slices
from brickfield.writing import array_spec, begin_sync, sync_places
from brickfield.writing.level_plans import LevelPlan

AnyArray = NDArray[np.generic]
ENDLESS = 1 << 40
"""Length of a first axis that grows, as tensorstore is told."""


class StreamArray:
    """One level of a stream. Any thread may read and write; units are disjoint.

    Parameters
    ----------
    root : Path
        Folder of the image.
    plan : LevelPlan
    dtype : numpy.dtype
    header : dict
        ``version``, ``compressor``, ``fill_value``, ``names`` of the axes.
    grows : bool
        Whether the first axis has no end.

    Attributes
    ----------
    plan : LevelPlan
    folder : Path
    shape : tuple of int
        As it may be written to.
    chunk_shape, write_shape : tuple of int
    fill_value : int
    """

    def __init__(
        self,
        root: Path,
        plan: LevelPlan,
        dtype: np.dtype[Any],
        header: dict[str, Any],
        *,
        grows: bool,
    ) -> None:
        self.plan = plan
        self.folder = root / plan.path
        self.dtype = dtype
        self.fill_value = header["fill_value"]
        self.chunk_shape, self.write_shape = plan.chunk_shape, plan.write_shape
        self.shape = (ENDLESS, *plan.shape[1:]) if grows else plan.shape
        self._is_v3 = header["version"] == "0.5"
        self._spec = array_spec(plan, dtype, header)
        self._length = plan.shape[0]
        self._array: Any = None
        self._unhurried: Any = None
        self._unsynced: set[Path] = set()

    @property
    def meta_file(self) -> Path:
        """File with the array's metadata."""
        return self.folder / ("zarr.json" if self._is_v3 else ".zarray")

    def create(self) -> None:
        """Write the metadata of an array without voxels."""
        self.folder.mkdir(parents=True)
        kvstore = {"driver": "file", "path": f"{self.folder}/"}
        ts.open({**self._spec, "kvstore": kvstore}, create=True).result()

    def open(self) -> None:
        """Take the array for writing; its metadata are there."""
        document = json.loads(self.meta_file.read_bytes())
        n_processors = os.cpu_count() or 1
        self._length = int(document["shape"][0])
        metadata = {**document, "shape": list(self.shape)}
        spec = {
            "driver": self._spec["driver"],
            "kvstore": {"driver": "file", "path": f"{self.folder}/"},
            "metadata": metadata,
        }
        self._array, self._unhurried = (
            ts.open(spec, open=True, assume_metadata=True, context=_context(n)).result()
            for n in (n_processors, max(1, n_processors - 1))
        )

    # -- length ------------------------------------------------------------------

    @property
    def length(self) -> int:
        """Of the first axis, as readers find it."""
        return self._length

    def set_length(self, n: int) -> None:
        """Tell readers another length of the first axis, by one rename."""
        if n == self._length:
            return
        document = json.loads(self.meta_file.read_bytes())
        document["shape"][0] = n
        replace_json(self.meta_file, document)
        self._unsynced.add(self.meta_file)
        self._length = n

    # -- voxels ------------------------------------------------------------------

    def write(self, region: Slices, data: AnyArray, *, in_a_hurry: bool = True) -> Any:
        """Begin to write a region; return what can be waited for.

        `data` stays as it is until that has ended.

        Parameters
        ----------
        region : Slices
            One slice per axis, at borders of storage units.
        data : ndarray, shape of the region
        in_a_hurry : bool
            Whether every processor may encode; else one is left to others.

        Returns
        -------
        object
            Future of tensorstore.
        """
        array = self._array if in_a_hurry else self._unhurried
        future = array[region].write(data, can_reference_source_data_indefinitely=True)
        for unit in self.units_under(region):
            self._unsynced.add(self.unit_file(unit))
        return future

    def read(self, region: Slices) -> AnyArray:
        """Read a region, fill value where nothing is stored."""
        return np.asarray(self._array[region].read().result())

    def units_under(self, region: Slices) -> list[tuple[int, ...]]:
        """List the storage units that a region meets."""
        grid = BlockGrid(self.shape, self.write_shape)
        return [block.index for block in grid.overlapping(region)]

    def unit_file(self, unit: Sequence[int]) -> Path:
        """Return the file of a storage unit."""
        parts = [str(i) for i in unit]
        return self.folder.joinpath(*(["c", *parts] if self._is_v3 else parts))

    def is_missing(self, region: Slices) -> bool:
        """Tell whether nothing of a region is stored."""
        return not any(
            self.unit_file(unit).exists() for unit in self.units_under(region)
        )

    def begin_sync(self, region: Slices) -> None:
        """Have the system begin to bring a region to disk, without waiting for it.

        Else it lies in its cache until :meth:`sync`, which would do all of it at once.
        """
        for unit in self.units_under(region):
            begin_sync(self.unit_file(unit))

    def sync(self) -> None:
        """Have on disk what was written since the last time."""
        files, self._unsynced = self._unsynced, set()
        folders = {file.parent for file in files}
        for places in (files, folders):
            sync_places(places)


def sync_all(arrays: Iterable[StreamArray]) -> None:
    """Have on disk what was written to arrays since the last time."""
    for array in arrays:
        array.sync()


def replace_json(path: Path, document: dict[str, Any]) -> None:
    """Replace a metadata file with one rename; not synced to disk.

    Parameters
    ----------
    path : Path
    document : dict
    """
    partial = path.with_name(f".{path.name}.{os.getpid()}.partial")
    partial.write_text(json.dumps(document, indent=2), "utf-8")
    partial.replace(path)


@lru_cache(maxsize=2)
def _context(n_encoders: int) -> Any:
    return ts.Context(
        {
            "data_copy_concurrency": {"limit": n_encoders},
            "file_io_sync": False,
            # Every write has a new file to rename: a killed one leaves nothing that
            # the next would go on in.
            "file_io_locking": {"mode": "none"},
        }
    )
