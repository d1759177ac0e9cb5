"""The coordinate systems of an OME-Zarr 0.6 store, as a graph.

Systems and transformations stand in three places: in the datasets of an image (from
an array to the image's own system), beside them (to further systems of the image),
and in the scene of a group above images (from one image to another or to a system of
the scene). All three are read; what cannot be read is kept with the sentence that
says why, so that a path which needs it can be refused with it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from brickfield.errors import BrickfieldError, StoreFormatError, StoreNotFoundError
from brickfield.sources.coordinates.graph import (
    CoordinateGraph,
    CoordinateSystem,
    Edge,
    Key,
)
from brickfield.sources.coordinates.parse import Ends, TransformParser, Ways
from brickfield.sources.geometry import Findings
from brickfield.sources.io.location import Location, locate
from brickfield.sources.ome_zarr.metadata import clean_path, ome_attributes
from brickfield.sources.zarr.hierarchy import ZarrHierarchy, ZarrNode

Json = dict[str, Any]
_LARGEST = 1 << 16
"""Numbers that an array of a transformation may have: 180 × 181 matrices fit."""


def open_graph(uri: str) -> CoordinateGraph:
    """Read the coordinate systems of a store.

    Parameters
    ----------
    uri : str
        Folder, zip file or URL of a scene or an image.

    Raises
    ------
    StoreNotFoundError, StoreFormatError, StoreAccessError, StoreUnreachableError
    """
    hierarchy = ZarrHierarchy(locate(uri), Findings())
    if hierarchy.root is None:
        msg = f"expected an OME-Zarr store at {uri}; found no zarr metadata there"
        raise StoreNotFoundError(msg)
    return read_graph(hierarchy, hierarchy.root)


def read_graph(hierarchy: ZarrHierarchy, root: ZarrNode) -> CoordinateGraph:
    """Read the coordinate systems of a group and of the images that its scene names.

    Parameters
    ----------
    hierarchy : ZarrHierarchy
    root : ZarrNode
        A scene, an image, or both.
    """
    return _GraphReader(hierarchy).read(root)


class _GraphReader:
    """Reads one graph; thrown away afterwards."""

    def __init__(self, hierarchy: ZarrHierarchy) -> None:
        self._hierarchy = hierarchy
        self._graph = CoordinateGraph()

    def read(self, root: ZarrNode) -> CoordinateGraph:
        attributes = ome_attributes(root.attributes)
        scene = attributes.get("scene")
        scene = scene if isinstance(scene, dict) else {}
        for system in _objects(scene.get("coordinateSystems")):
            self._add_system(root.path, system)
        self._read_image(root)
        transforms = _objects(scene.get("coordinateTransformations"))
        paths = dict.fromkeys(p for t in transforms for p in _paths(t))
        inside = (_inside(root.path, path) for path in paths)
        nodes = self._hierarchy.nodes(path for path in inside if path is not None)
        for node in nodes.values():
            if node is not None and node.path != root.path:
                self._read_image(node)
        self._add_edges(root.path, transforms, "scene")
        return self._graph

    def _read_image(self, node: ZarrNode) -> None:
        listed = ome_attributes(node.attributes).get("multiscales")
        for i, image in enumerate(_objects(listed)):
            where = f"multiscales[{i}]"
            systems = _objects(image.get("coordinateSystems"))
            for system in systems:
                self._add_system(node.path, system)
            for j, dataset in enumerate(_objects(image.get("datasets"))):
                self._add_dataset(node.path, dataset, f"{where}.datasets[{j}]")
            transforms = _objects(image.get("coordinateTransformations"))
            self._add_edges(node.path, transforms, where)

    def _add_system(self, path: str, system: Json) -> None:
        name, axes = system.get("name"), _objects(system.get("axes"))
        if isinstance(name, str) and name and axes:
            names = tuple(str(axis.get("name", i)) for i, axis in enumerate(axes))
            kinds = tuple(str(axis.get("type", "")) for axis in axes)
            found = CoordinateSystem(path, name, names, kinds)
            self._graph.systems.setdefault(found.key, found)

    def _add_dataset(self, path: str, dataset: Json, where: str) -> None:
        """Make the array of a level a system of its own, named by its path."""
        name = clean_path(dataset.get("path"))
        transforms = _objects(dataset.get("coordinateTransformations"))
        target = self._end(path, transforms[-1].get("output")) if transforms else None
        if name is None or target is None:
            return
        axes = self._graph.systems[target].axes
        kinds = self._graph.systems[target].kinds
        array = CoordinateSystem(path, name, axes, kinds)
        self._graph.systems.setdefault(array.key, array)
        whole = {"type": "sequence", "transformations": transforms}
        item = transforms[0] if len(transforms) == 1 else whole
        self._add_edge(path, item, array.key, target, where)

    def _add_edges(self, path: str, transforms: Iterable[Json], where: str) -> None:
        for i, item in enumerate(transforms):
            at = f"{where}.coordinateTransformations[{i}]"
            source = self._end(path, item.get("input"))
            target = self._end(path, item.get("output"))
            if source is not None and target is not None:
                self._add_edge(path, item, source, target, at)

    def _add_edge(
        self, path: str, item: Json, source: Key, target: Key, where: str
    ) -> None:
        systems = self._graph.systems
        inputs, outputs = systems[source].axes, systems[target].axes
        parser = TransformParser(lambda inside: self._numbers(path, inside))
        ways: Ways | None = None
        problem = ""
        try:
            ways = parser.parse(item, Ends(len(inputs), inputs, outputs), where)
            if len(ways.forward) != len(outputs):
                raise StoreFormatError(
                    f"expected a transformation to the {len(outputs)} axes of"
                    f" {systems[target].full_name!r} in {where}; found one to"
                    f" {len(ways.forward)}"
                )
        except BrickfieldError as error:
            ways, problem = None, str(error)
        self._graph.edges.append(Edge(source, target, ways, problem, where))

    def _end(self, path: str, value: Any) -> Key | None:
        """Return the system that an end names, None if it is not there."""
        name, inside = value, None
        if isinstance(value, dict):
            name, inside = value.get("name"), value.get("path")
        at = _inside(path, inside) if isinstance(inside, str) else path
        if at is None:
            return None
        if name is None:
            return self._intrinsic(at)
        key = (at, name) if isinstance(name, str) else None
        return key if key in self._graph.systems else None

    def _intrinsic(self, path: str) -> Key | None:
        """Return the system that the levels of an image lead to."""
        of_image = [e for e in self._graph.edges if e.source[0] == path == e.target[0]]
        if of_image:
            return of_image[0].target
        own = [key for key in self._graph.systems if key[0] == path]
        return own[0] if len(own) == 1 else None

    def _numbers(self, group: str, inside: str) -> Any:
        from brickfield.sources.ome_zarr.arrays import open_array
        from brickfield.sources.zarr.metadata import parse_array

        path = _inside(group, inside)
        node = None if path is None else self._hierarchy.node(path)
        if node is None or node.kind != "array":
            msg = f"expected an array of numbers at {inside!r}; found none there"
            raise StoreFormatError(msg)
        meta = parse_array(node, Findings())
        if not 0 < meta.n_voxels <= _LARGEST:
            shape = " × ".join(map(str, meta.shape))
            msg = f"expected a small matrix at {inside!r}; found an array of {shape}"
            raise StoreFormatError(msg)
        return _whole(self._hierarchy.location.child(node.path), meta, open_array)


def _whole(location: Location, meta: Any, open_array: Any) -> Any:
    """Read every voxel of a small array."""
    array = open_array(location, meta)
    result = np.zeros(array.shape, array.dtype)
    counts = [-(-n // c) for n, c in zip(array.shape, array.chunk_shape, strict=True)]
    for index in np.ndindex(*counts):
        chunk = array.read_chunk(index)
        if chunk.data is None:
            result[_box(index, array.chunk_shape)] = meta.fill_value
        else:
            result[_box(index, array.chunk_shape)] = chunk.data
    return result


def _box(index: Sequence[int], chunk: Sequence[int]) -> tuple[slice, ...]:
    return tuple(slice(i * c, (i + 1) * c) for i, c in zip(index, chunk, strict=True))


def _paths(transform: Json) -> list[str]:
    ends = [transform.get("input"), transform.get("output")]
    paths = [end.get("path") for end in ends if isinstance(end, dict)]
    return [path for path in paths if isinstance(path, str)]


def _inside(group: str, path: str) -> str | None:
    """Join a path to a group; None for one that leads out of the store."""
    parts = [p for p in f"{group}/{path}".split("/") if p not in ("", ".")]
    return None if ".." in parts else "/".join(parts)


def _objects(value: Any) -> list[Json]:
    items = value if isinstance(value, list) else []
    return [item for item in items if isinstance(item, dict)]
