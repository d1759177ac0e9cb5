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

from brickfield.errors import BrickfieldError, StoreFormatError, StoreNotFoundError
from brickfield.model import Axis
from brickfield.sources.coordinates.graph import (
    CoordinateGraph,
    CoordinateSystem,
    Edge,
    Key,
)
from brickfield.sources.coordinates.parse import Ends, TransformParser, Ways
from brickfield.sources.geometry import Findings
from brickfield.sources.io.location import locate
from brickfield.sources.ome_zarr.metadata import (
    clean_path,
    ome_attributes,
    path_inside,
    system_axes,
)
from brickfield.sources.ome_zarr.placing import SystemMap
from brickfield.sources.zarr.hierarchy import ZarrHierarchy, ZarrNode

Json = dict[str, Any]


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


def read_graph(
    hierarchy: ZarrHierarchy, root: ZarrNode, images: Sequence[str] | None = None
) -> CoordinateGraph:
    """Read the coordinate systems of a group and of the images that its scene names.

    Parameters
    ----------
    hierarchy : ZarrHierarchy
    root : ZarrNode
        A scene, an image, or both.
    images : sequence of str, optional
        Paths of the images to look into; by default all.
    """
    return _GraphReader(hierarchy, images).read(root)


def scene_map(
    hierarchy: ZarrHierarchy,
    root: ZarrNode,
    image: Key,
    findings: Findings,
) -> SystemMap | None:
    """Find where a scene puts one of its images.

    The world of a scene is the system that it lists first, or, where it lists none,
    the one that its first transformation leads to.

    Parameters
    ----------
    hierarchy : ZarrHierarchy
    root : ZarrNode
        The scene.
    image : tuple of (str, str)
        Path of the image and name of its own system.

    Returns
    -------
    SystemMap or None
        None, with a finding, where no usable transformation leads to the world.
    """
    where = "scene.coordinateTransformations"
    # Of a thousand images one is to be opened: the others are read only if its
    # transformations lead through them.
    graph = read_graph(hierarchy, root, [image[0]])
    world = world_of(graph, root)
    if world is None or not graph.has_path(image, world):
        graph = read_graph(hierarchy, root)
        world = world_of(graph, root)
    if world is None or image not in graph.systems:
        text = f"expected {image[1]!r} of {image[0]!r} and a system of the scene in {where}"
        findings.error("scene", where, f"{text}; found no such systems; drew it apart")
        return None
    try:
        matrix = graph.between(image, world)
    except StoreFormatError as error:
        findings.error("scene", where, f"{error}; drew {image[0]!r} apart")
        return None
    if graph.is_ambiguous(image, world):
        findings.warning(
            "scene",
            where,
            f"expected one way from {image[0]!r} to {world[1]!r} in {where}; found ways"
            " to different places; took the one that is listed first",
        )
    return SystemMap(matrix, axes_of_system(graph.systems[world]))


def world_of(graph: CoordinateGraph, root: ZarrNode) -> Key | None:
    """Return the system in which a scene is shown, None if it has none.

    Parameters
    ----------
    graph : CoordinateGraph
    root : ZarrNode
        Of the scene.
    """
    own = [key for key in graph.systems if key[0] == root.path]
    scene = ome_attributes(root.attributes).get("scene")
    if isinstance(scene, dict) and _objects(scene.get("coordinateSystems")):
        return own[0] if own else None
    leading = [edge.target for edge in graph.edges if edge.where.startswith("scene.")]
    return leading[0] if leading else None


def declared_images(root: ZarrNode) -> list[str]:
    """Return the paths of the images that a scene names, whether they are there or not.

    Parameters
    ----------
    root : ZarrNode
        Of the scene.
    """
    scene = ome_attributes(root.attributes).get("scene")
    listed = scene.get("coordinateTransformations") if isinstance(scene, dict) else ()
    named = (p for t in _objects(listed) for p in _paths(t))
    inside = (path_inside(root.path, path) for path in named)
    return list(dict.fromkeys(p for p in inside if p is not None and p != root.path))


