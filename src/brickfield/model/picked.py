"""What lies under a pixel, as a value."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from brickfield.model.chunks import Selection
from brickfield.model.scales import Vec3


@dataclass(frozen=True, slots=True)
class PickInfo:
    """What one pixel shows.

    Attributes
    ----------
    layer : object
        The picked layer.
    world : tuple of float
        World coordinate (z, y, x).
    data : tuple of float
        Coordinate in voxels of level 0 (z, y, x).
    level : int
        Level that was drawn there.
    voxel : tuple of int
        Voxel of that level (z, y, x).
    values : tuple
        Value of every drawn channel in the type of the file; None where the
        voxel is not loaded.
    forgotten : tuple of (tuple of int or None)
        For every drawn channel whose value is None although it is in the picture, the
        selection to read it from; memory has lost it since. Else None; empty when
        nothing is forgotten.
    others : tuple of PickInfo
        What the other visible layers hold at the same world coordinate, drawn first
        to last; those that do not reach there are left out.
    """

    layer: Any
    world: Vec3
    data: Vec3
    level: int
    voxel: tuple[int, int, int]
    values: tuple[Any, ...]
    others: tuple[PickInfo, ...] = ()
    forgotten: tuple[Selection | None, ...] = ()
