"""The texture atlas: 3D textures, divided into slots for bricks.

Levels whose slots have the same shape, mostly all of them, share one texture: a view
that moves on wants other levels of the same bytes, and nothing has to be rebuilt.

Invariant: the bytes of all textures never exceed the budget, also while one is
replaced. Where old and new do not fit side by side the old one goes first, and its
bricks are uploaded again. There is no copy of the texels in RAM; evicted bricks are
uploaded again from the RAM cache of ``loading``. Thread rule: render thread only.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from math import prod
from typing import Any
from weakref import WeakKeyDictionary

import numpy as np
import wgpu
from numpy.typing import NDArray

from brickfield.errors import BudgetError
from brickfield.gpu.allocator import Slot, TextureRegion
from brickfield.gpu.device import GpuDevice
from brickfield.gpu.formats import TextureFormat
from brickfield.gpu.layout import LevelLayout
from brickfield.gpu.level_texture import LevelTexture, TextureSizes, places_in
from brickfield.gpu.names import Name, is_in
from brickfield.gpu.page_table import MAX_PLANES
from brickfield.gpu.texels.padding import pad_brick
from brickfield.model import INDEX_BITS, ChunkId, Int3, Selection

STAGING_BYTES = 1 << 24
"""Bytes written to textures after which the driver is given them to carry out."""
STAGED_ROW = 256
"""Drivers begin each row of texels at a multiple of up to so many bytes."""
_STAGED: WeakKeyDictionary[Any, int] = WeakKeyDictionary()
"""Bytes written since, by device: all views and layers share one."""


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
        self.format = fmt
        self.budget_bytes = max_gpu_memory_bytes
        self._gpu = gpu
        self._lay_out(layouts, grid_chunks or [1 << 30] * len(layouts))
        self._textures: list[LevelTexture | None] = [None] * len(self._shapes)
        self._planes: dict[Selection, int] = {}
        self.version = 0
        """Grows when a texture object is replaced (bind groups are stale)."""
        self.upload_bytes = 0

    def _lay_out(
        self, layouts: Sequence[LevelLayout], grid_chunks: Sequence[int]
    ) -> tuple[LevelLayout, ...]:
        self.layouts = tuple(layouts)
        self._shapes = tuple(dict.fromkeys(self.layouts))
        self.places = tuple(self._shapes.index(layout) for layout in self.layouts)
        """Which of the textures a level is in."""
        self._grid_chunks = self._in_all(grid_chunks)
        return self._shapes

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

    @property
    def textures(self) -> dict[LevelLayout, LevelTexture | None]:
        """All textures by the layout of their slots; None before a brick needs one."""
        return dict(zip(self._shapes, self._textures, strict=True))

    def texture(self, level: int) -> LevelTexture | None:
        """Return the texture a level is in, None while there is none."""
        return self._textures[self.places[level]]

    def _in_all(self, counts: Sequence[int]) -> list[int]:
        """Add up counts of levels by texture."""
        totals = [0] * len(self._shapes)
        for place, n in zip(self.places, counts, strict=True):
            totals[place] += n
        return totals

    def __contains__(self, name: Name) -> bool:
        texture = self.texture(self.level_of(name))
        return texture is not None and name in texture.residency

    def are_resident(self, plane: int, keys: NDArray[np.int64]) -> NDArray[np.bool_]:
        """Tell which chunks of one plane (keys, shape (n,), int64) are resident, (n,)."""
        found = np.zeros(len(keys), dtype=np.bool_)
        for texture in filter(None, self._textures):
            found |= is_in(texture.residency.keys_of(plane), keys)
        return found

    def resident(self) -> list[Name]:
        """Return all resident names."""
        return [n for t in self._textures if t is not None for n in t.residency.names()]

    def slot_of(self, name: Name) -> Slot | None:
        """Return a resident chunk's slot."""
        texture = self.texture(self.level_of(name))
        return None if texture is None else texture.residency.slot_of(name)

    # -- capacity --------------------------------------------------------------

    @property
    def gpu_bytes(self) -> int:
        """Bytes of all textures."""
        return sum(t.nbytes for t in self._textures if t is not None)

    def capacities(self) -> list[int]:
        """Return the slots of every texture."""
        return [0 if t is None else t.capacity for t in self._textures]

    def has_room(self, need: Sequence[int]) -> bool:
        """Tell whether there are so many slots for every level."""
        pairs = zip(self.capacities(), self._in_all(need), strict=True)
        return all(have >= n for have, n in pairs)

    def set_budget(self, budget_bytes: int) -> None:
        """Change the budget; textures shrink at the next :meth:`ensure_capacity`."""
        self.budget_bytes = budget_bytes

    def ensure_capacity(self, need: Sequence[int]) -> list[Name]:
        """Give every level at least `need` slots, moving the budget as it must.

        Returns
        -------
        list of name
            Chunks that lost their place or changed it, so that rows naming
            their slots are stale. Least recently used first. Where a texture has nearly
            the whole budget, nothing changes even if `need` is a little more: see
            :meth:`has_room`.

        Raises
        ------
        BudgetError
            When `need` does not fit the budget.
        """
        sizes, need = self._sizes(), self._in_all(need)
        total = int(np.dot(need, sizes.slot_bytes))
        if total > self.budget_bytes:
            msg = (
                f"expected bricks of at most {self.budget_bytes} bytes; found"
                f" {total}: plan within the budget"
            )
            raise BudgetError(msg)
        # From here on the plan fits by bytes; what is left is to turn bytes into grids
        # of slots.
        have = self.capacities()
        # Mostly nothing is short, and finding grids takes as long as a plan.
        is_enough = all(n <= h for n, h in zip(need, have, strict=True))
        is_within = self.gpu_bytes <= self.budget_bytes
        if is_within and (is_enough or sizes.is_full(need, have)):
            return []
        grids = [None if t is None else t.grid for t in self._textures]
        target = sizes.target(need, have, grids)
        moved: list[Name] = []
        # First what becomes smaller, so that the budget also holds in between.
        for place, n in enumerate(target):
            if n < have[place]:
                moved += self._resize(place, n, need[place])
        # Also those that had to go before they could be made smaller.
        for place, n in enumerate(target):
            if n > self.capacities()[place]:
                moved += self._resize(place, n, need[place])
        return moved

    @property
    def largest_bytes(self) -> int:
        """Bytes of the largest texture."""
        return max((t.nbytes for t in self._textures if t is not None), default=0)

    def _sizes(self) -> TextureSizes:
        """Return what the textures may be like at the budget of now."""
        limit = self._gpu.max_texture_3d
        return TextureSizes(
            tuple(shape.slot_bytes for shape in self._shapes),
            tuple(self._grid_chunks),
            tuple(shape.slot_limits(limit) for shape in self._shapes),
            self.budget_bytes,
            self._gpu.is_software,
        )

    def _resize(self, place: int, n_slots: int, need: int) -> list[Name]:
        old = self._textures[place]
        if n_slots == 0:
            return self._remove(place)
        old_grid = None if old is None else old.grid
        grid = self._sizes().grid(place, n_slots, need, old_grid)
        n_slots = prod(grid)
        # Not every number of slots makes a grid: the next smaller one may not hold the
        # need, and then the texture stays as it is.
        if n_slots < need or (old is not None and grid == old.grid):
            return []
        nbytes = n_slots * self._shapes[place].slot_bytes
        others = self.gpu_bytes - (0 if old is None else old.nbytes)
        if others + nbytes > self.budget_bytes:
            # Others have to shrink first.
            has_less = old is not None and n_slots < old.capacity
            return self._remove(place) if has_less else []
        if old is None or self.gpu_bytes + nbytes > self.budget_bytes:
            # Never both at once: the RAM cache has the bricks.
            lost = self._remove(place)
            self._make(place, grid, {})
            return lost
        return self._replace(place, old, grid)

    def _replace(self, place: int, old: LevelTexture, grid: Slot) -> list[Name]:
        """Copy a texture into one of another size."""
        kept = places_in(grid, old)
        try:
            new = self._make(place, grid, kept)
        except wgpu.GPUError:
            # The device itself cannot hold both: wgpu says so when the texture is made.
            lost = self._remove(place)
            self._make(place, grid, {})
            return lost
        self._copy(old, new, kept)
        old.destroy()
        return [
            n for n in old.residency.names() if kept.get(n) != old.residency.slot_of(n)
        ]

    def _make(
        self, place: int, grid: Slot, residents: Mapping[Name, Slot]
    ) -> LevelTexture:
        texture = LevelTexture(grid, self._shapes[place], self.format.name, residents)
        if residents:
            _ = texture.handle
        self._textures[place] = texture
        self.version += 1
        return texture

    def _remove(self, place: int) -> list[Name]:
        old = self._textures[place]
        if old is None:
            return []
        old.destroy()
        self._textures[place] = None
        self.version += 1
        return old.residency.names()

    def _copy(
        self, old: LevelTexture, new: LevelTexture, kept: Mapping[Name, Slot]
    ) -> None:
        """Copy the bricks that are kept: those that keep their slots in one piece.

        On the GPU, in one submission: bricks never travel back to RAM.
        """
        encoder = self._gpu.device.create_command_encoder()
        source, target = old.handle, new.handle
        d, h, w = (m // g for m, g in zip(new.size[::-1], new.grid[::-1], strict=True))
        moved = {n: s for n, s in kept.items() if s != old.residency.slot_of(n)}
        if len(moved) < len(kept):
            size = tuple(map(min, old.size, new.size))
            encoder.copy_texture_to_texture(
                {"texture": source}, {"texture": target}, size
            )
        for name, b in moved.items():
            a = old.residency.slot_of(name)
            assert a is not None
            encoder.copy_texture_to_texture(
                {"texture": source, "origin": (a[0] * w, a[1] * h, a[2] * d)},
                {"texture": target, "origin": (b[0] * w, b[1] * h, b[2] * d)},
                (w, h, d),
            )
        self._gpu.device.queue.submit([encoder.finish()])

    def grow(
        self, layouts: Sequence[LevelLayout], grid_chunks: Sequence[int]
    ) -> list[Name]:
        """Follow an image that has grown; textures whose slots stay alike stay.

        Parameters
        ----------
        layouts, grid_chunks : sequence
            As the constructor's.

        Returns
        -------
        list of name
            Chunks that lost their place, since their level has other slots.
        """
        before, was = self.textures, self.layouts
        levels = [i for i, own in enumerate(layouts) if own != was[i]]
        lost = [name for name in self.resident() if self.level_of(name) in levels]
        for name in lost:
            self.drop(name)
        self.version += tuple(before) != self._lay_out(layouts, grid_chunks)
        self._textures = [before.pop(shape, None) for shape in self._shapes]
        for texture in before.values():
            if texture is not None:
                texture.destroy()
        return lost

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
        texture = self.texture(self.level_of(name))
        if texture is None:
            return None, None
        return texture.residency.place(name, wanted, protected)

    def has_free_slot(self, name: Name) -> bool:
        """Tell whether a chunk would find a slot without evicting another one."""
        texture = self.texture(self.level_of(name))
        return texture is not None and texture.residency.allocator.can_allocate()

    def write(
        self, name: Name, padded: NDArray[np.generic], at: Int3 = (0, 0, 0)
    ) -> None:
        """Send a padded brick, or a part of one, to its slot.

        Parameters
        ----------
        name : (plane, key)
            Placed before.
        padded : ndarray, shape (z, y, x)
            Voxels with their border, in the format's upload type.
        at : tuple of int
            Place in the slot, (z, y, x).
        """
        level = self.level_of(name)
        texture, slot = self.texture(level), self.slot_of(name)
        if texture is None or slot is None:
            return
        d, h, w = padded.shape
        (sz, sy, sx), (z, y, x) = self.layouts[level].slot_zyx, at
        origin = (slot[0] * sx + x, slot[1] * sy + y, slot[2] * sz + z)
        self._gpu.device.queue.write_texture(
            {"texture": texture.handle, "origin": origin, "mip_level": 0},
            padded,
            {"bytes_per_row": w * padded.itemsize, "rows_per_image": h},
            (w, h, d),
        )
        self.upload_bytes += padded.nbytes
        self._submit_staged(d * h * -(-w * padded.itemsize // STAGED_ROW) * STAGED_ROW)

    def _submit_staged(self, nbytes: int) -> None:
        """Hand over what was written: until then the driver keeps copies of it."""
        staged = _STAGED.get(self._gpu.device, 0) + nbytes
        if staged >= STAGING_BYTES:
            self._gpu.device.queue.submit([])
            staged = 0
        _STAGED[self._gpu.device] = staged

    def touch(self, names: Collection[Name]) -> None:
        """Note that those of some chunks that are resident were in use until now."""
        for texture in self._textures:
            if texture is not None:
                texture.residency.touch(names)

    def drop(self, name: Name) -> None:
        """Forget a resident chunk."""
        texture = self.texture(self.level_of(name))
        if texture is not None:
            texture.residency.drop(name)

    def destroy(self) -> None:
        """Release all GPU memory."""
        for place in range(len(self._textures)):
            self._remove(place)
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
            texture = self.texture(level)
            full = texture is None or not texture.residency.allocator.can_allocate()
            if full:
                used = [0] * len(self.layouts)
                for resident in self.resident():
                    used[self.level_of(resident)] += 1
                used[level] += 1
                sizes = [lay.slot_bytes for lay in self.layouts]
                if np.dot(used, sizes) <= self.budget_bytes:
                    self.ensure_capacity(used)
                elif texture is None:
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
        texture, slot = self.texture(level), self.slot_of(name)
        if texture is None or slot is None:
            return None
        texture.residency.touch((name,))
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
