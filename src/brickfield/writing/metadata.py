"""OME-Zarr metadata of an image, written last and at once.

The file that makes a folder an OME-Zarr image is put in place by one rename
after every voxel is on disk. Until then no reader can take the half-written
store for a whole one; when levels are added to a store, its old metadata stands
until that moment.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from brickfield.errors import OptionError, StoreFormatError, StoreWriteError
from brickfield.model import AffineTransform, Axis, Channel
from brickfield.sources.io import read_whole
from brickfield.sources.ome_zarr import placement_matrix
from brickfield.writing.files import write_text
from brickfield.writing.level_plans import LevelPlan
from brickfield.writing.options import IMAGE_VERSIONS

__all__ = [
    "Group",
    "image_attributes",
    "last_geometry",
    "method_attributes",
    "new_group",
    "omero_attributes",
    "own_version",
    "read_group",
    "write_json",
]

_OWN = "physical"
_WORLD = "world"
_PALETTE = ("00FFFF", "FF00FF", "FFFF00", "FF0000", "00FF00", "0000FF")
Json = dict[str, Any]


def image_attributes(
    ome_version: str,
    name: str,
    axes: Sequence[Axis],
    levels: Sequence[LevelPlan],
    placement: AffineTransform | None = None,
) -> Json:
    """Make the ``multiscales`` attribute of an image.

    Parameters
    ----------
    ome_version : {"0.4", "0.5", "0.6"}
    name : str
    axes : sequence of Axis
        In the written order.
    levels : sequence of LevelPlan
    placement : AffineTransform, optional
        What turns, shears or mirrors the image, (z, y, x) in world units; 0.6 only.
    """
    written = [_axis(a) for a in axes]
    if ome_version == "0.6":
        where = _image_in_systems(written, levels, axes, placement)
        return {"multiscales": [{"name": name, **where}]}
    image: Json = {
        "name": name,
        "axes": written,
        "datasets": [_dataset(level) for level in levels],
    }
    if ome_version == "0.4":
        image["version"] = "0.4"
    return {"multiscales": [image]}


def _axis(axis: Axis) -> Json:
    entry = {"name": axis.name}
    if axis.kind != "other":
        entry["type"] = axis.kind
    if axis.unit and axis.kind in ("space", "time"):
        entry["unit"] = axis.unit
    return entry


def _dataset(level: LevelPlan) -> Json:
    return {
        "path": level.path,
        "coordinateTransformations": _scale_and_translation(level),
    }


def method_attributes(
    method: str, made_by: str = "brickfield.pyramid.write_pyramid"
) -> Json:
    """Say how the coarser levels were made (``type`` and ``metadata``).

    Parameters
    ----------
    method : str
    made_by : str
        The function that a reader would look up.
    """
    details = {"method": made_by, "version": own_version()}
    return {"type": method, "metadata": details}


@lru_cache(maxsize=1)
def own_version() -> str:
    """Return this program's version; reading it costs milliseconds, so once."""
    try:
        return version("napari-brickfield")
    except PackageNotFoundError:
        return "0"


def omero_attributes(
    channels: Sequence[Channel],
    windows: Sequence[tuple[float, float]],
    limits: tuple[float, float] | None,
) -> Json:
    """Make the ``omero`` attribute: names, colours, windows of channels.

    Parameters
    ----------
    channels : sequence of Channel
    windows : sequence of tuple of float
        Contrast limits of every channel.
    limits : tuple of float or None
        Smallest and largest value of the type; those of the window if None.
    """
    entries = []
    for i, (channel, (start, end)) in enumerate(zip(channels, windows, strict=True)):
        low, high = limits or (start, end)
        color = "FFFFFF" if len(channels) == 1 else _PALETTE[i % len(_PALETTE)]
        if channel.color is not None:
            color = "".join(f"{v:02X}" for v in channel.color)
        entries.append(
            {
                "label": channel.name,
                "color": color,
                "active": channel.is_active,
                "window": {"min": low, "max": high, "start": start, "end": end},
            }
        )
    return {"omero": {"channels": entries}}


