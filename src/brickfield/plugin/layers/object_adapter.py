"""One napari layer of points, surfaces or lines, followed as a value."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

from brickfield.errors import BrickfieldError
from brickfield.plugin.layers.objects import thing_of
from brickfield.rendering.objects.values import ObjectValue

logger = logging.getLogger(__name__)

_EVENTS = (
    "data", "size", "face_color", "border_color", "edge_color", "border_width",
    "edge_width", "symbol", "shown", "opacity", "visible", "scale", "translate",
    "rotate", "shear", "affine", "colormap", "contrast_limits", "gamma", "shading",
    "vertex_colors", "length", "color_by", "tail_width", "features", "set_data",
)  # fmt: skip
"""Events after which a layer may look otherwise; those that it has are listened to."""


class ThingPort:
    """Keeps the value of a layer, and makes it anew when something changed.

    Parameters
    ----------
    layer : napari layer
    point : tuple of float
        The viewer's position on all axes, world.
    changed : callable
        Called without arguments when the value has to be asked for again.
    """

    def __init__(
        self, layer: Any, point: tuple[float, ...], changed: Callable[[], None]
    ) -> None:
        self.layer = layer
        self._point = point
        self._changed = changed
        self._value: ObjectValue | None = None
        self._is_stale = True
        for name in _EVENTS:
            if name in layer.events.emitters:
                layer.events.emitters[name].connect(self._on_change)

    @property
    def value(self) -> ObjectValue | None:
        """What is shown; None for nothing."""
        if self._is_stale:
            self._is_stale = False
            try:
                self._value = thing_of(self.layer, self._point)
            except (BrickfieldError, ValueError, TypeError) as error:
                logger.warning("%s is not drawn in 3D: %s", self.layer.name, error)
                self._value = None
        return self._value

    def _on_change(self, _event: Any = None) -> None:
        self._is_stale = True
        self._changed()

    def move_to(self, point: tuple[float, ...]) -> None:
        """Follow the viewer's sliders."""
        n_other = int(self.layer.ndim) - min(3, int(self.layer.ndim))
        is_other = point[: len(point) - 3] != self._point[: len(self._point) - 3]
        self._point = point
        if n_other and is_other:
            self._on_change()

    def close(self) -> None:
        """Listen no more."""
        for name in _EVENTS:
            if name in self.layer.events.emitters:
                self.layer.events.emitters[name].disconnect(self._on_change)
