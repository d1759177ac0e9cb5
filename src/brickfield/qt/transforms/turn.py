"""What the user chose for one image, as a frozen value."""

from __future__ import annotations

from dataclasses import dataclass

from brickfield.model import Vec3

NOTHING: Vec3 = (0.0, 0.0, 0.0)


@dataclass(frozen=True)
class Turn:
    """What the user chose for one image.

    Attributes
    ----------
    degrees : float
        + about z takes +x to +y, about x +y to +z, about y +z to +x.
    axis : {"z", "y", "x"}
    centre : tuple of float
        Fixed point of the turn (z, y, x), voxels.
    shift : tuple of float
        (z, y, x), world units; after the turn.
    sigma : tuple of float
        Smoothing (z, y, x), voxels; when it is baked.
    """

    degrees: float = 0.0
    axis: str = "y"
    centre: Vec3 = NOTHING
    shift: Vec3 = NOTHING
    sigma: Vec3 = NOTHING

    @property
    def is_nothing(self) -> bool:
        """Whether voxels stay as and where they are."""
        return not self.degrees % 360 and self.shift == self.sigma == NOTHING
