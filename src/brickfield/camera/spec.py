"""What a user says about a camera, before the volume and the picture are known.

A specification is one of four frozen values. It becomes a
:class:`~brickfield.model.camera.CameraState` only where the bounds of the volume
and the size of the picture are known. All coordinates are world units in the
order (z, y, x); angles are degrees.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, cast

from brickfield.errors import OptionError
from brickfield.model import Vec3

_UP: Vec3 = (0.0, -1.0, 0.0)
AxisName = Literal["z", "y", "x"]
_FORMS = (
    "fit, ortho:z, ortho:y, ortho:x, orbit:AZIMUTH,ELEVATION[,ZOOM] or a JSON object"
    ' like {"position": [z, y, x], "target": [z, y, x]}'
)


@dataclass(frozen=True, slots=True)
class FitCamera:
    """Perspective, the whole volume in the picture."""


@dataclass(frozen=True, slots=True)
class OrthoCamera:
    """Parallel rays along one axis; rows and columns are the other two axes.

    Attributes
    ----------
    axis : {"z", "y", "x"}
        Axis of sight; towards larger z, smaller y, larger x, so that nothing is
        mirrored.
    """

    axis: AxisName


@dataclass(frozen=True, slots=True)
class OrbitCamera:
    """Perspective, turned round the middle of the volume.

    Attributes
    ----------
    azimuth : float
        Turn round the volume's y axis, degrees; 0 looks along z as ``ortho:z``.
    elevation : float
        Degrees above the horizon, -90 to 90.
    zoom : float
        1 shows the whole volume, 2 everything twice as large.
    """

    azimuth: float
    elevation: float
    zoom: float = 1.0


@dataclass(frozen=True, slots=True)
class LookAtCamera:
    """A camera at a given place.

    Attributes
    ----------
    position, target, up : tuple of float
        World (z, y, x).
    fov : float
        Full vertical angle of view, degrees (perspective).
    orthographic : bool
    height : float or None
        World units that the picture is high (orthographic); None takes what
        shows the whole volume.
    """

    position: Vec3
    target: Vec3
    up: Vec3 = _UP
    fov: float = 45.0
    orthographic: bool = False
    height: float | None = None


CameraSpec = FitCamera | OrthoCamera | OrbitCamera | LookAtCamera


def camera_spec(value: str | Mapping[str, Any] | CameraSpec) -> CameraSpec:
    """Understand what a user says about the camera.

    Parameters
    ----------
    value : str, mapping or CameraSpec
        One of the forms of ``brickfield render --camera``; a mapping has the
        fields of the JSON form.

    Raises
    ------
    OptionError
        With the form that was expected and the part that does not fit.
    """
    if isinstance(value, FitCamera | OrthoCamera | OrbitCamera | LookAtCamera):
        return value
    if isinstance(value, Mapping):
        return _look_at(value)
    text = str(value).strip()
    if text.startswith("{"):
        return _look_at(_parsed_json(text))
    head, _, rest = text.partition(":")
    if text == "fit":
        return FitCamera()
    if head == "ortho" and rest in ("z", "y", "x"):
        return OrthoCamera(cast("AxisName", rest))
    if head == "orbit":
        return _orbit(rest)
    msg = f"expected a camera like {_FORMS}; found {text!r}"
    raise OptionError(msg)


def _orbit(text: str) -> OrbitCamera:
    try:
        numbers = [float(part) for part in text.split(",")]
    except ValueError:
        numbers = []
    if len(numbers) not in (2, 3) or not all(map(math.isfinite, numbers)):
        msg = (
            "expected a camera like orbit:30,20 or orbit:30,20,1.5 (azimuth and"
            f" elevation in degrees, zoom); found 'orbit:{text}'"
        )
        raise OptionError(msg)
    azimuth, elevation, *zoom = numbers
    if not -90 <= elevation <= 90:
        msg = f"expected an elevation from -90 to 90 degrees; found {elevation:g}"
        raise OptionError(msg)
    if zoom and zoom[0] <= 0:
        msg = f"expected a zoom above 0; found {zoom[0]:g}"
        raise OptionError(msg)
    return OrbitCamera(azimuth, elevation, *zoom)


def _parsed_json(text: str) -> Mapping[str, Any]:
    try:
        parsed = json.loads(text)
    except json.JSONDecodeError as error:
        msg = f"expected a camera as a JSON object; found {text!r} ({error})"
        raise OptionError(msg) from error
    if not isinstance(parsed, dict):
        msg = f"expected a camera as a JSON object; found {text!r}"
        raise OptionError(msg)
    return parsed


def _look_at(fields: Mapping[str, Any]) -> LookAtCamera:
    known = ("position", "target", "up", "fov", "orthographic", "height")
    unknown = [name for name in fields if name not in known]
    absent = [name for name in ("position", "target") if name not in fields]
    if unknown or absent:
        wrong = f"unknown {unknown[0]!r}" if unknown else f"no {absent[0]!r}"
        msg = f"expected a camera with the fields {', '.join(known)}; found {wrong}"
        raise OptionError(msg)
    position = _vector(fields, "position")
    target = _vector(fields, "target")
    up = _vector(fields, "up") if "up" in fields else _UP
    if position == target:
        msg = (
            "expected a camera whose position and target differ; found both at"
            f" {list(position)}"
        )
        raise OptionError(msg)
    if not any(up):
        msg = "expected a camera whose up is a direction; found [0, 0, 0]"
        raise OptionError(msg)
    orthographic = fields.get("orthographic", False)
    if not isinstance(orthographic, bool):
        msg = f"expected true or false as the camera's orthographic; found {orthographic!r}"
        raise OptionError(msg)
    height = fields.get("height")
    return LookAtCamera(
        position,
        target,
        up,
        fov=_number(fields.get("fov", 45.0), "fov", above=0.0, below=180.0),
        orthographic=orthographic,
        height=None if height is None else _number(height, "height", above=0.0),
    )


def _vector(fields: Mapping[str, Any], name: str) -> Vec3:
    value = fields[name]
    try:
        z, y, x = (float(part) for part in value)
    except (TypeError, ValueError):
        z = y = x = math.nan
    if not all(map(math.isfinite, (z, y, x))):
        msg = (
            f"expected three numbers [z, y, x] as the camera's {name}; found {value!r}"
        )
        raise OptionError(msg)
    return (z, y, x)


def _number(
    value: object, name: str, *, above: float, below: float = math.inf
) -> float:
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    if not is_number or not above < cast("float", value) < below:
        limit = f" and below {below:g}" if math.isfinite(below) else ""
        msg = f"expected a number above {above:g}{limit} as the camera's {name}; found {value!r}"
        raise OptionError(msg)
    return float(cast("float", value))
