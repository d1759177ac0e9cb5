"""Light that comes from the eye, so that what is seen is never black."""

from __future__ import annotations

from math import pi

import pygfx as gfx

from brickfield.gpu.axes import to_xyz
from brickfield.model.camera import CameraState

_RIM = 0.08
"""Light on a surface seen edge on, a surface seen face on having 1: displayed at 0.3
of its value, as iso surfaces are."""


class Headlight:
    """Lights of a view's opaque objects. Render thread only.

    Attributes
    ----------
    lights : tuple of gfx.Light
        Belong into what is rendered, beside the objects.
    """

    def __init__(self) -> None:
        # pygfx divides by pi: light of this strength shows colours as they are.
        self._lamp = gfx.DirectionalLight(intensity=pi * (1 - _RIM))
        self.lights = (gfx.AmbientLight(intensity=pi * _RIM), self._lamp)

    def follow(self, camera: CameraState) -> None:
        """Shine where the camera looks."""
        self._lamp.local.position = tuple(-to_xyz(camera.forward))
