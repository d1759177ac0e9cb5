"""Where BigDataViewer keeps voxels: HDF5 (``t00000/s00/0/cells``), N5 or OME-Zarr.

The loaders open arrays on demand and may be asked from any thread. Old BDV files
hold unsigned 16-bit voxels under a signed type; those are read as unsigned.
"""

from __future__ import annotations

import glob
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from brickfield.errors import (
    ChunkReadError,
    StoreAccessError,
    StoreFormatError,
)
from brickfield.model import Vec3
from brickfield.sources.bdv.folder_loader import FolderLoader
from brickfield.sources.bdv.protocol import BdvLoader, SetupLevels
from brickfield.sources.bdv.xml import SpimData
from brickfield.sources.geometry import is_usable_scale
from brickfield.sources.hdf5.dataset import HDF5Dataset
from brickfield.sources.hdf5.file import open_file
from brickfield.sources.hdf5.handles import HDF5_LOCK
from brickfield.sources.hdf5.links import close_files, find, links_of
from brickfield.sources.hdf5.places import files_of_shared
from brickfield.sources.io.location import locate
from brickfield.sources.io.named_places import Root, resolve_named
from brickfield.sources.io.plain_files import local_path
from brickfield.sources.n5.driver_array import DriverArray
from brickfield.sources.n5.scales import LevelAttributes
from brickfield.sources.n5.source import open_levels
from brickfield.sources.protocol import StorageChunk, StoredArray


def open_loader(
    data: SpimData,
    folder: str,
    *,
    document: str = "the XML file",
    denied_is_missing: bool = False,
    follow_links: bool = False,
) -> BdvLoader:
    """Open what an XML file names.

    Parameters
    ----------
    data : SpimData
    folder : str
        Folder of the XML file, path or URL.
    document : str
        The XML file, for messages.
    denied_is_missing : bool
        Take a server's refusal of a chunk for "nothing is stored".
    follow_links : bool
        Let a local XML file name other folders and hosts.

    Raises
    ------
    StoreFormatError
        If the loader's format is neither HDF5, N5 nor OME-Zarr.
    StoreNotFoundError, StoreAccessError
    """
    root = Root.of_description(document, folder, follow=follow_links)
    named = resolve_named(root, data.whole_place)
    if data.loader == "bdv.hdf5":
        if root.is_remote:
            msg = f"expected N5 data in {document}; found HDF5, read from disks only"
            raise StoreFormatError(msg)
        return HDF5Loader(named.place, follow_links=follow_links)
    if data.loader == "bdv.n5":
        at = locate(named.place)
        return N5Loader(at, denied_is_missing=denied_is_missing)
    if data.loader == "bdv.multimg.zarr":
        # It needs the readers of OME-Zarr, which nothing else here does.
        from brickfield.sources.bdv.zarr_loader import ZarrLoader

        at = locate(named.place)
        return ZarrLoader(at, data.groups, denied_is_missing=denied_is_missing)
    known = "bdv.hdf5, bdv.n5, bdv.multimg.zarr or bdv.imaris"
    msg = f"expected a loader {known}; found {data.loader!r}: resave it"
    raise StoreFormatError(msg)


