"""A pygfx camera that follows a :class:`CameraState` exactly."""

from __future__ import annotations

import numpy as np
import pygfx as gfx
from numpy.typing import NDArray

from brickfield.gpu import to_xyz
from brickfield.model import CameraState


class SceneCamera(gfx.Camera):
    """Gives pygfx objects (meshes, overlays) the view of the ray caster."""

    def __init__(self) -> None:
        super().__init__()
        self._projection = np.eye(4)

    def follow(self, state: CameraState) -> None:
        """Set position, orientation and projection."""
        matrix = np.eye(4)
        matrix[:3, :3] = to_xyz(state.axes).T
        matrix[:3, 3] = to_xyz(state.position)
        self.world.matrix = matrix
        self._projection = state.projection_matrix
        self.flag_update()

    def _update_projection_matrix(self) -> NDArray[np.float64]:
        return self._projection
