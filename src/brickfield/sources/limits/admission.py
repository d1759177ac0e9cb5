"""Whether a storage chunk may be read: one check for every format, before any byte.

A few bytes of metadata can declare a chunk of any size, and a short file can swell
to any length. Libraries take both at their word, and end the interpreter when the
memory is not there. So each reader checks here first, with what is declared and what
is stored. Three limits hold: 80 % of the memory that is left, what the reader of
this thread may take (:func:`within`), and that stored data are not much longer than
what they decode to.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from math import prod

from brickfield.blockwise import format_bytes, usable_bytes
from brickfield.errors import ChunkReadError

COPIES = 2
"""Decoded copies of a chunk that live at once: the decoder's own and the result."""
NO_QUESTION_BYTES = 32 << 20
"""Reads that take less are let through without asking the system."""
LEAST_ALLOWANCE = 128 << 20
"""What a reader may take for one chunk, however small its budget."""
_SLACK = 1 << 20

_reader = threading.local()


@contextmanager
def within(budget_bytes: int | None) -> Iterator[None]:
    """Let the reads of this thread take no more than a budget, each.

    Parameters
    ----------
    budget_bytes : int or None
        Counts as :data:`LEAST_ALLOWANCE` when it is smaller; None for no limit but
        the memory that is left.
    """
    before = getattr(_reader, "allowance", None)
    allowance = None if budget_bytes is None else max(budget_bytes, LEAST_ALLOWANCE)
    _reader.allowance = allowance
    try:
        yield
    finally:
        _reader.allowance = before


def read_bytes(decoded: int, stored: int = 0) -> int:
    """Return the memory that reading a chunk takes at its peak.

    Parameters
    ----------
    decoded, stored : int
        Bytes of the voxels and of the chunk as stored.
    """
    return COPIES * decoded + stored


def most_stored(decoded: int) -> int:
    """Return the most bytes that a chunk of this decoded size may have in a store.

    No compressor makes its input twice as long; filters may widen the voxels.
    """
    return 2 * decoded + _SLACK


def admit(
    chunk_shape: Sequence[int],
    itemsize: int,
    stored: int | None = None,
    *,
    key: str,
    widening: int = 1,
) -> None:
    """Refuse a chunk that does not fit, before it is read.

    Parameters
    ----------
    chunk_shape : sequence of int
        As declared, not cut at the array's edges: so it is decoded.
    itemsize : int
        Bytes of a voxel.
    stored : int or None
        Bytes of the chunk in the store; None if not known.
    key : str
        The chunk's name, for the message.
    widening : int
        How many times wider filters may store a voxel.

    Raises
    ------
    ChunkReadError
        Says what is declared, what there is, and what to do.
    """
    decoded = prod(chunk_shape) * itemsize
    most = most_stored(decoded * widening)
    if stored is not None and stored > most:
        msg = (
            f"expected at most {format_bytes(most)} stored for the chunk {key}, which"
            f" decodes to {format_bytes(decoded)}; found {format_bytes(stored)}: it is"
            " damaged or no chunk, write it again"
        )
        raise ChunkReadError(msg, key=key)
    needed = read_bytes(decoded * widening, stored or 0)
    if needed <= NO_QUESTION_BYTES:
        return
    left = usable_bytes()
    if needed > left:
        msg = (
            f"{_declared(chunk_shape, decoded, key)}, and {format_bytes(left)} of memory"
            " may be taken: write the image again with smaller chunks, or read it on a"
            " machine with more memory"
        )
        raise ChunkReadError(msg, key=key)
    allowance = getattr(_reader, "allowance", None)
    if allowance is not None and needed > allowance:
        msg = (
            f"{_declared(chunk_shape, decoded, key)}, and the RAM budget allows"
            f" {format_bytes(allowance)}: give a RAM budget of at least"
            f" {format_bytes(needed)}, or write the image again with smaller chunks"
        )
        raise ChunkReadError(msg, key=key)


def _declared(chunk_shape: Sequence[int], decoded: int, key: str) -> str:
    shape = "x".join(str(n) for n in chunk_shape)
    return (
        f"expected a chunk that fits into memory at {key}; found one declared as"
        f" {shape} voxels, {format_bytes(decoded)} decoded"
    )
