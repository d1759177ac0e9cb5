"""An EMD file that is being written: its skeleton first, what was computed last.

The layout is py4DSTEM's of ``version_1``, which other readers of EMD know too: a
dataset of (scan y, scan x, detector y, detector x) beside vectors ``dim1`` to
``dim4``. HDF5's own structures change in two short moments, when the file is made and
when it is finished; a file that was killed in between opens, and nothing in it says
that it is complete.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from brickfield.sources.hdf5 import HDF5_LOCK
from brickfield.sources.scans import AxisCalibration

TOP = "version_1"
GROUP = f"{TOP}/data/datacubes/datacube_000"
DATASET = f"/{GROUP}/data"
NAMES = ("R_y", "R_x", "Q_y", "Q_x")
COMPRESSIONS = ("none", "gzip", "lz4")
GZIP_LEVEL = 1
CHUNK_BYTES = 2 << 20
"""Of patterns that are stored together."""


@dataclass(frozen=True, slots=True)
class Target:
    """The dataset to write.

    Attributes
    ----------
    shape : tuple of int
    dtype : numpy.dtype
        Little endian.
    compression : str
    """

    shape: tuple[int, int, int, int]
    dtype: np.dtype[Any]
    compression: str

    @property
    def pattern_bytes(self) -> int:
        """Bytes of one pattern."""
        return self.shape[2] * self.shape[3] * self.dtype.itemsize

    @property
    def n_bytes(self) -> int:
        """Bytes of all patterns, not compressed."""
        return self.shape[0] * self.shape[1] * self.pattern_bytes

    @property
    def chunk_shape(self) -> tuple[int, int, int, int]:
        """Whole patterns of one line, as few left over at its end as can be."""
        nx = self.shape[1]
        most = min(nx, max(1, CHUNK_BYTES // self.pattern_bytes))
        n_chunks = -(-nx // most)
        return (1, -(-nx // n_chunks), *self.shape[2:])


def create(
    path: Path,
    target: Target,
    calibration: Sequence[AxisCalibration],
    notes: Mapping[str, Any],
) -> None:
    """Write an EMD file without its patterns.

    Parameters
    ----------
    path : Path
    target : Target
    calibration : sequence of AxisCalibration
        Of the axes as written.
    notes : mapping
        What the group says of where the patterns come from.
    """
    import h5py

    with HDF5_LOCK, h5py.File(path, "w") as file:
        file.attrs.update({"version_major": 0, "version_minor": 2})
        top = file.create_group(TOP)
        top.attrs.update({"emd_group_type": 2, "version_major": 0, "version_minor": 7})
        group = file.create_group(GROUP)
        group.attrs["emd_group_type"] = 1
        group.attrs.update(dict(notes))
        _create_dataset(group, target)
        for i, axis in enumerate(calibration):
            steps = axis.origin + axis.size * np.arange(target.shape[i])
            dim = group.create_dataset(f"dim{i + 1}", data=steps)
            unit = "pixels" if axis.unit == "px" else axis.unit
            dim.attrs.update({"name": NAMES[i], "units": unit})


def _create_dataset(group: Any, target: Target) -> None:
    import h5py

    if target.compression == "lz4":
        import hdf5plugin

        group.create_dataset(
            "data",
            target.shape,
            target.dtype,
            chunks=target.chunk_shape,
            **hdf5plugin.Bitshuffle(cname="lz4"),
        )
        return
    if target.compression == "gzip":
        group.create_dataset(
            "data",
            target.shape,
            target.dtype,
            chunks=target.chunk_shape,
            compression="gzip",
            compression_opts=GZIP_LEVEL,
            shuffle=True,
        )
        return
    # Every chunk has its place at once, so that voxels go past the library.
    properties = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
    properties.set_chunk(target.chunk_shape)
    properties.set_alloc_time(h5py.h5d.ALLOC_TIME_EARLY)
    properties.set_fill_time(h5py.h5d.FILL_TIME_NEVER)
    space = h5py.h5s.create_simple(target.shape)
    kind = h5py.h5t.py_create(target.dtype)
    h5py.h5d.create(group.id, b"data", kind, space, properties)
