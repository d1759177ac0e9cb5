"""How long compressed bytes are once decompressed, found out in constant memory.

A megabyte can inflate to a gigabyte, and most decompressors give whatever comes
out. Formats that state the length are asked for it (their decompressors take it at
its word, too); the others are decompressed a piece at a time and thrown away, until
more has come out than there may be. Tensorstore decodes gzip, bzip2, xz and zstd as
a stream that ends with the chunk, so for it only blosc has to be looked at.
"""

from __future__ import annotations

import bz2
import lzma
import struct
import zlib
from collections.abc import Callable
from typing import Any

from brickfield.blockwise import format_bytes
from brickfield.errors import ChunkReadError
from brickfield.sources.limits.admission import NO_QUESTION_BYTES

HEADER_BYTES = 18
"""As much of the stored bytes as any stated length needs."""
_STEP = 1 << 20
_LZMA_MEMORY = 128 << 20
_MOST_DEFLATED = 1032
"""Most bytes that deflate can represent by one byte."""
_MOST_ZSTD = 1 << 15
_ZSTD_MAGIC = b"\x28\xb5\x2f\xfd"


def check_inflation(kind: str, raw: bytes, most: int, *, key: str) -> None:
    """Refuse compressed bytes that decompress to more than there may be.

    Parameters
    ----------
    kind : str
        ``blosc``, ``bz2``, ``gzip``, ``zlib``, ``lzma``, ``zstd``, ``lz4`` (of
        numcodecs) or ``lz4-hdf5``. Others are let through.
    raw : bytes
        As stored.
    most : int
        Bytes that may come out.
    key : str
        The chunk's name, for the message.

    Raises
    ------
    ChunkReadError
    """
    counted = _COUNTED.get(kind)
    if counted is not None:
        is_short = kind in ("gzip", "zlib") and len(raw) * _MOST_DEFLATED <= max(
            most, NO_QUESTION_BYTES
        )
        found = 0 if is_short else counted(raw, most)
    else:
        stated = _STATED.get(kind)
        found = 0 if stated is None else stated(raw)
    if found > most:
        msg = (
            f"expected the chunk {key} to decode to at most {format_bytes(most)}; found"
            f" damaged data: more comes out ({kind}), or it is made to fill the memory"
        )
        raise ChunkReadError(msg, key=key)


def _zlib_bytes(raw: bytes, most: int) -> int:
    total, data = 0, raw
    try:
        while data:
            stream = zlib.decompressobj(47)
            while not stream.eof:
                out = stream.decompress(data, _STEP)
                total += len(out)
                data = stream.unconsumed_tail
                if total > most or not (out or data):
                    return total
            data = stream.unused_data
    except zlib.error:
        # The decoder says what is wrong with it.
        return total
    return total


def _stream_bytes(make: Callable[[], Any]) -> Callable[[bytes, int], int]:
    def count(raw: bytes, most: int) -> int:
        total, data = 0, raw
        try:
            while data:
                stream = make()
                total += len(stream.decompress(data, _STEP))
                while not (stream.eof or stream.needs_input) and total <= most:
                    total += len(stream.decompress(b"", _STEP))
                if total > most:
                    return total
                data = stream.unused_data if stream.eof else b""
        except (OSError, EOFError, ValueError):
            return total
        except lzma.LZMAError as error:
            return most + 1 if "memory usage limit" in str(error).lower() else total
        return total

    return count


def _blosc_bytes(raw: bytes) -> int:
    return int(struct.unpack_from("<I", raw, 4)[0]) if len(raw) >= 8 else 0


def _lz4_bytes(raw: bytes) -> int:
    return int(struct.unpack_from("<I", raw)[0]) if len(raw) >= 4 else 0


def _lz4_hdf5_bytes(raw: bytes) -> int:
    return max(struct.unpack_from(">QI", raw)) if len(raw) >= 12 else 0


def _zstd_bytes(raw: bytes) -> int:
    """Content size of the first frame; the most there can be where it is not said."""
    if len(raw) < 6 or raw[:4] != _ZSTD_MAGIC:
        return 0
    flags = raw[4]
    is_single = flags >> 5 & 1
    size = (is_single, 2, 4, 8)[flags >> 6]
    at = 5 + (1 - is_single) + (0, 1, 2, 4)[flags & 3]
    if size == 0 or len(raw) < at + size:
        return len(raw) * _MOST_ZSTD
    found = int.from_bytes(raw[at : at + size], "little")
    return found + 256 if size == 2 else found


_COUNTED: dict[str, Callable[[bytes, int], int]] = {
    "gzip": _zlib_bytes,
    "zlib": _zlib_bytes,
    "bz2": _stream_bytes(bz2.BZ2Decompressor),
    "lzma": _stream_bytes(lambda: lzma.LZMADecompressor(memlimit=_LZMA_MEMORY)),
}
_STATED: dict[str, Callable[[bytes], int]] = {
    "blosc": _blosc_bytes,
    "lz4": _lz4_bytes,
    "lz4-hdf5": _lz4_hdf5_bytes,
    "zstd": _zstd_bytes,
}