class HDF5Loader:
    """Views in one HDF5 file (which may link to others)."""

    is_remote = False

    def __init__(self, place: str, *, follow_links: bool = False) -> None:
        path = local_path(place)
        self._shared = open_file(path)
        self._links = links_of(path, follow=follow_links)
        self._place = place

    def watched(self) -> tuple[Path, ...]:
        """Return the file, and those beside it that begin like it: its partitions."""
        path = local_path(self._place)
        return tuple(sorted(path.parent.glob(f"{glob.escape(path.stem)}*.h5")))

    def path(self, time: int, setup: int, level: int) -> str:
        """Return the path of an array in the file.

        Parameters
        ----------
        time, setup, level : int
        """
        return f"t{time:05d}/s{setup:02d}/{level}/cells"

    def levels(self, time: int, setup: int) -> SetupLevels:
        """Return all levels of a view, with the factors that the file gives.

        Parameters
        ----------
        time, setup : int

        Raises
        ------
        StoreFormatError
            If the factors or level 0 are missing or unusable.
        """
        with HDF5_LOCK:
            try:
                found = find(
                    self._shared.file, f"/s{setup:02d}/resolutions", self._links
                )
                table = np.asarray(found[()], float)
            except StoreAccessError:
                raise
            except (TypeError, KeyError, OSError, RuntimeError, ValueError) as error:
                msg = f"expected s{setup:02d}/resolutions in {self._place}; found none"
                raise StoreFormatError(msg) from error
        if (
            table.ndim != 2
            or table.shape[1] != 3
            or not is_usable_scale(table.ravel().tolist())
        ):
            msg = (
                f"expected rows of 3 factors in s{setup:02d}/resolutions; found {table}"
            )
            raise StoreFormatError(msg)
        arrays = [self._opened(time, setup, level) for level in range(len(table))]
        kept = [a for a in arrays if a is not None]
        if not kept or arrays[0] is None:
            msg = f"expected {self.path(time, setup, 0)} in {self._place}; found none"
            raise StoreFormatError(msg)
        kept = kept[: arrays.index(None)] if None in arrays else kept
        rows = table[: len(kept), ::-1].tolist()
        return SetupLevels(tuple(kept), tuple((z, y, x) for z, y, x in rows))

    def array(self, time: int, setup: int, level: int) -> StoredArray | None:
        """Return one level of a view; None when nothing is stored.

        Parameters
        ----------
        time, setup, level : int

        Raises
        ------
        ChunkReadError
            If it is there and cannot be opened.
        """
        try:
            return self._opened(time, setup, level)
        except (KeyError, OSError, RuntimeError, ValueError) as error:
            key = self.path(time, setup, level)
            msg = f"cannot open {key} of {self._place}: {error}"
            raise ChunkReadError(msg, key=key) from error

    def _opened(self, time: int, setup: int, level: int) -> StoredArray | None:
        with HDF5_LOCK:
            place = f"/{self.path(time, setup, level)}"
            dataset = find(self._shared.file, place, self._links)
            if dataset is None or len(getattr(dataset, "shape", None) or ()) != 3:
                return None
            array = HDF5Dataset.of(dataset)
        return UnsignedArray(array) if array.dtype == np.int16 else array

    def places(self) -> tuple[Path | str, ...]:
        """Return the file and those that it leads to."""
        return files_of_shared(self._shared)

    def close(self) -> None:
        """Close the file."""
        close_files(self._shared, self._links)


class N5Loader(FolderLoader):
    """Views in an N5 container."""

    def path(self, time: int, setup: int, level: int) -> str:
        """Return the folder of an array.

        Parameters
        ----------
        time, setup, level : int
        """
        return f"setup{setup}/timepoint{time}/s{level}"

    def levels(self, time: int, setup: int) -> SetupLevels:
        """Return all levels of a view, with the factors that the attributes give.

        Parameters
        ----------
        time, setup : int

        Raises
        ------
        StoreFormatError
            If level 0 is missing or has not three axes.
        """
        folder = f"setup{setup}/timepoint{time}"
        arrays, attributes = self._open_levels(folder)
        if not arrays or len(arrays[0].shape) != 3:
            msg = f"expected {folder}/s0 of 3 axes in {self._location.uri}; found none"
            raise StoreFormatError(msg)
        table = attributes[0].group.get("downsamplingFactors")
        table = table if isinstance(table, list) else []
        factors: list[Vec3] = []
        for number, (array, said) in enumerate(zip(arrays, attributes, strict=True)):
            row = said.own.get("downsamplingFactors")
            if row is None and number < len(table):
                row = table[number]
            ratio = np.divide(arrays[0].shape, array.shape)[::-1]
            x, y, z = _three(row) or _three(ratio) or (1.0, 1.0, 1.0)
            factors.append((z, y, x))
        return SetupLevels(tuple(arrays), tuple(factors))

    def _open_view(self, time: int, setup: int) -> Sequence[StoredArray]:
        return self._open_levels(f"setup{setup}/timepoint{time}")[0]

    def _open_levels(
        self, folder: str
    ) -> tuple[list[DriverArray], list[LevelAttributes]]:
        return open_levels(
            self._location, folder, denied_is_missing=self._denied_is_missing
        )


class UnsignedArray:
    """A signed 16-bit array read as unsigned, as old BDV files mean it."""

    dtype = np.dtype(np.uint16)

    def __init__(self, array: StoredArray) -> None:
        self._array = array
        self.shape = array.shape
        self.chunk_shape = array.chunk_shape

    def read_chunk(self, index: tuple[int, ...]) -> StorageChunk:
        """Read a chunk and take its bits as unsigned."""
        chunk = self._array.read_chunk(index)
        data = None if chunk.data is None else chunk.data.view(np.uint16)
        return replace(chunk, data=data)

    def chunk_key(self, index: tuple[int, ...]) -> str:
        """Name of a storage chunk for messages."""
        return self._array.chunk_key(index)

    def chunk_bytes(self, index: tuple[int, ...]) -> int | None:
        """Bytes stored for one storage chunk."""
        return self._array.chunk_bytes(index)

    def missing_chunks(self, indices: NDArray[np.int64]) -> NDArray[np.bool_] | None:
        """Tell which storage chunks, shape (n, ndim), are not stored."""
        return self._array.missing_chunks(indices)


def _three(values: Any) -> Vec3 | None:
    try:
        x, y, z = (float(v) for v in values)
    except (TypeError, ValueError, OverflowError):
        return None
    return (x, y, z) if is_usable_scale((x, y, z)) else None
