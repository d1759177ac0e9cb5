"""One sentence for a scene document that cannot be used."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pydantic import ValidationError

_BRANCHES = {"memory", "store", "name", "stops"}
"""Marks that tell apart what a field may be; they are no part of the place."""
_UNIONS = {"source", "colormap"}


_EXPECTED = {
    "too_short": "a list of {min_length} or more",
    "too_long": "a list of at most {max_length}",
    "string_too_short": "a text that is not empty",
    "string_too_long": "a text of at most {max_length} letters",
    "greater_than": "a number above {gt:g}",
    "greater_than_equal": "a number of {ge:g} or more",
    "less_than": "a number below {lt:g}",
    "less_than_equal": "a number of at most {le:g}",
    "finite_number": "a finite number",
    "float_type": "a number",
    "float_parsing": "a number",
    "int_type": "a whole number",
    "int_parsing": "a whole number",
    "int_from_float": "a whole number",
    "bool_type": "true or false",
    "bool_parsing": "true or false",
    "string_type": "a text",
    "tuple_type": "a list",
    "dict_type": "an object",
    "model_type": "an object",
    "literal_error": "{expected}",
}


def problem_of(error: ValidationError) -> str:
    """Say of the first problem where it is, what was expected and what was found."""
    problems = error.errors(include_url=False)
    first = problems[0]
    place = place_of(first["loc"])
    if first["type"] == "missing":
        text = f"expected {place}; found nothing"
    elif first["type"] == "extra_forbidden":
        text = f"expected only known fields; found {place}: check its spelling"
    else:
        if first["type"] in _EXPECTED:
            expected = "expected " + _EXPECTED[first["type"]].format(
                **first.get("ctx", {})
            )
        else:
            expected = first["msg"].removeprefix("Value error, ")
        text = f"{place}: {expected}; found {_shown(first['input'])}"
    more = len({place_of(p["loc"]) for p in problems}) - 1
    return f"{text} (and {more} more to look at)" if more > 0 else text


def _shown(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:59]}…"


def place_of(loc: Sequence[int | str]) -> str:
    """Write a place as ``layers[2].contrast``."""
    text = ""
    for i, part in enumerate(loc):
        if isinstance(part, int):
            text += f"[{part}]"
        elif not (part in _BRANCHES and i and loc[i - 1] in _UNIONS):
            text += f".{part}" if text else str(part)
    return text or "the document"
