"""Layers of Neuroglancer's state, read for what both know."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote

from brickfield.model.secrets import hide_secrets
from brickfield.viewer.neuroglancer.values import numbers, wrong
from brickfield.viewer.neuroglancer.write import CONTROL

_KNOWN_OF_LAYER = {
    "type", "name", "source", "visible", "opacity", "blend", "shader",
    "shaderControls", "volumeRendering", "localDimensions", "localPosition",
    "segments", "selectedAlpha", "tab", "archived",
}  # fmt: skip
_MODES = {"max": "mip", "min": "minip", "on": "translucent", True: "translucent"}
_FORMATS = {
    "zarr": "", "zarr2": "", "zarr3": "", "n5": "",
    "precomputed": "precomputed://", "neuroglancer-precomputed": "precomputed://",
}  # fmt: skip
_STORES = ("http", "https", "gs", "s3", "file")
_RANGE = re.compile(
    r"#uicontrol\s+invlerp\s+\w+\s*\([^)]*range\s*=\s*\[([^\]]+)\]", re.ASCII
)
_COLOR = re.compile(r"#[0-9a-fA-F]{6}")
_MOST_LAYERS = 10_000


@dataclass(frozen=True, slots=True)
class NeuroglancerLayer:
    """One layer of a state.

    Attributes
    ----------
    name : str
    uri : str
        As :func:`brickfield.open_store` takes it.
    is_labels : bool
    label : str or None
        Name of the label image in `uri`.
    channel : int or None
        None for all.
    looks : dict
        Fields of a :class:`brickfield.scene.document.SceneLayer`.
    """

    name: str
    uri: str
    is_labels: bool
    label: str | None
    channel: int | None
    looks: dict[str, Any]


def read_layers(value: Any, left_out: list[str]) -> list[NeuroglancerLayer]:
    """Read the layers of a state.

    Parameters
    ----------
    value
        As in the JSON.
    left_out : list of str
        Receives descriptions of what is not shown here.

    Raises
    ------
    SceneStateError
        If it is no list of layers.
    """
    if isinstance(value, Mapping):  # as older states have it
        value = [{"name": n, **v} for n, v in value.items() if isinstance(v, Mapping)]
    if not isinstance(value, list) or len(value) > _MOST_LAYERS:
        raise wrong("layers", "a list of layers", value)
    found = []
    for i, entry in enumerate(value):
        if not isinstance(entry, Mapping):
            raise wrong(f"layers[{i}]", "an object", entry)
        layer = _layer(entry, f"layers[{i}]", left_out)
        if layer is not None:
            found.append(layer)
    return found


def _layer(
    entry: Mapping[str, Any], place: str, left_out: list[str]
) -> NeuroglancerLayer | None:
    name = hide_secrets(str(entry.get("name") or place))
    kind = entry.get("type", "auto")
    lost: list[str] = []
    uri, why = _uri_of(entry.get("source"), lost)
    if kind not in ("image", "segmentation", "auto", "new"):
        why = f"it is of the type {kind!r:.30}"
    elif entry.get("archived") is True:
        why = "it is archived"
    if why:
        left_out.append(f"layer {name!r}: {why}")
        return None
    is_labels = kind == "segmentation"
    inner = re.fullmatch(r"(.+?)/labels/([^/]+)/?", uri) if is_labels else None
    looks = {"visible": entry.get("visible", True) is not False}
    looks |= _looks_of_labels(entry, lost) if is_labels else _looks(entry, place, lost)
    lost += [str(key) for key in entry if key not in _KNOWN_OF_LAYER]
    left_out += [f"layer {name!r}: {what}" for what in lost]
    return NeuroglancerLayer(
        name,
        inner[1] if inner else uri,
        is_labels,
        inner[2] if inner else None,
        None if is_labels else _channel(entry),
        looks,
    )


def _uri_of(source: Any, lost: list[str]) -> tuple[str, str]:
    """Return the address of a layer's data, or why there is none."""
    if isinstance(source, list):
        if len(source) > 1:
            lost.append("all its sources but the first")
        source = source[0] if source else None
    if isinstance(source, Mapping):
        lost += [f"{key} of its source" for key in source if key != "url"]
        source = source.get("url")
    if not isinstance(source, str) or not source:
        return "", "it has no source"
    head, *parts = source.split("|")
    scheme, _, rest = head.partition("://")
    kind = _FORMATS.get(scheme)
    place = rest if kind is not None else head
    for part in parts:
        name, _, inside = part.partition(":")
        if name not in _FORMATS:
            return "", f"its source is {hide_secrets(source)!r:.80}"
        kind = _FORMATS[name]
        inside = inside.partition("#")[0].strip("/")
        place = f"{place.rstrip('/')}/{inside}" if inside else place
    if place.partition("://")[0] not in _STORES:
        return "", f"its source is {hide_secrets(source)!r:.80}"
    if place.startswith("file://"):
        place = unquote(place.removeprefix("file://"))
    return (kind or "") + (place.rstrip("/") or "/"), ""


