"""Small JSON files of a store, read so that every failure is one sentence."""

from __future__ import annotations

import json
from typing import Any

from brickfield.errors import StoreFormatError
from brickfield.sources.kvstore import Location, read_many


def read_object(location: Location, key: str) -> dict[str, Any] | None:
    """Read a JSON object; None when nothing is stored there.

    Raises
    ------
    StoreFormatError
        If the file is no JSON object.
    StoreAccessError, StoreUnreachableError
    """
    raw = read_many(location, [key])[key]
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
