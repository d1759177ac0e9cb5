"""Neuroglancer's JSON state, read for what both know.

What is not known here is left out and named, never an error: a state is written by
another program, and newer ones say more. What is known but cannot be what it says (a
position of two numbers on three axes) is an error that names the field.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import isfinite
from typing import Any
from urllib.parse import unquote

import numpy as np

from brickfield.errors import SceneStateError
from brickfield.model.scales import Vec3
from brickfield.model.secrets import hide_secrets
from brickfield.viewer.neuroglancer import CONTROL
from brickfield.viewer.neuroglancer_space import IDENTITY, Turn, matrix_of, si_unit

_KNOWN = {
    "dimensions", "displayDimensions", "position", "crossSectionOrientation",
    "crossSectionScale", "projectionOrientation", "projectionScale", "layers", "layout",
}  # fmt: skip
_KNOWN_OF_LAYER = {
    "type", "name", "source", "visible", "opacity", "blend", "shader",
    "shaderControls", "volumeRendering", "localDimensions", "localPosition",
    "segments", "selectedAlpha", "tab", "archived",
}  # fmt: skip
_LAYOUTS = {
    "3d": "3D", "xy": "xy", "xz": "xz", "yz": "yz",
    "4panel": "2x2", "4panel-alt": "2x2",
}  # fmt: skip
_MODES = {"max": "mip", "min": "minip", "on": "translucent", True: "translucent"}
_FORMATS = {
    "zarr": "", "zarr2": "", "zarr3": "", "n5": "",
    "precomputed": "precomputed://", "neuroglancer-precomputed": "precomputed://",
}  # fmt: skip
_STORES = ("http", "https", "gs", "s3", "file")
_AXES = {"x": 2, "y": 1, "z": 0}
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
        Fields of a :class:`brickfield.viewer.state.SceneLayer`.
    """

    name: str
    uri: str
    is_labels: bool
    label: str | None
    channel: int | None
    looks: dict[str, Any]


@dataclass(frozen=True, slots=True)
class NeuroglancerView:
    """Where a state is and looks; lengths in units of `unit`.

    Attributes
    ----------
    unit : str
        "m", or "" where no unit is known.
    position : tuple of (float or None)
        z, y, x; None on axes that the state does not have.
    time : float or None
        In steps.
    projection, section : Turn or None
        How the volume and the slice look.
    projection_height : float or None
        That the picture of the volume is high.
    section_pixel : float or None
        That a pixel of a slice is high.
    layout : str
        In our words.
    orthographic : bool
    """

    unit: str = ""
    position: tuple[float | None, float | None, float | None] | None = None
    time: float | None = None
    projection: Turn | None = None
    section: Turn | None = None
    projection_height: float | None = None
    section_pixel: float | None = None
    layout: str = "3D"
    orthographic: bool = False


def read_neuroglancer(
    state: Any,
) -> tuple[list[NeuroglancerLayer], NeuroglancerView, list[str]]:
    """Read a state.

    Parameters
    ----------
    state : mapping

    Returns
    -------
    tuple
        Layers, the view, and what was left out, one phrase each.

    Raises
    ------
    SceneStateError
        If it is no state, or a field that is known is not what it should be.
    """
    if not isinstance(state, Mapping) or not _KNOWN & set(state):
        found = f"an object with {list(state)[:5]}" if state else "nothing"
        found = found if isinstance(state, Mapping) else type(state).__name__
        msg = f"expected a Neuroglancer state, an object with layers; found {found}"
        raise SceneStateError(msg)
    left_out = [hide_secrets(str(key)) for key in state if key not in _KNOWN]
    layers = _layers(state.get("layers", []), left_out)
    return layers, _view(state, left_out), left_out


# -- the view ----------------------------------------------------------------------


def _view(state: Mapping[str, Any], left_out: list[str]) -> NeuroglancerView:
    layout, is_flat = _layout(state.get("layout", "4panel"), left_out)
    steps, unit = _dimensions(state.get("dimensions", {}), left_out)
    position, time = _position(state, steps, left_out)
    drawn = _drawn(state, steps, left_out)
    sizes = [steps[name][0] for name in drawn or _AXES if name in steps]
    canonical = min(sizes, default=1.0)
    height = _positive(state, "projectionScale")
    pixel = _positive(state, "crossSectionScale")
    section = _turn(state, "crossSectionOrientation", drawn)
    is_said = "crossSectionOrientation" in state
    layout, section = _as_plane(layout, section, left_out if is_said else [])
    return NeuroglancerView(
        unit=unit,
        position=position,
        time=time,
        projection=_turn(state, "projectionOrientation", drawn),
        section=section,
        projection_height=None if height is None else height * canonical,
        section_pixel=None if pixel is None else pixel * canonical,
        layout=layout,
        orthographic=is_flat,
    )


def _layout(value: Any, left_out: list[str]) -> tuple[str, bool]:
    """Return our word for a layout, and whether its rays are parallel."""
    is_flat = False
    for _ in range(8):  # rows in columns in rows
        if not isinstance(value, Mapping):
            break
        is_flat = is_flat or value.get("orthographicProjection") is True
        inner = value.get("children") or value.get("layout") or value.get("type")
        if isinstance(inner, list):
            if len(inner) > 1:
                left_out.append("all panels of the layout but the first")
            inner = inner[0]
        value = inner
    found = _LAYOUTS.get(value) if isinstance(value, str) else None
    if found is None:
        left_out.append(f"the layout {value!r:.40}")
        found = "2x2" if isinstance(value, str) and value.endswith("-3d") else "3D"
    return found, is_flat


