"""How finely rays are sampled: one rule for windows, files and movies.

Along an axis of the voxels one sample per voxel sees every voxel exactly. Rays at an
angle take three, so that thin bright structures do not break up into stripes; so do
modes whose colour builds up along the ray, and surfaces, which are found between
samples. A slice takes its one sample where the plane is.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Protocol

import numpy as np

from brickfield.model import AffineTransform, CameraState
from brickfield.model.appearance import Appearance

FINE_STEP = 1 / 3
EXACT_MODES = frozenset({"mip", "minip", "average"})
_STRAIGHT = 1 - 1e-9


class Sampled(Protocol):
    """What the rule needs to know of a layer."""

    @property
    def appearance(self) -> Appearance:
        """How it is drawn."""
        ...

    @property
    def world(self) -> AffineTransform:
        """Data space to world."""
        ...

    @property
    def visible(self) -> bool:
        """Whether it is drawn."""
        ...


def sampling_step(
    camera: CameraState | None, layers: Iterable[Sampled], *, is_slice: bool = False
) -> float:
    """Choose the distance of samples for a picture at rest.

    Parameters
    ----------
    camera : CameraState or None
    layers : iterable of Sampled
        Hidden ones do not count.
    is_slice : bool
        Whether a plane is shown instead of volumes.

    Returns
    -------
    float
        Voxels along the axis that a ray follows most.
    """
    if is_slice:
        return 1.0
    if camera is None or not camera.orthographic:
        return FINE_STEP
    seen = [layer for layer in layers if layer.visible]
    is_exact = all(_is_exact(layer, camera) for layer in seen)
    return 1.0 if is_exact else FINE_STEP


def _is_exact(layer: Sampled, camera: CameraState) -> bool:
    """Whether one sample per voxel meets every voxel of a layer once."""
    way = layer.world.inverse.matrix[:3, :3] @ camera.forward
    is_straight = float(np.abs(way).max()) > _STRAIGHT * float(np.linalg.norm(way))
    return is_straight and layer.appearance.mode in EXACT_MODES
