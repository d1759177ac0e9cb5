"""How one view presents itself: quality, level, light, budget, background, overlays.

Invariant: an option is a field of the view's
:class:`~brickfield.viewer.live.frame_state.FrameState`, checked before it is set; it is
neither saved with the layers nor shared with other views. The mode alone is written to
the layers, whose owner keeps it. Main thread only.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from psygnal import Signal

from brickfield.blockwise import parse_bytes
from brickfield.errors import OptionError
from brickfield.model.appearance import MODES, Light, Lighting
from brickfield.rendering.overlays import OverlayOptions, OverlayState
from brickfield.viewer.live.ports import LayerPort
from brickfield.viewer.live.render_client import RenderClient


class ViewOptions:
    """Options of the user for one view.

    Parameters
    ----------
    client : RenderClient
        Of the view.

    Attributes
    ----------
    changed : psygnal.SignalInstance
        Emits when quality, level, light, budget, background or overlays changed; no
        arguments.
    """

    changed = Signal()

    def __init__(self, client: RenderClient) -> None:
        self._client = client

    @property
    def mode(self) -> str:
        """How the image layers are projected; writes to their owner."""
        port = self._speaker()
        return port.mode if port is not None else "mip"

    @mode.setter
    def mode(self, value: str) -> None:
        if value not in MODES:
            msg = f"expected a mode out of {', '.join(MODES)}; found {value!r}"
            raise OptionError(msg)
        for port in self._client.scene.layers:
            if not port.is_labels:
                port.mode = value

    def _speaker(self) -> LayerPort | None:
        """The image layer that controls read: the active one or the last."""
        active = self._client.scene.active
        if active is not None and not active.is_labels:
            return active
        images = [p for p in self._client.scene.layers if not p.is_labels]
        return images[-1] if images else None

    def _option(self, name: str, value: Any) -> None:
        if getattr(self._client.state, name) != value and not self._client.is_closed:
            self._client.change(**{name: value})
            self.changed.emit()

    @property
    def quality(self) -> float:
        """Wanted size of a voxel on the screen, pixels: 1 is sharp."""
        return self._client.state.target_error_px

    @quality.setter
    def quality(self, value: float) -> None:
        if not 0 < value < float("inf"):
            msg = f"expected a quality above 0 pixels (1 is sharp); found {value}"
            raise OptionError(msg)
        self._option("target_error_px", float(value))

    @property
    def forced_level(self) -> int | None:
        """Level that is shown everywhere; None lets the view choose."""
        return self._client.state.forced_level

    @forced_level.setter
    def forced_level(self, value: int | None) -> None:
        self._option("forced_level", None if value is None else int(value))

    @property
    def show_levels(self) -> bool:
        """Whether colours tell levels instead of values."""
        return self._client.state.show_levels

    @show_levels.setter
    def show_levels(self, value: bool) -> None:
        self._option("show_levels", bool(value))

    @property
    def lighting(self) -> Lighting:
        """How volumes are lit; slices never are."""
        return self._client.state.lighting

    @lighting.setter
    def lighting(self, value: Lighting) -> None:
        self._option("lighting", value)

    @property
    def light(self) -> Light:
        """Of surfaces: "headlight", or "raking", which shows relief."""
        return self.lighting.light

    @light.setter
    def light(self, value: Light) -> None:
        self.lighting = replace(self.lighting, light=value)

    @property
    def shading(self) -> bool:
        """Whether ``translucent`` is shaded by the gradient of the values."""
        return self.lighting.shading

    @shading.setter
    def shading(self, value: bool) -> None:
        self.lighting = replace(self.lighting, shading=bool(value))

    @property
    def depth_colour(self) -> bool:
        """Whether colour tells depth in ``mip`` and ``iso``."""
        return self.lighting.depth_colour

    @depth_colour.setter
    def depth_colour(self, value: bool) -> None:
        self.lighting = replace(self.lighting, depth_colour=bool(value))

    @property
    def gpu_budget(self) -> int:
        """Most bytes for textures of this view; text as "512 MiB" is taken, too."""
        return self._client.state.gpu_budget

    @gpu_budget.setter
    def gpu_budget(self, value: int | str) -> None:
        self._option("gpu_budget", parse_bytes(value))

    @property
    def background(self) -> tuple[float, float, float]:
        """Colour behind everything, sRGB, 0 to 1."""
        return self._client.state.background

    @background.setter
    def background(self, value: tuple[float, float, float]) -> None:
        self._option("background", value)

    @property
    def overlays(self) -> OverlayState:
        """Options of all overlays; this view's alone, never saved."""
        return self._client.state.overlays

    def overlay_options(self, name: str) -> OverlayOptions:
        """Return the options of one overlay.

        Raises
        ------
        OptionError
            For an unknown name; the message lists the known ones.
        """
        return self._client.state.overlays.options(name)

    def set_overlay_options(self, name: str, **options: Any) -> None:
        """Change how this view decorates its picture.

        Parameters
        ----------
        name : str
            One of ``scale_bar``, ``axes``, ``bounding_box``, ``colorbar``,
            ``marker``, ``text``.
        **options
            For example ``visible=True``; see
            :mod:`brickfield.rendering.overlays.options`.

        Raises
        ------
        OptionError
            For an unknown overlay or option, or a value that cannot be used.
        """
        changed = self._client.state.overlays.with_options(name, **options)
        if changed != self._client.state.overlays and not self._client.is_closed:
            self._client.change(overlays=changed)
            self.changed.emit()
