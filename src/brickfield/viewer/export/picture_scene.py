"""The scene document of a picture that was drawn of one image by options.

It says what the picture shows so that a window can show it again: one layer for each
channel, where the camera stood, which time it was. What no scene has a word for
(colours by level, the background, overlays) is left out.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from brickfield.errors import BrickfieldError
from brickfield.model.appearance import ChannelAppearance
from brickfield.rendering import world_corners
from brickfield.scene import (
    SceneCamera,
    SceneExploration,
    SceneLayer,
    SceneLevelOfDetail,
    SceneLight,
    ScenePlane,
    SceneSource,
    SceneSpace,
    SceneState,
    SceneViews,
)
from brickfield.store import ChunkedLayer, MosaicStore
from brickfield.viewer.export.files import SCENE_KEY
from brickfield.viewer.export.options import RenderOptions
from brickfield.viewer.export.picture import RenderResult


def scene_notes(
    result: RenderResult, uri: str, options: RenderOptions, image: Mapping[str, Any]
) -> dict[str, str]:
    """Return the text with which a picture's file tells its scene.

    Parameters
    ----------
    result : RenderResult
        Of :func:`~brickfield.viewer.export.picture.render_picture`.
    uri : str
        What was opened.
    options : RenderOptions
        What was asked for.
    image : mapping
        Which image of several, as for :func:`brickfield.open_store`.

    Returns
    -------
    dict
        Empty where no scene can name the image that was drawn.
    """
    known = set(SceneSource.model_fields) | {"mosaic", "overlap", "colour_by"}
    chosen = {k: v for k, v in image.items() if v is not None and v is not False}
    if set(chosen) - known or not result.layers:
        return {}
    named = {k: v for k, v in chosen.items() if k in SceneSource.model_fields}
    try:
        state = _state(result.layers[0], result, absolute(uri), options, named)
    except (BrickfieldError, ValueError):  # a camera or numbers that no document has
        return {}
    return {SCENE_KEY: state.to_json()}


def absolute(uri: str) -> str:
    """Return an address that holds from any folder; a URL stays as it is."""
    return uri if "://" in uri else os.path.abspath(os.path.expanduser(uri))  # noqa: PTH100, PTH111 -- links stay


def _state(
    layer: ChunkedLayer,
    result: RenderResult,
    uri: str,
    options: RenderOptions,
    named: Mapping[str, Any],
) -> SceneState:
    pyramid, plane = layer.store.pyramid, options.shown_plane
    kind = "3D" if plane is None else "plane"
    units = [a.unit for a in pyramid.axes if a.kind == "space"]
    positions = dict(options.position)
    if pyramid.channel_axis is not None:
        positions.pop(pyramid.axes[pyramid.channel_axis].name, None)
    return SceneState(
        space=SceneSpace(unit=next(filter(None, units), "") or ""),
        layers=tuple(_layers(layer, uri, options, named)),
        views=SceneViews(
            layout=cast("Any", kind),
            light=SceneLight.of(options.lighting),
            cameras={kind: SceneCamera.of(result.camera)},
        ),
        exploration=SceneExploration(
            time=options.time,
            positions=positions,
            plane=None
            if plane is None
            else ScenePlane(position=plane.point, normal=plane.normal),
        ),
        lod=SceneLevelOfDetail(
            target_error_px=options.quality, forced_level=options.level
        ),
    )


def _layers(
    layer: ChunkedLayer, uri: str, options: RenderOptions, named: Mapping[str, Any]
) -> list[SceneLayer]:
    store, look = layer.store, layer.appearance
    axis = store.pyramid.channel_axis
    n, made = len(look.channels), []
    named = dict(named)
    if isinstance(store, MosaicStore):
        named |= {"margin": 0.0, "tiles": store.tile_changes or None}
    title = store.info.image or store.info.name
    for i, channel in enumerate(look.channels):
        selection = layer.selections[i]
        number = (
            None
            if axis is None
            else int(selection[store.pyramid.other_axes.index(axis)])
        )
        known = number is not None and number < len(store.channels)
        name = store.channels[number or 0].name if known else f"{number or 0}"
        looks: dict[str, Any] = {}
        if not look.is_labels:
            looks = _looks(channel, options, i)
        mode = look.mode
        if look.is_labels:
            mode = "iso_categorical" if look.mode == "iso" else "translucent"  # type: ignore[assignment]
        made.append(
            SceneLayer(
                name=title if n == 1 else f"{title}: {name}",
                source=SceneSource(uri=uri, channel=number, **named),
                kind="labels" if look.is_labels else "image",
                mode=mode,
                interpolation=look.interpolation,
                blending="additive" if n > 1 else "translucent",
                clip_box=_clip_box(layer),
                **looks,
            )
        )
    return made


def _looks(
    channel: ChannelAppearance, options: RenderOptions, i: int
) -> dict[str, Any]:
    names = options.colormap
    colormap: Any = names[i if len(names) > 1 else 0] if names else _stops(channel.lut)
    return {
        "contrast": channel.contrast,
        "gamma": channel.gamma,
        "colormap": colormap,
        "iso_threshold": channel.iso_threshold,
    }


def _stops(table: NDArray[np.uint8]) -> Any:
    """Return colours by name where they run from black to one, else every one."""
    last = table[255].astype(int)
    ramp = np.rint(np.arange(256)[:, None] / 255 * last[:3])
    if (last[3] == 255) and np.array_equal(ramp, table[:, :3]):
        red, green, blue = last[:3].tolist()
        is_gray = red == green == blue == 255
        return "gray" if is_gray else f"#{red:02x}{green:02x}{blue:02x}"
    at = np.linspace(0, 1, 256)[:, None]
    return tuple(map(tuple, np.hstack([at, table / 255]).tolist()))


def _clip_box(layer: ChunkedLayer) -> Any:
    """Return what stays visible; open ends at the image's own."""
    box = layer.appearance.clip_box
    if box is None:
        return None
    corners = world_corners(layer)
    low = np.where(np.isfinite(box[0]), box[0], corners.min(axis=0))
    high = np.where(np.isfinite(box[1]), box[1], corners.max(axis=0))
    return tuple(low.tolist()), tuple(np.maximum(low, high).tolist())
