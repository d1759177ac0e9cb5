"""What the patterns of a scan are, as digests of their stored bytes.

A file that keeps its own cache changes whenever something is added to it, so times
and sizes of the file tell nothing: the stored bytes of the patterns are hashed. Up to
64 MiB every byte counts; of more, 64 blocks of 1 MiB spread evenly, the first and the
last among them. A change between these is found by
:meth:`~brickfield.stem4d.cache.manager.EMDCacheManager.verify` alone.
"""

from __future__ import annotations

import os
from bisect import bisect_right
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from hashlib import blake2b
from itertools import accumulate
from pathlib import Path
from typing import Any

from brickfield.errors import ChunkReadError
from brickfield.sources import of_files
from brickfield.sources.hdf5 import HDF5_LOCK, share
from brickfield.sources.io import open_regular
from brickfield.sources.scans import FileFrames, FrameScan, Scan, ScanData

BLOCK_BYTES = 1 << 20
MOST_BLOCKS = 64
_AT_ONCE = 4
Piece = tuple[Path, int, int]
"""File, first byte, number of bytes."""


def digest_of(scan: Scan) -> str:
    """Return a digest of a scan's patterns as they are stored now.

    Parameters
    ----------
    scan : Scan
        Open.

    Returns
    -------
    str
        Hexadecimal. Other files than HDF5 count with their times, too: nothing of
        this package changes them.

    Raises
    ------
    ChunkReadError
        If the file cannot be read.
    """
    data = uncorrected(scan.data)
    about = f"{scan.data.shape}|{scan.data.dtype.str}"
    pieces = _pieces(scan, data)
    if pieces is None or not scan.dataset:
        places = of_files(data.places())
        about += f"|{places['stat']}|{places['sample']}"
    parts = [] if pieces is None else _sample(pieces)
    with ThreadPoolExecutor(_AT_ONCE, thread_name_prefix="brickfield-hash") as pool:
        digests = list(pool.map(_digest, parts))
    whole = blake2b(about.encode(), digest_size=16)
    for digest in digests:
        whole.update(digest)
    return whole.hexdigest()


def uncorrected(data: ScanData) -> ScanData:
    """Return the scan as it lies in files, without what is laid over it."""
    while (inner := getattr(data, "inner", None)) is not None:
        data = inner
    return data


def _pieces(scan: Scan, data: ScanData) -> list[Piece] | None:
    """Return where patterns are stored; None where that is not simply known."""
    if isinstance(data, FrameScan) and isinstance(data.frames, FileFrames):
        stride = data.frames.layout.stride
        return [(f.path, f.offset, f.n_frames * stride) for f in data.frames.files]
    if not scan.dataset:
        return None
    shared = share(scan.path)
    try:
        with HDF5_LOCK:
            return _stored_in(shared.file, scan.dataset, scan.path)
    except (KeyError, OSError, RuntimeError) as error:
        msg = f"cannot read {scan.dataset} of {scan.path}: {error}"
        raise ChunkReadError(msg, key=scan.dataset) from error
    finally:
        shared.close()


def _stored_in(file: Any, name: str, path: Path) -> list[Piece] | None:
    import h5py

    link = file.get(name, getlink=True)
    item = file[name] if isinstance(link, h5py.HardLink) else None
    if item is None or item.chunks is None or item.is_virtual:
        return None
    found: list[Piece] = []

    def note(chunk: Any) -> None:
        found.append((path, int(chunk.byte_offset), int(chunk.size)))

    item.id.chunk_iter(note)
    return found


def _sample(pieces: Sequence[Piece]) -> list[list[Piece]]:
    """Cut what is stored into blocks, and return those that count."""
    ends = list(accumulate(n for _, _, n in pieces))
    total = ends[-1] if ends else 0
    if total <= MOST_BLOCKS * BLOCK_BYTES:
        starts = list(range(0, total, BLOCK_BYTES))
    else:
        last = total - BLOCK_BYTES
        starts = [last * i // (MOST_BLOCKS - 1) for i in range(MOST_BLOCKS)]
    return [_range(pieces, ends, s, min(s + BLOCK_BYTES, total)) for s in starts]


def _range(
    pieces: Sequence[Piece], ends: Sequence[int], start: int, stop: int
) -> list[Piece]:
    found = []
    which = bisect_right(ends, start)
    while start < stop:
        path, offset, n = pieces[which]
        within = start - (ends[which] - n)
        size = min(stop - start, n - within)
        found.append((path, offset + within, size))
        start += size
        which += 1
    return found


def _digest(pieces: Sequence[Piece]) -> bytes:
    digest = blake2b(digest_size=16)
    for path, offset, n in pieces:
        try:
            with open_regular(path) as file:
                digest.update(os.pread(file.fileno(), n, offset))
        except OSError as error:
            msg = f"cannot read {path}: {error.strerror or error}"
            raise ChunkReadError(msg, key=path.name) from error
    return digest.digest()
