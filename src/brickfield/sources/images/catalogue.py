"""The list of images in a store, read as far as it is needed.

Invariant: making a catalogue reads the root's metadata and no more, so a plate of
any size is listed at once; wells are read when their fields are needed, many in
one round trip. What a listed entry turns out to lack (a well without a folder) is
no entry, since nothing would open.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from typing import Any

from brickfield.errors import BrickfieldError
from brickfield.model import ImageInfo
from brickfield.sources.geometry import Findings
from brickfield.sources.images.entry import (
    LABELS,
    ImageEntry,
    Kind,
    Plate,
    read_plate,
)
from brickfield.sources.io.location import locate
from brickfield.sources.ome_zarr.arrays import arrays_of_image, axes_of, join
from brickfield.sources.ome_zarr.metadata import (
    clean_path,
    ome_attributes,
    read_multiscales,
)
from brickfield.sources.ome_zarr.plate import read_fields, read_wells
from brickfield.sources.open_image import ZARR, find_format, open_image
from brickfield.sources.zarr.hierarchy import ZarrHierarchy, ZarrNode

MOST_DESCRIBED = 1024
"""Images whose shapes are looked up for one list; the others stand there without."""
_AT_ONCE = 8


class Catalogue:
    """What a store holds. Any thread, but one at a time.

    Parameters
    ----------
    uri : str
        As for :func:`brickfield.sources.open_source`.
    **reading
        How it is read: `treat_403_as_missing`, `follow_links`.

    Attributes
    ----------
    plate : Plate or None

    Raises
    ------
    StoreNotFoundError, StoreFormatError, StoreAccessError, StoreUnreachableError
    """

    def __init__(self, uri: str, **reading: Any) -> None:
        self.uri = uri
        self.plate: Plate | None = None
        self._reading = reading
        self._findings = Findings()
        self._hierarchy: ZarrHierarchy | None = None
        self._info: ImageInfo | None = None
        denied = bool(reading.get("treat_403_as_missing"))
        found, known = find_format(uri, denied_is_missing=denied)
        self._is_project = found.module == "bdv.source"
        if found is ZARR:
            self._hierarchy = ZarrHierarchy(
                locate(uri), self._findings, known, denied_is_missing=denied
            )
        about = self._root_attributes()
        if isinstance(about.get("plate"), dict):
            assert self._root is not None
            wells = read_wells(self._root.attributes, about["plate"], self._findings)
            self.plate = read_plate(about["plate"], wells)

    @property
    def _root(self) -> ZarrNode | None:
        return None if self._hierarchy is None else self._hierarchy.root

    def _root_attributes(self) -> dict[str, Any]:
        root = self._root
        about = {} if root is None else ome_attributes(root.attributes)
        # An image goes before everything else that its group says.
        return {} if about.get("multiscales") else about

    @property
    def info(self) -> ImageInfo:
        """What is known of the image that opens without a choice."""
        if self._info is None:
            self._info = self._opened({})
        return self._info

    def _opened(self, options: dict[str, str]) -> ImageInfo:
        denied = bool(self._reading.get("treat_403_as_missing"))
        choice: dict[str, Any] = dict(options)
        if self._reading.get("follow_links"):
            choice["follow_links"] = True
        source = open_image(self.uri, choice, treat_403_as_missing=denied)
        try:
            return source.info
        finally:
            source.close()

    # -- all of it ---------------------------------------------------------------

    def entries(self) -> tuple[ImageEntry, ...]:
        """List all images with shapes and axes, label images after their image.

        Raises
        ------
        StoreNotFoundError, StoreFormatError, StoreAccessError, StoreUnreachableError
        """
        if self._hierarchy is not None:
            if self.plate is not None:
                return self.fields_of([well.path for well in self.plate.wells])
            if "well" in self._root_attributes():
                return self.fields_of([""])
            if self.info.wells:
                return self._nested()
        return self._one_by_one(self.chosen())

    def chosen(self) -> tuple[ImageEntry, ...]:
        """List the images of a store in which no wells are, without shapes."""
        is_well = "well" in self._root_attributes()
        if self.plate is not None or is_well or self.info.wells:
            return ()
        names = self.info.series or (self.info.name,)
        if len(names) == 1:
            return (ImageEntry(names[0], "image"),)
        return tuple(ImageEntry(n, "image", {"series": n}) for n in names)

    # -- plates and wells --------------------------------------------------------

    def fields_of(self, wells: Sequence[str]) -> tuple[ImageEntry, ...]:
        """List the fields of wells of a zarr plate, and their label images.

        Parameters
        ----------
        wells : sequence of str
            Paths; "" for the root, where the store is a well.

        Returns
        -------
        tuple of ImageEntry
            Nothing of a well that is not there.
        """
        hierarchy = self._hierarchy
        assert hierarchy is not None
        found = hierarchy.nodes(w for w in wells if w)
        bare: list[ImageEntry] = []
        for well in wells:
            node = found[well] if well else self._root
            for field in self._fields(node):
                options = {"well": well, "field": field} if well else {"field": field}
                bare.append(ImageEntry(join(well, field), "field", options))
        return self._fields_described(bare)

    def _fields(self, node: ZarrNode | None) -> tuple[str, ...]:
        well = None if node is None else ome_attributes(node.attributes).get("well")
        if node is None or well is None:
            return ()
        try:
            return read_fields(node.attributes, well, self._findings)
        except BrickfieldError:
            return ()

    def _fields_described(self, bare: Sequence[ImageEntry]) -> tuple[ImageEntry, ...]:
        hierarchy = self._hierarchy
        assert hierarchy is not None
        near = bare[:MOST_DESCRIBED]
        names = [entry.name for entry in near]
        nodes = hierarchy.nodes([*names, *(join(n, LABELS) for n in names)])
        self._read_ahead([(n, nodes[n]) for n in names])
        found: list[ImageEntry] = []
        for entry in near:
            seen = self._seen(entry, nodes[entry.name])
            found += [] if seen is None else [seen]
            found += self._labels(entry, nodes[join(entry.name, LABELS)])
        return (*found, *bare[MOST_DESCRIBED:])

    def _read_ahead(self, images: Iterable[tuple[str, ZarrNode | None]]) -> None:
        """Read the arrays of all images in one round trip."""
        assert self._hierarchy is not None
        self._hierarchy.nodes(
            join(path, dataset.path)
            for path, node in images
            if node is not None
            for image in read_multiscales(node.attributes, self._findings)[:1]
            for dataset in image.datasets
        )

    def _seen(self, entry: ImageEntry, node: ZarrNode | None) -> ImageEntry | None:
        """Return an entry with shape and axes; None where there is nothing."""
        assert self._hierarchy is not None
        if node is None:
            return None
        images = read_multiscales(node.attributes, self._findings)
        if not images or not images[0].datasets:
            return self.described(entry)
        try:
            arrays = arrays_of_image(
                self._hierarchy, entry.name, images[0], self._findings
            )
            axes = axes_of(arrays, None, self._findings)
        except BrickfieldError:
            return None
        shape = tuple(arrays.found[0][0].shape)
        return _with(entry, shape, [a.name for a in axes])

    def _labels(self, entry: ImageEntry, node: ZarrNode | None) -> list[ImageEntry]:
        listed = None if node is None else ome_attributes(node.attributes).get("labels")
        names = [clean_path(v) for v in listed] if isinstance(listed, list) else []
        bare = [_label_of(entry, name) for name in names if name]
        return self._opened_entries(bare)

    # -- everything else ---------------------------------------------------------

    def _nested(self) -> tuple[ImageEntry, ...]:
        """Fields in wells of a group that says nothing of being a plate."""
        return tuple(
            ImageEntry(e.name, e.kind, _as_series(e.options), e.shape, e.axes)
            for e in self.fields_of(self.info.wells)
        )

    def _one_by_one(self, bare: Sequence[ImageEntry]) -> tuple[ImageEntry, ...]:
        near = bare[:MOST_DESCRIBED]
        if len(bare) == 1:
            infos: Iterable[ImageInfo | None] = [self.info]
        elif self._is_project:
            infos = self._views(near)
        else:
            with ThreadPoolExecutor(_AT_ONCE) as pool:
                infos = pool.map(self._looked, near)
        found: list[ImageEntry] = []
        is_alone = len(bare) == 1
        for entry, info in zip(near, infos, strict=True):
            if info is None:
                continue
            kind: Kind = "labels" if info.is_labels else "image"
            found.append(_of_info(entry, info, kind))
            labels = [_label_of(entry, n, is_alone=is_alone) for n in info.labels]
            found += self._opened_entries(labels)
        return (*found, *bare[MOST_DESCRIBED:])

    def _views(self, near: Sequence[ImageEntry]) -> Iterator[ImageInfo | None]:
        """Open views of a project whose text is read once, not for each of them."""
        from brickfield.sources.bdv.source import BdvProject

        project = BdvProject(self.uri, **self._reading)
        with ExitStack() as held:
            # The first one that opens keeps the files open for the others.
            for entry in near:
                try:
                    source = project.open(entry.name)
                except BrickfieldError:
                    yield None
                    continue
                yield source.info
                held.callback(source.close)

    def _looked(self, entry: ImageEntry) -> ImageInfo | None:
        try:
            return self._opened(dict(entry.options))
        except BrickfieldError:
            return None

    def _opened_entries(self, bare: Sequence[ImageEntry]) -> list[ImageEntry]:
        return [seen for e in bare if (seen := self.described(e)) is not None]

    def described(self, entry: ImageEntry) -> ImageEntry | None:
        """Return an entry with shape and axes; None where it does not open."""
        info = self._looked(entry)
        return None if info is None else _of_info(entry, info, entry.kind)


def list_images(uri: str, **reading: Any) -> tuple[ImageEntry, ...]:
    """List the images of a store; see :class:`Catalogue`."""
    return Catalogue(uri, **reading).entries()


def _label_of(image: ImageEntry, label: str, *, is_alone: bool = False) -> ImageEntry:
    """Name a label image; only beside a single image its own name is enough."""
    is_short = is_alone and label != image.name
    name = label if is_short else join(image.name, LABELS, label)
    return ImageEntry(name, "labels", {**image.options, "label": label})


def _as_series(options: Any) -> dict[str, str]:
    given = dict(options)
    return {"series": given.pop("well"), **given}


def _of_info(entry: ImageEntry, info: ImageInfo, kind: Kind) -> ImageEntry:
    pyramid = info.pyramid
    named = ImageEntry(entry.name, kind, entry.options)
    return _with(named, pyramid.levels[0].shape, [a.name for a in pyramid.axes])


def _with(entry: ImageEntry, shape: tuple[int, ...], axes: Sequence[str]) -> ImageEntry:
    return ImageEntry(entry.name, entry.kind, entry.options, shape, tuple(axes))
