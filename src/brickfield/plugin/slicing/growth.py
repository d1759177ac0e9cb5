"""Layers follow images that get longer or another grid, while they are shown."""

from __future__ import annotations

from typing import Any

import numpy as np

from brickfield.plugin.napari_names import tell_extent
from brickfield.store import LazyLevel


def lengthen(layer: Any) -> None:
    """Let a layer's sliders and its slice reach as far as its image does now."""
    lazy = _levels(layer)
    before = [level.shape[-level.n_spatial :] for level in lazy]
    grown = [level.follow_growth() for level in lazy]
    if any(grown):
        tell_extent(layer)
    # Along the other axes what is shown is what it was.
    if before != [level.shape[-level.n_spatial :] for level in lazy]:
        layer.refresh(extent=False)


def follow_grid(layer: Any) -> None:
    """Let a layer follow its image to another grid; what it shows stays where it is.

    Parameters
    ----------
    layer : napari.layers.Layer
    """
    from napari.utils.transforms import Affine

    shifts = [level.follow_grid() for level in _levels(layer)]
    if not shifts:
        return
    if any(shifts[0]):
        own = Affine(
            scale=layer.scale, rotate=layer.rotate, shear=layer.shear, ndim=layer.ndim
        )
        k = min(3, layer.ndim)
        voxels = np.zeros(layer.ndim)
        voxels[-k:] = shifts[0][-k:]
        layer.translate = np.asarray(layer.translate) - own.linear_matrix @ voxels
    tell_extent(layer)
    layer.refresh()


def _levels(layer: Any) -> list[LazyLevel]:
    levels = list(layer.data) if getattr(layer, "multiscale", False) else [layer.data]
    return [level for level in levels if isinstance(level, LazyLevel)]
