"""What a level would take on the GPU, before it is forced.

An upper bound: all bricks of the level with their borders, as they would lie in
the texture; what is out of sight or known to be empty takes nothing in the end.
Nothing is read and no graphics device is needed.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from math import prod

from brickfield.errors import OptionError
from brickfield.model import Int3, Pyramid
from brickfield.store import ChunkedLayer

LEVEL_COLORS = (
    "#e69e00",
    "#57b5e8",
    "#009e73",
    "#f0e342",
    "#0073b3",
    "#d65e00",
    "#cc78a6",
    "#999999",
)
"""Colours that tell levels in a picture (they repeat after eight)."""


@dataclass(frozen=True, slots=True)
class LevelEstimate:
    """One level of everything that is drawn.

    Attributes
    ----------
    level : int
    shape_zyx : tuple of int
        Voxels of the layer with the most.
    n_bytes : int
        GPU memory of all layers, at most. A layer without the level counts with
        its coarsest.
    """

    level: int
    shape_zyx: Int3
    n_bytes: int


def estimate_levels(layers: Iterable[ChunkedLayer]) -> tuple[LevelEstimate, ...]:
    """Estimate every level that a visible layer has, finest first.

    Parameters
    ----------
    layers : iterable of ChunkedLayer
    """
    seen = [layer for layer in layers if layer.visible]
    if not seen:
        return ()
    costs = [[n * len(la.selections) for n in _level_bytes(la)] for la in seen]
    pyramids = [layer.store.pyramid for layer in seen]
    found = []
    for level in range(max(p.n_levels for p in pyramids)):
        shapes = [_at(p, level) for p in pyramids]
        n_bytes = sum(of[min(level, len(of) - 1)] for of in costs)
        found.append(LevelEstimate(level, max(shapes, key=prod), n_bytes))
    return tuple(found)


def _at(pyramid: Pyramid, level: int) -> Int3:
    return pyramid.levels[min(level, pyramid.n_levels - 1)].shape_zyx


def _level_bytes(layer: ChunkedLayer) -> list[int]:
    # The package of the GPU loads wgpu, for which no window shall wait as it opens.
    from brickfield.gpu import choose_format, level_layouts

    pyramid = layer.store.pyramid
    try:
        fmt = choose_format(pyramid.dtype, is_labels=layer.store.info.is_labels)
    except OptionError:  # such a layer is not drawn
        return [0] * pyramid.n_levels
    layouts = level_layouts(pyramid, fmt)
    return [
        prod(level.grid_zyx) * layout.slot_bytes
        for level, layout in zip(pyramid.levels, layouts, strict=True)
    ]
