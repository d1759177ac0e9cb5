"""A view of one plane through volumes, and the camera that looks at it.

Invariant: a slice is never mirrored or turned. Its rows and columns are those of
:attr:`brickfield.model.plane.Plane.axes`, which are the ones of the cameras
``ortho:z``, ``ortho:y`` and ``ortho:x`` where the plane lies across an axis.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from brickfield.camera.plane_camera import slice_camera
from brickfield.model.plane import Plane
from brickfield.rendering.volume_view import VolumeView, world_corners


class SliceView(VolumeView):
    """A :class:`VolumeView` that always shows a plane.

    Parameters
    ----------
    canvas : rendercanvas canvas or pygfx texture
    plane : Plane
    **options
        As for :class:`VolumeView`.
    """

    def __init__(self, canvas: Any, plane: Plane, **options: Any) -> None:
        super().__init__(canvas, plane=plane, **options)

    def face(self, viewport: tuple[int, int]) -> None:
        """Look straight at the plane, with all of the layers in the picture.

        Parameters
        ----------
        viewport : tuple of int
            Width and height of the picture, pixels.
        """
        corners = [world_corners(layer) for layer in self.layers]
        if self.plane is not None and corners:
            self.camera = slice_camera(self.plane, np.concatenate(corners), viewport)
