"""OME-Zarr 0.1 to 0.6 and plain zarr, opened as a source.

A viewer is not a validator: whatever can be drawn opens, and everything odd is a
finding. Opening reads metadata only, at most three round trips deep: root,
image, levels. With consolidated metadata it is one.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from brickfield.errors import (
    BrickfieldError,
    OptionError,
    StoreFormatError,
    StoreNotFoundError,
)
from brickfield.model import Channel, ImageInfo, Pyramid
from brickfield.sources.arrays.stored import AssembledSource
from brickfield.sources.geometry import Findings
from brickfield.sources.identity import data_identity
from brickfield.sources.io.location import METADATA_NAMES, Location, locate
from brickfield.sources.io.store_files import exists, list_folders
from brickfield.sources.ome_zarr.arrays import (
    ImageArrays,
    arrays_of_group,
    arrays_of_image,
    assemble_pyramid,
    axes_of,
    join,
    open_levels,
    read_numbers,
)
from brickfield.sources.ome_zarr.channels import (
    check_image_label,
    colors_of_labels,
    properties_of_labels,
    read_channels,
)
from brickfield.sources.ome_zarr.collection import Choice, ImageFinder, ImagePlace
from brickfield.sources.ome_zarr.metadata import (
    Multiscale,
    clean_path,
    ome_attributes,
    read_multiscales,
    read_version,
)
from brickfield.sources.ome_zarr.placing import SystemMap
from brickfield.sources.ome_zarr.plate import choose
from brickfield.sources.ome_zarr.systems import scene_map
from brickfield.sources.places import place_of
from brickfield.sources.zarr.hierarchy import ROOT_KEYS, ZarrHierarchy, ZarrNode


@dataclass(frozen=True, slots=True)
class ZarrOptions:
    """What to open of a zarr store, and how.

    Attributes
    ----------
    series, well, field : int, str or None
        Position or name of what to choose; the first by default.
    label : str or None
        A label image beside the chosen image, instead of it.
    scale : sequence of float or None
        Voxel size of level 0 instead of the stored one, spatial or all axes.
    axes : str or None
        Axis names instead of the stored ones, for example ``"czyx"``.
    chunk_edge : int
        Wished edge of planned chunks, voxels.
    treat_403_as_missing : bool
        Take a server's refusal for "nothing is stored".
    """

    series: Choice = None
    well: Choice = None
    field: Choice = None
    label: str | None = None
    scale: Sequence[float] | None = None
    axes: str | Sequence[str] | None = None
    chunk_edge: int = 64
    treat_403_as_missing: bool = False


def matches(uri: str | Path) -> bool:
    """Whether a local place holds zarr metadata, or a name says it is zarr."""
    text = str(uri).rstrip("/")
    if ".zarr" in text or text.lower().endswith((".ozx", *METADATA_NAMES)):
        return True
    if "://" in text and not text.startswith("file://"):
        return False
    local = locate(uri).local
    return local is not None and any((local / n).is_file() for n in ROOT_KEYS)


def open_source(uri: str | Path, options: ZarrOptions | None = None) -> AssembledSource:
    """Open an OME-Zarr image, or plain zarr arrays.

    Parameters
    ----------
    uri : str or Path
        Folder, zip file or URL; also of a level, a label, a well or a field.
    options : ZarrOptions, optional

    Raises
    ------
    StoreNotFoundError, StoreFormatError, StoreAccessError, StoreUnreachableError
    OptionError
    """
    return open_located(locate(uri), options or ZarrOptions())


def open_located(
    location: Location,
    options: ZarrOptions,
    known: dict[str, bytes | None] | None = None,
) -> AssembledSource:
    """Open a store whose root may have been read already.

    Parameters
    ----------
    location : Location
    options : ZarrOptions
    known : dict, optional
        Metadata files of the root, name to bytes or None.

    Raises
    ------
    StoreNotFoundError, StoreFormatError, StoreAccessError, StoreUnreachableError
    OptionError
    """
    return _Opening(location, options, known).source()


class _Opening:
    """One store on its way to a source; thrown away afterwards."""

    def __init__(
        self,
        location: Location,
        options: ZarrOptions,
        known: dict[str, bytes | None] | None,
    ) -> None:
        self._uri = location.uri
        self._options = options
        self._findings = Findings()
        self._hierarchy = self._look_at(location, known)

    def _look_at(
        self, location: Location, known: dict[str, bytes | None] | None = None
    ) -> ZarrHierarchy:
        denied = self._options.treat_403_as_missing
        return ZarrHierarchy(location, self._findings, known, denied_is_missing=denied)

    def source(self) -> AssembledSource:
        """Go from the root to the source."""
        root = self._root()
        if root.kind == "array":
            root = self._image_round(root)
        options = self._options
        finder = ImageFinder(
            self._hierarchy,
            self._findings,
            series=options.series,
            well=options.well,
            field=options.field,
        )
        place = finder.find(root)
        node = self._node(place.path) if place.path else root
        if options.label is not None:
            place, node = self._label(place, options.label)
        image, names = self._image(node, place)
        place = replace(place, series=names or place.series)
        arrays = self._arrays(node, place, image)
        place = replace(place, series=arrays.series or place.series)
        return self._assemble(node, place, arrays)

    def _root(self) -> ZarrNode:
        if self._hierarchy.root is not None:
            return self._hierarchy.root
        location = self._hierarchy.location
        if self._hierarchy.is_refused(""):
            raise self._hierarchy.refusal("")
        if not exists(location):
            msg = f"expected a zarr store at {location.uri}; found nothing there"
            raise StoreNotFoundError(msg)
        folders = list_folders(location) or []
        if location.spec["driver"] == "zip" and len(folders) == 1:
            self._hierarchy = self._look_at(location.child(folders[0]))
            if self._hierarchy.root is not None:
                return self._hierarchy.root
        nodes = self._hierarchy.nodes(folders[:100])
        formats = [n.zarr_format for n in nodes.values() if n is not None]
        if formats:
            self._findings.warning(
                "no-group",
                "",
                "expected .zgroup or zarr.json at the root; found only nodes inside;"
                " opened those",
            )
            return ZarrNode("", "group", formats[0], {})
        msg = (
            f"expected zarr.json, .zattrs, .zgroup or .zarray in {location.uri}; found"
            " none of them"
        )
        if location.local is None and location.is_remote:
            raise StoreNotFoundError(msg)
        raise StoreFormatError(msg)

    def _image_round(self, root: ZarrNode) -> ZarrNode:
        """Look round an array for the image that it is a level of."""
        location = self._hierarchy.location
        parent = location.parent()
        if parent is None:
            return root
        above = self._look_at(parent)
        if above.root is None or above.root.kind == "array":
            return root
        attributes = ome_attributes(above.root.attributes)
        listed = attributes.get("multiscales")
        for item in listed if isinstance(listed, list) else []:
            datasets = item.get("datasets") if isinstance(item, dict) else None
            own = [
                d
                for d in (datasets if isinstance(datasets, list) else [])
                if isinstance(d, dict) and clean_path(d.get("path")) == location.name
            ]
            if own:
                self._hierarchy = above
                only = {**attributes, "multiscales": [{**item, "datasets": own}]}
                only.pop("ome", None)
                return replace(above.root, attributes=only)
        return root

    def _node(self, path: str) -> ZarrNode:
        node = self._hierarchy.node(path)
        if node is None and self._hierarchy.is_refused(path):
            raise self._hierarchy.refusal(path)
        if node is None:
            msg = (
                f"expected an image at {path!r} in {self._hierarchy.location.uri}; found"
                " nothing there"
            )
            raise StoreFormatError(msg)
        return node

    def _label(self, place: ImagePlace, label: str) -> tuple[ImagePlace, ZarrNode]:
        is_alone = place.is_labels and place.path.startswith("labels/")
        folder = "labels" if is_alone else join(place.path, "labels")
        inside = join(folder, label)
        found = self._hierarchy.nodes([folder, inside])
        node = found[inside]
        if node is None:
            names = ", ".join(_label_names(found[folder], self._findings)) or "none"
            msg = f"expected a label image out of {names}; found {label!r}"
            raise OptionError(msg)
        return replace(place, path=inside, is_labels=True, series_left=None), node

    def _image(
        self, node: ZarrNode, place: ImagePlace
    ) -> tuple[Multiscale | None, tuple[str, ...]]:
        """Choose among the images of one group; None for plain arrays."""
        images = read_multiscales(node.attributes, self._findings)
        names = tuple(m.name or str(i) for i, m in enumerate(images))
        if len(set(names)) < len(names):
            names = tuple(str(i) for i in range(len(images)))
        if not images:
            return None, ()
        if len(images) == 1:
            choose(place.series_left, names, "series")
            return images[0], ()
        return images[choose(place.series_left, names, "series")], names

    def _arrays(
        self, node: ZarrNode, place: ImagePlace, image: Multiscale | None
    ) -> ImageArrays:
        if image is not None and image.datasets:
            beside = [join(place.path, "labels")]
            return arrays_of_image(
                self._hierarchy, place.path, image, self._findings, beside=beside
            )
        try:
            return arrays_of_group(
                self._hierarchy, node, self._findings, place.series_left
            )
        except StoreFormatError:
            # What is wrong with the image says more than that arrays are missing.
            errors = [f for f in self._findings.as_tuple() if f.severity == "error"]
            if not errors:
                raise
            raise StoreFormatError(f"{errors[0].text} ({self._uri})") from None

    def _assemble(
        self, node: ZarrNode, place: ImagePlace, arrays: ImageArrays
    ) -> AssembledSource:
        options, location = self._options, self._hierarchy.location
        axes = axes_of(arrays, options.axes, self._findings)
        levels = open_levels(
            location,
            arrays.found,
            self._findings,
            denied_is_missing=options.treat_403_as_missing,
        )
        if (root := self._hierarchy.root) and _is_being_written(root.attributes):
            self._findings.forget("no-chunks")  # they are still to come
        pyramid, placement = assemble_pyramid(
            arrays,
            axes,
            levels,
            self._findings,
            scene=self._in_scene(place, arrays),
            read_array=lambda path: read_numbers(self._hierarchy, node.path, path),
            chunk_edge=options.chunk_edge,
            scale=options.scale,
        )
        by_path = {meta.path: array for meta, _, array in levels}
        parts = [by_path[lv.path] for lv in pyramid.levels]
        info = self._info(node, place, arrays, pyramid)
        is_in_scene = place.is_in_scene and len(place.series) > 1
        info = replace(info, placement=placement, is_in_scene=is_in_scene)
        info = replace(info, beside=place.beside)
        places = self._places(place, pyramid)
        return AssembledSource(
            info,
            self._source_id(place, pyramid),
            lambda level, _: parts[level],
            places=lambda: places,
            is_remote=location.is_remote,
        )

    def _in_scene(self, place: ImagePlace, arrays: ImageArrays) -> SystemMap | None:
        root = self._hierarchy.root
        if not place.is_in_scene or root is None or arrays.image is None:
            return None
        own = (place.path, arrays.image.intrinsic)
        return scene_map(self._hierarchy, root, own, self._findings)

    def _info(
        self, node: ZarrNode, place: ImagePlace, arrays: ImageArrays, pyramid: Pyramid
    ) -> ImageInfo:
        attributes = ome_attributes(node.attributes)
        image = arrays.image
        is_labels = self._is_labels(node, place, pyramid)
        channel_axis = pyramid.channel_axis
        n_channels = (
            1 if channel_axis is None else pyramid.levels[0].shape[channel_axis]
        )
        channels: tuple[Channel, ...] = read_channels(
            attributes, n_channels, self._findings
        )
        zarr_format = f"zarr v{arrays.found[0][0].zarr_format}"
        version = f" {image.version}" if image and image.version else ""
        inside = place.path.rstrip("/").rpartition("/")[2]
        folder_name = inside or self._hierarchy.location.name
        labels: tuple[str, ...] = ()
        if image is not None and not is_labels:
            folder = self._hierarchy.node(join(place.path, "labels"))
            labels = _label_names(folder, self._findings)
        elif place.is_labels and place.path.startswith("labels/") and not place.beside:
            # There is no image that they lie beside.
            labels = place.series
        said = attributes.get("image-label")
        return ImageInfo(
            uri=self._uri,
            format=zarr_format
            if image is None
            else f"OME-Zarr{version} ({zarr_format})",
            name=(image.name.strip("/ ") if image else "") or folder_name,
            pyramid=pyramid,
            channels=channels,
            labels=labels,
            is_labels=is_labels,
            wells=place.wells,
            series=place.series,
            findings=self._findings.as_tuple(),
            image=place.path if place.wells else "",
            label_colors=colors_of_labels(said) if is_labels else (),
            label_properties=properties_of_labels(said) if is_labels else (),
        )

    def _is_labels(self, node: ZarrNode, place: ImagePlace, pyramid: Pyramid) -> bool:
        label = ome_attributes(node.attributes).get("image-label")
        if label is not None:
            check_image_label(label, self._findings)
            if isinstance(label, dict):
                read_version(node.attributes, label, "image-label", self._findings)
        said = label is not None or place.is_labels or self._is_in_labels(place.path)
        if said and pyramid.dtype.kind not in "iub":
            self._findings.warning(
                "label-dtype",
                pyramid.levels[0].path,
                f"expected whole numbers in a label image; found {pyramid.dtype}; drew it"
                " as an image",
            )
            return False
        return said

    def _is_in_labels(self, path: str) -> bool:
        """Whether an image lies in the ``labels`` group of a store.

        The folder's name alone says nothing: an image may lie in any folder. It
        counts where its group names the image, or lies in a multiscale image.
        """
        location = self._hierarchy.location.child(path)
        folder = location.parent()
        if folder is None or folder.name != "labels":
            return False
        listed = self._attributes_at(folder).get("labels")
        if isinstance(listed, list) and location.name in listed:
            return True
        above = folder.parent()
        return above is not None and "multiscales" in self._attributes_at(above)

    def _attributes_at(self, location: Location) -> dict[str, Any]:
        """Attributes of a group round the image; what is wrong there is not ours."""
        denied = self._options.treat_403_as_missing
        try:
            root = ZarrHierarchy(location, Findings(), denied_is_missing=denied).root
        except BrickfieldError:
            return {}
        return {} if root is None else ome_attributes(root.attributes)

    def _places(self, place: ImagePlace, pyramid: Pyramid) -> list[Path | str]:
        location = self._hierarchy.location
        folders = [lv.path for lv in pyramid.levels]
        # A folder that only happens to hold images is not read as a whole.
        is_store = self._hierarchy.root is not None
        folders += [place.path] if is_store or place.path else []
        folders += [""] if is_store else []
        return [place_of(location.child(f)) for f in folders]

    def _source_id(self, place: ImagePlace, pyramid: Pyramid) -> str:
        location, options = self._hierarchy.location, self._options
        base = location.spec.get("base", {})
        zipped = Path(base["path"]) if base.get("driver") == "file" else None
        levels = [location.child(lv.path).local for lv in pyramid.levels]
        folder = location.child(place.path).local
        stamps = sorted(self._hierarchy.stamps.items()) if location.is_remote else ()
        facts = (
            location.uri,
            *(lv.path for lv in pyramid.levels),
            options.chunk_edge,
            options.treat_403_as_missing,
            data_identity(zipped, folder, *(lv for lv in levels if lv != folder)),
            *stamps,
        )
        return "|".join(map(str, facts))


def _label_names(node: ZarrNode | None, findings: Findings) -> tuple[str, ...]:
    if node is None:
        return ()
    listed = ome_attributes(node.attributes).get("labels")
    if isinstance(listed, list):
        return tuple(p for p in (clean_path(v) for v in listed) if p)
    findings.info(
        "labels-list",
        "labels",
        f"expected a list of names in labels; found {type(listed).__name__}",
    )
    return ()


def _is_being_written(attributes: Mapping[str, Any]) -> bool:
    """Tell whether a stream that is not complete says so."""
    said = attributes.get("brickfield.acquisition")
    if isinstance(ours := attributes.get("brickfield"), Mapping):
        said = ours.get("acquisition", said)
    return isinstance(said, Mapping) and said.get("complete") is False
