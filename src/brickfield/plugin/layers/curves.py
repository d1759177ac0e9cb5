"""Opacity curves as napari holds them: the alpha of a layer's colormap.

napari keeps every colormap that it ever sees, by its name, and gives a new name to
other colours of a known one. A colormap with a curve therefore has a name of its own,
and only the latest of that name is kept; the name without the addition stays the name
of the colours.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from brickfield.plugin.layers.appearance import lut_of
from brickfield.viewer.controls.transfer import OPAQUE, with_curve
from brickfield.viewer.live.ports import Curve

ADDITION = " (opacity curve)"


def colors_name(layer: Any) -> str:
    """Return the name of a layer's colours, whatever their opacity."""
    return str(layer.colormap.name).removesuffix(ADDITION)


def set_curve(layer: Any, curve: Curve) -> None:
    """Give a layer's colours another opacity."""
    from napari.utils.colormaps import AVAILABLE_COLORMAPS, Colormap

    name = colors_name(layer)
    table = with_curve(lut_of(layer), curve)
    AVAILABLE_COLORMAPS.pop(name + ADDITION, None)
    known = AVAILABLE_COLORMAPS.get(name)
    if known is not None and curve == OPAQUE and np.all(known.colors[:, 3] == 1):
        layer.colormap = name
    else:
        layer.colormap = Colormap(table / 255, name=name + ADDITION)
