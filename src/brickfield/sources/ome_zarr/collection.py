"""From the root of a zarr store to the one image that is to be opened.

A root may be an image, a plate, a well, a bioformats2raw series, a 0.6 scene, a
group of label images or a plain group of any of these. Each step reads the next
nodes together, so a plate on a slow server costs three round trips.
"""

from __future__ import annotations

import xml.etree.ElementTree as ET
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from brickfield.errors import OptionError, StoreFormatError
from brickfield.sources.geometry import PREVIEW, Findings
from brickfield.sources.ome_zarr.ends import check_scene_ends
from brickfield.sources.ome_zarr.metadata import (
    USUAL_SYSTEM,
    clean_path,
    drawn_system,
    ome_attributes,
    path_inside,
)
from brickfield.sources.ome_zarr.plate import choose, read_fields, read_wells
from brickfield.sources.ome_zarr.transforms import end_path
from brickfield.sources.zarr.hierarchy import ZarrHierarchy, ZarrNode

Choice = int | str | None
_LAYOUT = "bioformats2raw.layout"
_XML = "OME/METADATA.ome.xml"
_MAX_PROBED = 16
_SPATIAL = "spatialdata_attrs"


@dataclass(frozen=True)
class ImagePlace:
    """Where the chosen image is, and what else could have been chosen.

    Attributes
    ----------
    path : str
        Group or array of the image, below the root.
    name : str
        Empty when the image's own name shall be used.
    wells, series : tuple of str
    is_labels : bool
    is_in_scene : bool
        Whether a 0.6 scene lies round the image.
    beside : tuple of str
        Of `series`, those of SpatialData that lie in one coordinate system.
    series_left : int, str or None
        Choice that is still to be made inside the image's group.
    """

    path: str
    name: str = ""
    wells: tuple[str, ...] = ()
    series: tuple[str, ...] = ()
    is_labels: bool = False
    is_in_scene: bool = False
    beside: tuple[str, ...] = ()
    series_left: Choice = None