def _as_plane(
    layout: str, section: Turn | None, left_out: list[str]
) -> tuple[str, Turn | None]:
    """Show a turned slice as an oblique one, which is turned as the layout says."""
    straight = Turn.of_matrix(matrix_of(IDENTITY))
    if section is None or np.allclose(section.matrix, straight.matrix, atol=1e-9):
        return layout, None
    right, down, away = section.right, section.down, section.away
    if layout == "xz":
        section = Turn(right, away, _minus(down))
    elif layout == "yz":
        section = Turn(_minus(away), down, right)
    elif layout != "xy":
        left_out.append("crossSectionOrientation: these slices stand along the axes")
        return layout, None
    return "plane", section


def _minus(value: Vec3) -> Vec3:
    z, y, x = value
    return (-z, -y, -x)


def _dimensions(
    value: Any, left_out: list[str]
) -> tuple[dict[str, tuple[float, str]], str]:
    """Return step and base unit of each axis, and the unit of space."""
    if not isinstance(value, Mapping):
        raise _wrong("dimensions", "an object of axes", value)
    steps: dict[str, tuple[float, str]] = {}
    for name, about in value.items():
        is_pair = isinstance(about, Sequence) and len(about) == 2
        if isinstance(about, Mapping):
            steps[name] = (1.0, "")
            continue
        if not is_pair or not isinstance(about[1], str):
            raise _wrong(f"dimensions.{name}", "a length and a unit", about)
        (size,) = _numbers([about[0]], 1, f"dimensions.{name}")
        unit = si_unit(about[1])
        if unit is None or size <= 0:
            raise _wrong(f"dimensions.{name}", "a length above 0 and a unit", about)
        steps[name] = (size * unit[0], unit[1])
    units = {steps[name][1] for name in _AXES if name in steps}
    further = [n for n in steps if n not in _AXES and n != "t"]
    left_out += [f"the axis {name}" for name in further]
    if len(units) > 1:
        raise _wrong("dimensions", "one unit for x, y and z", sorted(units))
    return steps, next(iter(units), "")


def _position(
    state: Mapping[str, Any], steps: dict[str, tuple[float, str]], left_out: list[str]
) -> tuple[Any, float | None]:
    if "position" not in state:
        return None, None
    values = _numbers(state["position"], len(steps), "position")
    at = dict(zip(steps, values, strict=True))
    if not set(_AXES) & set(steps):
        left_out.append("position: its axes are not x, y and z")
        return None, at.get("t")
    zyx = [at[n] * steps[n][0] if n in at else None for n in ("z", "y", "x")]
    return tuple(zyx), at.get("t")


def _drawn(
    state: Mapping[str, Any], steps: dict[str, tuple[float, str]], left_out: list[str]
) -> list[str]:
    """Return the axes that are drawn right, down and away; [] if they are not ours."""
    names = state.get("displayDimensions", list(steps)[:3] or ["x", "y", "z"])
    if not isinstance(names, list) or sorted(map(str, names)) != ["x", "y", "z"]:
        left_out.append("orientations: the axes that are drawn are not x, y and z")
        return []
    if "".join(names) not in ("xyz", "yzx", "zxy"):
        left_out.append(
            "the mirror image: Neuroglancer draws the axes in the order"
            f" {', '.join(names)}, here nothing is mirrored"
        )
    return list(names)


def _turn(state: Mapping[str, Any], name: str, drawn: list[str]) -> Turn | None:
    if name in state:
        values = _numbers(state[name], 4, name)
        if not 0.01 < float(np.linalg.norm(values)) < 100:
            raise _wrong(name, "a quaternion of length 1", state[name])
        x, y, z, w = values
        matrix = matrix_of((x, y, z, w))
    else:
        matrix = matrix_of(IDENTITY)
    if not drawn:
        return None
    # Rows are the axes that are drawn, in their order: put them back to x, y, z.
    rows = np.empty((3, 3))
    for row, axis in zip(matrix, drawn, strict=True):
        rows["xyz".index(axis)] = row
    if np.linalg.det(rows) < 0:
        rows[:, 0] *= -1  # what is right and left is exchanged
    return Turn.of_matrix(rows)


# -- layers ------------------------------------------------------------------------


def _layers(value: Any, left_out: list[str]) -> list[NeuroglancerLayer]:
    if isinstance(value, Mapping):  # as older states have it
        value = [{"name": n, **v} for n, v in value.items() if isinstance(v, Mapping)]
    if not isinstance(value, list) or len(value) > _MOST_LAYERS:
        raise _wrong("layers", "a list of layers", value)
    found = []
    for i, entry in enumerate(value):
        if not isinstance(entry, Mapping):
            raise _wrong(f"layers[{i}]", "an object", entry)
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
    low, high = _numbers(texts, 2, f"{place}.shaderControls: range")
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


# -- values ------------------------------------------------------------------------


def _numbers(value: Any, n: int, place: str) -> tuple[float, ...]:
    is_list = isinstance(value, Sequence) and not isinstance(value, str | bytes)
    expected = "a number" if n == 1 else f"{n} numbers"
    if not is_list or len(value) != n:
        raise _wrong(place, expected, value)
    for part in value:
        is_number = isinstance(part, int | float) and not isinstance(part, bool)
        if not is_number or abs(part) > 1e300 or not isfinite(part):
            raise _wrong(place, expected, value)
    return tuple(float(part) for part in value)


def _positive(state: Mapping[str, Any], name: str) -> float | None:
    if name not in state:
        return None
    (value,) = _numbers([state[name]], 1, name)
    if value <= 0:
        raise _wrong(name, "a number above 0", state[name])
    return value


def _wrong(place: str, expected: str, found: Any) -> SceneStateError:
    msg = f"{place}: expected {expected}; found {hide_secrets(repr(found)):.60}"
    return SceneStateError(msg)
