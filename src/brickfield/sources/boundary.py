"""What a foreign file provokes becomes one of our errors, here and nowhere else.

Readers check what they know of and say it well. A file can be wrong in more ways
than can be foreseen, and the libraries below raise whatever they like; so every
entry from outside (opening, reading boxes) goes through :func:`foreign`. What no
reader foresaw is a :class:`~brickfield.errors.UnforeseenDataError`, which names the
file and keeps the cause, so that a defect of ours can be told from one of the file.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from math import ceil, prod

from brickfield.errors import (
    BrickfieldError,
    OptionError,
    StoreAccessError,
    StoreFormatError,
    UnforeseenDataError,
)
from brickfield.model import INDEX_BITS, Channel, ScaleLevel
from brickfield.sources.protocol import ChunkSource

MOST_CHUNKS = 1 << INDEX_BITS
"""Planned chunks along an axis that have names."""
MOST_STORAGE_CHUNKS = 1 << 62
NUMBERS = "biufc"
"""Kinds of data types that are voxels."""
MOST_CHANNELS = 1 << 16
_SHORT = 200


@contextmanager
def foreign(place: str) -> Iterator[None]:
    """Turn what goes wrong with foreign data into one of our errors.

    Parameters
    ----------
    place : str
        File, folder or URL, for the sentence.

    Raises
    ------
    BrickfieldError
        Ours as they are; everything else that is not a wish to end as
        :class:`UnforeseenDataError` or, from the system, :class:`StoreAccessError`.
    """
    try:
        yield
    except BrickfieldError:
        raise
    except OSError as error:
        if error.errno is None:
            raise _unforeseen(place, error) from error
        msg = f"expected to read {shown(place)}; found {error.strerror or error}"
        raise StoreAccessError(msg) from error
    except Exception as error:
        raise _unforeseen(place, error) from error


def _unforeseen(place: str, error: Exception) -> UnforeseenDataError:
    text = " ".join(str(error).split())
    detail = f"{type(error).__name__}: {text}" if text else type(error).__name__
    return UnforeseenDataError(
        f"expected an image that can be read in {shown(place)}; found data that its"
        f" reader stopped at: {shortened(detail)}"
    )


def shown(place: str) -> str:
    """Return a place as a sentence can hold it: its end where it is long."""
    plain = "".join(c if c.isprintable() else "�" for c in place)
    return plain if len(plain) <= _SHORT else f"…{plain[-_SHORT:]}"


def shortened(text: str) -> str:
    """Return the beginning of a text that is long."""
    return text if len(text) <= _SHORT else f"{text[: _SHORT - 1]}…"


def numbered_channels(n: int) -> tuple[Channel, ...]:
    """Name channels by their number.

    Raises
    ------
    StoreFormatError
        If there are more than can be told apart: a wrong shape.
    """
    if n > MOST_CHANNELS:
        msg = f"expected at most {MOST_CHANNELS} channels; found {n}: check its shape"
        raise StoreFormatError(msg)
    return tuple(Channel(str(i)) for i in range(n))


def check_levels(source: ChunkSource) -> None:
    """Refuse levels without voxels, without numbers, or with more than have names.

    Raises
    ------
    StoreFormatError
    """
    for number, level in enumerate(source.info.pyramid.levels):
        where = f"level {number} ({shortened(level.path)}) of {shown(source.info.uri)}"
        if min(level.shape) < 1 or min(level.storage_chunk_shape) < 1:
            msg = (
                f"expected one voxel or more on every axis of {where}; found the shape"
                f" {level.shape} in chunks of {level.storage_chunk_shape}"
            )
            raise StoreFormatError(msg)
        if level.dtype.kind not in NUMBERS:
            msg = f"expected numbers in {where}; found the type {level.dtype}"
            raise StoreFormatError(msg)
        if not _has_names(level):
            msg = (
                f"expected at most {MOST_CHUNKS} chunks along an axis of {where}; found"
                f" the shape {level.shape} in chunks of {level.storage_chunk_shape}:"
                " check its metadata"
            )
            raise StoreFormatError(msg)


def _has_names(level: ScaleLevel) -> bool:
    planned = zip(level.shape_zyx, level.chunk_shape, strict=True)
    stored = zip(level.shape, level.storage_chunk_shape, strict=True)
    n_stored = prod(ceil(n / c) for n, c in stored)
    if max(level.storage_chunk_shape) > MOST_STORAGE_CHUNKS:
        return False
    is_few = all(-(-n // c) <= MOST_CHUNKS for n, c in planned)
    return is_few and n_stored < MOST_STORAGE_CHUNKS


def series_index(names: Sequence[str], series: int | str | None, *, where: str) -> int:
    """Position of the chosen image; the first when none is asked for.

    Parameters
    ----------
    names : sequence of str
    series : int, str or None
        A name, or a position (also as text, unless an image has that name).
    where : str
        Place for the message.

    Raises
    ------
    OptionError
        If there is no such image.
    """
    if series is None:
        return 0
    text = str(series).strip("/")
    plain = [name.strip("/") for name in names]
    if text in plain and not isinstance(series, int):
        return plain.index(text)
    if text.isdigit() and int(text) < len(names):
        return int(text)
    known = ", ".join(name or "0" for name in names)
    msg = (
        f"expected one of the series {known} of {where}, or a position; found {series}"
    )
    raise OptionError(msg)
