"""The ``multiscales`` entry of an OME-Zarr image in one form for all versions.

Versions 0.1 to 0.6 differ in where attributes lie (under ``ome`` from 0.5), how
axes are spelled (0.1 and 0.2 none, 0.3 names, 0.4 objects, 0.6 inside
``coordinateSystems``) and where transformations stand. After this module they
no longer differ. The stated version only serves to note contradictions: what is
there decides how it is read.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any

from brickfield.model import Axis, AxisKind
from brickfield.sources.geometry import Findings, axis_named
from brickfield.sources.ome_zarr.ends import check_ends
from brickfield.sources.ome_zarr.transforms import input_name, output_name
from brickfield.sources.zarr.hierarchy import ZarrNode

Json = dict[str, Any]
_KINDS: dict[str, AxisKind] = {"space": "space", "time": "time", "channel": "channel"}
KNOWN_VERSIONS = ("0.1", "0.2", "0.3", "0.4", "0.5", "0.6")
USUAL_SYSTEM = "global"
"""That in which SpatialData puts what is told no other."""


@dataclass(frozen=True)
class Dataset:
    """One level as a file describes it.

    Attributes
    ----------
    path : str
        Of the array, below the image's group.
    transforms : object
        ``coordinateTransformations`` as stored; None when absent.
    where : str
        Place in the metadata.
    """

    path: str
    transforms: Any
    where: str


@dataclass(frozen=True)
class Multiscale:
    """One image as a file describes it.

    Attributes
    ----------
    name, version : str
        Empty when absent.
    axes : object
        As stored; None when absent.
    axes_where : str
        Place of the axes in the metadata.
    datasets : tuple of Dataset
        In the file's order.
    transforms : object
        Applied after each dataset's own; None when absent.
    where : str
        Place in the metadata.
    outer_axes : tuple of Axis
        That `transforms` lead to; empty where they are those of the image.
    intrinsic : str
        Name of the system that the levels lead to; empty before 0.6.
    """

    name: str
    version: str
    axes: Any
    axes_where: str
    datasets: tuple[Dataset, ...]
    transforms: Any
    where: str
    outer_axes: tuple[Axis, ...] = ()
    intrinsic: str = ""


def ome_attributes(attributes: Json) -> Json:
    """Attributes with what stands under ``ome`` brought to the top."""
    ome = attributes.get("ome")
    return {**attributes, **ome} if isinstance(ome, dict) else attributes


def read_version(attributes: Json, part: Json, where: str, findings: Findings) -> str:
    """Find the version that an image, plate, well or label states.

    Parameters
    ----------
    attributes : dict
        Of the group, as stored.
    part : dict
        ``multiscales[i]``, ``plate``, ``well`` or ``image-label``.
    where : str
        Place of `part` in the metadata.
    """
    ome = attributes.get("ome")
    places = (part, ome if isinstance(ome, dict) else {}, attributes)
    stated = next((p["version"] for p in places if p.get("version") is not None), None)
    if stated is None:
        findings.info(
            "no-version", f"{where}.version", f"expected {where}.version; found none"
        )
        return ""
    version = str(stated)
    if not re.match(r"^0\.[1-6](?!\d)", version):
        findings.warning(
            "unknown-version",
            f"{where}.version",
            f"expected one of the versions {', '.join(KNOWN_VERSIONS)} in"
            f" {where}.version; found {stated!r:.40}; read it as the closest known one",
        )
    return version


def read_multiscales(attributes: Json, findings: Findings) -> list[Multiscale]:
    """Read all images of a group.

    Parameters
    ----------
    attributes : dict
        Of the group, as stored.

    Returns
    -------
    list of Multiscale
        Empty when there is no usable entry; findings say why.
    """
    listed = ome_attributes(attributes).get("multiscales")
    if listed is None:
        return []
    if isinstance(listed, dict):
        listed = [listed]
    if not isinstance(listed, list) or not listed:
        findings.error(
            "multiscales",
            "multiscales",
            f"expected a list with one image or more in multiscales; found {listed!r:.40}",
        )
        return []
    images = []
    for i, item in enumerate(listed):
        where = f"multiscales[{i}]"
        if isinstance(item, dict):
            images.append(_multiscale(attributes, item, where, findings))
        else:
            findings.error(
                "multiscales",
                where,
                f"expected an object in {where}; found {item!r:.40}",
            )
    return images


def _multiscale(
    attributes: Json, item: Json, where: str, findings: Findings
) -> Multiscale:
    version = read_version(attributes, item, where, findings)
    datasets = _datasets(item.get("datasets"), f"{where}.datasets", findings)
    name = item.get("name")
    if "coordinateSystems" in item:
        check_ends(item, where, findings)
        axes, axes_where, transforms = _in_systems(item, where, findings)
        outer_axes = _axes_of_first(item) if transforms else ()
    else:
        axes, axes_where = item.get("axes"), f"{where}.axes"
        transforms = _to_one_system(
            item.get("coordinateTransformations"), where, findings
        )
        outer_axes = _axes_of_end(transforms)
        _check_axes_version(axes, version, axes_where, findings)
    return Multiscale(
        name=name if isinstance(name, str) else "",
        version=version,
        axes=axes,
        axes_where=axes_where,
        datasets=datasets,
        transforms=transforms,
        where=where,
        outer_axes=outer_axes,
        intrinsic=_intrinsic_name(item) or "",
    )


def _to_one_system(listed: Any, where: str, findings: Findings) -> Any:
    """Choose one of several systems that an image of SpatialData leads to.

    Before 0.6 transformations beside the datasets are applied one after the other.
    SpatialData names systems there as 0.6 does, and lists one transformation for each:
    these are ways to choose from.
    """
    if not isinstance(listed, list) or len(listed) < 2:
        return listed
    names = [output_name(t) if isinstance(t, dict) else None for t in listed]
    if None in names or len(set(names)) < len(names):
        return listed
    at = names.index(USUAL_SYSTEM) if USUAL_SYSTEM in names else 0
    findings.info(
        "further-systems",
        f"{where}.coordinateTransformations",
        f"{where} leads to the systems {', '.join(map(str, names))}; drew {names[at]!r}",
    )
    return [listed[at]]


def _axes_of_end(listed: Any) -> tuple[Axis, ...]:
    """Axes that a transformation of SpatialData leads to, as it names them.

    Its matrices are often written for x and y, into systems of images that have y and
    x: the rows of a matrix are those of the output's axes.
    """
    last = listed[-1] if isinstance(listed, list) and listed else None
    output = last.get("output") if isinstance(last, dict) else None
    axes = output.get("axes") if isinstance(output, dict) else None
    return system_axes(axes if isinstance(axes, list) else [])


def drawn_system(node: ZarrNode | None) -> str:
    """Return the system that an image of SpatialData is drawn in; empty if none.

    Parameters
    ----------
    node : ZarrNode or None
        The image's group.
    """
    listed = ome_attributes(node.attributes).get("multiscales") if node else None
    first = listed[0] if isinstance(listed, list) and listed else None
    ways = first.get("coordinateTransformations") if isinstance(first, dict) else None
    ways = ways if isinstance(ways, list) else []
    names = [output_name(t) if isinstance(t, dict) else None for t in ways]
    if USUAL_SYSTEM in names:
        return USUAL_SYSTEM
    return str(names[0] or "") if names else ""


def _axes_of_first(item: Json) -> tuple[Axis, ...]:
    """Axes of the system that is listed first."""
    systems = [s for s in item["coordinateSystems"] if isinstance(s, dict)]
    axes = systems[0].get("axes")
    return system_axes(axes if isinstance(axes, list) else [])


def system_axes(axes: Iterable[Any]) -> tuple[Axis, ...]:
    """Make axes of those that a coordinate system lists.

    Parameters
    ----------
    axes : iterable of dict
        Each with a ``name`` and perhaps a ``type``.
    """
    found = []
    for i, axis in enumerate(axes):
        about = axis if isinstance(axis, dict) else {}
        named = axis_named(str(about.get("name", i)))
        kind = _KINDS.get(str(about.get("type")))
        found.append(named if kind is None else replace(named, kind=kind))
    return tuple(found)


def _datasets(value: Any, where: str, findings: Findings) -> tuple[Dataset, ...]:
    if not isinstance(value, list) or not value:
        findings.error(
            "no-datasets",
            where,
            f"expected a list with one level or more in {where}; found {value!r:.40}",
        )
        return ()
    found = []
    for i, item in enumerate(value):
        at = f"{where}[{i}]"
        path = item.get("path") if isinstance(item, dict) else None
        if isinstance(path, int) and not isinstance(path, bool):
            findings.warning(
                "dataset-path", at, f"expected a text in {at}.path; found {path!r}"
            )
            path = str(path)
        clean = clean_path(path)
        if clean is None:
            findings.error(
                "dataset-path",
                at,
                f"expected the path of an array inside the store in {at}.path; found"
                f" {path!r:.60}; left the level out",
            )
            continue
        note_reserved(clean, f"{at}.path", findings)
        found.append(Dataset(clean, item.get("coordinateTransformations"), at))
    return tuple(found)


def clean_path(path: Any) -> str | None:
    """Bring a path into its shortest form; None if it leads outside the store."""
    if not isinstance(path, str):
        return None
    parts = [p for p in path.replace("\\", "/").split("/") if p not in ("", ".")]
    return "/".join(parts) if parts and ".." not in parts else None


def path_inside(group: str, path: str) -> str | None:
    """Join a path to that of a group; None for one that leads too far out of the store.

    A path of the root may lead to what lies beside the store, as a scene of images that
    are in another one does.

    Parameters
    ----------
    group, path : str
    """
    parts = [p for p in f"{group}/{path}".split("/") if p not in ("", ".")]
    inner = parts[1:] if not group and len(parts) > 2 else parts
    return None if ".." in inner else "/".join(parts)


def note_reserved(path: str, where: str, findings: Findings) -> None:
    """Record names that zarr keeps for itself; they open all the same.

    Parameters
    ----------
    path : str
        Of the node.
    where : str
        In the metadata.
    findings : Findings
        Receives what is odd.
    """
    if any(part.startswith("__") for part in path.split("/")):
        findings.warning(
            "reserved-name",
            where,
            f"expected names that do not begin with __ in {where}; found {path!r:.60}",
        )


def _check_axes_version(
    axes: Any, version: str, where: str, findings: Findings
) -> None:
    if not isinstance(axes, list) or not axes:
        return
    spelled = "0.3" if all(isinstance(a, str) for a in axes) else "0.4"
    is_new = version[:3] in ("0.4", "0.5", "0.6")
    if version and is_new != (spelled == "0.4") and version[:3] in KNOWN_VERSIONS:
        findings.warning(
            "version-mismatch",
            where,
            f"expected axes as version {version[:3]} spells them in {where}; found"
            f" those of version {spelled}; read them so",
        )


def _in_systems(item: Json, where: str, findings: Findings) -> tuple[Any, str, Any]:
    """Axes and outer transformations of a 0.6 image.

    Datasets lead to the intrinsic system, whose axes the image has. A further
    transformation counts only when it leads from there to the system listed
    first, which is the one that applications show by default.
    """
    systems = item["coordinateSystems"]
    at = f"{where}.coordinateSystems"
    systems = (
        [s for s in systems if isinstance(s, dict)] if isinstance(systems, list) else []
    )
    if not systems:
        findings.error(
            "coordinate-systems",
            at,
            f"expected a list with entries in {at}; found none",
        )
        return item.get("axes"), f"{where}.axes", None
    intrinsic = _intrinsic_name(item)
    names = [s.get("name") for s in systems]
    if intrinsic not in names:
        findings.warning(
            "coordinate-systems",
            at,
            f"expected the system {intrinsic!r} that datasets lead to in {at}; found"
            f" {names!r:.80}; took the first",
        )
    index = names.index(intrinsic) if intrinsic in names else 0
    outer = item.get("coordinateTransformations")
    chosen = None
    if isinstance(outer, list) and outer:
        ways = [
            t
            for t in outer
            if input_name(t) == intrinsic and output_name(t) == names[0]
        ]
        chosen = ways[:1] if ways and index != 0 else None
        if chosen is None:
            findings.info(
                "further-systems",
                f"{where}.coordinateTransformations",
                f"{where} leads to further coordinate systems; drew {names[index]!r}",
            )
    return systems[index].get("axes"), f"{at}[{index}].axes", chosen


def _intrinsic_name(item: Json) -> str | None:
    datasets = item.get("datasets")
    for dataset in datasets if isinstance(datasets, list) else []:
        listed = (
            dataset.get("coordinateTransformations")
            if isinstance(dataset, dict)
            else None
        )
        for transform in listed if isinstance(listed, list) else []:
            name = output_name(transform)
            if name is not None:
                return name
    return None
