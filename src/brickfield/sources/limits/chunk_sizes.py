"""What an image says of its sizes, looked at once, before anything is read.

Sizes that no array can have are refused when a level is made; storage chunks that
do not fit into the memory of this machine are a finding, since other levels may
still be drawn.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from math import prod
from typing import TypeVar

from brickfield.blockwise import format_bytes, usable_bytes
from brickfield.errors import StoreFormatError
from brickfield.model import Finding, ScaleLevel
from brickfield.sources.limits.admission import NO_QUESTION_BYTES, read_bytes
from brickfield.sources.protocol import ChunkSource

MOST_BYTES = 2**63 - 1
"""Bytes that can be counted, of an array as of a chunk."""
Source = TypeVar("Source", bound=ChunkSource)


def check_sizes(
    where: str, shape: Sequence[int], chunk_shape: Sequence[int], itemsize: int
) -> None:
    """Refuse an array, or a storage chunk, whose bytes cannot be counted.

    Parameters
    ----------
    where : str
        The array, for the message.
    shape, chunk_shape : sequence of int
        Voxels, all axes.
    itemsize : int
        Bytes of a voxel.

    Raises
    ------
    StoreFormatError
    """
    for what, size in (("shape", shape), ("chunks", chunk_shape)):
        is_usable = all(n > 0 for n in size) or what == "shape"
        if is_usable and prod(size) * itemsize <= MOST_BYTES:
            continue
        found = "x".join(_short(int(n)) for n in size)
        msg = (
            f"expected {what} of 1 to 2**63 - 1 bytes in {where}; found {found} voxels"
            f" of {itemsize} bytes: check what wrote it"
        )
        raise StoreFormatError(msg)


def _short(n: int) -> str:
    return str(n) if n < 10**9 else f"10**{len(str(n)) - 1}"


def with_size_findings(source: Source) -> Source:
    """Add a finding for each level whose storage chunks do not fit into memory."""
    levels = source.info.pyramid.levels
    needed = [read_bytes(_chunk_bytes(level)) for level in levels]
    if max(needed) <= NO_QUESTION_BYTES:
        return source
    room = usable_bytes()
    found = [
        _finding(level, n, room)
        for level, n in zip(levels, needed, strict=True)
        if n > room
    ]
    if found:
        findings = (*source.info.findings, *found)
        source.info = replace(source.info, findings=findings)
    return source


def _chunk_bytes(level: ScaleLevel) -> int:
    return prod(level.storage_chunk_shape) * level.dtype.itemsize


def _finding(level: ScaleLevel, needed: int, room: int) -> Finding:
    shape = "x".join(str(n) for n in level.storage_chunk_shape)
    text = (
        f"expected storage chunks that fit into memory; found chunks of {shape}"
        f" {level.dtype.name} ({format_bytes(_chunk_bytes(level))}), which take"
        f" {format_bytes(needed)} to read, and {format_bytes(room)} that may be taken:"
        " none of this level can be drawn, write it again with smaller chunks"
    )
    return Finding("error", "chunk-too-large", level.path, text)
