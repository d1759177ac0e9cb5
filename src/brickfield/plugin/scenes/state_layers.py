"""One napari layer in the scene document, and back."""

from __future__ import annotations

from typing import Any, Literal, cast

import numpy as np

from brickfield.errors import OptionError
from brickfield.model.secrets import has_secrets
from brickfield.plugin.layers.describe import KEY
from brickfield.plugin.layers.holding import release_stores
from brickfield.plugin.layers.layer_adapter import NapariLayerPort
from brickfield.plugin.layers.make import ROOM, level_of, open_layers
from brickfield.plugin.layers.transforms import matrix_of
from brickfield.qt import holding_still
from brickfield.scene import SceneClipPlane, SceneLayer, SceneSource
from brickfield.store import MosaicStore

_NO_CURVE = ((0.0, 1.0), (1.0, 1.0))


def source_of(layer: Any) -> SceneSource | Literal["memory"]:
    """Return what a layer was opened from."""
    told = layer.metadata.get(KEY)
    uri = told.get("uri", "") if isinstance(told, dict) else ""
    # Neither arrays nor what is computed can be opened again by a name.
    is_unnamed = not uri or uri.startswith(("memory:", "virtual:"))
    level = level_of(layer)
    if is_unnamed or level is None:
        return "memory"
    known = SceneSource.model_fields
    options = {k: v for k, v in told.get("options", {}).items() if k in known}
    if isinstance(level.store, MosaicStore):
        options.setdefault("margin", ROOM)
        options["tiles"] = level.store.tile_changes or None
    return SceneSource(
        uri=_address_of(layer, uri), channel=told.get("channel"), **options
    )


def _address_of(layer: Any, uri: str) -> str:
    """Return what a layer can be opened by again.

    Its metadata show an address without what gives access; a scene needs that, too.
    """
    level = level_of(layer)
    address = None if level is None else level.hold.address
    return address if address is not None and has_secrets(address) else uri


def layer_state(port: NapariLayerPort) -> SceneLayer:
    """Take what the document keeps of a layer."""
    layer = port.layer
    looks: dict[str, Any] = {}
    if not port.is_labels:
        colormap, curve = _colors(port)
        looks = {
            "contrast": port.contrast,
            "gamma": port.gamma,
            "colormap": colormap,
            "opacity_curve": curve,
            "attenuation": port.attenuation,
            "iso_threshold": port.iso_threshold,
            "interpolation": str(layer.interpolation3d),
            "slice_interpolation": str(layer.interpolation2d),
        }
    elif layer.show_selected_label:
        looks = {"selected_label": int(layer.selected_label)}
    return SceneLayer(
        name=port.name,
        source=source_of(layer),
        kind="labels" if port.is_labels else "image",
        visible=port.visible,
        opacity=port.opacity,
        blending=port.blending,
        mode=cast("Any", str(layer.rendering)),
        transform=tuple(tuple(float(v) for v in row) for row in matrix_of(layer)),
        clip_box=port.clip_box,
        clip_planes=() if port.clip_box is not None else _planes(port),
        **looks,
    )


def _planes(port: NapariLayerPort) -> tuple[SceneClipPlane, ...]:
    world = port.data.world
    inverse = np.linalg.inv(world.matrix[:3, :3])
    planes = []
    for plane in port.layer.experimental_clipping_planes:
        normal = np.asarray(plane.normal) @ inverse
        z, y, x = world.apply(plane.position).tolist()
        a, b, c = (normal / np.linalg.norm(normal)).tolist()
        planes.append(
            SceneClipPlane(
                position=(z, y, x), normal=(a, b, c), enabled=bool(plane.enabled)
            )
        )
    return tuple(planes)


def _colors(port: NapariLayerPort) -> tuple[Any, Any]:
    """Return the colours by name where the name says all, and the opacity curve."""
    from napari.utils.colormaps import AVAILABLE_COLORMAPS

    colormap = port.layer.colormap
    known = AVAILABLE_COLORMAPS.get(colormap.name)
    curve = port.opacity_curve
    at = np.linspace(0, 1, 256)
    if known is not None and np.allclose(
        known.map(at)[:, :3], colormap.map(at)[:, :3], atol=1e-3
    ):
        return colormap.name, curve
    colors = np.asarray(colormap.colors, dtype=np.float64)
    controls = np.asarray(colormap.controls, dtype=np.float64)
    if len(controls) != len(colors):
        # Steps: one more control than colours.
        colors, controls = np.asarray(colormap.map(at), dtype=np.float64), at
    stops = np.column_stack([controls, np.clip(colors, 0, 1)]).tolist()
    return tuple(tuple(stop) for stop in stops), _NO_CURVE


