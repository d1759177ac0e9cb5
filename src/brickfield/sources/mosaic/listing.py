"""The images of a scene, a project or a collection, each where it lies.

Listing reads metadata only: of an OME-Zarr scene all groups together, of a
BigDataViewer project the XML file alone. An image that is missing or has no usable
transformation is no tile; a finding says so.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

from brickfield.errors import BrickfieldError, OptionError, StoreFormatError
from brickfield.model import AffineTransform, Finding
from brickfield.sources.geometry import Findings, spatial_positions
from brickfield.sources.io.location import locate
from brickfield.sources.mosaic.grid import MosaicOptions
from brickfield.sources.mosaic.source import MosaicSource
from brickfield.sources.mosaic.tile import Tile, TilePlace
from brickfield.sources.open_image import ZARR, checked_place, find_format, open_image
from brickfield.sources.protocol import ChunkSource

MOST_TILES = 100_000
Opener = Callable[[], ChunkSource]


@dataclass
class TileList:
    """Tiles as they were found.

    Attributes
    ----------
    kind : {"scene", "project", "collection", "image"}
        An OME-Zarr scene, a BigDataViewer project, a collection of images that nothing
        places in one system, or one image.
    name : str
    tiles : list of (TilePlace, callable)
        Each with what opens it.
    findings : list of Finding
    """

    kind: str
    name: str
    tiles: list[tuple[TilePlace, Opener]] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)

    @property
    def is_scene(self) -> bool:
        """Whether its images belong together, each at its place."""
        return self.kind in ("scene", "project") and len(self.tiles) > 1


def list_tiles(uri: str, **reading: Any) -> TileList:
    """List the images of a scene, a project or a collection where they lie.

    Parameters
    ----------
    uri : str
        Path or URL.
    **reading
        How it is read: `treat_403_as_missing`, `follow_links`.

    Raises
    ------
    StoreNotFoundError, StoreFormatError, StoreAccessError, StoreUnreachableError
    """
    uri = checked_place(str(uri).strip())
    denied = bool(reading.get("treat_403_as_missing"))
    found, known = find_format(uri, denied_is_missing=denied)
    if found is ZARR:
        listed = _in_zarr(uri, known, denied)
        if listed is not None:
            return listed
    if found.module == "bdv.source":
        return _in_project(uri, reading)
    return _one_by_one(uri, reading)


def is_scene(uri: str, **reading: Any) -> bool:
    """Tell whether a place names several images that belong together, each at its place.

    Parameters
    ----------
    uri : str
        Path or URL.
    **reading
        As for :func:`list_tiles`.
    """
    try:
        found, _ = find_format(checked_place(uri.strip()))
        is_listed = found is ZARR or found.module == "bdv.source"
        return is_listed and list_tiles(uri, **reading).is_scene
    except BrickfieldError:
        return False


def open_mosaic_source(
    uri: str, options: MosaicOptions | None = None, **reading: Any
) -> MosaicSource:
    """Open all images of a scene, a project or a collection as one.

    Parameters
    ----------
    uri : str
        Path or URL.
    options : MosaicOptions, optional
    **reading
        How it is read: `treat_403_as_missing`, `follow_links`.

    Raises
    ------
    StoreNotFoundError, StoreFormatError, StoreAccessError, StoreUnreachableError
    OptionError
    """
    listed = list_tiles(uri, **reading)
    if not listed.tiles:
        reason = listed.findings[0].text if listed.findings else "found no images"
        msg = f"expected images to put together in {uri}; {reason}"
        raise StoreFormatError(msg)
    tiles = [Tile(place, opener) for place, opener in listed.tiles]
    return MosaicSource(
        tiles,
        options,
        document=uri,
        uri=uri,
        name=listed.name,
        findings=listed.findings,
    )


# -- OME-Zarr ------------------------------------------------------------------------


def _in_zarr(uri: str, known: Any, denied: bool) -> TileList | None:
    """List the images of a scene; None for everything else."""
    from brickfield.sources.ome_zarr.alike import AlikeImages
    from brickfield.sources.ome_zarr.metadata import ome_attributes
    from brickfield.sources.zarr.hierarchy import ZarrHierarchy

    location = locate(uri)
    findings = Findings()
    hierarchy = ZarrHierarchy(location, findings, known, denied_is_missing=denied)
    root = hierarchy.root
    about = {} if root is None else ome_attributes(root.attributes)
    if (
        root is None
        or about.get("multiscales")
        or not isinstance(about.get("scene"), dict)
    ):
        return None
    result = TileList("scene", location.name)
    images = AlikeImages(location, denied_is_missing=denied)
    for name, place in _images_of(hierarchy, root, findings, images):
        result.tiles.append((place, partial(images.open, name)))
    result.findings += findings.as_tuple()
    return result


def _images_of(
    hierarchy: Any, root: Any, findings: Findings, alike: Any
) -> Iterator[tuple[str, TilePlace]]:
    """Read where the images of a scene lie, and their shapes, all together."""
    from brickfield.sources.ome_zarr.arrays import join
    from brickfield.sources.ome_zarr.systems import read_graph, world_of
    from brickfield.sources.zarr.metadata import parse_array

    declared = _declared(root)
    graph = read_graph(hierarchy, root)
    world = world_of(graph, root)
    groups, images = _groups_of(hierarchy, graph, root)
    lacking = [path for path in declared if path not in groups]
    faults = hierarchy.faults
    for path in [p for p in lacking if p in faults]:
        findings.error("tile-left-out", path, f"{faults[path]}; left {path!r} out")
    _tell_missing([p for p in lacking if p not in faults], findings)
    finest = {
        path: join(path, listed[0].datasets[0].path)
        for path, listed in images.items()
        if listed and listed[0].datasets
    }
    arrays = hierarchy.nodes(finest.values(), keeps_faults=True)
    ways = {} if world is None else graph.all_to(world)
    for path, array in finest.items():
        try:
            node = arrays[array]
            if array in faults:
                raise faults[array]
            if node is None or world is None:
                text = f"expected an array at {array!r} and a system for it; found none"
                raise StoreFormatError(text)
            meta = parse_array(node, findings)
            place = _place(graph, ways, images[path][0], path, world, meta)
        except BrickfieldError as error:
            findings.error("tile-left-out", path, f"{error}; left {path!r} out")
            continue
        alike.note(groups[path], images[path], node)
        yield path, place
    if world is not None:
        _tell_units(root, world[1], [images[path][0] for path in finest], findings)


def _declared(root: Any) -> list[str]:
    """Return the paths of the images that a scene names, if they are not too many."""
    from brickfield.sources.ome_zarr.systems import declared_images

    declared = declared_images(root)
    if len(declared) > MOST_TILES:
        msg = f"expected at most {MOST_TILES} images in a scene; found {len(declared)}"
        raise StoreFormatError(msg)
    return declared


def _groups_of(
    hierarchy: Any, graph: Any, root: Any
) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the groups of a scene's images that are there, and what each lists."""
    from brickfield.sources.ome_zarr.metadata import read_multiscales

    paths = list(dict.fromkeys(key[0] for key in graph.systems if key[0] != root.path))
    found = hierarchy.nodes(paths, keeps_faults=True)
    groups = {path: node for path, node in found.items() if node is not None}
    images = {
        path: read_multiscales(node.attributes, Findings())
        for path, node in groups.items()
    }
    return groups, images


