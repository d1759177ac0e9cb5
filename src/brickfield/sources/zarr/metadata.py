"""Array metadata of zarr v2 and v3, brought into one form.

:class:`ZarrArrayMeta` is complete: tensorstore gets ``metadata`` and never reads
a metadata file itself. That makes opening free of input and output, and lets
harmless flaws be corrected first (a gzip level of -1 written by Java, a fill
value of 0 for booleans, members that tensorstore does not know).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from math import prod
from typing import TYPE_CHECKING, Any

import numpy as np

from brickfield.errors import StoreFormatError
from brickfield.sources.limits.chunk_sizes import check_sizes
from brickfield.sources.zarr.codec_list import refused_codec
from brickfield.sources.zarr.codecs import (
    Shards,
    decodes_natively,
    parse_shards,
    tidy_codecs_v3,
    tidy_compressor,
    tidy_v2,
)
from brickfield.sources.zarr.hierarchy import Json, ZarrNode

if TYPE_CHECKING:
    from brickfield.sources.geometry import Findings

_V3_TYPES = {
    **{f"{s}int{n}": f"{s}int{n}" for s in ("", "u") for n in (8, 16, 32, 64)},
    **{f"float{n}": f"float{n}" for n in (16, 32, 64)},
    "bool": "bool",
}
_USE = "use bool, an integer of 8 to 64 bits or a float of 16 to 64 bits"


@dataclass(frozen=True)
class ZarrArrayMeta:
    """One array, ready to be opened.

    Attributes
    ----------
    path : str
        Inside the hierarchy.
    zarr_format : int
    shape : tuple of int
    dtype : numpy.dtype
        Native byte order.
    chunk_shape : tuple of int
        Unit of decoding (the inner chunk of a shard).
    file_shape : tuple of int
        Voxels of one stored object (the shard, or the chunk itself).
    fill_value : int or float
    separator, prefix : str
        Of chunk names, for example ``"/"`` and ``"c"``.
    shards : Shards or None
        How inner chunks are found; None without shards or when they are nested.
    is_native : bool
        Whether tensorstore has all codecs.
    metadata : dict
        For tensorstore.
    stored : dict
        As in the file, for zarr-python.
    dimension_names : tuple of str or None
        Of zarr v3; None without.
    attributes : dict
    """

    path: str
    zarr_format: int
    shape: tuple[int, ...]
    dtype: np.dtype[np.generic]
    chunk_shape: tuple[int, ...]
    file_shape: tuple[int, ...]
    fill_value: int | float
    separator: str
    prefix: str
    shards: Shards | None
    is_native: bool
    metadata: Json = field(hash=False)
    stored: Json = field(hash=False)
    dimension_names: tuple[str | None, ...] | None = None
    attributes: Json = field(default_factory=dict, hash=False)

    @property
    def is_sharded(self) -> bool:
        """Whether a stored object holds more than one unit of decoding."""
        return self.chunk_shape != self.file_shape or self.shards is not None

    @property
    def has_blosc(self) -> bool:
        """Whether chunks begin with a header of blosc."""
        if self.zarr_format == 2:
            return (self.metadata["compressor"] or {}).get("id") == "blosc"
        chain = self.metadata["codecs"]
        while chain and chain[0]["name"] == "sharding_indexed":
            chain = chain[0]["configuration"].get("codecs") or []
        names = [c["name"] for c in chain if c["name"] != "crc32c"]
        return names[-1:] == ["blosc"]

    @property
    def n_voxels(self) -> int:
        """Number of voxels over all axes."""
        return prod(self.shape)

    def file_key(self, index: tuple[int, ...]) -> str:
        """Name of a stored object below the array's folder."""
        parts = [str(int(i)) for i in index]
        if self.prefix:
            parts.insert(0, self.prefix)
        return self.separator.join(parts) or "0"


