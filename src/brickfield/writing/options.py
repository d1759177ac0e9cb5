"""Choices that all who write OME-Zarr share: versions, methods, chunks and shards."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias

from brickfield.errors import OptionError
from brickfield.model import Int3

Method = Literal["mean", "mode", "floor"]
"""How voxels are joined, see :func:`brickfield.writing.downsample.downsample`."""
Triple: TypeAlias = "str | int | Sequence[int]"

VERSIONS = ("0.4", "0.5")
IMAGE_VERSIONS = (*VERSIONS, "0.6")
"""Of single images: 0.6 alone also holds what turns, shears or mirrors them."""
COMPRESSORS = ("zstd", "blosc", "none")


@dataclass(frozen=True, slots=True)
class LevelOptions:
    """How the arrays of an image are cut, and how one follows from another.

    Attributes
    ----------
    chunk_zyx : tuple of int
        Storage chunk (z, y, x), voxels; 1 along time and channels.
    shard_zyx : tuple of int or None
        Shard (z, y, x), voxels, a multiple of the chunk; None without shards.
    fixed_factors : tuple of int or None
        Voxels (z, y, x) of a level joined into one of the next; None to halve the
        axes whose voxels are at most 1.5 times the smallest.
    """

    chunk_zyx: Int3 = (64, 64, 64)
    shard_zyx: Int3 | None = None
    fixed_factors: Int3 | None = None


def check_known(name: str, value: str | None, known: Sequence[str | None]) -> None:
    """Refuse a value that is none of the known ones.

    Parameters
    ----------
    name : str
        Of the option, for the message.
    value : str or None
    known : sequence of str or None
        Values that are allowed; None among them is not named.

    Raises
    ------
    OptionError
    """
    if value not in known:
        names = ", ".join(k for k in known if k is not None)
        msg = f"expected a {name} out of {names}; found {value!r}"
        raise OptionError(msg)


def parse_triple(name: str, value: Triple) -> Int3:
    """Read one or three positive integers (z, y, x), for example "32,64,64".

    Parameters
    ----------
    name : str
        Of the option, for the message.
    value : Triple
        One or three numbers (z, y, x), or a text such as "32,64,64".

    Raises
    ------
    OptionError
        If it is anything else.
    """
    parts: Sequence[object]
    if isinstance(value, str):
        parts = value.replace("x", ",").split(",")
    else:
        parts = list(value) if isinstance(value, Sequence) else [value]
    try:
        numbers = [int(str(p)) for p in parts]
    except ValueError:
        numbers = []
    if len(numbers) == 1:
        numbers *= 3
    if len(numbers) != 3 or min(numbers) < 1:
        msg = (
            f'expected {name} as one or three numbers "Z,Y,X" above 0; found {value!r}'
        )
        raise OptionError(msg)
    z, y, x = numbers
    return (z, y, x)
