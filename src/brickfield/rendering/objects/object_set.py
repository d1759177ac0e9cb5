"""All opaque objects of one view.

Invariant: the scene holds one pygfx object for each value that is shown and not empty,
under the key that it was given with; a value with a known key is shown in the buffers
that are there, if they fit. Render thread only.

A :class:`Headlight` lights them from the eye, so that what is seen is never black.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from math import pi

import pygfx as gfx

from brickfield.gpu import to_xyz
from brickfield.model import CameraState
from brickfield.rendering.objects.drawn import Drawn
from brickfield.rendering.objects.values import ObjectValue


class ObjectSet:
    """Keeps a scene up to date with values.

    Parameters
    ----------
    scene : gfx.Scene
        The view's opaque scene. Objects of others in it are left alone.
    """

    def __init__(self, scene: gfx.Scene) -> None:
        self._scene = scene
        self._drawn: dict[Hashable, Drawn] = {}

    def show(self, values: Mapping[Hashable, ObjectValue]) -> bool:
        """Show these values and no others.

        Parameters
        ----------
        values : mapping
            From a key, which identifies an object over time, to its value.

        Returns
        -------
        bool
            Whether anything changed.
        """
        wanted = {key: value for key, value in values.items() if not value.is_empty}
        gone = [key for key in self._drawn if key not in wanted]
        for key in gone:
            self._remove(key)
        changed = bool(gone)
        for key, value in wanted.items():
            drawn = self._drawn.get(key)
            if drawn is not None and drawn.value is value:
                continue
            changed = True
            if drawn is None or not drawn.update(value):
                if drawn is not None:
                    self._remove(key)
                self._drawn[key] = drawn = Drawn(value)
                self._scene.add(drawn.object)
        return changed

    def _remove(self, key: Hashable) -> None:
        drawn = self._drawn.pop(key)
        self._scene.remove(drawn.object)
        drawn.close()

    def close(self) -> None:
        """Remove everything."""
        self.show({})


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
        """Follow the camera."""
        self._lamp.local.position = tuple(-to_xyz(camera.forward))