def _tell_units(root: Any, world: str, images: list[Any], findings: Findings) -> None:
    """Tell in which other units than the scene images are."""
    from brickfield.sources.ome_zarr.systems import unit_of_system

    unit = unit_of_system(root, world)
    others: set[str] = set()
    for image in images:
        others |= _other_units(image, unit)
    if others:
        findings.warning(
            "mixed-units",
            "scene.coordinateSystems",
            f"expected images in {unit} as the scene is; found"
            f" {', '.join(sorted(others))}; took numbers as the transformations"
            " give them",
        )


def _tell_missing(paths: list[str], findings: Findings) -> None:
    """Tell which images that a scene names are not there."""
    if paths:
        listed = ", ".join(map(repr, paths[:10]))
        more = f" and {len(paths) - 10} others" if len(paths) > 10 else ""
        findings.error(
            "tile-left-out",
            "scene.coordinateTransformations",
            f"expected the images {listed}{more} that the scene names; found nothing"
            " there; left them out",
        )


def _other_units(image: Any, unit: str | None) -> set[str]:
    """Return the units of an image's axes of space that are not that of the scene."""
    axes = image.axes if isinstance(image.axes, list) else ()
    found = {
        str(a["unit"])
        for a in axes
        if isinstance(a, dict) and a.get("type") == "space" and a.get("unit")
    }
    return found - {unit} if unit else set()


