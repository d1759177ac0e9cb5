"""Imaris files (``.ims``) as a source with the axes t, c, z, y, x.

Every resolution level, time point and channel is a dataset of its own, padded up
to whole chunks; ``ImageSizeX/Y/Z`` give the true size. All levels lie over one
extent, so a level's voxel size is the extent over its true size, and the centre of
voxel 0 half such a voxel inside the edge. Datasets may be links to other files and
are opened when they are first read.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import numpy as np

from brickfield.errors import ChunkReadError, StoreFormatError
from brickfield.model import Axis, ImageInfo, Int3, Pyramid, ScaleLevel
from brickfield.sources.arrays.sliced import SlicedArray
from brickfield.sources.arrays.stored import AssembledSource, identity_of
from brickfield.sources.geometry import make_level
from brickfield.sources.hdf5.dataset import HDF5Dataset
from brickfield.sources.hdf5.file import (
    closing_on_error,
    open_file,
    text_attribute,
)
from brickfield.sources.hdf5.handles import HDF5_LOCK, HeldObject
from brickfield.sources.hdf5.imaris_info import ImarisInfo, whole_numbers
from brickfield.sources.hdf5.links import HDF5Links, close_files, find, links_of
from brickfield.sources.hdf5.places import files_of_shared
from brickfield.sources.io.plain_files import local_path
from brickfield.sources.protocol import ArrayHeader, StoredArray


def matches(uri: str) -> bool:
    """Whether the name ends in ``.ims``."""
    return local_path(uri).suffix.lower() == ".ims"


def open_source(uri: str, *, follow_links: bool = False) -> AssembledSource:
    """Open an Imaris file.

    Parameters
    ----------
    uri : str
        Local file.
    follow_links : bool
        Let the file name files of other folders.

    Raises
    ------
    StoreNotFoundError, StoreAccessError, StoreFormatError
    """
    path = local_path(uri)
    shared = open_file(path)
    with closing_on_error(shared) as file:
        links = links_of(path, follow=follow_links)
        tree = _ImarisTree(file, str(path), links)
        pyramid = tree.pyramid()
        info = ImageInfo(
            uri=str(uri),
            format=f"Imaris {text_attribute(file.attrs, 'ImarisVersion') or ''}".strip(),
            name=tree.about.name or path.stem,
            pyramid=pyramid,
            channels=tuple(
                tree.about.channel(c, tree.histogram_of(c)) for c in tree.channels
            ),
            findings=(*tree.about.findings, *links.findings),
        )
        parts = _Parts(tree, pyramid)
        return AssembledSource(
            info,
            identity_of(path),
            parts.find,
            n_spread=2,
            places=lambda: files_of_shared(shared),
            close=lambda: close_files(shared, links),
        )


class _ImarisTree:
    """The groups of one file; used under the HDF5 lock."""

    def __init__(self, file: Any, path: str, links: HDF5Links) -> None:
        self._links = links
        name = text_attribute(file.attrs, "DataSetDirectoryName") or "DataSet"
        info_name = text_attribute(file.attrs, "DataSetInfoDirectoryName")
        data = find(file, f"/{name}", links)
        if data is None:
            msg = f"expected a group {name!r} in the Imaris file {path}; found none"
            raise StoreFormatError(msg)
        self._data = HeldObject(data)
        self.path = path
        self.about = ImarisInfo(find(file, f"/{info_name or 'DataSetInfo'}", links))
        levels = _numbered(self.data, "ResolutionLevel")
        if levels[:1] != [0]:
            msg = f"expected {name}/ResolutionLevel 0 in {path}; found levels {levels}"
            raise StoreFormatError(msg)
        self.levels = [r for i, r in enumerate(levels) if i == r]
        finest = find(self.data, "ResolutionLevel 0", links)
        self.times = _numbered(finest, "TimePoint")
        first = (
            find(finest, f"TimePoint {self.times[0]}", links) if self.times else None
        )
        self.channels = [] if first is None else _numbered(first, "Channel")
        if not self.channels:
            msg = (
                f"expected a channel in {name}/ResolutionLevel 0 of {path}; found none"
            )
            raise StoreFormatError(msg)

    @property
    def data(self) -> Any:
        """The group of all data, reopened where a writer had the file."""
        return self._data.get()

    def name_of(self, level: int, time: int, channel: int) -> str:
        """Path of the group of a dataset, below the data group."""
        return f"ResolutionLevel {level}/TimePoint {time}/Channel {channel}"

    def dataset(self, level: int, time: int, channel: int) -> Any:
        """Open a dataset; None when the file has none there."""
        group = find(self.data, self.name_of(level, time, channel), self._links)
        return None if group is None else find(group, "Data", self._links)

    def histogram_of(self, channel: int) -> Mapping[str, Any]:
        """Attributes of a channel's finest group."""
        place = self.name_of(0, self.times[0], channel)
        group = find(self.data, place, self._links)
        return {} if group is None else group.attrs

    def pyramid(self) -> Pyramid:
        """Read all levels from their first dataset."""
        spread = (len(self.times), len(self.channels))
        unit = self.about.unit
        step, time_unit = self.about.time_step(len(self.times))
        axes = (
            Axis("t", "time", time_unit),
            Axis("c", "channel"),
            *(Axis(name, "space", unit) for name in "zyx"),
        )
        levels: list[ScaleLevel] = []
        low = high = np.zeros(3)
        for level in self.levels:
            header = self._header(level, levels)
            if header is None:
                break
            if not levels:
                low, high = map(np.array, self.about.extent(_int3(header.shape)))
            size = (high - low) / np.array(header.shape)
            whole = ArrayHeader(
                spread + header.shape,
                header.dtype,
                (1, 1, *header.chunk_shape),
                header.fill_value,
            )
            levels.append(
                make_level(
                    f"{self.data.name}/ResolutionLevel {level}",
                    whole,
                    axes,
                    voxel_size=(step, 1.0, *size),
                    translation=(0.0, 0.0, *(low + size / 2)),
                )
            )
        return Pyramid(axes, tuple(levels))

    def _header(self, level: int, above: list[ScaleLevel]) -> ArrayHeader | None:
        place = self.name_of(level, self.times[0], self.channels[0])
        try:
            dataset = self.dataset(level, self.times[0], self.channels[0])
            reason = "found none"
        except (OSError, KeyError, RuntimeError) as error:
            dataset, reason = None, f"cannot open it: {error}"
        if dataset is None or len(dataset.shape) != 3 or 0 in dataset.shape:
            msg = f"expected a dataset {place}/Data of three axes in {self.path}; {reason}"
            if not above:
                raise StoreFormatError(msg)
            self.about.note("no-level", place, f"{msg}; coarser levels were left out")
            return None
        array = HDF5Dataset.of(dataset)
        if above and array.dtype != above[0].dtype:
            text = f"expected the data type {above[0].dtype}; found {array.dtype}"
            self.about.note("no-level", place, f"{text}; coarser levels were left out")
            return None
        shape = self._true_shape(level, dataset, place)
        fill = getattr(array, "fill_value", 0)
        return ArrayHeader(shape, array.dtype, array.chunk_shape, fill)

    def _true_shape(self, level: int, dataset: Any, place: str) -> Int3:
        padded = _int3(dataset.shape)
        attributes = dataset.parent.attrs
        texts = [text_attribute(attributes, f"ImageSize{a}") for a in "ZYX"]
        stated = whole_numbers(texts)
        if stated is None and level == 0:
            stated = self.about.stated_size()
        if stated is not None and all(
            n <= p for n, p in zip(stated, padded, strict=True)
        ):
            return stated
        text = (
            f"expected ImageSizeZ/Y/X up to the stored {padded}; found {stated}: the"
            " stored shape was taken, padding included"
        )
        self.about.note("no-image-size", place, text)
        return padded


