"""The scene document: what two people must share to see the same.

Plain values only, checked once, here. Layers, cameras, where one is in the data and how
sharp the picture should be: all of that round-trips, and reading what was written gives
an equal document. Overlays, budgets, the size of windows and everything on the GPU are
not in it.

What belongs to napari (blending, interpolation) is a free word; what belongs to us is
checked. A field that is not known is refused, so that a misspelled one does not pass
for a setting, and so is a document of a newer version.

A document that cannot be used is refused with one sentence (:func:`problem_of`).
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from typing import Any, Literal

from pydantic import ValidationError

from brickfield.errors import SceneStateError
from brickfield.scene.layers import (
    SceneClipPlane,
    SceneLayer,
    SceneSource,
    SceneValue,
)
from brickfield.scene.views import (
    LAYOUTS,
    SceneCamera,
    SceneExploration,
    SceneLevelOfDetail,
    SceneLight,
    ScenePlane,
    SceneSpace,
    SceneViews,
)

_BRANCHES = {"memory", "store", "name", "stops"}
"""Marks that tell apart what a field may be; they are no part of the place."""
_UNIONS = {"source", "colormap"}


_EXPECTED = {
    "too_short": "a list of {min_length} or more",
    "too_long": "a list of at most {max_length}",
    "string_too_short": "a text that is not empty",
    "string_too_long": "a text of at most {max_length} characters",
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


__all__ = [
    "LAYOUTS",
    "VERSION",
    "SceneCamera",
    "SceneClipPlane",
    "SceneExploration",
    "SceneLayer",
    "SceneLevelOfDetail",
    "SceneLight",
    "ScenePlane",
    "SceneSource",
    "SceneSpace",
    "SceneState",
    "SceneViews",
]
VERSION = 1
"""The version of documents that this program writes."""
_NUMBERS = re.compile(r"\[\s*\n\s*((?:[-+.\deE]+,?\s*)+?)\n\s*\]")


class SceneState(SceneValue):
    """The document. Make one from text with :meth:`from_json`."""

    version: Literal[1] = 1
    space: SceneSpace = SceneSpace()
    layers: tuple[SceneLayer, ...] = ()
    views: SceneViews = SceneViews()
    exploration: SceneExploration = SceneExploration()
    lod: SceneLevelOfDetail = SceneLevelOfDetail()

    @classmethod
    def from_dict(cls, data: Any) -> SceneState:
        """Check plain values.

        Raises
        ------
        SceneStateError
            In one sentence: the place, what was expected, what was found.
        """
        _check_version(data)
        try:
            return cls.model_validate(data)
        except ValidationError as error:
            raise SceneStateError(problem_of(error)) from error

    @classmethod
    def from_json(cls, text: str | bytes) -> SceneState:
        """Read the JSON form.

        Raises
        ------
        SceneStateError
            If it is no JSON or no scene document.
        """
        try:
            data = json.loads(text)
        except (ValueError, RecursionError) as error:
            msg = f"expected a scene document in JSON; found a text that is no JSON: {error}"
            raise SceneStateError(msg) from error
        return cls.from_dict(data)

    def to_dict(self) -> dict[str, Any]:
        """Return plain values, keys always in the same order."""
        data: dict[str, Any] = self.model_dump(mode="json")
        for part, name in (("views", "cameras"), ("exploration", "positions")):
            data[part][name] = dict(sorted(data[part][name].items()))
        return data

    def to_json(self) -> str:
        """Return the JSON form: two spaces, numbers exact, vectors on one line."""
        text = json.dumps(self.to_dict(), indent=2, ensure_ascii=False)
        return _NUMBERS.sub(lambda m: f"[{' '.join(m[1].split())}]", text) + "\n"


def _check_version(data: Any) -> None:
    if not isinstance(data, dict):
        msg = f"expected a scene document, an object; found {type(data).__name__}"
        raise SceneStateError(msg)
    version = data.get("version")
    if version == VERSION and not isinstance(version, bool):
        return
    msg = f'expected "version": {VERSION} in a scene document; found {version!r:.40}'
    if isinstance(version, int) and version > VERSION:
        msg = (
            f"expected a scene document of version {VERSION}; found version {version},"
            " which a newer napari-brickfield wrote: update napari-brickfield"
        )
    raise SceneStateError(msg)