def _place(
    graph: Any, ways: Any, image: Any, path: str, world: Any, meta: Any
) -> TilePlace:
    from brickfield.sources.ome_zarr.axes import read_axes
    from brickfield.sources.ome_zarr.placing import in_space, reordered
    from brickfield.sources.ome_zarr.systems import axes_of_system

    axes = read_axes(
        image.axes, len(meta.shape), names=None, findings=Findings(), where=path
    )
    key = (path, image.datasets[0].path)
    if key not in graph.systems:
        text = (
            f"expected a transformation of the array {key[1]!r} of {path!r}; found none"
        )
        raise StoreFormatError(text)
    # Where nothing leads, the graph says why.
    matrix = ways[key] if key in ways else graph.between(key, world)
    straight = reordered(matrix, axes, axes_of_system(graph.systems[world]))
    z, y, x = (int(meta.shape[p]) if p >= 0 else 1 for p in spatial_positions(axes))
    return TilePlace(path, in_space(straight, axes), (z, y, x))


# -- BigDataViewer -------------------------------------------------------------------


def _in_project(uri: str, reading: dict[str, Any]) -> TileList:
    from brickfield.sources.bdv.source import BdvProject
    from brickfield.sources.bdv.views import list_views

    denied = bool(reading.get("treat_403_as_missing"))
    project = BdvProject(uri, treat_403_as_missing=denied, **_follow(reading))
    name = uri.rstrip("/").rpartition("/")[2].removesuffix(".xml")
    views, findings = list_views(project.data, project.groups)
    result = TileList("project", name, findings=findings)
    for view in views:
        opener = partial(_opened_view, project, view.series)
        shape = view.shape
        if shape is None:
            source = opener()
            shape = source.info.pyramid.levels[0].shape_zyx
            source.close()
        place = TilePlace(
            view.name,
            view.matrix,
            shape,
            view.time,
            view.channels,
            view.attributes,
            view.absent,
        )
        result.tiles.append((place, opener))
    return result


def _opened_view(project: Any, series: str) -> ChunkSource:
    from brickfield.sources.units import in_one_unit

    return in_one_unit(project.open(series), keeps_numbers=False)


def _follow(reading: dict[str, Any]) -> dict[str, Any]:
    return {"follow_links": True} if reading.get("follow_links") else {}


# -- everything else -----------------------------------------------------------------


def _one_by_one(uri: str, reading: dict[str, Any]) -> TileList:
    """Open each image of a store to see where it lies."""
    denied = bool(reading.get("treat_403_as_missing"))
    source = open_image(uri, _follow(reading), treat_403_as_missing=denied)
    beside = source.info.beside
    names: Sequence[str] = beside or source.info.series
    kind = "collection" if len(names) > 1 else "image"
    result = TileList(kind, source.info.name)
    if not names:
        result.tiles.append((_place_of(source.info.name, source), lambda: source))
        return result
    source.close()
    for name in names:
        opener = partial(
            open_image,
            uri,
            {"series": name, **_follow(reading)},
            treat_403_as_missing=denied,
        )
        try:
            one = opener()
        except (BrickfieldError, OptionError) as error:
            text = f"{error}; left {name!r} out"
            result.findings.append(Finding("error", "tile-left-out", name, text))
            continue
        # Labels among images are no part of the picture that these make together.
        if not (beside and one.info.is_labels):
            result.tiles.append((_place_of(name, one), opener))
        one.close()
    return result


def _place_of(name: str, source: ChunkSource) -> TilePlace:
    info = source.info
    matrix: AffineTransform = info.world
    return replace(TilePlace(name, matrix, info.pyramid.levels[0].shape_zyx), time=None)
