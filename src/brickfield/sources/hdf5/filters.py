"""Undo the common filters of an HDF5 chunk, outside of any lock.

A pipeline is understood when it consists of shuffle, deflate, or nothing. All
other filters stay with the HDF5 library. Decoding never yields more bytes than the
chunk has, so a forged chunk cannot fill the memory.
"""

from __future__ import annotations

import zlib
from typing import Any

import numpy as np
from numpy.typing import NDArray

DEFLATE = 1
SHUFFLE = 2
_UNDERSTOOD = {DEFLATE, SHUFFLE}
_FLETCHER32 = 3
_COMPRESSORS = {DEFLATE: "zlib", 307: "bz2", 32001: "blosc", 32004: "lz4-hdf5"}
_COMPRESSORS |= {32015: "zstd"}


def filter_codes(dataset_id: Any) -> list[tuple[int, str]]:
    """Codes and names of a dataset's filters, in the order of writing."""
    pipeline = dataset_id.get_create_plist()
    found = (pipeline.get_filter(i) for i in range(pipeline.get_nfilters()))
    return [(code, name.decode("utf-8", "replace")) for code, _, _, name in found]


def is_understood(codes: list[int]) -> bool:
    """Whether :func:`decode` can undo the filters."""
    return set(codes) <= _UNDERSTOOD


def compressor_of(codes: list[int]) -> str | None:
    """Name the compressor that stored bytes are first given to, if it is known.

    Parameters
    ----------
    codes : list of int
        Filters in the order of writing.
    """
    outer = [c for c in codes if c not in (_FLETCHER32, SHUFFLE)]
    return _COMPRESSORS.get(outer[-1]) if outer else None


def decode(
    raw: bytes, *, codes: list[int], mask: int, itemsize: int, size: int
) -> bytes:
    """Undo the filters of one chunk.

    Parameters
    ----------
    raw : bytes
        As stored.
    codes : list of int
        Filters in the order of writing, all understood.
    mask : int
        Bit i set: filter i was left out for this chunk.
    itemsize, size : int
        Bytes of a voxel and of the whole decoded chunk.

    Raises
    ------
    ValueError
        If the bytes are corrupt or too few.
    """
    for i, code in reversed(list(enumerate(codes))):
        if mask >> i & 1:
            continue
        raw = _inflate(raw, size) if code == DEFLATE else _unshuffle(raw, itemsize)
    if len(raw) != size:
        msg = f"expected {size} decoded bytes, found {len(raw)}"
        raise ValueError(msg)
    return raw


def _inflate(raw: bytes, size: int) -> bytes:
    library: Any = zlib
    try:
        # Twice as fast as zlib where it is installed.
        from isal import isal_zlib

        library = isal_zlib
    except ImportError:
        pass
    try:
        data: bytes = library.decompressobj().decompress(raw, size + 1)
    except (zlib.error, library.error) as error:
        msg = f"corrupt compressed data ({error})"
        raise ValueError(msg) from error
    return data


def _unshuffle(raw: bytes, itemsize: int) -> bytes:
    n = len(raw) // itemsize
    if itemsize == 1 or n == 0:
        return raw
    head = np.frombuffer(raw, np.uint8, count=n * itemsize).reshape(itemsize, n)
    # The library leaves bytes that make no whole voxel where they are.
    return _joined(head) + raw[n * itemsize :]


def _joined(planes: NDArray[np.uint8]) -> bytes:
    """Return values of which each plane has one byte, the lowest first."""
    itemsize = len(planes)
    if itemsize not in (2, 4, 8):
        return planes.T.tobytes()
    # Arithmetic on whole values takes a tenth of the time that turning bytes round takes.
    values = planes[-1].astype(f"<u{itemsize}")
    for plane in planes[-2::-1]:
        values <<= 8
        values |= plane
    return bytes(values.tobytes())
