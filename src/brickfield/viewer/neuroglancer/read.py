"""Neuroglancer's JSON state, read for what both know.

What is not known here is left out and named, never an error: a state is written by
another program, and newer ones say more. What is known but cannot be what it says (a
position of two numbers on three axes) is an error that names the field.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote

import numpy as np

from brickfield.errors import SceneStateError
from brickfield.model import Vec3
from brickfield.model.secrets import hide_secrets
from brickfield.viewer.neuroglancer.layers import NeuroglancerLayer, read_layers
from brickfield.viewer.neuroglancer.space import IDENTITY, Turn, matrix_of, si_unit
from brickfield.viewer.neuroglancer.values import numbers, positive, wrong

_KNOWN = {
    "dimensions", "displayDimensions", "position", "crossSectionOrientation",
    "crossSectionScale", "projectionOrientation", "projectionScale", "layers", "layout",
}  # fmt: skip
_LAYOUTS = {
    "3d": "3D", "xy": "xy", "xz": "xz", "yz": "yz",
    "4panel": "2x2", "4panel-alt": "2x2",
}  # fmt: skip
_AXES = {"x": 2, "y": 1, "z": 0}
_MOST_LETTERS = 16 << 20


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
        As brickfield names it.
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
    layers = read_layers(state.get("layers", []), left_out)
    return layers, _view(state, left_out), left_out


def state_in_text(text: str) -> Any:
    """Find a state in a text: JSON, or an address of Neuroglancer that holds it.

    Raises
    ------
    SceneStateError
    """
    if len(text) > _MOST_LETTERS:
        msg = f"expected at most {_MOST_LETTERS} characters; found {len(text)}"
        raise SceneStateError(msg)
    _, mark, behind = text.partition("#!")
    try:
        return json.loads(unquote(behind.strip()) if mark else text)
    except (ValueError, RecursionError) as error:
        found = hide_secrets(" ".join(text[:40].split())) or "nothing"
        msg = (
            "expected a Neuroglancer state in JSON, or the address of Neuroglancer"
            f" with #!{{…}} at the end; found {found!r}"
        )
        raise SceneStateError(msg) from error


# -- the view ----------------------------------------------------------------------


def _view(state: Mapping[str, Any], left_out: list[str]) -> NeuroglancerView:
    layout, is_flat = _layout(state.get("layout", "4panel"), left_out)
    steps, unit = _dimensions(state.get("dimensions", {}), left_out)
    position, time = _position(state, steps, left_out)
    drawn = _drawn(state, steps, left_out)
    sizes = [steps[name][0] for name in drawn or _AXES if name in steps]
    canonical = min(sizes, default=1.0)
    height = positive(state, "projectionScale")
    pixel = positive(state, "crossSectionScale")
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
        raise wrong("dimensions", "an object of axes", value)
    steps: dict[str, tuple[float, str]] = {}
    for name, about in value.items():
        is_pair = isinstance(about, Sequence) and len(about) == 2
        if isinstance(about, Mapping):
            steps[name] = (1.0, "")
            continue
        if not is_pair or not isinstance(about[1], str):
            raise wrong(f"dimensions.{name}", "a length and a unit", about)
        (size,) = numbers([about[0]], 1, f"dimensions.{name}")
        unit = si_unit(about[1])
        if unit is None or size <= 0:
            raise wrong(f"dimensions.{name}", "a length above 0 and a unit", about)
        steps[name] = (size * unit[0], unit[1])
    units = {steps[name][1] for name in _AXES if name in steps}
    further = [n for n in steps if n not in _AXES and n != "t"]
    left_out += [f"the axis {name}" for name in further]
    if len(units) > 1:
        raise wrong("dimensions", "one unit for x, y and z", sorted(units))
    return steps, next(iter(units), "")


def _position(
    state: Mapping[str, Any], steps: dict[str, tuple[float, str]], left_out: list[str]
) -> tuple[Any, float | None]:
    if "position" not in state:
        return None, None
    values = numbers(state["position"], len(steps), "position")
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
        values = numbers(state[name], 4, name)
        if not 0.01 < float(np.linalg.norm(values)) < 100:
            raise wrong(name, "a quaternion of length 1", state[name])
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
