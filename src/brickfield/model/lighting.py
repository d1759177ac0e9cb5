"""How volumes are lit, as one frozen value.

Light belongs to a view, as its background does, not to a layer: all layers of one
picture are lit from the same side. Slices show values and are never lit.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

from brickfield.errors import OptionError

Light = Literal["headlight", "raking"]
LIGHTS: tuple[str, ...] = get_args(Light)
RAKING = (-0.72, 0.60, 0.35)
"""Where the raking light comes from: right, up and towards the eye; length 1."""
SHADED, BY_DEPTH = "shaded", "depth"
"""What a program does besides its mode; "" for neither."""
BY_DEPTH_MODES = ("mip", "iso")


@dataclass(frozen=True)
class Lighting:
    """How volumes are lit.

    Attributes
    ----------
    light : {"headlight", "raking"}
        Of surfaces: from the eye alone, or besides from the upper left, which shows
        relief.
    shading : bool
        Shade ``translucent`` by the gradient of the values, as if it were made of
        surfaces.
    depth_colour : bool
        In ``mip`` and ``iso`` let colour tell how far away what is seen lies.
    """

    light: Light = "headlight"
    shading: bool = False
    depth_colour: bool = False

    def __post_init__(self) -> None:
        if self.light not in LIGHTS:
            msg = f"expected a light out of {', '.join(LIGHTS)}; found {self.light!r}"
            raise OptionError(msg)

    def program_of(self, mode: str, *, is_labels: bool = False) -> str:
        """Return what the program of a mode does besides it."""
        if self.shading and mode == "translucent" and not is_labels:
            return SHADED
        is_by_depth = mode in BY_DEPTH_MODES and not is_labels
        return BY_DEPTH if self.depth_colour and is_by_depth else ""


PLAIN = Lighting()