@dataclass(frozen=True)
class Group:
    """An OME-Zarr image on disk, as its metadata file says.

    Attributes
    ----------
    root : Path
    version : {"0.4", "0.5", "0.6"}
    document : dict
        The whole metadata file, ``zarr.json`` or ``.zattrs``.
    """

    root: Path
    version: str
    document: Json

    @property
    def attributes(self) -> Json:
        """Where ``multiscales`` stands."""
        if self.version == "0.4":
            return self.document
        ome: Json = self.document["attributes"]["ome"]
        return ome

    @property
    def image(self) -> Json:
        """The first multiscale image."""
        image: Json = self.attributes["multiscales"][0]
        return image

    def add(self, levels: Sequence[LevelPlan]) -> None:
        """Name further levels, coarser than those that are there.

        Parameters
        ----------
        levels : sequence of LevelPlan
        """
        if self.version == "0.6":
            system = _own_system(self.image)
            more = [_dataset_to(level, system) for level in levels]
        else:
            more = [_dataset(level) for level in levels]
        self.image["datasets"].extend(more)

    def publish(self, *, syncs: bool = True) -> None:
        """Put the metadata in place, by one rename.

        Parameters
        ----------
        syncs : bool
            Wait until they are on disk.

        Raises
        ------
        StoreWriteError
            When there is no room or no right to write.
        """
        try:
            if self.version == "0.4":
                write_json(self.root / ".zgroup", {"zarr_format": 2}, syncs=syncs)
                write_json(self.root / ".zattrs", self.document, syncs=syncs)
                # A consolidated copy would still tell of the old levels.
                (self.root / ".zmetadata").unlink(missing_ok=True)
            else:
                self.document.pop("consolidated_metadata", None)
                write_json(self.root / "zarr.json", self.document, syncs=syncs)
        except StoreWriteError:
            raise
        except OSError as e:
            msg = f"expected to write the metadata of {self.root}; found: {e.strerror}"
            raise StoreWriteError(msg) from e


def new_group(root: Path, ome_version: str, attributes: Json) -> Group:
    """Make the metadata of a new image, not yet on disk.

    Parameters
    ----------
    root : Path
        Folder of the image.
    ome_version : str
        "0.4" or a later one.
    attributes : Json
        What stands in the group's ``ome`` (0.4: at its top).
    """
    if ome_version == "0.4":
        return Group(root, ome_version, attributes)
    ome = {"version": ome_version, **attributes}
    document = {"zarr_format": 3, "node_type": "group", "attributes": {"ome": ome}}
    return Group(root, ome_version, document)


def read_group(root: Path) -> Group:
    """Read the metadata of the image that levels are added to.

    Raises
    ------
    StoreFormatError
        When it is no OME-Zarr image of a version that is written.
    """
    group = None
    try:
        if (root / "zarr.json").exists():
            document = json.loads(read_whole(root / "zarr.json"))
            found = str(document["attributes"]["ome"]["version"])
            group = Group(root, found, document)
            if found == "0.6":
                _axes_of(group.image)
        elif (root / ".zattrs").exists():
            document = json.loads(read_whole(root / ".zattrs"))
            found = str(document["multiscales"][0].get("version", "0.4"))
            group = Group(root, found, document)
    except (KeyError, IndexError, TypeError, ValueError, StopIteration) as e:
        msg = f"expected multiscales metadata in {root}; found it incomplete ({e!r})"
        raise StoreFormatError(msg) from e
    if group is None or group.version not in IMAGE_VERSIONS:
        found = "none" if group is None else f"version {group.version}"
        msg = (
            f"expected an OME-Zarr image of version {' or '.join(IMAGE_VERSIONS)} in {root};"
            f" found {found}: write to another folder"
        )
        raise StoreFormatError(msg)
    return group


