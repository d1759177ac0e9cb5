"""Small JSON files of a store, read so that every failure is one sentence."""

from __future__ import annotations

import json
from typing import Any

from brickfield.errors import StoreFormatError
from brickfield.sources.kvstore import Location, read_many


def read_object(location: Location, key: str) -> dict[str, Any] | None:
    """Read a JSON object that need not be there; None when it is not.

    What a server refuses counts as not there: public buckets answer so.

    Raises
    ------
    StoreFormatError
        If the file is no JSON object.
    StoreAccessError
        If it is a local file that may not be read.
    StoreUnreachableError
    """
    raw = read_many(location, [key], refused=set())[key]
    return None if raw is None else parse_object(raw, f"{location.uri}/{key}")


def parse_object(raw: bytes, where: str) -> dict[str, Any]:
    """Parse a JSON object.

    Raises
    ------
    StoreFormatError
    """
    try:
        value = json.loads(raw)
    except ValueError as error:
        msg = f"expected JSON in {where}; found something else: {error}"
        raise StoreFormatError(msg) from error
    if not isinstance(value, dict):
        msg = f"expected a JSON object in {where}; found {value!r:.80}"
        raise StoreFormatError(msg)
    return value
