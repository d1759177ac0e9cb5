"""Compression of N5 blocks, brought into what tensorstore decodes.

Whatever only an encoder knows is dropped, the spelling of version 0 (a member
``compressionType``) is understood, and ``lz4``, which tensorstore lacks, is
decoded here: block by block, never to more bytes than the block's voxels take.
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from math import prod
from typing import Any

import numpy as np

from brickfield.sources.limits.admission import most_stored
from brickfield.sources.limits.inflation import HEADER_BYTES, check_inflation

Decode = Callable[[bytes], bytes]
"""Stored bytes of a block to bytes that the array's metadata describe."""

_BLOSC = {"cname": "lz4", "clevel": 5, "shuffle": 1}
"""Any will do: blosc's own header says how to decode."""
_MAGIC = b"LZ4Block"
_HEADER = struct.Struct("<8sBIII")
_PLAIN = 0x10


def tidy_attributes(attributes: dict[str, Any]) -> tuple[dict[str, Any], Decode]:
    """Keep what describes an array's blocks.

    Parameters
    ----------
    attributes : dict
        As stored.

    Returns
    -------
    metadata : dict
        For tensorstore.
    decode : callable
        To be applied to stored blocks first. Raises ValueError.
    """
    kept: dict[str, Any] = {
        name: attributes[name]
        for name in ("dimensions", "blockSize", "dataType")
        if name in attributes
    }
    said = attributes.get("compression", attributes.get("compressionType", "raw"))
    options = {"type": said} if isinstance(said, str) else said
    if not isinstance(options, dict):
        return {**kept, "compression": said}, plain_header
    name = options.get("type")
    if name == "lz4":
        return {**kept, "compression": {"type": "raw"}}, _lz4_decoder(kept)
    if name == "blosc":
        clean = dict(_BLOSC)
        return {**kept, "compression": {"type": name, **clean}}, _blosc_checker(kept)
    clean = {}
    if name == "gzip" and "useZlib" in options:
        clean = {"useZlib": bool(options["useZlib"])}
    return {**kept, "compression": {"type": name, **clean}}, plain_header


def _blosc_checker(kept: dict[str, Any]) -> Decode:
    """Refuse blocks whose own header states more than their voxels take."""
    most = most_stored(_block_bytes(kept))

    def decode(raw: bytes) -> bytes:
        raw = plain_header(raw)
        size = 4 + 4 * int.from_bytes(raw[2:4], "big")
        check_inflation("blosc", raw[size : size + HEADER_BYTES], most, key="block")
        return raw

    return decode


def _block_bytes(kept: dict[str, Any]) -> int:
    voxels = prod(int(n) for n in kept["blockSize"])
    return voxels * np.dtype(str(kept["dataType"])).itemsize


def _lz4_decoder(kept: dict[str, Any]) -> Decode:
    limit = _block_bytes(kept)

    def decode(raw: bytes) -> bytes:
        raw = plain_header(raw)
        size = 4 + 4 * int.from_bytes(raw[2:4], "big")
        return raw[:size] + unpack_lz4(raw[size:], limit)

    return decode


def plain_header(raw: bytes) -> bytes:
    """Write the header of a block of mode 1 as one of mode 0.

    Mode 1 states the number of values as well, which the shape says already.
    """
    if raw[:2] != b"\x00\x01" or len(raw) < 4:
        return raw
    size = 4 + 4 * int.from_bytes(raw[2:4], "big")
    return b"\x00\x00" + raw[2:size] + raw[size + 4 :]


def unpack_lz4(raw: bytes, limit: int) -> bytes:
    """Decode a stream as lz4-java writes it.

    Parameters
    ----------
    raw : bytes
        Blocks of a header (magic, method, both lengths, checksum) and data.
    limit : int
        Bytes that may come out.

    Raises
    ------
    ValueError
        If the stream is damaged or longer.
    """
    out = bytearray()
    at = 0
    while at < len(raw):
        if len(raw) - at < _HEADER.size:
            msg = "the lz4 data is truncated"
            raise ValueError(msg)
        magic, token, packed, plain, _ = _HEADER.unpack_from(raw, at)
        at += _HEADER.size
        if magic != _MAGIC or packed > len(raw) - at or len(out) + plain > limit:
            msg = "the lz4 data is damaged or larger than the block's voxels"
            raise ValueError(msg)
        if plain == 0:
            break
        out += _one_block(raw[at : at + packed], token, plain)
        at += packed
    return bytes(out)


def _one_block(part: bytes, token: int, plain: int) -> bytes:
    if token & 0xF0 == _PLAIN:
        if len(part) != plain:
            msg = "the lz4 data is damaged"
            raise ValueError(msg)
        return part
    # Comes with zarr, which depends on it.
    from numcodecs import lz4

    try:
        return bytes(lz4.decompress(struct.pack("<I", plain) + part))
    except RuntimeError as error:
        msg = f"the lz4 data is damaged ({error})"
        raise ValueError(msg) from error
