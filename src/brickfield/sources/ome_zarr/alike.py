"""Images of one store that are laid out alike, opened without reading each whole.

The tiles of a scene mostly differ in their voxels alone: of the first image of a
layout everything is read, of the others only what tells that they are like it. Their
groups and finest arrays have been read when they were listed; the metadata of any
other level are read, and compared, when a voxel of that level is first wanted.

Invariant: no voxel is read with the metadata of another image. An image that turns
out to be laid out otherwise says so
(:class:`~brickfield.sources.protocol.UnlikeError`); opened again, it is opened as any
other.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from brickfield.errors import BrickfieldError
from brickfield.model import ImageInfo
from brickfield.sources.arrays.cast import CastArray
from brickfield.sources.arrays.stored import AssembledSource
from brickfield.sources.geometry import Findings
from brickfield.sources.io.location import Location
from brickfield.sources.io.store_files import read_many
from brickfield.sources.ome_zarr.arrays import open_array
from brickfield.sources.ome_zarr.metadata import Multiscale, ome_attributes
from brickfield.sources.ome_zarr.source import ZarrOptions, open_located
from brickfield.sources.places import place_of
from brickfield.sources.protocol import ChunkSource, StoredArray, UnlikeError
from brickfield.sources.units import in_one_unit
from brickfield.sources.zarr.chunk_names import with_stored_names
from brickfield.sources.zarr.hierarchy import V2_KEYS, V3_KEYS, ZarrHierarchy, ZarrNode
from brickfield.sources.zarr.metadata import ZarrArrayMeta, parse_array

_OF_CHUNKS = ("no-chunks", "chunk-names")
"""Findings on what is stored of one image, not on how it is laid out."""


@dataclass(frozen=True, slots=True)
class _Layout:
    """What is taken over from the first image of a layout."""

    path: str
    info: ImageInfo


class AlikeImages:
    """Opens the images of one store. Any thread.

    Parameters
    ----------
    location : Location
        Of the store.
    denied_is_missing : bool
        Take a server's refusal for "nothing is stored".
    """

    def __init__(self, location: Location, *, denied_is_missing: bool = False) -> None:
        self._location = location
        self._denied_is_missing = denied_is_missing
        self._kinds: dict[str, str] = {}
        self._formats: dict[str, int] = {}
        self._layouts: dict[str, _Layout] = {}
        self._levels: dict[tuple[str, str], ZarrArrayMeta] = {}

    def note(self, node: ZarrNode, images: list[Multiscale], finest: ZarrNode) -> None:
        """Remember what listing has read of an image.

        Parameters
        ----------
        node : ZarrNode
            The image's group.
        images : list of Multiscale
            What stands in it.
        finest : ZarrNode
            The array of the first level.
        """
        if len(images) != 1:
            return
        about = ome_attributes(node.attributes)
        facts = (
            replace(images[0], name=""),
            _text(about.get("omero")),
            _text(about.get("image-label")),
            _text({**finest.metadata, "attributes": None}),
        )
        self._kinds[node.path] = repr(facts)
        self._formats[node.path] = finest.zarr_format

    def open(self, path: str) -> ChunkSource:
        """Open an image, as far as needed.

        Parameters
        ----------
        path : str
            Of its group, inside the store.

        Raises
        ------
        BrickfieldError
            If it cannot be opened.
        """
        kind = self._kinds.get(path)
        layout = None if kind is None else self._layouts.get(kind)
        if layout is None or layout.path == path:
            return self._whole(path, kind)
        return self._like(layout, path)

    def _whole(self, path: str, kind: str | None) -> ChunkSource:
        """Open an image as if it were alone."""
        options = ZarrOptions(treat_403_as_missing=self._denied_is_missing)
        source = open_located(self._location.child(path), options)
        is_sound = all(f.severity != "error" for f in source.info.findings)
        if kind is not None and is_sound:
            # What its chunks lack, another image may have.
            odd = tuple(f for f in source.info.findings if f.code not in _OF_CHUNKS)
            info = replace(source.info, findings=odd)
            self._layouts.setdefault(kind, _Layout(path, info))
        return in_one_unit(source, keeps_numbers=False)

    def _like(self, layout: _Layout, path: str) -> ChunkSource:
        place = self._location.child(path)
        info = replace(layout.info, uri=place.uri, name=place.name)
        parts: dict[int, StoredArray] = {}
        source = AssembledSource(
            info,
            f"{place.uri}|like {layout.path}",
            lambda level, _: self._part(layout, path, level, parts),
            places=partial(list, [place_of(place)]),
            is_remote=place.is_remote,
        )
        return in_one_unit(source, keeps_numbers=False)

    def _part(
        self, layout: _Layout, path: str, level: int, parts: dict[int, StoredArray]
    ) -> StoredArray:
        """Open one level of an image, if it is as that of the first one."""
        if level not in parts:
            pyramid = layout.info.pyramid
            inside = pyramid.levels[level].path
            meta = self._meta(path, inside)
            if meta is None or not _is_alike(meta, self._expected(layout, inside)):
                self._kinds.pop(path, None)
                msg = (
                    f"expected the level {inside!r} of {path!r} to have the shape, chunks"
                    f" and codecs of that of {layout.path!r}; found others"
                )
                raise UnlikeError(msg, key=f"{path}/{inside}")
            place = self._location.child(f"{path}/{inside}")
            if place.local is not None:
                meta = with_stored_names(place.local, meta, inside, Findings())
            array = open_array(place, meta, denied_is_missing=self._denied_is_missing)
            is_same = meta.dtype == pyramid.dtype
            parts[level] = array if is_same else CastArray(array, pyramid.dtype)
        return parts[level]

    def _expected(self, layout: _Layout, inside: str) -> ZarrArrayMeta | None:
        key = (layout.path, inside)
        if key not in self._levels:
            found = self._meta(layout.path, inside)
            if found is None:
                return None
            self._levels[key] = found
        return self._levels[key]

    def _meta(self, path: str, inside: str) -> ZarrArrayMeta | None:
        """Read the metadata of one array; None where none can be used."""
        place = self._location.child(f"{path}/{inside}")
        names = V3_KEYS if self._formats[path] == 3 else V2_KEYS
        denied = self._denied_is_missing
        try:
            known = read_many(place, names, denied_is_missing=denied)
            node = ZarrHierarchy(place, Findings(), known).root
            if node is None or node.kind != "array":
                return None
            return replace(parse_array(node, Findings()), path=inside)
        except BrickfieldError:
            return None


def _is_alike(one: ZarrArrayMeta, other: ZarrArrayMeta | None) -> bool:
    if other is None:
        return False
    alike = (one.shape, one.dtype, one.chunk_shape, one.file_shape)
    return (
        alike == (other.shape, other.dtype, other.chunk_shape, other.file_shape)
        and repr(one.fill_value) == repr(other.fill_value)
        and one.metadata == other.metadata
    )


def _text(value: Any) -> str:
    return json.dumps(value, sort_keys=True, default=repr)