def open_options(source: SceneSource) -> dict[str, Any]:
    """Return what a source is opened with, but for its address."""
    options = source.model_dump(exclude={"uri", "channel"}, exclude_none=True)
    if not options.get("treat_403_as_missing"):
        options.pop("treat_403_as_missing", None)
    if options.get("margin") == ROOM:  # as a window opens it by itself
        del options["margin"]
    return options


def open_layer(entry: SceneLayer) -> Any:
    """Open the layer that an entry names.

    Raises
    ------
    OptionError
        If the source has no such channel.
    """
    source = entry.source
    assert isinstance(source, SceneSource)
    # A scene is restored as one act: no half of it is shown or changed.
    with holding_still():
        layers = open_layers(source.uri, **open_options(source))
    found = next((layer for layer in layers if _is_part(layer, source)), None)
    release_stores(layers, but=found)
    if found is not None:
        return found
    msg = f"expected channel {source.channel} in {source.uri}; found no such channel"
    raise OptionError(msg)


def _is_part(layer: Any, source: SceneSource) -> bool:
    """Whether a layer of a store is the channel or label image that is asked for."""
    own = source_of(layer)
    return own != "memory" and (own.channel, own.label) == (
        source.channel,
        source.label,
    )


def style(port: NapariLayerPort, entry: SceneLayer) -> None:
    """Set appearance and transform of a layer from its entry in the document.

    Parameters
    ----------
    port : NapariLayerPort
    entry : SceneLayer
    """
    layer = port.layer
    _place(layer, entry)
    layer.blending = entry.blending
    layer.opacity = entry.opacity
    if not port.is_labels or "mode" in entry.model_fields_set:
        layer.rendering = entry.mode
    if port.is_labels:
        layer.show_selected_label = entry.selected_label is not None
        if entry.selected_label is not None:
            layer.selected_label = entry.selected_label
    else:
        _style_image(port, entry)
    if entry.clip_box is not None:
        port.clip_box = entry.clip_box
    else:
        port.clip_box = None
        layer.experimental_clipping_planes = [
            _as_data(port, p) for p in entry.clip_planes
        ]
    layer.visible = entry.visible


def _style_image(port: NapariLayerPort, entry: SceneLayer) -> None:
    from napari.utils.colormaps import Colormap

    if entry.contrast is not None:
        port.contrast = entry.contrast
    port.gamma = entry.gamma
    if isinstance(entry.colormap, str):
        port.colormap = entry.colormap
    else:
        stops = np.array(entry.colormap)
        port.layer.colormap = Colormap(
            stops[:, 1:], controls=stops[:, 0], name=port.name
        )
    if entry.opacity_curve != _NO_CURVE:
        port.opacity_curve = entry.opacity_curve
    port.attenuation = entry.attenuation
    low, high = port.contrast
    middle = (low + high) / 2
    port.iso_threshold = middle if entry.iso_threshold is None else entry.iso_threshold
    port.layer.interpolation3d = entry.interpolation
    if entry.slice_interpolation is not None:
        port.layer.interpolation2d = entry.slice_interpolation


def _place(layer: Any, entry: SceneLayer) -> None:
    if entry.transform is None:
        return
    wanted = np.array(entry.transform)
    if np.array_equal(wanted, matrix_of(layer)):
        return
    n = int(layer.ndim)
    layer.rotate, layer.shear = np.eye(n), np.zeros(n * (n - 1) // 2)
    linear, shift = wanted[:n, :n], wanted[:n, n]
    if np.array_equal(linear, np.diag(np.diag(linear))):
        # As napari's own attributes where they suffice.
        layer.affine = np.eye(n + 1)
        layer.scale, layer.translate = np.diag(linear), shift
    else:
        layer.scale, layer.translate = np.ones(n), np.zeros(n)
        layer.affine = wanted


def _as_data(port: NapariLayerPort, plane: SceneClipPlane) -> dict[str, Any]:
    world = port.data.world
    return {
        "position": tuple(world.inverse.apply(plane.position).tolist()),
        "normal": tuple((np.array(plane.normal) @ world.matrix[:3, :3]).tolist()),
        "enabled": plane.enabled,
    }
