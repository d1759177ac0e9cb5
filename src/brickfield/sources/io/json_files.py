"""Small JSON files of a store, read so that every failure is one sentence."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

from brickfield.errors import StoreFormatError
from brickfield.sources.io.location import Location
from brickfield.sources.io.store_files import read_many

MOST_NESTED = 64
"""Lists and objects inside each other; the formats need less than ten."""


def read_object(location: Location, key: str) -> dict[str, Any] | None:
    """Read a JSON object that need not be there; None when it is not.

    What a server refuses counts as not there: public buckets answer so.

    Parameters
    ----------
    location : Location
    key : str
        Below the location.

    Raises
    ------
    StoreFormatError
        If the file is no JSON object.
    StoreAccessError
        If it is a local file that may not be read.
    StoreUnreachableError
    """
    raw = read_many(location, [key], refused=set())[key]
    return None if raw is None else parse_object(raw, location.uri_of(key))


def parse_object(raw: bytes, where: str) -> dict[str, Any]:
    """Parse a JSON object.

    Parameters
    ----------
    raw : bytes
    where : str
        For messages.

    Raises
    ------
    StoreFormatError
    """
    value = parse_json(raw, where)
    if not isinstance(value, dict):
        msg = f"expected a JSON object in {where}; found {value!r:.80}"
        raise StoreFormatError(msg)
    return value


def parse_json(raw: bytes, where: str) -> Any:
    """Parse JSON that is nested at most :data:`MOST_NESTED` deep.

    Parameters
    ----------
    raw : bytes
    where : str
        For messages.

    Raises
    ------
    StoreFormatError
        If it is something else, for example half an object.
    """
    try:
        value = json.loads(raw)
    except RecursionError as error:
        raise _too_deep(where) from error
    except ValueError as error:
        msg = (
            f"expected JSON in {where}; found {len(raw)} bytes that are not ({error}):"
            " it may be half written or not a metadata file"
        )
        raise StoreFormatError(msg) from error
    # Callers may walk through it by recursion.
    level = [value]
    for _ in range(MOST_NESTED + 1):
        level = [child for item in level for child in _children(item)]
        if not level:
            return value
    raise _too_deep(where)


def _children(item: Any) -> Iterable[Any]:
    """Lists and objects right inside one."""
    if not isinstance(item, dict | list):
        return ()
    inside = item.values() if isinstance(item, dict) else item
    return [v for v in inside if isinstance(v, dict | list)]


def _too_deep(where: str) -> StoreFormatError:
    msg = (
        f"expected JSON nested at most {MOST_NESTED} deep in {where}; found more: it is"
        " no metadata of an image"
    )
    return StoreFormatError(msg)