def _looks_of_labels(entry: Mapping[str, Any], lost: list[str]) -> dict[str, Any]:
    looks: dict[str, Any] = {}
    alpha = entry.get("selectedAlpha")
    if isinstance(alpha, int | float) and 0 <= alpha <= 1:
        looks["opacity"] = float(alpha)
    segments = entry.get("segments", [])
    if isinstance(segments, list) and len(segments) == 1 and _is_whole(segments[0]):
        looks["selected_label"] = int(segments[0])
    elif segments:
        lost.append("which segments are seen")
    return looks


def _is_whole(value: Any) -> bool:
    return re.fullmatch(r"\d{1,18}", str(value)) is not None


def _looks(entry: Mapping[str, Any], place: str, lost: list[str]) -> dict[str, Any]:
    controls = entry.get("shaderControls", {})
    controls = controls if isinstance(controls, Mapping) else {}
    shader = entry.get("shader")
    shader = shader if isinstance(shader, str) else ""
    looks: dict[str, Any] = {}
    contrast = _contrast(controls, shader, place, lost)
    if contrast is not None:
        looks["contrast"] = contrast
    color = _color(controls, shader)
    if color is not None:
        looks["colormap"] = color.lower()
    if shader and CONTROL not in shader and not _RANGE.search(shader):
        lost.append("its shader")
    opacity = entry.get("opacity")
    if isinstance(opacity, int | float) and 0 <= opacity <= 1:
        looks["opacity"] = float(opacity)
    if entry.get("blend") == "additive":
        looks["blending"] = "additive"
    mode = entry.get("volumeRendering", False)
    if isinstance(mode, str | bool) and mode in _MODES:
        looks["mode"] = _MODES[mode]
    return looks


def _contrast(
    controls: Mapping[str, Any], shader: str, place: str, lost: list[str]
) -> tuple[float, float] | None:
    candidates = [controls.get(CONTROL), *controls.values()]
    value = next(
        (c["range"] for c in candidates if isinstance(c, Mapping) and "range" in c),
        None,
    )
    if value is None:
        said = _RANGE.search(shader)
        if said is None:
            return None
        try:
            value = [float(part) for part in said[1].split(",")]
        except ValueError:
            return None
    # Numbers of 64 bits are texts in a state.
    texts = [float(v) if _is_whole(v) else v for v in value]
    low, high = numbers(texts, 2, f"{place}.shaderControls: range")
    if low > high:
        lost.append("that its contrast is inverted")
        low, high = high, low
    return (low, high) if low < high else None


def _color(controls: Mapping[str, Any], shader: str) -> str | None:
    for value in controls.values():
        if isinstance(value, str) and _COLOR.fullmatch(value):
            return value
    said = re.search(r"#uicontrol\s+vec3\s+\w+\s+color\s*\(([^)]*)\)", shader)
    found = _COLOR.search(said[1]) if said else None
    return found[0] if found else None


def _channel(entry: Mapping[str, Any]) -> int | None:
    dimensions, place = entry.get("localDimensions"), entry.get("localPosition")
    if isinstance(dimensions, Mapping) and isinstance(place, list):
        for name, at in zip(dimensions, place, strict=False):
            is_number = isinstance(at, int | float) and 0 <= at < 1e6
            if name.rstrip("'^") == "c" and is_number:
                return int(at)
    controls = entry.get("shaderControls")
    for control in controls.values() if isinstance(controls, Mapping) else ():
        chosen = control.get("channel") if isinstance(control, Mapping) else None
        if isinstance(chosen, list) and len(chosen) == 1 and _is_whole(chosen[0]):
            return int(chosen[0])
    return None
