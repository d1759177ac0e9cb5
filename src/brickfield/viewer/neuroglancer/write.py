"""A scene as Neuroglancer's JSON state, for what both know.

Layers by address, position, orientation, zoom, contrast, colour, opacity and whether
a layer is seen. What Neuroglancer has no word for is left out, and told: nothing is
put into the state that it would draw otherwise than it is said here. The conventions
are those of :mod:`brickfield.viewer.neuroglancer.space`; the centre of voxel i of an
OME-Zarr image lies at ``scale * i + translation`` for both.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from brickfield.errors import OptionError
from brickfield.model import CameraState, Plane, Vec3
from brickfield.model.secrets import has_secrets, hide_secrets
from brickfield.scene import SceneLayer, SceneSource, SceneState
from brickfield.viewer.colormaps import lut
from brickfield.viewer.neuroglancer.space import Turn, height_at_target, quaternion_of

CONTROL = "normalized"
"""Name of the control of contrast in Neuroglancer's own shader."""
_FOV = 45.0
_SCHEMES = (
    ("neuroglancer precomputed", "precomputed"),
    ("N5", "n5"),
    ("OME-Zarr", "zarr"),
    ("zarr", "zarr"),
)
"""What the name of a format begins with, and Neuroglancer's for it."""
_LAYOUTS = {
    "3D": "3d",
    "xy": "xy",
    "xz": "xz",
    "yz": "yz",
    "2x2": "4panel",
    "3D+plane": "xy-3d",
}
_MODES = {"mip": "max", "minip": "min", "translucent": "on"}
_SHADER = f"""#uicontrol invlerp {CONTROL}
#uicontrol vec3 color color
void main() {{
  emitRGB(color * {CONTROL}());
}}
"""


class NeuroglancerState(dict[str, Any]):
    """A state as plain values, ready for ``json.dumps``.

    Attributes
    ----------
    left_out : list of str
        What of the scene is not in it, one phrase each.
    """

    def __init__(self, values: Mapping[str, Any], left_out: Sequence[str]) -> None:
        super().__init__(values)
        self.left_out = list(left_out)


