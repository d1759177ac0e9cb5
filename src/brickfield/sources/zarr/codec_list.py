"""The codecs that a zarr array may have: voxels in, voxels out, and nothing else.

The name of a codec comes from the file, and the libraries behind look it up among
all that is installed: some of those build Python objects from what is stored
(``pickle``), others would import a third party's package. So nothing is handed
on whose name is not in this list.
"""

from __future__ import annotations

from typing import Any

_BYTES = {
    *("blosc", "bz2", "gzip", "lz4", "lzma", "zlib", "zstd"),
    *("adler32", "crc32", "crc32c", "fletcher32", "jenkins_lookup3", "shuffle"),
}
_NUMBERS = {
    *("astype", "bitround", "delta", "fixedscaleoffset", "packbits", "quantize"),
    *("pcodec", "zfpy"),
}
ALLOWED = frozenset(_BYTES | _NUMBERS)
"""Of zarr v2, and of v3 with ``numcodecs.`` in front."""
ALLOWED_V3 = frozenset(
    {
        "bytes",
        "blosc",
        "crc32c",
        "endian",
        "gzip",
        "sharding_indexed",
        "transpose",
        "zstd",
    }
)


def refused_codec(zarr_format: int, document: dict[str, Any]) -> str | None:
    """Find a codec that is not in the list.

    Parameters
    ----------
    zarr_format : int
        2 or 3.
    document : dict
        Array metadata as stored, or tidied.

    Returns
    -------
    str or None
        One sentence; None when all may be used.
    """
    if zarr_format == 2:
        filters = document.get("filters") or []
        found = [document.get("compressor"), *filters]
        names = [
            c.get("id", c.get("type")) if isinstance(c, dict) else c for c in found
        ]
        refused = [n for n in names if n is not None and not _is_allowed_v2(n)]
    else:
        refused = [n for n in _names_v3(document.get("codecs")) if not _is_allowed(n)]
    if not refused:
        return None
    known = ", ".join(sorted(ALLOWED))
    return (
        f"expected a codec out of {known}; found {refused[0]!r:.60}, which is not decoded"
        " here: write the voxels again without it"
    )


def _is_allowed_v2(name: object) -> bool:
    return isinstance(name, str) and (name in ALLOWED or name in _NONE)


def _is_allowed(name: str) -> bool:
    return name in ALLOWED_V3 or (
        name.startswith("numcodecs.") and name.removeprefix("numcodecs.") in ALLOWED
    )


_NONE = ("raw", "null", "none")
"""What some writers call no compressor."""


def _names_v3(chain: Any) -> list[str]:
    names = []
    for codec in chain if isinstance(chain, list) else []:
        item = {"name": codec} if isinstance(codec, str) else codec
        if not isinstance(item, dict):
            continue
        names.append(str(item.get("name")))
        options = item.get("configuration")
        for part in ("codecs", "index_codecs"):
            names += _names_v3(options.get(part) if isinstance(options, dict) else None)
    return names
