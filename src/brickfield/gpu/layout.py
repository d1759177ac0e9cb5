"""How the bricks of every level lie in memory, derived from a pyramid."""

from __future__ import annotations

from dataclasses import dataclass

from brickfield.gpu.formats import TextureFormat
from brickfield.model import Int3, Pyramid


@dataclass(frozen=True, slots=True)
class LevelLayout:
    """Bricks of one level.

    Attributes
    ----------
    brick_zyx : tuple of int
        Own voxels of a brick.
    border_zyx : tuple of int
        Voxels lent by neighbours on both sides: 1, or 0 along an axis that one
        brick spans (the sampler then clamps at the texture's edge).
    itemsize : int
        Bytes of one voxel on the GPU.
    """

    brick_zyx: Int3
    border_zyx: Int3
    itemsize: int

    @property
    def slot_zyx(self) -> Int3:
        """Texels of a slot."""
        z, y, x = (
            n + 2 * b for n, b in zip(self.brick_zyx, self.border_zyx, strict=True)
        )
        return (z, y, x)

    @property
    def slot_bytes(self) -> int:
        """Bytes of a slot."""
        z, y, x = self.slot_zyx
        return z * y * x * self.itemsize

    @property
    def overhead(self) -> float:
        """GPU bytes of a voxel over its own bytes, for a whole brick."""
        z, y, x = self.brick_zyx
        return self.slot_bytes / (z * y * x * self.itemsize)

    def slot_limits(self, max_texture_3d: int) -> Int3:
        """Return the most slots along x, y, z that a texture can hold."""
        limits = [max_texture_3d // n for n in reversed(self.slot_zyx)]
        # Without a border the edge of the texture must be the edge of the brick.
        for i, b in enumerate(reversed(self.border_zyx)):
            limits[i] = max(1, limits[i]) if b else 1
        return (limits[0], limits[1], limits[2])


def level_layouts(pyramid: Pyramid, fmt: TextureFormat) -> tuple[LevelLayout, ...]:
    """Derive the layout of every level.

    Only the z axis may do without a border: a thin stack is the common case,
    and two free axes are needed to spread slots.

    Parameters
    ----------
    pyramid : Pyramid
    fmt : TextureFormat
        Gives the bytes of a texel.
    """
    layouts = []
    for level in pyramid.levels:
        grid = level.grid_zyx
        border = (0 if grid[0] == 1 else 1, 1, 1)
        layouts.append(LevelLayout(level.chunk_shape, border, fmt.itemsize))
    return tuple(layouts)
