"""A scene like another one, with its images elsewhere.

The new scene is a group of its own beside the old one, whose images it names: nothing
is copied, and nothing is written into the old one.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from brickfield.errors import OptionError
from brickfield.model import AffineTransform
from brickfield.sources.coordinates import affine_map
from brickfield.sources.coordinates.graph import CoordinateSystem
from brickfield.sources.geometry import Findings
from brickfield.sources.io.location import locate
from brickfield.sources.ome_zarr.metadata import ome_attributes
from brickfield.sources.ome_zarr.placing import placement_matrix
from brickfield.sources.ome_zarr.systems import (
    axes_of_system,
    read_graph,
    world_of,
)
from brickfield.sources.zarr.hierarchy import ZarrHierarchy

Json = dict[str, Any]


def moved_scene(
    uri: str,
    moves: Mapping[str, AffineTransform],
    path_of: Callable[[str], str],
) -> Json:
    """Return the metadata of a group with a scene of the same images.

    Parameters
    ----------
    uri : str
        The scene that it is like; it is only read.
    moves : mapping of str to AffineTransform
        By path of an image: from where the old scene has it in the world to where the
        new one has it, (z, y, x).
    path_of : callable
        Takes the path of an image in the old scene; returns that from the new group.

    Raises
    ------
    OptionError
        If it is no scene, or an image has no place in it.
    """
    hierarchy = ZarrHierarchy(locate(uri), Findings())
    root = hierarchy.root
    about = {} if root is None else ome_attributes(root.attributes)
    if root is None or not isinstance(about.get("scene"), dict):
        msg = f"expected tiles of an OME-Zarr scene to write as .zarr; found {uri}: save .json"
        raise OptionError(msg)
    graph = read_graph(hierarchy, root)
    world = world_of(graph, root)
    if world is None:
        msg = f"expected a system that the images of {uri} lie in; found none"
        raise OptionError(msg)
    transforms = []
    for path, move in moves.items():
        own = next((e.target for e in graph.edges if e.source[0] == path), None)
        if own is None:
            msg = f"expected a place of {path!r} in the scene; found none"
            raise OptionError(msg)
        outer = placement_matrix(move, axes_of_system(graph.systems[world]))
        matrix = affine_map.then(graph.between(own, world), outer)
        transforms.append(
            {
                "type": "affine",
                "affine": matrix.tolist(),
                "input": {"path": path_of(path), "name": own[1]},
                "output": {"name": world[1]},
            }
        )
    scene = {
        "coordinateSystems": [_system(graph.systems[world], about["scene"])],
        "coordinateTransformations": transforms,
    }
    attributes = {"ome": {"version": "0.6", "scene": scene}}
    return {"zarr_format": 3, "node_type": "group", "attributes": attributes}


def _system(system: CoordinateSystem, scene: Json) -> Json:
    """Return a system as the old scene lists it, or else as it was read."""
    told = scene.get("coordinateSystems")
    for item in told if isinstance(told, list) else ():
        if isinstance(item, dict) and item.get("name") == system.name:
            return item
    axes = [
        {"name": name, **({"type": kind} if kind else {})}
        for name, kind in zip(system.axes, system.kinds, strict=True)
    ]
    return {"name": system.name, "axes": axes}