def last_geometry(group: Group) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Read voxel size and translation of the coarsest level, as the file has them.

    Transforms of the whole image come on top of those of its levels, so new
    levels go on from what their own list says.

    Raises
    ------
    OptionError
        If a transform has another number of axes than the image.
    """
    image = group.image
    n = len(_axes_of(image) if group.version == "0.6" else image["axes"])
    size, shift = (1.0,) * n, (0.0,) * n
    listed = image["datasets"][-1].get("coordinateTransformations", [])
    for transform in _flattened(listed):
        if transform.get("type") == "scale":
            size = tuple(float(v) for v in transform["scale"])
        elif transform.get("type") == "translation":
            shift = tuple(float(v) for v in transform["translation"])
    if len(size) != n or len(shift) != n:
        msg = (
            f"expected {n} numbers in every transform; found {len(size)}, {len(shift)}"
        )
        raise OptionError(msg)
    return size, shift


def write_json(path: Path, document: Json, *, syncs: bool = True) -> None:
    """Write a file and put it in place with one rename.

    Parameters
    ----------
    path : Path
    document : Json
    syncs : bool
        Wait until it is on disk; a folder that is synced whole later need not.
    """
    write_text(path, _as_text(document), syncs=syncs)


def _as_text(document: Json) -> str:
    """Return indented JSON; Python's own encoder is slow as soon as it indents."""
    from pydantic_core import to_json

    try:
        return to_json(document, indent=2, inf_nan_mode="constants").decode()
    except ValueError:  # a name that is no UTF-8, a number beyond 64 bits
        return json.dumps(document, indent=2)


# -- coordinate systems of 0.6 -------------------------------------------------------


def _image_in_systems(
    axes: Sequence[Json],
    levels: Sequence[LevelPlan],
    parsed: Sequence[Axis],
    placement: AffineTransform | None,
) -> Json:
    """Make the entries of ``multiscales[0]`` that say where an image lies.

    Parameters
    ----------
    axes : sequence of dict
        As the metadata have them, in the written order.
    levels : sequence of LevelPlan
    parsed : sequence of Axis
        The same axes.
    placement : AffineTransform or None
        Applied after the boxes of the levels, (z, y, x) in world units.
    """
    systems = [{"name": _OWN, "axes": list(axes)}]
    entry: Json = {"datasets": [_dataset_to(level, _OWN) for level in levels]}
    if placement is not None:
        systems.insert(0, {"name": _WORLD, "axes": list(axes)})
        entry["coordinateTransformations"] = [
            {
                "type": "affine",
                "affine": placement_matrix(placement, parsed).tolist(),
                "input": {"name": _OWN},
                "output": {"name": _WORLD},
            }
        ]
    return {"coordinateSystems": systems, **entry}


def _dataset_to(level: LevelPlan, system: str) -> Json:
    """Make the ``datasets`` entry of one level.

    Parameters
    ----------
    level : LevelPlan
    system : str
        The image's own system.
    """
    return {
        "path": level.path,
        "coordinateTransformations": [
            {
                "type": "sequence",
                "transformations": _scale_and_translation(level),
                "input": {"path": level.path},
                "output": {"name": system},
            }
        ],
    }


def _scale_and_translation(level: LevelPlan) -> list[Json]:
    """Say where the box of one level lies.

    Parameters
    ----------
    level : LevelPlan
    """
    return [
        {"type": "scale", "scale": [float(v) for v in level.voxel_size]},
        {"type": "translation", "translation": [float(v) for v in level.translation]},
    ]


def _own_system(image: Json) -> str:
    """Return the name of the system that the levels of an image lead to.

    Parameters
    ----------
    image : dict
        ``multiscales[0]`` of version 0.6.

    Raises
    ------
    KeyError, IndexError, TypeError
        If the metadata are not as the format has them.
    """
    name = image["datasets"][0]["coordinateTransformations"][0]["output"]["name"]
    return str(name)


def _axes_of(image: Json) -> list[Json]:
    """Return the axes of an image's own system.

    Parameters
    ----------
    image : dict
        ``multiscales[0]`` of version 0.6.

    Raises
    ------
    KeyError, IndexError, TypeError
        If the metadata are not as the format has them.
    """
    own = _own_system(image)
    systems = image["coordinateSystems"]
    axes: list[Json] = next(s["axes"] for s in systems if s["name"] == own)
    return axes


def _flattened(transforms: Sequence[Json]) -> list[Json]:
    """Return the parts of sequences in their place.

    Parameters
    ----------
    transforms : sequence of dict
    """
    parts = []
    for item in transforms:
        inner = item.get("transformations") if item.get("type") == "sequence" else None
        parts += [item] if inner is None else _flattened(inner)
    return parts