def parse_array(node: ZarrNode, findings: Findings) -> ZarrArrayMeta:
    """Bring an array's metadata into one form.

    Parameters
    ----------
    node : ZarrNode
    findings : Findings
        Receives what is odd.

    Raises
    ------
    StoreFormatError
        Naming the field that cannot be used.
    """
    try:
        meta = (
            _parse_v3(node, findings)
            if node.zarr_format == 3
            else _parse_v2(node, findings)
        )
    except (KeyError, TypeError, AttributeError, OverflowError) as exc:
        where = _where(node)
        what = f"no member {exc}" if isinstance(exc, KeyError) else str(exc)
        msg = f"expected array metadata of zarr v{node.zarr_format} in {where}; found {what}"
        raise StoreFormatError(msg) from exc
    refusal = refused_codec(meta.zarr_format, meta.stored)
    if refusal is not None:
        raise StoreFormatError(f"{refusal} ({_where(node)})")
    if len(meta.chunk_shape) != len(meta.shape) or len(meta.file_shape) != len(
        meta.shape
    ):
        msg = (
            f"expected chunks with {len(meta.shape)} axes in {_where(node)}, as shape"
            f" {list(meta.shape)} has; found {list(meta.file_shape)}"
        )
        raise StoreFormatError(msg)
    itemsize = meta.dtype.itemsize
    check_sizes(_where(node), meta.shape, meta.chunk_shape, itemsize)
    check_sizes(_where(node), meta.shape, meta.file_shape, itemsize)
    return meta


def _where(node: ZarrNode) -> str:
    name = "zarr.json" if node.zarr_format == 3 else ".zarray"
    return f"{node.path}/{name}".lstrip("/")


def _parse_v2(node: ZarrNode, findings: Findings) -> ZarrArrayMeta:
    doc = node.metadata
    where = _where(node)
    if doc.get("zarr_format", 2) != 2:
        msg = f"expected zarr_format 2 in {where}; found {doc['zarr_format']!r}"
        raise StoreFormatError(msg)
    shape = _lengths(doc["shape"], "shape", where, least=0)
    chunks = _lengths(doc["chunks"], "chunks", where, least=1)
    stored_dtype = _dtype_v2(doc["dtype"], where)
    dtype = stored_dtype.newbyteorder("=")
    fill = _fill_value(doc.get("fill_value"), dtype, where, findings)
    separator = str(doc.get("dimension_separator") or ".")
    compressor, ok = tidy_compressor(doc.get("compressor"))
    metadata = {
        "zarr_format": 2,
        "shape": list(shape),
        "chunks": list(chunks),
        "dtype": stored_dtype.str,
        "fill_value": _json_value(fill),
        "order": doc.get("order") or "C",
        "filters": None,
        "compressor": compressor,
        "dimension_separator": separator,
    }
    return ZarrArrayMeta(
        path=node.path,
        zarr_format=2,
        shape=shape,
        dtype=dtype,
        chunk_shape=chunks,
        file_shape=chunks,
        fill_value=fill,
        separator=separator,
        prefix="",
        shards=None,
        is_native=ok and not doc.get("filters"),
        metadata=metadata,
        stored=_stored_v2(doc, fill),
        attributes=node.attributes,
    )


def _stored_v2(doc: Json, fill: float) -> Json:
    return {
        **doc,
        "fill_value": _json_value(fill),
        "filters": [tidy_v2(f) for f in doc.get("filters") or []] or None,
        "compressor": tidy_v2(doc.get("compressor")),
    }


def _parse_v3(node: ZarrNode, findings: Findings) -> ZarrArrayMeta:
    doc = node.metadata
    where = _where(node)
    shape = _lengths(doc["shape"], "shape", where, least=0)
    chunks = _regular_grid(doc["chunk_grid"], where)
    dtype = _dtype_v3(doc["data_type"], where)
    fill = _fill_value(doc.get("fill_value"), dtype, where, findings)
    encoding, separator = _key_encoding(doc.get("chunk_key_encoding"))
    codecs = tidy_codecs_v3(doc["codecs"], where)
    shards, inner = parse_shards(codecs, chunks, where)
    metadata = {
        "zarr_format": 3,
        "node_type": "array",
        "shape": list(shape),
        "data_type": dtype.name,
        "chunk_grid": _named("regular", chunk_shape=list(chunks)),
        "chunk_key_encoding": _named(encoding, separator=separator),
        "fill_value": _json_value(fill),
        "codecs": codecs,
    }
    names = doc.get("dimension_names")
    return ZarrArrayMeta(
        path=node.path,
        zarr_format=3,
        shape=shape,
        dtype=dtype,
        chunk_shape=inner,
        file_shape=chunks,
        fill_value=fill,
        separator=separator,
        prefix="c" if encoding == "default" else "",
        shards=shards,
        is_native=decodes_natively(codecs),
        metadata=metadata,
        stored={**metadata, "attributes": {}},
        dimension_names=tuple(names) if isinstance(names, list) else None,
        attributes=node.attributes,
    )


