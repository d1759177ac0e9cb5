"""Numbers of Neuroglancer's state, checked where they are read."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import isfinite
from typing import Any

from brickfield.errors import SceneStateError
from brickfield.model.secrets import hide_secrets


def numbers(value: Any, n: int, place: str) -> tuple[float, ...]:
    """Return finite numbers.

    Parameters
    ----------
    value
    n : int
        How many there must be.
    place : str
        Of the value in the JSON, for the message.

    Raises
    ------
    SceneStateError
        If they are anything else.
    """
    is_list = isinstance(value, Sequence) and not isinstance(value, str | bytes)
    expected = "a number" if n == 1 else f"{n} numbers"
    if not is_list or len(value) != n:
        raise wrong(place, expected, value)
    for part in value:
        is_number = isinstance(part, int | float) and not isinstance(part, bool)
        if not is_number or abs(part) > 1e300 or not isfinite(part):
            raise wrong(place, expected, value)
    return tuple(float(part) for part in value)


def positive(state: Mapping[str, Any], name: str) -> float | None:
    """Return a number above 0; None if the state has none.

    Parameters
    ----------
    state : mapping
    name : str

    Raises
    ------
    SceneStateError
        If it is anything else.
    """
    if name not in state:
        return None
    (value,) = numbers([state[name]], 1, name)
    if value <= 0:
        raise wrong(name, "a number above 0", state[name])
    return value


def wrong(place: str, expected: str, found: Any) -> SceneStateError:
    """Return the error that names a field.

    Parameters
    ----------
    place : str
        Of the value in the JSON.
    expected : str
        In words.
    found
    """
    msg = f"{place}: expected {expected}; found {hide_secrets(repr(found)):.60}"
    return SceneStateError(msg)
