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
    deskew : tuple of float or None
        Of a stack of oblique planes, before the turn: the angle between planes and
        movement, degrees; the movement between two planes, and the size of a pixel,
        world units.
    """

    degrees: float = 0.0
    axis: str = "y"
    centre: Vec3 = NOTHING
    shift: Vec3 = NOTHING
    sigma: Vec3 = NOTHING
    deskew: Vec3 | None = None

    @property
    def is_nothing(self) -> bool:
        """Whether voxels stay as and where they are."""
        is_moved = bool(self.degrees % 360) or self.shift != NOTHING
        return not is_moved and self.sigma == NOTHING and self.deskew is None
