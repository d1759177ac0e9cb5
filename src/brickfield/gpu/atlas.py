"""The texture atlas: one 3D texture per level, divided into slots for bricks.

Invariant: the bytes of all textures never exceed the budget, but for the moment
in which one level's texture is copied into its successor. There is no copy of the
texels in RAM; evicted bricks are uploaded again from the RAM cache of ``loading``.
Thread rule: render thread only.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence

import numpy as np
import wgpu
from numpy.typing import NDArray

from brickfield.errors import BudgetError
from brickfield.gpu.allocator import Slot, TextureRegion, choose_grid
from brickfield.gpu.brick_texels import pad_brick
from brickfield.gpu.device import GpuDevice
from brickfield.gpu.formats import TextureFormat
from brickfield.gpu.layout import LevelLayout
from brickfield.gpu.level_texture import LevelTexture, distribute
from brickfield.gpu.page_table import MAX_PLANES, Name
from brickfield.model import INDEX_BITS, ChunkId, Selection


class TextureAtlas:
    """Bricks of one layer in one view.

    Parameters
    ----------
    layouts : sequence of LevelLayout
        One for each level.
    fmt : TextureFormat
    max_gpu_memory_bytes : int
        Budget for all textures together.
    gpu : GpuDevice
    grid_chunks : sequence of int, optional
        Chunks each level has in all; no level gets more slots.
    """

    def __init__(
        self,
        layouts: Sequence[LevelLayout],
        fmt: TextureFormat,
        max_gpu_memory_bytes: int,
        gpu: GpuDevice,
        *,
        grid_chunks: Sequence[int] | None = None,
    ) -> None:
        self.layouts = tuple(layouts)
        self.format = fmt
        self.budget_bytes = max_gpu_memory_bytes
        self._gpu = gpu
        self._grid_chunks = list(grid_chunks or [1 << 30] * len(layouts))
        self._textures: list[LevelTexture | None] = [None] * len(layouts)
        self._planes: dict[Selection, int] = {}
        self.version = 0
        """Grows when a texture object is replaced (bind groups are stale)."""
        self.upload_bytes = 0

    # -- names ---------------------------------------------------------------

    def plane_of(self, selection: Selection) -> int:
        """Return the small number that stands for a selection in names."""
        return self._planes.setdefault(selection, len(self._planes))

    @property
    def has_all_planes(self) -> bool:
        """Whether every number for a selection is taken."""
        return len(self._planes) >= MAX_PLANES

    def forget_planes(self) -> None:
        """Renumber selections; nothing may be resident."""
        self._planes.clear()

    def selection_of(self, plane: int) -> Selection:
        """Return the selection that a small number stands for."""
        return list(self._planes)[plane]

    @staticmethod
    def level_of(name: Name) -> int:
        """Return the level that a name's key holds."""
        return name[1] >> (3 * INDEX_BITS)

    def texture(self, level: int) -> LevelTexture | None:
        """Return a level's texture, None while it has none."""
        return self._textures[level]

    def __contains__(self, name: Name) -> bool:
        texture = self._textures[self.level_of(name)]
        return texture is not None and name in texture.residency

    def resident(self) -> list[Name]:
        """Return all resident names."""
        return [n for t in self._textures if t is not None for n in t.residency.names()]

    def slot_of(self, name: Name) -> Slot | None:
        """Return a resident chunk's slot."""
        texture = self._textures[self.level_of(name)]
        return None if texture is None else texture.residency.slot_of(name)

    # -- capacity --------------------------------------------------------------

    @property
    def gpu_bytes(self) -> int:
        """Bytes of all textures."""
        return sum(self._bytes(i) for i in range(len(self.layouts)))

    def _bytes(self, level: int) -> int:
        texture = self._textures[level]
        n_slots = 0 if texture is None else texture.capacity
        return n_slots * self.layouts[level].slot_bytes

    def capacities(self) -> list[int]:
        """Return the slots of every level."""
        return [0 if t is None else t.capacity for t in self._textures]

    def slots_for(self, level: int, n: int, *, at_least: bool = False) -> Slot:
        """Return the largest slot grid of at most (or smallest of at least) n slots.

        Parameters
        ----------
        level : int
        n : int
            Slots.
        at_least : bool
            Smallest grid of at least n slots, instead of the largest of at most n.

        Returns
        -------
        Slot
            Slots along (x, y, z).
        """
        limits = self.layouts[level].slot_limits(self._gpu.max_texture_3d)
        n = max(1, n)
        grid = choose_grid(n, limits)
        # choose_grid may round up to a box of slots; the budget allows no more than n.
        while not at_least and _count(grid) > n:
            n -= 1
            grid = choose_grid(n, limits)
        return grid

    def set_budget(self, budget_bytes: int) -> None:
        """Change the budget; textures shrink at the next :meth:`ensure_capacity`."""
        self.budget_bytes = budget_bytes

    def ensure_capacity(self, need: Sequence[int]) -> list[Name]:
        """Give every level at least `need` slots, moving the budget as it must.

        Returns
        -------
        list of name
            Chunks that lost their place or changed it, so that rows naming
            their slots are stale.

        Raises
        ------
        BudgetError
            When `need` does not fit the budget.
        """
        slot_bytes = [lay.slot_bytes for lay in self.layouts]
        total = sum(n * b for n, b in zip(need, slot_bytes, strict=True))
        if total > self.budget_bytes:
            msg = (
                f"expected bricks of at most {self.budget_bytes} bytes; found"
                f" {total}: plan within the budget"
            )
            raise BudgetError(msg)
        # From here on the plan fits by bytes; what is left is to turn bytes into grids
        # of slots.
        have = self.capacities()
        # Not every number of slots makes a grid; count what the need really takes.
        grids = [
            _count(self.slots_for(level, n, at_least=True)) if n else 0
            for level, n in enumerate(need)
        ]
        # Rounded up, all levels together may exceed the budget though the need itself
        # fits.
        if np.dot(grids, slot_bytes) > self.budget_bytes:
            grids = list(need)
        target = distribute(
            grids, have, slot_bytes, self._grid_chunks, self.budget_bytes
        )
        moved: list[Name] = []
        # First what becomes smaller, so that the budget also holds in between.
        for shrinking in (True, False):
            for level, (n, h) in enumerate(zip(target, have, strict=True)):
                if n != h and (n < h) == shrinking:
                    moved += self._resize(level, n, need[level])
        return moved

    def _resize(self, level: int, n_slots: int, need: int) -> list[Name]:
        old = self._textures[level]
        if n_slots == 0:
            return self._remove(level)
        grid = self.slots_for(level, n_slots)
        new_slots = _count(grid)
        # Not every number of slots makes a grid: the next smaller one may not hold the
        # need, and then the texture stays as it is.
        if old is not None and (new_slots == old.capacity or new_slots < need):
            return []
        moved = old.residency.names() if old is not None else []
        # Names are in order of use, the least recently used first: the rest is kept.
        keep = moved[max(0, len(moved) - new_slots) :]
        texture = LevelTexture(grid, self.layouts[level], self.format.name)
        try:
            # Made here: wgpu reports a lack of memory when the texture is made, and it
            # must be known while the old one still exists.
            _ = texture.handle
        except wgpu.GPUError:
            # The device cannot hold both: let go first, the cache has the bricks.
            if old is None:
                raise
            old.destroy()
            old, keep = None, []
        self._textures[level] = texture
        if old is not None:
            self._copy(old, texture, keep, self.layouts[level])
            old.destroy()
        self.version += 1
        return moved

    def _remove(self, level: int) -> list[Name]:
        old = self._textures[level]
        if old is None:
            return []
        old.destroy()
        self._textures[level] = None
        self.version += 1
        return old.residency.names()

    def _copy(
        self,
        old: LevelTexture,
        new: LevelTexture,
        names: list[Name],
        layout: LevelLayout,
    ) -> None:
        device = self._gpu.device
        # On the GPU, in one submission: bricks never travel back to RAM.
        encoder = device.create_command_encoder()
        source, target = old.handle, new.handle
        d, h, w = layout.slot_zyx
        for name in names:
            a = old.residency.slot_of(name)
            # The new texture is empty and large enough, so nothing is evicted.
            b, _ = new.residency.place(name, (), ())
            if a is None or b is None:
                continue
            encoder.copy_texture_to_texture(
                {"texture": source, "origin": (a[0] * w, a[1] * h, a[2] * d)},
                {"texture": target, "origin": (b[0] * w, b[1] * h, b[2] * d)},
                (w, h, d),
            )
        device.queue.submit([encoder.finish()])

    # -- bricks ----------------------------------------------------------------

    def place(
        self, name: Name, wanted: Collection[Name], protected: Collection[Name]
    ) -> tuple[Slot | None, Name | None]:
        """Give a chunk a slot of its level; see :meth:`LevelResidency.place`.

        Parameters
        ----------
        name : Name
            Plane and key of the chunk.
        wanted : collection of Name
            Never evicted.
        protected : collection of Name
            Evicted only if nothing else can be.
        """
        texture = self._textures[self.level_of(name)]
        if texture is None:
            return None, None
        return texture.residency.place(name, wanted, protected)

    def write(self, name: Name, padded: NDArray[np.generic]) -> None:
        """Send a padded brick to its slot.

        Parameters
        ----------
        name : (plane, key)
            Placed before.
        padded : ndarray, shape (z, y, x)
            Voxels with their border, in the format's upload type.
        """
        level = self.level_of(name)
        texture, slot = self._textures[level], self.slot_of(name)
        if texture is None or slot is None:
            return
        d, h, w = padded.shape
        sz, sy, sx = self.layouts[level].slot_zyx
        self._gpu.device.queue.write_texture(
            {
                "texture": texture.handle,
                "origin": (slot[0] * sx, slot[1] * sy, slot[2] * sz),
                "mip_level": 0,
            },
            padded,
            {"bytes_per_row": w * padded.itemsize, "rows_per_image": h},
            (w, h, d),
        )
        self.upload_bytes += padded.nbytes

    def touch(self, name: Name) -> None:
        """Note that a resident chunk is in use."""
        texture = self._textures[self.level_of(name)]
        if texture is not None:
            texture.residency.touch(name)

    def drop(self, name: Name) -> None:
        """Forget a resident chunk."""
        texture = self._textures[self.level_of(name)]
        if texture is not None:
            texture.residency.drop(name)

    def destroy(self) -> None:
        """Release all GPU memory."""
        for level, texture in enumerate(self._textures):
            if texture is not None:
                texture.destroy()
                self._textures[level] = None
        self.version += 1

    # -- by chunk id -------------------------------------------------------------

    def upload_chunk(
        self, chunk_id: ChunkId, numpy_data: NDArray[np.generic]
    ) -> TextureRegion:
        """Upload one chunk, evicting the least recently used if need be.

        Parameters
        ----------
        chunk_id : ChunkId
        numpy_data : ndarray, shape (z, y, x)
            The chunk's own voxels, native dtype; edges are repeated as border.

        Raises
        ------
        BudgetError
            When the budget holds not even one brick of that level.
        """
        name = (self.plane_of(chunk_id.selection), chunk_id.key)
        level = chunk_id.scale_level
        if name not in self:
            capacities = self.capacities()
            texture = self._textures[level]
            full = texture is None or not texture.residency.allocator.can_allocate()
            if full:
                used = [0 if t is None else len(t.residency) for t in self._textures]
                used[level] += 1
                bytes_ = sum(
                    u * lay.slot_bytes
                    for u, lay in zip(used, self.layouts, strict=True)
                )
                if bytes_ <= self.budget_bytes:
                    self.ensure_capacity(used)
                elif capacities[level] == 0:
                    msg = (
                        "expected room for a brick of level"
                        f" {level}; found the budget of {self.budget_bytes} bytes used:"
                        " raise the GPU budget"
                    )
                    raise BudgetError(msg)
            self.place(name, (), ())
        border = self.layouts[level].border_zyx
        self.write(
            name, pad_brick(self.format.convert(numpy_data), border, lambda _: None)
        )
        region = self.get_chunk_region(chunk_id, shape_zyx=numpy_data.shape)
        if region is None:
            msg = f"expected a place for {chunk_id}; found none: raise the GPU budget"
            raise BudgetError(msg)
        return region

    def get_chunk_region(
        self, chunk_id: ChunkId, *, shape_zyx: Sequence[int] | None = None
    ) -> TextureRegion | None:
        """Return where a chunk is in its texture and mark it as used; None if absent.

        Parameters
        ----------
        chunk_id : ChunkId
        shape_zyx : sequence of int, optional
            Voxels of the chunk, where it is cut at the edge of the level.
        """
        level = chunk_id.scale_level
        name = (self.plane_of(chunk_id.selection), chunk_id.key)
        texture, slot = self._textures[level], self.slot_of(name)
        if texture is None or slot is None:
            return None
        texture.residency.touch(name)
        layout = self.layouts[level]
        size = tuple(reversed(shape_zyx or layout.brick_zyx))
        slot_xyz = tuple(reversed(layout.slot_zyx))
        border = tuple(reversed(layout.border_zyx))
        offset = tuple(
            s * n + b for s, n, b in zip(slot, slot_xyz, border, strict=True)
        )
        low = tuple(o / n for o, n in zip(offset, texture.size, strict=True))
        high = tuple(
            (o + s) / n for o, s, n in zip(offset, size, texture.size, strict=True)
        )
        return TextureRegion(f"level-{level}", offset, size, (low, high))  # type: ignore[arg-type]


def _count(grid: Slot) -> int:
    return grid[0] * grid[1] * grid[2]