class _Parts:
    """Datasets opened so far; may be asked from any thread."""

    def __init__(self, tree: _ImarisTree, pyramid: Pyramid) -> None:
        self._tree = tree
        self._pyramid = pyramid
        self._open: dict[tuple[int, int, int], StoredArray | None] = {}

    def find(self, level: int, lead: tuple[int, ...]) -> StoredArray | None:
        """Array of a level, time point and channel; None when not stored."""
        key = (level, lead[0], lead[1])
        if key in self._open:
            return self._open[key]
        tree = self._tree
        t, c = tree.times[lead[0]], tree.channels[lead[1]]
        place = tree.name_of(level, t, c)
        try:
            with HDF5_LOCK:
                dataset = tree.dataset(level, t, c)
                array = None if dataset is None else self._wrapped(dataset, level)
        except (OSError, KeyError, RuntimeError, ValueError) as error:
            msg = f"cannot open {place} of {tree.path}: {error}"
            raise ChunkReadError(msg, key=place) from error
        self._open[key] = array
        return array

    def _wrapped(self, dataset: Any, level: int) -> StoredArray:
        about = self._pyramid.levels[level]
        array = HDF5Dataset.of(dataset)
        if array.dtype != about.dtype:
            msg = f"expected the data type {about.dtype}; found {array.dtype}"
            raise ChunkReadError(msg, key=str(dataset.name))
        chunk = about.storage_chunk_shape[2:]
        if tuple(array.chunk_shape) == chunk:
            return array

        held = HeldObject(dataset)

        def fetch(slices: tuple[slice, ...]) -> Any:
            with HDF5_LOCK:
                return held.get()[slices]

        shape = _int3(dataset.shape)
        return SlicedArray(shape, chunk, about.dtype, fetch, str(dataset.name))


def _numbered(group: Any, name: str) -> list[int]:
    pattern = re.compile(rf"^{name} (\d+)$")
    return sorted(int(m[1]) for key in group if (m := pattern.match(key)))


def _int3(values: tuple[int, ...]) -> Int3:
    z, y, x = (int(v) for v in values)
    return (z, y, x)
