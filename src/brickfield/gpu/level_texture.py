"""One level's 3D texture, divided into equal slots. Render thread only."""

from __future__ import annotations

from typing import Any

import pygfx as gfx
import wgpu
from pygfx.renderers.wgpu.engine.update import ensure_wgpu_object

from brickfield.gpu.allocator import SimpleTextureAllocator, Slot
from brickfield.gpu.layout import LevelLayout
from brickfield.gpu.residency import LevelResidency

_USAGE = (
    wgpu.TextureUsage.COPY_DST
    | wgpu.TextureUsage.COPY_SRC
    | wgpu.TextureUsage.TEXTURE_BINDING
)


class LevelTexture:
    """One level's texture and who sits in it."""

    def __init__(self, grid: Slot, layout: LevelLayout, format_name: str) -> None:
        z, y, x = layout.slot_zyx
        self.grid = grid
        self.size = (grid[0] * x, grid[1] * y, grid[2] * z)
        self.texture = gfx.Texture(
            data=None, dim=3, size=self.size, format=format_name, usage=_USAGE
        )
        allocator = SimpleTextureAllocator(self.size, (x, y, z))
        self.residency = LevelResidency(allocator)

    @property
    def capacity(self) -> int:
        """Slots in all."""
        return self.residency.allocator.capacity

    @property
    def handle(self) -> Any:
        """The wgpu texture, made on first use."""
        return ensure_wgpu_object(self.texture)

    def destroy(self) -> None:
        """Give the memory back now; pygfx's caches would keep it (pygfx #1283)."""
        handle = self.texture._wgpu_object
        if handle is not None:
            handle.destroy()