def _regular_grid(grid: Json, where: str) -> tuple[int, ...]:
    if grid["name"] != "regular":
        msg = f"expected chunk_grid.name 'regular' in {where}; found {grid['name']!r}"
        raise StoreFormatError(msg)
    shape = grid["configuration"]["chunk_shape"]
    return _lengths(shape, "chunk_grid", where, least=1)


def _named(name: str, **configuration: Any) -> Json:
    return {"name": name, "configuration": configuration}


def _key_encoding(value: Any) -> tuple[str, str]:
    """Name and separator of a v3 chunk key encoding, with the defaults of each."""
    value = value or "default"
    name = value if isinstance(value, str) else str(value.get("name", "default"))
    options = {} if isinstance(value, str) else value.get("configuration") or {}
    return name, str(options.get("separator") or ("/" if name == "default" else "."))


def _lengths(value: Any, name: str, where: str, *, least: int) -> tuple[int, ...]:
    ok = isinstance(value, list) and all(
        isinstance(n, int | float)
        and not isinstance(n, bool)
        and n % 1 == 0
        and n >= least
        for n in value
    )
    if not ok:
        msg = (
            f"expected a list of whole numbers from {least} up in {name} of {where};"
            f" found {value!r:.80}"
        )
        raise StoreFormatError(msg)
    return tuple(int(n) for n in value)


def _dtype_v2(value: Any, where: str) -> np.dtype[np.generic]:
    if not isinstance(value, str):
        msg = (
            f"expected one number per voxel in dtype of {where}; found a record type"
            f" {value!r:.80}: export one field of it"
        )
        raise StoreFormatError(msg)
    try:
        dtype = np.dtype(value)
    except TypeError as exc:
        msg = f"expected a numpy data type in dtype of {where}; found {value!r:.80}"
        raise StoreFormatError(msg) from exc
    return _drawable(dtype, f"dtype {value!r} of {where}")


def _dtype_v3(value: Any, where: str) -> np.dtype[np.generic]:
    name = value.get("name") if isinstance(value, dict) else value
    if name in _V3_TYPES:
        return np.dtype(_V3_TYPES[name])
    msg = f"expected a real number per voxel in data_type of {where}; found {value!r:.80}: {_USE}"
    raise StoreFormatError(msg)


def _drawable(dtype: np.dtype[np.generic], what: str) -> np.dtype[np.generic]:
    if dtype.kind not in "biuf" or dtype.itemsize > 8:
        msg = f"expected a real number per voxel; found {what}: {_USE}"
        raise StoreFormatError(msg)
    return dtype


def _fill_value(
    value: Any, dtype: np.dtype[np.generic], where: str, findings: Findings
) -> int | float:
    """Read a fill value, 0 with a finding when it cannot be one."""
    if value is None:
        return 0
    try:
        if isinstance(value, str) and value.lower().startswith("0x"):
            raw = int(value, 16).to_bytes(dtype.itemsize, "little")
            number = np.frombuffer(raw, dtype.newbyteorder("<"))[0].item()
        elif dtype.kind == "f":
            number = float(value)
        else:
            number = int(float(value)) if isinstance(value, str) else int(value)
            np.array(number, dtype=dtype)
            if isinstance(value, float) and value != number:
                raise ValueError(value)
    except (ValueError, TypeError, OverflowError):
        findings.warning(
            "fill-value",
            where,
            f"expected a fill_value of type {dtype} in {where}; found {value!r:.60};"
            " used 0",
        )
        return 0
    return int(number) if dtype.kind == "b" else number


def _json_value(fill: float) -> Any:
    if not np.isfinite(fill):
        if np.isnan(fill):
            return "NaN"
        return "Infinity" if fill > 0 else "-Infinity"
    return fill