def unit_of_system(root: ZarrNode, name: str) -> str | None:
    """Return the unit of space of a system that a scene lists; None if it names none.

    Parameters
    ----------
    root : ZarrNode
        Of the scene.
    name : str
    """
    scene = ome_attributes(root.attributes).get("scene")
    systems = scene.get("coordinateSystems") if isinstance(scene, dict) else ()
    for system in _objects(systems):
        if system.get("name") == name:
            spatial = [
                a for a in _objects(system.get("axes")) if a.get("type") == "space"
            ]
            return next((str(a["unit"]) for a in spatial if a.get("unit")), None)
    return None


def axes_of_system(system: CoordinateSystem) -> tuple[Axis, ...]:
    """Return the axes of a system as those of an image are given."""
    named = zip(system.axes, system.kinds, strict=True)
    return system_axes({"name": name, "type": kind} for name, kind in named)


class _GraphReader:
    """Reads one graph; thrown away afterwards."""

    def __init__(
        self, hierarchy: ZarrHierarchy, images: Sequence[str] | None = None
    ) -> None:
        self._hierarchy = hierarchy
        self._images = images
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
        inside = (path_inside(root.path, path) for path in paths)
        wanted = (
            path
            for path in inside
            if path is not None and (self._images is None or path in self._images)
        )
        # One image that cannot be read shall not hide the others.
        nodes = self._hierarchy.nodes(wanted, keeps_faults=True)
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
        array = CoordinateSystem(path, name, axes, kinds, is_array=True)
        self._graph.systems.setdefault(array.key, array)
        whole = {"type": "sequence", "transformations": transforms}
        item = transforms[0] if len(transforms) == 1 else whole
        self._add_edge(path, item, array.key, target, where)

    def _add_edges(self, path: str, transforms: Iterable[Json], where: str) -> None:
        for i, item in enumerate(transforms):
            at = f"{where}.coordinateTransformations[{i}]"
            source = self._end(path, item.get("input"))
            target = self._end(path, item.get("output"))
            if source is not None and target is None:
                target = self._undeclared(item.get("output"), path, source)
            elif target is not None and source is None:
                source = self._undeclared(item.get("input"), path, target)
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
        at = path_inside(path, inside) if isinstance(inside, str) else path
        if at is None:
            return None
        if name is None:
            return self._intrinsic(at)
        key = (at, name) if isinstance(name, str) else None
        return key if key in self._graph.systems else None

    def _undeclared(self, value: Any, path: str, other: Key) -> Key | None:
        """Make a system that a transformation of this group names and nobody lists.

        It gets the axes of the other end.
        """
        name = value.get("name") if isinstance(value, dict) else value
        is_here = not (isinstance(value, dict) and value.get("path"))
        if not is_here or not isinstance(name, str) or not name:
            return None
        like = self._graph.systems[other]
        found = CoordinateSystem(path, name, like.axes, like.kinds)
        self._graph.systems.setdefault(found.key, found)
        return found.key

    def _intrinsic(self, path: str) -> Key | None:
        """Return the system that the levels of an image lead to."""
        of_image = [e for e in self._graph.edges if e.source[0] == path == e.target[0]]
        if of_image:
            return of_image[0].target
        own = [key for key in self._graph.systems if key[0] == path]
        return own[0] if len(own) == 1 else None

    def _numbers(self, group: str, inside: str) -> Any:
        from brickfield.sources.ome_zarr.arrays import read_numbers

        return read_numbers(self._hierarchy, group, inside)


def _paths(transform: Json) -> list[str]:
    ends = [transform.get("input"), transform.get("output")]
    paths = [end.get("path") for end in ends if isinstance(end, dict)]
    return [path for path in paths if isinstance(path, str)]


def _objects(value: Any) -> list[Json]:
    items = value if isinstance(value, list) else []
    return [item for item in items if isinstance(item, dict)]
