"""Neuroglancer precomputed volumes as a source with the axes c, z, y, x.

Neuroglancer puts voxel i of a scale at ``(voxel_offset + i) * resolution`` and
lets it reach to the next one, so the centre of voxel 0 lies half a voxel further.
Lengths are nanometres. Decoding (raw, jpeg, png, compressed segmentation, shards)
is tensorstore's.
"""

from __future__ import annotations

import json
import os
import zlib
from functools import partial
from math import prod
from pathlib import Path
from typing import Any

import numpy as np

from brickfield.errors import StoreFormatError, StoreNotFoundError
from brickfield.model import Axis, Finding, ImageInfo, Pyramid, ScaleLevel
from brickfield.sources.arrays.stored import AssembledSource
from brickfield.sources.boundary import numbered_channels
from brickfield.sources.geometry import is_usable_scale, make_level
from brickfield.sources.identity import data_identity
from brickfield.sources.io.http_objects import is_plain_http
from brickfield.sources.io.json_files import parse_object
from brickfield.sources.io.location import Location, locate
from brickfield.sources.io.named_places import Root, resolve_named
from brickfield.sources.io.plain_files import local_path, read_head
from brickfield.sources.io.store_files import exists, read_many
from brickfield.sources.limits.admission import most_stored
from brickfield.sources.n5.driver_array import DriverArray
from brickfield.sources.n5.precomputed_shards import HttpShards, Sharding
from brickfield.sources.places import place_of
from brickfield.sources.protocol import ArrayHeader

INFO = "info"
_ZIPPED = ".gz"
_AXES = (
    Axis("c", "channel"),
    *(Axis(name, "space", "nanometer") for name in "zyx"),
)


def matches(uri: str) -> bool:
    """Whether the URI says ``precomputed://`` or a local ``info`` file has scales."""
    text = str(uri)
    if text.startswith("precomputed://"):
        return True
    if "://" in text and not text.startswith("file://"):
        return text.rstrip("/").endswith("/info")
    path = local_path(text)
    try:
        if path.name != INFO:
            path = path / INFO
        head = read_head(path, 1 << 16)
    except (OSError, StoreFormatError):
        return False
    return b'"scales"' in head and b'"data_type"' in head


def open_source(
    uri: str, *, treat_403_as_missing: bool = False, follow_links: bool = False
) -> AssembledSource:
    """Open a precomputed volume.

    Parameters
    ----------
    uri : str
        Folder with the ``info`` file, local or http(s), gs, s3; the prefix
        ``precomputed://`` is allowed.
    treat_403_as_missing : bool
        Take a server's refusal of a chunk for "nothing is stored".
    follow_links : bool
        Let local scales lie anywhere.

    Raises
    ------
    StoreNotFoundError, StoreAccessError, StoreFormatError, StoreUnreachableError
    """
    text = str(uri).removeprefix("precomputed://").rstrip("/")
    location = locate(text.removesuffix(f"/{INFO}"))
    raw = read_many(location, [INFO], page_is_missing=False)[INFO]
    if raw is None:
        what = "no such file" if exists(location) else "nothing there"
        msg = f"expected a file {INFO} in {location.uri}; found {what}: check the path"
        raise StoreNotFoundError(msg)
    about = parse_object(raw, location.uri_of(INFO))
    order, findings = _ordered_scales(about, location)
    findings += _keys_outside(about, location, follow_links)
    arrays = [
        _open_scale(location, about, raw, i, denied_is_missing=treat_403_as_missing)
        for i in order
    ]
    scales = [about["scales"][i] for i in order]
    levels = map(_level, scales, arrays)
    pyramid = Pyramid(_AXES, tuple(levels))
    info = ImageInfo(
        uri=str(uri),
        format="neuroglancer precomputed",
        name=location.name,
        pyramid=pyramid,
        channels=numbered_channels(arrays[0].shape[0]),
        is_labels=about.get("type") == "segmentation",
        findings=(*findings, *_without_chunks(about, location)),
    )
    return AssembledSource(
        info,
        f"precomputed|{location.uri}|{data_identity(location.local)}",
        lambda level, _lead: arrays[level],
        places=lambda: _places(location, about),
        is_remote=location.is_remote,
    )


def _places(location: Location, about: dict[str, Any]) -> list[Path | str]:
    folders = ["", *(str(scale["key"]) for scale in about["scales"])]
    return [place_of(location.child(folder)) for folder in folders]


def _ordered_scales(
    about: dict[str, Any], location: Location
) -> tuple[list[int], list[Finding]]:
    """Scales from fine to coarse; notes when the file has another order."""
    where = location.uri_of(INFO)
    kind, scales = about.get("type", "image"), about.get("scales")
    if kind not in ("image", "segmentation") or not isinstance(scales, list):
        msg = (
            f"expected an image or segmentation with scales in {where}; found {kind!r}"
        )
        raise StoreFormatError(msg)
    for i, scale in enumerate(scales):
        try:
            is_usable = is_usable_scale(_resolution(scale)) and _has_size(scale)
        except (KeyError, TypeError, ValueError, OverflowError):
            is_usable = False
        if not is_usable or "key" not in scale:
            msg = (
                f"expected key, a size of 3 whole numbers and a resolution of 3 values above 0 in {where},"
                f" scales[{i}]; found {json.dumps(scale)[:120]}"
            )
            raise StoreFormatError(msg)
    if not scales:
        msg = f"expected at least one scale in {where}; found none"
        raise StoreFormatError(msg)
    order = sorted(range(len(scales)), key=lambda i: -prod(scales[i]["size"]))
    if order == list(range(len(scales))):
        return order, []
    text = f"expected scales from fine to coarse; found the order {order}: sorted"
    return order, [Finding("warning", "levels-reordered", "scales", text)]


