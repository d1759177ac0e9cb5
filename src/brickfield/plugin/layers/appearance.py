"""How a napari layer looks, as the engine's frozen value.

An opacity curve is the alpha of a layer's colormap. napari keeps every colormap that it
ever sees, by its name, and gives a new name to other colours of a known one. A colormap
with a curve therefore has a name of its own, and only the latest of that name is kept;
the name without the addition stays the name of the colours.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from brickfield.model import AffineTransform
from brickfield.model.appearance import (
    BLENDINGS,
    MODES,
    Appearance,
    Blending,
    ChannelAppearance,
    Interpolation,
    Mode,
    color_lut,
)
from brickfield.plugin.layers.transforms import n_spatial, planes_in_world
from brickfield.viewer.controls import OPAQUE, with_curve
from brickfield.viewer.live import Curve


def lut_of(layer: Any) -> NDArray[np.uint8]:
    """Return a layer's colours, shape (256, 4), uint8, straight alpha."""
    return _bytes(layer.colormap.map(np.linspace(0, 1, 256)))


def appearance_of(layer: Any, world: AffineTransform) -> Appearance:
    """Read everything that a picture of a layer depends on.

    Parameters
    ----------
    layer : napari.layers.Image or napari.layers.Labels
    world : AffineTransform
        Data space to world, of the layer.
    """
    planes = clip_planes_of(layer, world)
    if hasattr(layer, "show_selected_label"):
        return _labels_look(layer, planes)
    mode = str(layer.rendering)
    return Appearance(
        mode=cast("Mode", mode if mode in MODES else "mip"),
        channels=_channels_of(layer),
        interpolation=_interpolation(layer.interpolation3d),
        slice_interpolation=_interpolation(layer.interpolation2d),
        attenuation=float(layer.attenuation),
        blending=_blending_of(layer),
        clip_planes=planes,
    )


def first_appearance(look: Mapping[str, Any], *, is_labels: bool) -> Appearance:
    """Return how a layer will look, as far as programs depend on it.

    For layers that napari has not made yet: what `look` does not say is as napari
    begins. Colours are missing.

    Parameters
    ----------
    look : mapping
        What napari will make the layer with.
    is_labels : bool
    """
    blending = cast("Blending", str(look.get("blending", "translucent")))
    if is_labels:
        return Appearance(
            mode="iso", interpolation="nearest", is_labels=True, blending=blending
        )
    low, high = look["contrast_limits"]
    return Appearance(
        mode=cast("Mode", str(look["rendering"])),
        channels=(ChannelAppearance(contrast=(float(low), float(high))),),
        slice_interpolation="nearest",
        blending=blending,
    )


def _channels_of(layer: Any) -> tuple[ChannelAppearance, ...]:
    if getattr(layer, "rgb", False):
        # As napari shows them: bytes as they are, other numbers from 0 to 1.
        white = 255.0 if np.dtype(layer.dtype).kind in "iu" else 1.0
        one = ChannelAppearance(
            contrast=(0.0, white),
            opacity=float(layer.opacity),
            iso_threshold=float(layer.iso_threshold),
        )
        primaries = ((255, 0, 0), (0, 255, 0), (0, 0, 255))
        return tuple(replace(one, lut=color_lut(color)) for color in primaries)
    low, high = layer.contrast_limits
    channel = ChannelAppearance(
        contrast=(float(low), float(high)),
        gamma=float(layer.gamma),
        opacity=float(layer.opacity),
        lut=lut_of(layer),
        iso_threshold=float(layer.iso_threshold),
    )
    return (channel,)


def _interpolation(name: Any) -> Interpolation:
    """Return what comes nearest to one of napari's dozen filters."""
    return "nearest" if str(name) == "nearest" else "linear"


def _blending_of(layer: Any) -> Blending:
    name = str(layer.blending)
    return cast("Blending", name if name in BLENDINGS else "translucent")


def _labels_look(
    layer: Any, planes: tuple[tuple[float, float, float, float], ...]
) -> Appearance:
    is_one = bool(layer.show_selected_label)
    is_lit = str(layer.rendering) == "iso_categorical"
    colors, own = label_colors_of(layer.colormap)
    return Appearance(
        mode="iso" if is_lit else "translucent",
        channels=(ChannelAppearance(opacity=float(layer.opacity)),),
        interpolation="nearest",
        is_labels=True,
        blending=_blending_of(layer),
        label_colors=colors,
        label_overrides=own,
        selected_label=int(layer.selected_label) if is_one else None,
        clip_planes=planes,
    )


def label_colors_of(
    colormap: Any,
) -> tuple[NDArray[np.uint8], dict[int, tuple[int, int, int, int]]]:
    """Return the cyclic colours of labels, shape (n, 4), and those of single labels.

    Parameters
    ----------
    colormap : CyclicLabelColormap or DirectLabelColormap
        Of a napari labels layer.
    """
    direct = getattr(colormap, "color_dict", None)
    if direct is None:
        return _bytes(colormap.colors), {}
    clear = np.zeros(4)
    rest = direct.get(None, clear)
    cycle = _bytes(np.stack([clear, clear if rest is None else rest]))
    own = {}
    for label, color in direct.items():
        if label is not None:
            r, g, b, a = _bytes(np.atleast_2d(color))[0].tolist()
            own[int(label)] = (r, g, b, a)
    return cycle, own


def _bytes(colors: Any) -> NDArray[np.uint8]:
    clean = np.clip(np.asarray(colors, dtype=np.float64), 0, 1)
    return np.rint(255 * clean).astype(np.uint8)


def clip_planes_of(
    layer: Any, world: AffineTransform
) -> tuple[tuple[float, float, float, float], ...]:
    """Return the planes that cut a layer: clipping planes, and the two faces of a thick plane.

    Parameters
    ----------
    layer : napari.layers.Layer
    world : AffineTransform
        Data space to world.

    Returns
    -------
    tuple of tuple of float
        Rows (nz, ny, nx, d), world.
    """
    positions, normals = [], []
    for plane in layer.experimental_clipping_planes:
        if plane.enabled:
            positions.append(plane.position)
            normals.append(plane.normal)
    if str(getattr(layer, "depiction", "volume")) == "plane" and n_spatial(layer) == 3:
        normal = np.array(layer.plane.normal, dtype=np.float64)
        half = float(layer.plane.thickness) / 2 * normal / np.linalg.norm(normal)
        at = np.array(layer.plane.position, dtype=np.float64)
        positions += [at - half, at + half]
        normals += [normal, -normal]
    if not positions:
        return ()
    at, towards = (
        np.array(v, dtype=np.float64).reshape(-1, 3) for v in (positions, normals)
    )
    return planes_in_world(at, towards, world)


ADDITION = " (opacity curve)"


def colors_name(layer: Any) -> str:
    """Return the name of a layer's colours, whatever their opacity."""
    return str(layer.colormap.name).removesuffix(ADDITION)


def set_curve(layer: Any, curve: Curve) -> None:
    """Set the opacity curve of a layer as the alpha of its colormap.

    Parameters
    ----------
    layer : napari.layers.Image
    curve : Curve
    """
    from napari.utils.colormaps import AVAILABLE_COLORMAPS, Colormap

    name = colors_name(layer)
    table = with_curve(lut_of(layer), curve)
    AVAILABLE_COLORMAPS.pop(name + ADDITION, None)
    known = AVAILABLE_COLORMAPS.get(name)
    if known is not None and curve == OPAQUE and np.all(known.colors[:, 3] == 1):
        layer.colormap = name
    else:
        layer.colormap = Colormap(table / 255, name=name + ADDITION)