@dataclass(frozen=True, slots=True)
class Stored:
    """What must be known of the data behind a layer.

    Attributes
    ----------
    format : str
        As ``ImageInfo.format`` names it.
    has_channels : bool
        Whether there is more than one channel.
    is_moved : bool
        Whether the layer lies elsewhere than its file says.
    """

    format: str
    has_channels: bool = False
    is_moved: bool = False

    @property
    def scheme(self) -> str:
        """Neuroglancer's name of the format; "" for one that it does not read."""
        return next((s for name, s in _SCHEMES if self.format.startswith(name)), "")


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What the state of a scene does not say.

    Attributes
    ----------
    voxel_size : tuple of float
        Steps of positions (z, y, x), world units.
    metres : float or None
        Length of a world unit, if it is known.
    heights_px : mapping of str to float
        Height of the pictures by their view's name, logical pixels.
    time : tuple of (float, str) or None
        Step and unit ("s" or "") of the time axis, if there is one.
    """

    voxel_size: Vec3 = (1.0, 1.0, 1.0)
    metres: float | None = None
    heights_px: Mapping[str, float] = field(default_factory=dict)
    time: tuple[float, str] | None = None


def neuroglancer_of(
    scene: SceneState, stored: Sequence[Stored | None], around: Surroundings
) -> NeuroglancerState:
    """Write a scene as Neuroglancer's state.

    Parameters
    ----------
    scene : SceneState
    stored : sequence of Stored or None
        One for each layer of the scene.
    around : Surroundings

    Returns
    -------
    NeuroglancerState
    """
    left_out: list[str] = []
    layers = [
        found
        for layer, data in zip(scene.layers, stored, strict=True)
        if (found := _layer(layer, data, left_out)) is not None
    ]
    views = _views(scene, around, left_out)
    return NeuroglancerState({**views, "layers": layers}, left_out)


# -- where one is and looks --------------------------------------------------------


def _views(scene: SceneState, around: Surroundings, left_out: list[str]) -> Any:
    z, y, x = around.voxel_size
    length, unit = (around.metres or 1.0), ("" if around.metres is None else "m")
    dimensions = {
        name: [size * length, unit] for name, size in (("x", x), ("y", y), ("z", z))
    }
    if around.time is not None:
        dimensions["t"] = list(around.time)
    found: dict[str, Any] = {"dimensions": dimensions}
    cameras = {name: c.camera((1, 1)) for name, c in scene.views.cameras.items()}
    centre = _centre(scene, cameras)
    if centre is not None:
        at = [float(c / s) for c, s in zip(centre, around.voxel_size, strict=True)]
        steps = [float(scene.exploration.time)] if around.time is not None else []
        found["position"] = [*at[::-1], *steps]
    volume, canonical = cameras.get("3D"), min(around.voxel_size)
    if volume is not None:
        turn = Turn.of_camera(volume)
        found["projectionOrientation"] = list(quaternion_of(turn.matrix))
        found["projectionScale"] = height_at_target(volume) / canonical
        _look_at_volume(volume, centre, left_out)
    slices = [n for n in ("xy", "xz", "yz", "plane") if n in cameras]
    kind = next((n for n in slices if around.heights_px.get(n)), None)
    if kind is not None:
        per_pixel = cameras[kind].height / around.heights_px[kind]
        found["crossSectionScale"] = per_pixel / canonical
    if "plane" in cameras:
        turn = Turn.of_camera(cameras["plane"])
        found["crossSectionOrientation"] = list(quaternion_of(turn.matrix))
    layout: Any = _LAYOUTS.get(scene.views.layout, "xy")
    if volume is not None and volume.orthographic:
        layout = {"type": layout, "orthographicProjection": True}
    found["layout"] = layout
    further = [n for n in scene.exploration.positions if n != "c"]
    left_out += [f"the step on the axis {name}" for name in further]
    return found


def _centre(scene: SceneState, cameras: Mapping[str, CameraState]) -> Vec3 | None:
    """Return what the picture of the layout, or of the first one, is centred on."""
    layout = scene.views.layout
    camera = cameras.get("plane" if layout == "3D+plane" else layout)
    if camera is None:
        return scene.exploration.cross_hair
    plane = scene.exploration.plane
    if plane is not None and "plane" in layout:
        # There a section goes through the position, here the camera may be before it.
        return Plane(plane.position, plane.normal).nearest(camera.target)
    return camera.target


def _look_at_volume(
    camera: CameraState, centre: Vec3 | None, left_out: list[str]
) -> None:
    if not camera.orthographic and abs(camera.fov - _FOV) > 1e-9:
        left_out.append(
            f"the angle of view of {camera.fov:g}°: Neuroglancer's is always {_FOV:g}°"
        )
    height = height_at_target(camera)
    if centre is not None and not np.allclose(
        centre, camera.target, rtol=0, atol=1e-6 * height
    ):
        left_out.append(
            "what the volume is centred on: Neuroglancer centres it on the cross-hair"
        )


# -- layers ------------------------------------------------------------------------


def _layer(layer: SceneLayer, data: Stored | None, left_out: list[str]) -> Any:
    source, why = _address(layer, data)
    if source is None:
        left_out.append(f"layer {layer.name!r}: {why}")
        return None
    assert data is not None
    found: dict[str, Any] = {
        "type": "segmentation" if layer.kind == "labels" else "image",
        "name": hide_secrets(layer.name),
        "source": source,
    }
    lost = [why] if why else []
    if not layer.visible:
        found["visible"] = False
    if layer.kind == "labels":
        found["selectedAlpha"] = layer.opacity
        if layer.selected_label is not None:
            found["segments"] = [str(layer.selected_label)]
    else:
        found |= _looks(layer, lost)
        _choose_channel(found, layer, data, lost)
    lost += _unknown(layer, data)
    left_out += [f"layer {layer.name!r}: {what}" for what in lost]
    return found


def _address(layer: SceneLayer, data: Stored | None) -> tuple[str | None, str]:
    """Return Neuroglancer's name of a layer's data, and what is to be said of it."""
    source = layer.source
    if not isinstance(source, SceneSource) or data is None:
        return None, "it is in memory only"
    scheme = data.scheme
    if not scheme or source.uri.endswith((".ozx", ".zip")):
        return None, f"Neuroglancer does not read {data.format} as it is stored"
    if has_secrets(source.uri):
        return None, "its address holds a password, token or signature"
    if (source.series, source.well, source.field) != (None, None, None):
        return None, "it is one of several images in its file"
    uri = source.uri.removeprefix(f"{scheme}://")
    if source.label is not None:
        uri = f"{uri.rstrip('/')}/labels/{source.label}"
    if "://" in uri:
        return f"{scheme}://{uri}", ""
    place = f"{scheme}://file://{uri}"
    return place, "it is on this machine, where only a server can show it"


def _looks(layer: SceneLayer, lost: list[str]) -> dict[str, Any]:
    found: dict[str, Any] = {"opacity": layer.opacity}
    if layer.blending == "additive":
        found["blend"] = "additive"
    controls: dict[str, Any] = {}
    if layer.contrast is not None:
        controls[CONTROL] = {"range": list(layer.contrast)}
    color = color_of(layer)
    if color is None:
        lost.append("its colours, for which gray stands")
    elif color != "#ffffff":
        found["shader"] = _SHADER
        controls["color"] = color
    if controls:
        found["shaderControls"] = controls
    mode = _MODES.get(layer.mode)
    if mode is None:
        lost.append(f"the mode {layer.mode}, for which a maximum stands")
    found["volumeRendering"] = mode or "max"
    return found


def color_of(layer: SceneLayer) -> str | None:
    """Return the colour, as ``#rrggbb``, that a layer goes to from black.

    White for gray; None for colours that are not one.
    """
    if isinstance(layer.colormap, str):
        try:
            colors = lut(layer.colormap)[:, :3].astype(np.float64)
        except OptionError:
            return None
    else:
        stops = np.array(layer.colormap)
        at = np.linspace(0, 1, 256)
        colors = np.column_stack(
            [255 * np.interp(at, stops[:, 0], stops[:, i]) for i in (1, 2, 3)]
        )
    last = colors[-1]
    straight = np.linspace(0, 1, len(colors))[:, None] * last
    if np.abs(colors - straight).max() > 2:
        return None
    red, green, blue = (round(float(v)) for v in last)
    return f"#{red:02x}{green:02x}{blue:02x}"


def _choose_channel(
    found: dict[str, Any], layer: SceneLayer, data: Stored, lost: list[str]
) -> None:
    assert isinstance(layer.source, SceneSource)
    channel = layer.source.channel
    if not data.has_channels or channel is None:
        return
    if data.scheme == "zarr":
        # Neuroglancer calls a channel axis of OME-Zarr c', which is a layer's own.
        found["localDimensions"] = {"c'": [1, ""]}
        found["localPosition"] = [channel]
    elif data.scheme == "precomputed":
        control = found.setdefault("shaderControls", {}).setdefault(CONTROL, {})
        control["channel"] = [channel]
    else:
        lost.append(f"that it is channel {channel}")


def _unknown(layer: SceneLayer, data: Stored) -> list[str]:
    """Name what a layer has that Neuroglancer has no word for."""
    assert isinstance(layer.source, SceneSource)
    straight = ((0.0, 1.0), (1.0, 1.0))
    words = {
        "that it lies elsewhere than its file says": data.is_moved,
        "its own voxel size or axes": layer.source.scale or layer.source.axes,
        "half a voxel, by which Neuroglancer places N5 further": data.scheme == "n5",
        "gamma": layer.gamma != 1.0,
        "its opacity curve": layer.opacity_curve != straight,
        "its clip box or planes": layer.clip_box or layer.clip_planes,
    }
    return [what for what, is_so in words.items() if is_so]