def _keys_outside(
    about: dict[str, Any], location: Location, follow_links: bool
) -> list[Finding]:
    """Check where the scales lie; note those that lie beside the volume."""
    folder = location.uri if location.local is None else str(location.local)
    root = Root.of_folder(folder, follow=follow_links)
    findings = []
    for i, scale in enumerate(about["scales"]):
        if resolve_named(root, str(scale["key"])).inside is None:
            text = f"expected scales in {location.uri}; found one in {scale['key']}"
            findings.append(Finding("info", "other-file", f"scales[{i}]", text))
    return findings


def _has_size(scale: dict[str, Any]) -> bool:
    size = scale["size"]
    return len(size) == 3 and all(type(n) is int and 0 < n < 1 << 62 for n in size)


def _level(scale: dict[str, Any], array: DriverArray) -> ScaleLevel:
    return make_level(
        str(scale["key"]),
        ArrayHeader.of(array),
        _AXES,
        voxel_size=(1.0, *_resolution(scale)),
        translation=(0.0, *_start(scale, array)),
    )


def _resolution(scale: dict[str, Any]) -> tuple[float, float, float]:
    x, y, z = (float(v) for v in scale["resolution"])
    return z, y, x


def _start(scale: dict[str, Any], array: DriverArray) -> tuple[float, ...]:
    return tuple(
        (offset + 0.5) * size
        for offset, size in zip(array.origin[1:], _resolution(scale), strict=True)
    )


def _open_scale(
    location: Location,
    about: dict[str, Any],
    raw: bytes,
    number: int,
    *,
    denied_is_missing: bool,
) -> DriverArray:
    scale = about["scales"][number]
    is_sharded = scale.get("sharding") is not None
    zipped = not is_sharded and _ends(location, str(scale["key"])) == _ZIPPED
    limit = most_stored(_chunk_bytes(scale, about))
    shards = None
    if is_sharded and is_plain_http(location):
        shards, raw = _http_shards(location, about, number, raw)
    return DriverArray(
        location,
        {"driver": "neuroglancer_precomputed", "scale_index": number},
        folder=str(scale["key"]),
        metadata=(INFO, raw),
        key_of=None if is_sharded and shards is None else _chunk_name,
        shards=shards,
        denied_is_missing=denied_is_missing,
        suffix=_ZIPPED if zipped else "",
        decode=partial(_unzipped, limit=limit) if zipped else None,
    )


def _http_shards(
    location: Location, about: dict[str, Any], number: int, raw: bytes
) -> tuple[HttpShards, bytes]:
    """Return the shards of a scale, and an ``info`` that knows of none."""
    plain = json.loads(raw)
    scale = plain["scales"][number]
    try:
        sharding = Sharding.parse(scale.pop("sharding"))
    except (KeyError, TypeError, ValueError, AttributeError, OverflowError) as error:
        msg = (
            f"expected preshift_bits, minishard_bits, shard_bits and hash in"
            f" {location.uri_of(INFO)}, scales[{number}].sharding; found {error!r:.80}"
        )
        raise StoreFormatError(msg) from error
    return (
        HttpShards(location, str(about["scales"][number]["key"]), sharding),
        json.dumps(plain).encode(),
    )


def _ends(location: Location, key: str) -> str | None:
    """How the name of a local scale's first chunk ends; None without any chunk."""
    if location.local is None:
        return ""
    try:
        with os.scandir(location.local / key) as entries:
            first = next((e.name for e in entries if "-" in e.name), None)
    except OSError:
        return None
    return None if first is None else Path(first).suffix


def _chunk_bytes(scale: dict[str, Any], about: dict[str, Any]) -> int:
    sizes = scale.get("chunk_sizes") or [scale["size"]]
    itemsize = np.dtype(str(about.get("data_type"))).itemsize
    return prod(int(n) for n in sizes[0]) * itemsize * int(about.get("num_channels", 1))


def _unzipped(raw: bytes, *, limit: int) -> bytes:
    """Decode a chunk that CloudVolume stored as a gzip file."""
    inflate = zlib.decompressobj(31)
    try:
        plain = inflate.decompress(raw, limit + 1)
    except zlib.error as error:
        msg = f"the gzip data is damaged ({error})"
        raise ValueError(msg) from error
    if len(plain) > limit or not inflate.eof:
        msg = "the gzip data is truncated or larger than the chunk's voxels"
        raise ValueError(msg)
    return plain


def _without_chunks(about: dict[str, Any], location: Location) -> list[Finding]:
    found = []
    for scale in about["scales"]:
        key = str(scale["key"])
        if scale.get("sharding") is None and _ends(location, key) is None:
            text = (
                f"expected chunks in {location.uri}/{key}; found that no chunk is"
                " stored: 0 is drawn"
            )
            found.append(Finding("warning", "no-chunks", key, text))
    return found


def _chunk_name(array: DriverArray, index: tuple[int, ...]) -> str:
    _, z, y, x = array.edges(index)
    return "_".join(f"{low}-{high}" for low, high in (x, y, z))