class ImageFinder:
    """Walks from a root to an image. Used by one thread, while opening.

    Parameters
    ----------
    hierarchy : ZarrHierarchy
    findings : Findings
    series, well, field : int, str or None
        What to choose; None for the first.
    """

    def __init__(
        self,
        hierarchy: ZarrHierarchy,
        findings: Findings,
        *,
        series: Choice = None,
        well: Choice = None,
        field: Choice = None,
    ) -> None:
        self._hierarchy = hierarchy
        self._findings = findings
        self._series = series
        self._well = well
        self._field = field

    def find(self, root: ZarrNode) -> ImagePlace:
        """Find the image below a root.

        Raises
        ------
        StoreFormatError
            If the root holds no image.
        OptionError
            If a choice names nothing that is there.
        """
        attributes = ome_attributes(root.attributes)
        place = self._place(root, attributes)
        _tell_preview(root.attributes, place.path, self._findings)
        is_in_well = bool(place.wells) or "well" in attributes
        uri = self._hierarchy.location.uri
        if self._well is not None and not place.wells:
            msg = f"expected no well, since {uri} is no plate; found {self._well!r}"
            raise OptionError(msg)
        if self._field is not None and not is_in_well:
            msg = f"expected no field, since {uri} is no well; found {self._field!r}"
            raise OptionError(msg)
        return place

    def _place(self, root: ZarrNode, attributes: dict[str, Any]) -> ImagePlace:
        if root.kind == "array" or attributes.get("multiscales"):
            return ImagePlace("", series_left=self._series)
        if "plate" in attributes:
            return self._in_plate(root)
        if "well" in attributes:
            return self._in_well(root, "")
        if _LAYOUT in attributes:
            return self._in_series(root)
        return self._in_other(root, attributes)

    def _in_other(self, root: ZarrNode, attributes: dict[str, Any]) -> ImagePlace:
        if isinstance(attributes.get("scene"), dict):
            return self._in_scene(attributes["scene"])
        if isinstance(attributes.get("labels"), list):
            return self._in_labels(attributes["labels"])
        if _SPATIAL in root.attributes:
            place = self._in_elements()
            if place is not None:
                return place
        return self._in_group(root)

    def _in_plate(self, root: ZarrNode) -> ImagePlace:
        plate = ome_attributes(root.attributes)["plate"]
        wells = read_wells(root.attributes, plate, self._findings)
        well = wells[choose(self._well, wells, "well")]
        # The first field is nearly always called 0: ask for both at once.
        node = self._hierarchy.nodes([well, f"{well}/0"])[well]
        if node is None and self._well is None:
            well, node = self._first_there(wells)
        if node is None:
            msg = f"expected a well at {well} as plate.wells says; found nothing there"
            raise StoreFormatError(msg)
        return replace(self._in_well(node, well), wells=wells)

    def _first_there(self, wells: tuple[str, ...]) -> tuple[str, ZarrNode | None]:
        """Return the first well that has a folder; a plate may list others."""
        nodes = self._hierarchy.nodes(wells)
        for well in wells:
            if nodes[well] is not None:
                text = (
                    f"expected a well at {wells[0]} as plate.wells says; found nothing"
                    f" there and opened {well}"
                )
                self._findings.warning("well-missing", "plate.wells", text)
                return well, nodes[well]
        return wells[0], None

    def _in_well(self, node: ZarrNode, path: str) -> ImagePlace:
        well = ome_attributes(node.attributes).get("well")
        fields = read_fields(node.attributes, well, self._findings)
        field = fields[choose(self._field, fields, "field")]
        inside = f"{path}/{field}".lstrip("/")
        return ImagePlace(inside, series=fields, series_left=self._series)

    def _in_series(self, root: ZarrNode) -> ImagePlace:
        found = self._hierarchy.nodes(["OME", "0"], files=[_XML])["OME"]
        listed = ome_attributes(found.attributes).get("series") if found else None
        names: tuple[str, ...] = ()
        if isinstance(listed, list) and listed:
            paths = tuple(p for p in (clean_path(v) for v in listed) if p)
        else:
            paths, names = self._series_of_xml()
        paths = paths or self._probed()
        if not paths:
            msg = (
                "expected images in OME/.zattrs (series), OME/METADATA.ome.xml or folders"
                f" 0, 1, … as {_LAYOUT} says; found none"
            )
            raise StoreFormatError(msg)
        labels = (
            names
            if len(names) == len(paths) and len(set(names)) == len(names)
            else paths
        )
        return self._chosen(paths, labels)

    def _chosen(self, paths: tuple[str, ...], labels: tuple[str, ...]) -> ImagePlace:
        series = self._series
        # What is listed goes before the folder that it lies in.
        is_folder = series in paths and series not in labels
        at = paths.index(series) if is_folder else choose(series, labels, "series")
        return ImagePlace(paths[at], series=labels)

    def _series_of_xml(self) -> tuple[tuple[str, ...], tuple[str, ...]]:
        raw = self._hierarchy.read(_XML)
        if raw is None:
            return (), ()
        # Entities are never expanded: a document that declares some is refused.
        if b"<!ENTITY" in raw:
            self._bad_xml("it declares entities")
            return (), ()
        try:
            root = ET.fromstring(raw)  # noqa: S314
        except ET.ParseError as exc:
            self._bad_xml(str(exc))
            return (), ()
        images = [e for e in root if e.tag.rpartition("}")[2] == "Image"]
        paths = tuple(str(i) for i in range(len(images)))
        return paths, tuple(e.get("Name") or str(i) for i, e in enumerate(images))

    def _bad_xml(self, why: str) -> None:
        text = (
            f"expected OME-XML in {_XML}; found that {why}; looked for folders instead"
        )
        self._findings.warning("ome-xml", _XML, text)

    def _probed(self) -> tuple[str, ...]:
        names = self._hierarchy.children() or [str(i) for i in range(_MAX_PROBED)]
        nodes = self._hierarchy.nodes(n for n in names if n.isdecimal())
        found = tuple(p for p, n in nodes.items() if n is not None)
        self._findings.info(
            "no-series-list",
            "OME",
            f"expected OME/.zattrs or {_XML}; found neither; took the folders"
            f" {', '.join(found) or 'that are none'}",
        )
        return found

    def _in_scene(self, scene: dict[str, Any]) -> ImagePlace:
        check_scene_ends(scene, self._findings)
        listed = scene.get("coordinateTransformations")
        transforms = listed if isinstance(listed, list) else []
        ends = [end_path(t, end) for end in ("input", "output") for t in transforms]
        named = [p.replace("\\", "/") for p in ends if isinstance(p, str)]
        inside = (path_inside("", p) for p in named)
        paths = tuple(dict.fromkeys(p for p in inside if p))
        if not paths:
            msg = (
                "expected the path of an image in scene.coordinateTransformations; found"
                f" {listed!r:.60}"
            )
            raise StoreFormatError(msg)
        return replace(self._chosen(paths, paths), is_in_scene=True)

    def _in_elements(self) -> ImagePlace | None:
        """Find the images and labels of SpatialData; None where it has neither.

        Those that have a transformation to the usual system belong together; where
        none has, those that lead where the first one does.
        """
        found: dict[str, str] = {}
        folders = ("images", "labels", "points", "shapes", "tables")
        inside = {f: self._hierarchy.children(f) for f in folders}
        for folder in folders[:2]:
            for name in sorted(inside[folder]):
                found[f"{folder}/{name}" if name in found else name] = (
                    f"{folder}/{name}"
                )
        nodes = self._hierarchy.nodes(found.values(), keeps_faults=True)
        systems = {n: drawn_system(nodes[p]) for n, p in found.items() if nodes[p]}
        if not systems:
            return None
        names = tuple(systems)
        usual = USUAL_SYSTEM if USUAL_SYSTEM in systems.values() else systems[names[0]]
        beside = tuple(n for n in names if systems[n] == usual)
        self._tell_others(usual, {n: s for n, s in systems.items() if s != usual})
        left = [f"{f} {n!r}" for f in folders[2:] for n in sorted(inside[f])]
        if left:
            text = f"expected images and labels; found {', '.join(left)}, too; left them out"
            self._findings.info("elements-left-out", "", text)
        first = choose(self._series, names, "series")
        if self._series is None:
            first = names.index(beside[0])
        path = found[names[first]]
        return ImagePlace(
            path, series=names, is_labels=path.startswith("labels/"), beside=beside
        )

    def _tell_others(self, usual: str, others: dict[str, str]) -> None:
        if others:
            listed = ", ".join(f"{name!r} in {s!r}" for name, s in others.items())
            text = (
                f"expected elements in the system {usual!r}; found {listed}; left them out"
                " of what is shown together: choose one by its name"
            )
            self._findings.info("further-systems", "", text)

    def _in_labels(self, listed: list[Any]) -> ImagePlace:
        names = tuple(p for p in (clean_path(v) for v in listed) if p)
        if not names:
            msg = f"expected names of label images in labels; found {listed!r:.60}"
            raise StoreFormatError(msg)
        return replace(self._chosen(names, names), is_labels=True)

    def _in_group(self, root: ZarrNode) -> ImagePlace:
        """Find images in a group that says nothing of what it is."""
        attributes = ome_attributes(root.attributes)
        children = self._hierarchy.children()
        nodes = self._hierarchy.nodes(children)
        groups = tuple(
            p
            for p, n in nodes.items()
            if n is not None and n.kind == "group" and _holds_image(n)
        )
        has_arrays = any(n is not None and n.kind == "array" for n in nodes.values())
        if has_arrays:
            return ImagePlace("", series_left=self._series)
        if groups:
            place = self._chosen(groups, groups)
            node = nodes[place.path]
            assert node is not None
            return self._inside(place, node)
        if labels := self._names_of_labels():
            place = self._chosen(labels, labels)
            self._findings.info(
                "only-labels",
                "labels",
                f"expected an image beside labels; found none; opened the label image"
                f" {place.path}",
            )
            return replace(place, path=f"labels/{place.path}", is_labels=True)
        field = "multiscales" if "multiscales" in attributes else "attributes"
        msg = (
            f"expected multiscales, plate, well, {_LAYOUT} or arrays in"
            f" {self._hierarchy.location.uri}; found none of them"
            f" ({field}: {attributes.get(field, sorted(attributes))!r:.80})"
        )
        raise StoreFormatError(msg)

    def _names_of_labels(self) -> tuple[str, ...]:
        """Label images of a store without an image, as listed or found."""
        node = self._hierarchy.node("labels")
        listed = ome_attributes(node.attributes).get("labels") if node else None
        if isinstance(listed, list):
            return tuple(p for p in (clean_path(v) for v in listed) if p)
        names = self._hierarchy.children("labels")
        nodes = self._hierarchy.nodes(f"labels/{name}" for name in names)
        found = zip(names, nodes.values(), strict=True)
        return tuple(name for name, n in found if n is not None and _holds_image(n))

    def _inside(self, place: ImagePlace, node: ZarrNode) -> ImagePlace:
        if "well" in ome_attributes(node.attributes):
            inner = self._in_well(node, place.path)
            return replace(inner, wells=place.series)
        return place


def _holds_image(node: ZarrNode) -> bool:
    attributes = ome_attributes(node.attributes)
    return bool(attributes.get("multiscales")) or "well" in attributes


def _tell_preview(attributes: Mapping[str, Any], path: str, findings: Findings) -> None:
    """Record that an image is the preview that a session keeps of other data."""
    for source in _sources_of_session(attributes):
        if isinstance(source, dict) and source.get("image") == path:
            text = (
                "expected an image; found a session with a coarse preview of"
                f" {source.get('absolute')}: open the session itself, or name that"
                ' image ("brickfield session pack" writes a session with all voxels)'
            )
            findings.warning(PREVIEW, "brickfield.session.sources", text)
            return


def _sources_of_session(attributes: Mapping[str, Any]) -> list[Any]:
    found: Any = attributes
    for key in ("brickfield", "session", "sources"):
        found = found.get(key) if isinstance(found, Mapping) else None
    return found if isinstance(found, list) else []
