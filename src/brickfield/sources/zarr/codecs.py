"""Codecs of zarr arrays: which tensorstore has, and how shards are laid out.

An array is *native* when tensorstore decodes it. Everything else is handed to
zarr-python. Parameters that matter to encoding alone (levels, threads, the
element size of blosc) are dropped: libraries refuse those they do not know, and
the stored bytes say all that is needed to decode them.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import prod
from typing import Any

from brickfield.errors import StoreFormatError

Json = dict[str, Any]

_V2_NATIVE = ("blosc", "zlib", "gzip", "bz2", "zstd")
_NO_COMPRESSOR = ("raw", "null", "none")
_FRAMED = {"blosc", "gzip", "zstd", "crc32c"}
"""Codecs of v3 whose bytes say all that a decoder needs: members serve an encoder."""
_V3_NATIVE = {
    "bytes",
    "blosc",
    "gzip",
    "zstd",
    "crc32c",
    "transpose",
    "sharding_indexed",
}


@dataclass(frozen=True)
class Shards:
    """How inner chunks are found in a stored object.

    Attributes
    ----------
    grid : tuple of int
        Inner chunks along every axis.
    is_at_end : bool
        Whether the index is a footer.
    has_checksum : bool
    """

    grid: tuple[int, ...]
    is_at_end: bool = True
    has_checksum: bool = True

    @property
    def n_inner(self) -> int:
        """Inner chunks of one stored object."""
        return prod(self.grid)

    @property
    def index_bytes(self) -> int:
        """Bytes of the index."""
        return 16 * self.n_inner + 4 * self.has_checksum


def tidy_compressor(value: Any) -> tuple[Json | None, bool]:
    """Clean a v2 compressor; tell whether tensorstore has it."""
    clean = tidy_v2(value)
    if clean is None:
        return None, True
    if not isinstance(clean, dict) or clean.get("id") not in _V2_NATIVE:
        return None, False
    return clean, True


def tidy_v2(value: Any) -> Any:
    """Bring a v2 compressor or filter into the form that decoders know.

    Java writes N5's ``type`` for ``id``, and "raw" for no compressor at all.
    """
    if not isinstance(value, dict):
        return value
    name = value.get("id", value.get("type"))
    if name in _NO_COMPRESSOR:
        return None
    return {"id": name} if name in _V2_NATIVE else value


def tidy_codecs_v3(value: Any, where: str) -> list[Json]:
    """Bring a v3 codec chain into its long form.

    Parameters
    ----------
    value
        As in the file.
    where : str
        In the metadata, for messages.

    Raises
    ------
    StoreFormatError
        If it is not a list of codecs.
    """
    if not isinstance(value, list) or not value:
        msg = f"expected a list of codecs in codecs of {where}; found {value!r:.80}"
        raise StoreFormatError(msg)
    tidy = []
    for codec in value:
        item: Json = {"name": codec} if isinstance(codec, str) else dict(codec)
        name = item.get("name")
        if not isinstance(name, str):
            msg = f"expected a name for every codec in codecs of {where}; found {codec!r:.80}"
            raise StoreFormatError(msg)
        options = item.get("configuration") or {}
        if name == "endian":
            name = "bytes"
        if name.removeprefix("numcodecs.") in _FRAMED:
            tidy.append(_named(name.removeprefix("numcodecs.")))
            continue
        if name in ("numcodecs.zlib", "numcodecs.bz2"):
            options = {}
        if name == "sharding_indexed":
            options = dict(options)
            for part in ("codecs", "index_codecs"):
                if part in options:
                    options[part] = tidy_codecs_v3(options[part], where)
        tidy.append(
            {"name": name, "configuration": options}
            if "configuration" in item
            else {"name": name}
        )
    return tidy


def _named(name: str) -> Json:
    # zarr-python requires the member even where it is empty.
    return {"name": name} if name == "crc32c" else {"name": name, "configuration": {}}


def decodes_natively(codecs: list[Json]) -> bool:
    """Whether tensorstore has every codec of a tidied v3 chain."""
    return all(
        c["name"] in _V3_NATIVE
        and decodes_natively(c.get("configuration", {}).get("codecs", []))
        for c in codecs
    )


def parse_shards(
    codecs: list[Json], file_shape: tuple[int, ...], where: str
) -> tuple[Shards | None, tuple[int, ...]]:
    """Find the unit of decoding.

    Parameters
    ----------
    codecs : list of Json
        In long form.
    file_shape : tuple of int
        Shape of a stored object, voxels.
    where : str
        In the metadata, for messages.

    Returns
    -------
    shards : Shards or None
        None without shards, and where the index cannot be read simply (nested
        shards, other codecs before them or in the index).
    chunk_shape : tuple of int
        Innermost chunk.

    Raises
    ------
    StoreFormatError
        If inner chunks do not fit into their shard.
    """
    # After another codec (transpose) shards have other axes: tensorstore reads those.
    if codecs[0]["name"] != "sharding_indexed":
        return None, file_shape
    options = codecs[0].get("configuration", {})
    inner = tuple(n if type(n) is int else 0 for n in options["chunk_shape"])
    fits = len(inner) == len(file_shape) and all(
        n > 0 and outer % n == 0 for outer, n in zip(file_shape, inner, strict=True)
    )
    if not fits:
        msg = (
            f"expected inner chunks that divide the shard {list(file_shape)} in codecs"
            f" of {where}; found {list(inner)}"
        )
        raise StoreFormatError(msg)
    grid = tuple(o // n for o, n in zip(file_shape, inner, strict=True))
    chain = options.get("codecs") or [{"name": "bytes"}]
    deeper, innermost = parse_shards(chain, inner, where)
    names = [c["name"] for c in options.get("index_codecs", [])]
    is_plain = (
        len(codecs) == 1
        and deeper is None
        and innermost == inner
        and names in (["bytes"], ["bytes", "crc32c"])
        and _is_little(options["index_codecs"][0])
    )
    if not is_plain:
        return None, innermost
    at_end = options.get("index_location", "end") == "end"
    return Shards(grid, at_end, names[-1] == "crc32c"), inner


def _is_little(codec: Json) -> bool:
    return bool(codec.get("configuration", {}).get("endian", "little") == "little")
