"""N5 arrays and multiscale groups as a source.

N5 counts axes x, y, z; everything is turned to z, y, x. A place may be an array, a
group with the levels ``s0`` … ``sN``, or a container, whose images are then its
series. Sizes and factors come from the first convention that is present:
COSEM transforms, ``multiscales``, ``pixelResolution`` or ``resolution`` with
``downsamplingFactors`` or ``scales``; without factors the ratio of shapes counts.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import PurePosixPath
from typing import Any

from brickfield.errors import StoreFormatError, StoreNotFoundError
from brickfield.model import Finding, ImageInfo, Pyramid
from brickfield.sources.arrays.stored import AssembledSource
from brickfield.sources.boundary import numbered_channels, series_index
from brickfield.sources.geometry import make_level
from brickfield.sources.identity import data_identity
from brickfield.sources.io.json_files import parse_object, read_object
from brickfield.sources.io.location import Location, locate
from brickfield.sources.io.named_places import Root, resolve_named
from brickfield.sources.io.plain_files import local_path
from brickfield.sources.io.store_files import list_folders, read_many
from brickfield.sources.n5.blocks import tidy_attributes
from brickfield.sources.n5.driver_array import DriverArray
from brickfield.sources.n5.scales import LevelAttributes, read_scales
from brickfield.sources.places import place_of
from brickfield.sources.protocol import ArrayHeader

ATTRIBUTES = "attributes.json"
_MAX_DEPTH = 5


def matches(uri: str) -> bool:
    """Whether the place lies in an ``.n5`` container or has N5 attributes."""
    text = str(uri).rstrip("/")
    if any(part.endswith(".n5") for part in text.split("/")):
        return True
    return "://" not in text and (local_path(text) / ATTRIBUTES).is_file()


def open_source(
    uri: str,
    *,
    series: int | str | None = None,
    treat_403_as_missing: bool = False,
) -> AssembledSource:
    """Open an N5 array, multiscale group or container.

    Parameters
    ----------
    uri : str
        Local folder or http(s), s3, gs.
    series : int, str or None
        One of ``info.series`` of a container; the first by default.
    treat_403_as_missing : bool
        Take a server's refusal of a chunk for "nothing is stored".

    Raises
    ------
    StoreNotFoundError, StoreAccessError, StoreFormatError, StoreUnreachableError
    OptionError
    """
    store = locate(str(uri).removeprefix("n5://").removesuffix(f"/{ATTRIBUTES}"))
    images = find_images(store)
    if not images:
        raise _nothing_found(store)
    chosen = images[series_index(images, series, where=store.uri)]
    findings: list[Finding] = []
    if series is None and len(images) > 1:
        text = f"expected one image; found {len(images)}: {chosen} was opened"
        findings.append(Finding("info", "several-images", "/", text))
    arrays, attributes = open_levels(
        store, chosen, denied_is_missing=treat_403_as_missing
    )
    pyramid, notes = _pyramid(arrays, attributes)
    c = pyramid.channel_axis
    info = ImageInfo(
        uri=str(uri),
        format="N5",
        name=store.name.removesuffix(".n5"),
        pyramid=pyramid,
        channels=numbered_channels(1 if c is None else arrays[0].shape[c]),
        is_labels=is_label_image(attributes),
        series=tuple(name for name in images if name),
        findings=(*findings, *notes, *_without_blocks(store, attributes)),
    )
    return AssembledSource(
        info,
        f"n5|{_identity(store, chosen)}|{chosen}",
        lambda level, _lead: arrays[level],
        places=lambda: [
            place_of(store),
            *(place_of(store.child(said.folder)) for said in attributes),
        ],
        is_remote=store.is_remote,
    )


def _pyramid(
    arrays: list[DriverArray], attributes: list[LevelAttributes]
) -> tuple[Pyramid, tuple[Finding, ...]]:
    scales = read_scales(attributes)
    levels = [
        make_level(
            said.folder or "/",
            ArrayHeader.of(array),
            scales.axes,
            voxel_size=size,
            translation=shift,
        )
        for said, array, size, shift in zip(
            attributes, arrays, scales.voxel_sizes, scales.translations, strict=True
        )
    ]
    return Pyramid(scales.axes, tuple(levels)), scales.findings


def _without_blocks(
    store: Location, attributes: list[LevelAttributes]
) -> Iterator[Finding]:
    """Note local levels of which no block is stored."""
    for said in attributes:
        local = store.child(said.folder).local
        if local is None or any(e.name.isdigit() for e in local.iterdir()):
            continue
        where = said.folder or "/"
        text = f"expected blocks in {where}; found that none is stored: 0 is drawn"
        yield Finding("warning", "no-chunks", where, text)


def find_images(store: Location) -> list[str]:
    """Folders below a place that hold an array or levels; "" is the place itself."""
    own = read_object(store, ATTRIBUTES)
    if own is not None and "dimensions" in own:
        return [""]
    if _level_folders(store, "", own or {}):
        return [""]
    return list(_walk(store, "", _MAX_DEPTH))


def _walk(store: Location, folder: str, depth: int) -> Iterator[str]:
    for name in (list_folders(store.child(folder)) or []) if depth else []:
        if name.isdigit():
            continue
        path = f"{folder}/{name}".lstrip("/")
        own = read_object(store, f"{path}/{ATTRIBUTES}") or {}
        if "dimensions" in own or _level_folders(store, path, own):
            yield path
        else:
            yield from _walk(store, path, depth - 1)


def _level_folders(store: Location, folder: str, own: dict[str, Any]) -> list[str]:
    """Folders of the levels of a multiscale group, finest first."""
    prefix = f"{folder}/" if folder else ""
    multiscales = own.get("multiscales")
    if isinstance(multiscales, list) and multiscales:
        datasets = multiscales[0].get("datasets") or []
        root = Root.of_description(store.uri, store.uri)
        paths = [str(d["path"]) for d in datasets if "path" in d]
        named = [f"{prefix}{resolve_named(root, path).inside}" for path in paths]
        if named and read_object(store, f"{named[0]}/{ATTRIBUTES}"):
            return named
    found: list[str] = []
    while True:
        name = f"{prefix}s{len(found)}"
        if "dimensions" not in (read_object(store, f"{name}/{ATTRIBUTES}") or {}):
            return found
        found.append(name)


def open_levels(
    store: Location, folder: str, *, denied_is_missing: bool = False
) -> tuple[list[DriverArray], list[LevelAttributes]]:
    """Open an array, or all levels of a multiscale group.

    Parameters
    ----------
    store : Location
    folder : str
        Below the store; "" for the store itself.
    denied_is_missing : bool
        Take a server's refusal for "not stored".

    Returns
    -------
    arrays : list of DriverArray
    attributes : list of LevelAttributes
        What the JSON files say of each of them.
    """
    prefix = f"{folder}/" if folder else ""
    own = read_object(store, f"{prefix}{ATTRIBUTES}") or {}
    is_array = "dimensions" in own
    folders = [folder] if is_array else _level_folders(store, folder, own)
    group = {} if is_array else own
    # BDV keeps factors beside the setup, above the time point.
    above = str(PurePosixPath(folder).parent) if "/" in folder else ""
    if not is_array and "downsamplingFactors" not in group and above:
        setup = read_object(store, f"{above}/{ATTRIBUTES}") or {}
        group = {k: v for k, v in setup.items() if k != "dataType"} | group
    arrays, attributes = [], []
    for number, name in enumerate(folders):
        at = f"{name}/{ATTRIBUTES}" if name else ATTRIBUTES
        raw = read_many(store, [at])[at] or b"{}"
        level = parse_object(raw, store.uri_of(at))
        place = store.child(name)
        arrays.append(_open_array(place, level, denied_is_missing))
        attributes.append(LevelAttributes(name, number, level, group))
    return arrays, attributes


def _open_array(
    place: Location, attributes: dict[str, Any], denied_is_missing: bool
) -> DriverArray:
    if attributes.get("isLabelMultiset"):
        msg = (
            f"expected plain voxels at {place.uri}; found label multisets: convert them"
        )
        raise StoreFormatError(msg)
    metadata, decode = tidy_attributes(attributes)
    return DriverArray(
        place,
        {"driver": "n5", "metadata": metadata},
        decode=decode,
        key_of=lambda _array, index: "/".join(map(str, index[::-1])),
        denied_is_missing=denied_is_missing,
    )


def is_label_image(attributes: list[LevelAttributes]) -> bool:
    """Whether attributes say that voxels are object numbers (paintera, flags)."""
    for said in (attributes[0].own, attributes[0].group):
        paintera = said.get("painteraData")
        kind = paintera.get("type") if isinstance(paintera, dict) else None
        if kind == "label" or said.get("is_label") or said.get("segmentation"):
            return True
    kind = attributes[0].own.get("dataType")
    return kind == "uint64" and "maxId" in {*attributes[0].own, *attributes[0].group}


def _nothing_found(store: Location) -> Exception:
    # Tells when the server refuses even this.
    read_many(store, [ATTRIBUTES], page_is_missing=False)
    if store.local is not None and not store.local.is_dir():
        msg = f"expected an N5 folder at {store.uri}; found nothing: check the path"
        return StoreNotFoundError(msg)
    text = (
        f"expected an N5 array or levels s0, s1, … below {store.uri}; found none: name"
        " the folder of the image itself"
    )
    return StoreFormatError(text)


def _identity(store: Location, chosen: str) -> str:
    if store.local is None:
        return store.uri
    return f"{store.local.resolve()}|{data_identity(store.local / chosen)}"
