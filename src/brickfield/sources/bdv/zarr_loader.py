"""Views that BigStitcher keeps as OME-Zarr images (``bdv.multimg.zarr``).

The XML file names an image for each view, and where it has channels and times, its
index there. Voxel sizes of the images do not count: the XML file has them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from brickfield.errors import StoreFormatError
from brickfield.model import Vec3
from brickfield.sources.bdv.folder_loader import FolderLoader
from brickfield.sources.bdv.protocol import SetupLevels
from brickfield.sources.geometry import Findings
from brickfield.sources.io.location import Location
from brickfield.sources.ome_zarr.arrays import arrays_of_image, open_array
from brickfield.sources.ome_zarr.metadata import read_multiscales
from brickfield.sources.protocol import StorageChunk, StoredArray
from brickfield.sources.zarr.hierarchy import ZarrHierarchy

Groups = Mapping[tuple[int, int], tuple[str, tuple[int, ...]]]


class ZarrLoader(FolderLoader):
    """Views in OME-Zarr images below one folder. Any thread.

    Parameters
    ----------
    location : Location
    groups : mapping of (time, setup) to (str, tuple of int)
        Path of the image of each view, and its index on the axes before space, the last
        axis first.
    denied_is_missing : bool
        Take a server's refusal for "nothing is stored".
    """

    def __init__(
        self, location: Location, groups: Groups, *, denied_is_missing: bool = False
    ) -> None:
        super().__init__(location, denied_is_missing=denied_is_missing)
        self._groups = groups

    def path(self, time: int, setup: int, level: int) -> str:
        """Return the path of an array below the folder.

        Parameters
        ----------
        time, setup, level : int
        """
        return f"{self._groups.get((time, setup), ('', ()))[0]}/{level}"

    def levels(self, time: int, setup: int) -> SetupLevels:
        """Return all levels of a view, with the factors of their shapes.

        Parameters
        ----------
        time, setup : int

        Raises
        ------
        StoreFormatError
            If the image is missing or has no usable level.
        """
        arrays = self._view(time, setup)
        first = np.array(arrays[0].shape, float)
        factors: list[Vec3] = []
        for array in arrays:
            ratio = np.maximum(1, np.rint(first / array.shape))
            z, y, x = ratio.tolist()
            factors.append((z, y, x))
        return SetupLevels(tuple(arrays), tuple(factors))

    def _open_view(self, time: int, setup: int) -> Sequence[StoredArray]:
        view = (time, setup)
        if view not in self._groups:
            msg = (
                f"expected a zgroup for time {time} of setup {setup}; found none in the"
                " XML file"
            )
            raise StoreFormatError(msg)
        return self._arrays_of(*self._groups[view])

    def _arrays_of(self, path: str, index: tuple[int, ...]) -> tuple[StoredArray, ...]:
        findings, denied = Findings(), self._denied_is_missing
        place = self._location.child(path)
        hierarchy = ZarrHierarchy(place, findings, denied_is_missing=denied)
        root = hierarchy.root
        images = [] if root is None else read_multiscales(root.attributes, findings)
        if not images or not images[0].datasets:
            msg = f"expected an OME-Zarr image at {place.uri}; found none"
            raise StoreFormatError(msg)
        found = arrays_of_image(hierarchy, "", images[0], findings).found
        return tuple(
            LeadArray(
                open_array(place.child(m.path), m, denied_is_missing=denied), index
            )
            for m, _ in found
        )


class LeadArray:
    """The z, y and x of one place on the axes before them.

    Parameters
    ----------
    array : StoredArray
        Of three or more axes.
    index : sequence of int
        The place, the last of those axes first; 0 where it says nothing.

    Raises
    ------
    StoreFormatError
        If there are fewer axes, or the place is beyond them.
    """

    def __init__(self, array: StoredArray, index: Sequence[int] = ()) -> None:
        n = len(array.shape) - 3
        if n < 0:
            msg = f"expected an image of z, y and x; found the shape {array.shape}"
            raise StoreFormatError(msg)
        whole = [*index, *[0] * n][:n]
        self._lead = tuple(reversed(whole))
        if any(
            not 0 <= i < size for i, size in zip(self._lead, array.shape, strict=False)
        ):
            msg = f"expected a place within the axes {array.shape[:n]}; found {self._lead}"
            raise StoreFormatError(msg)
        self._array = array
        self.shape = array.shape[n:]
        self.chunk_shape = array.chunk_shape[n:]
        self.dtype = array.dtype

    def _whole(self, index: tuple[int, ...]) -> tuple[int, ...]:
        chunk = self._array.chunk_shape
        lead = (i // c for i, c in zip(self._lead, chunk, strict=False))
        return (*lead, *index)

    def read_chunk(self, index: tuple[int, ...]) -> StorageChunk:
        """Read a chunk and pick the place."""
        found = self._array.read_chunk(self._whole(index))
        if found.data is None:
            return found
        chunk = self._array.chunk_shape
        pick = tuple(i % c for i, c in zip(self._lead, chunk, strict=False))
        return replace(found, data=np.ascontiguousarray(found.data[pick]))

    def chunk_key(self, index: tuple[int, ...]) -> str:
        """Name of a storage chunk for messages."""
        return self._array.chunk_key(self._whole(index))

    def chunk_bytes(self, index: tuple[int, ...]) -> int | None:
        """Bytes stored for one storage chunk."""
        return self._array.chunk_bytes(self._whole(index))

    def missing_chunks(self, indices: NDArray[np.int64]) -> NDArray[np.bool_] | None:
        """Tell which storage chunks, shape (n, 3), are not stored."""
        lead = np.array(self._whole(()), np.int64)
        whole = np.concatenate([np.tile(lead, (len(indices), 1)), indices], axis=1)
        return self._array.missing_chunks(whole)
