"""A 3D texture, divided into equal slots. Render thread only.

All levels whose slots have the same shape share one. :class:`LevelResidency` knows
which chunks are in it, and which is evicted first. States of a chunk: absent →
*resident* (its voxels are in a slot) → absent. Resident chunks are *wanted* (the
present plan names them; never evicted), *protected* (drawn as fallback for something on
its way; evicted only before a wanted chunk would find no place) or *reserve* (evicted
first, least recently used first). Eviction always finds a victim as long as the wanted
chunks are not more than the slots, which planning guarantees.

:func:`distribute` moves a GPU budget between the textures. Each is sized for what the
present view needs of it, with much room to grow: a view that moves on wants other
levels, which mostly share a texture. Slots that no view needs are taken from a texture
only when another one is short of them, so that textures are seldom rebuilt; a plan may
use nearly the whole budget at any camera.

A texture grows step by step up to :data:`SMALL`, and then takes all that is free beside
it: the GPU copies its bricks, none is sent again, and nothing is rebuilt after that. A
driver clears what it makes, which is dear on software Vulkan alone: see :data:`LARGE`.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from math import prod
from typing import Any

import numpy as np
import pygfx as gfx
import wgpu
from numpy.typing import NDArray
from pygfx.renderers.wgpu.engine.update import ensure_wgpu_object

from brickfield.gpu.allocator import (
    SimpleTextureAllocator,
    Slot,
    column_grid,
    fitting_grid,
)
from brickfield.gpu.layout import LevelLayout
from brickfield.gpu.names import Name, NameSet


class LevelResidency:
    """Chunks of one texture, least recently used first. Render thread only."""

    def __init__(
        self, allocator: SimpleTextureAllocator, order: Iterable[Name] = ()
    ) -> None:
        self.allocator = allocator
        self._order: OrderedDict[Name, None] = OrderedDict.fromkeys(order)
        self._names = NameSet(self._order)

    def __contains__(self, name: Name) -> bool:
        return name in self._order

    def __len__(self) -> int:
        return len(self._order)

    def names(self) -> list[Name]:
        """Return the resident chunks, least recently used first."""
        return list(self._order)

    def keys_of(self, plane: int) -> NDArray[np.int64]:
        """Return the keys of one plane's resident chunks, ascending, shape (n,)."""
        return self._names.array(plane)

    def settle(self) -> None:
        """Do now what :meth:`keys_of` would do first."""
        self._names.settle()

    def touch(self, names: Iterable[Name]) -> None:
        """Note that those of some chunks that are resident are in use, in their order."""
        for name in names:
            if name in self._order:
                self._order.move_to_end(name)

    def slot_of(self, name: Name) -> Slot | None:
        """Return a chunk's slot, None if it is not resident."""
        return self.allocator.slot_of(name)

    def place(
        self, name: Name, wanted: Collection[Name], protected: Collection[Name]
    ) -> tuple[Slot | None, Name | None]:
        """Give a chunk a slot, evicting another one if need be.

        Parameters
        ----------
        name : Name
            Plane and key of the chunk.
        wanted : collection of Name
            Never evicted.
        protected : collection of Name
            Evicted only if nothing else can be.

        Returns
        -------
        slot : tuple of int or None
            None when every slot holds a wanted chunk.
        evicted : name or None
            The chunk that lost its slot.
        """
        evicted = None
        slot = self.allocator.allocate(name)
        if slot is None:
            evicted = self.victim(wanted, protected)
            if evicted is None:
                return None, None
            self.drop(evicted)
            slot = self.allocator.allocate(name)
        self._order[name] = None
        self._order.move_to_end(name)
        self._names.add(name)
        return slot, evicted

    def victim(
        self, wanted: Collection[Name], protected: Collection[Name]
    ) -> Name | None:
        """Return the chunk that would be evicted next; None if all are wanted.

        Parameters
        ----------
        wanted : collection of Name
            Never evicted.
        protected : collection of Name
            Evicted only if nothing else can be.
        """
        second = None
        # Oldest first. Names of the plan are passed over, so a victim is found after at
        # most as many steps as the plan has chunks in this texture.
        for name in self._order:
            if name in wanted:
                continue
            if name not in protected:
                return name
            # Protected chunks go only if everything else is wanted.
            second = second or name
        return second

    def drop(self, name: Name) -> None:
        """Forget a chunk and free its slot."""
        self._order.pop(name, None)
        self._names.discard(name)
        self.allocator.deallocate(name)


_USAGE = (
    wgpu.TextureUsage.COPY_DST
    # Source as well: bricks move to a larger texture on the GPU.
    | wgpu.TextureUsage.COPY_SRC
    | wgpu.TextureUsage.TEXTURE_BINDING
)


class LevelTexture:
    """One texture and the chunks in it.

    Parameters
    ----------
    grid : Slot
    layout : LevelLayout
    format_name : str
        pygfx's name of the texture format.
    residents : mapping of Name to Slot, optional
        Chunks that have a slot from the beginning, least recently used first.
    """

    def __init__(
        self,
        grid: Slot,
        layout: LevelLayout,
        format_name: str,
        residents: Mapping[Name, Slot] | None = None,
    ) -> None:
        z, y, x = layout.slot_zyx
        self.grid = grid
        self.nbytes = prod(grid) * layout.slot_bytes
        self.size = (grid[0] * x, grid[1] * y, grid[2] * z)
        self.texture = gfx.Texture(
            # Without data: pygfx keeps no copy in RAM.
            data=None,
            dim=3,
            size=self.size,
            format=format_name,
            usage=_USAGE,
        )
        allocator = SimpleTextureAllocator(self.size, (x, y, z), residents)
        self.residency = LevelResidency(allocator, residents or ())

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


GROWTH = 1.0
"""A texture that grows gets at most this share more than is needed now."""
SMALL = 0.03
"""Share of the budget up to which a texture grows step by step. So much may be missing
in its successor, which lies beside it while bricks are copied, and plans still fit."""
BESIDE = 0.04
"""The same, rounded up to whole layers of slots."""
LARGE = 0.25
"""The same where memory is dear to clear, as on software Vulkan (0.7 ms/MiB): what does
not fit beside its successor is sent again, once."""
CLEARED_BYTES = 1 << 27
"""Of textures that software Vulkan clears at once, in 0.1 s."""
FULL = 0.94
"""A texture that has this share of the budget is not made again for more."""


@dataclass(frozen=True, slots=True)
class TextureSizes:
    """What the textures of one budget may be like.

    Attributes
    ----------
    slot_bytes : tuple of int
        Bytes of a slot, for each texture.
    grid_slots : tuple of int
        Slots that each could ever use.
    limits : tuple of Slot
        Most slots along x, y and z, for each.
    budget_bytes : int
        For all together.
    is_software : bool
        Whether the processor clears new textures.
    """

    slot_bytes: tuple[int, ...]
    grid_slots: tuple[int, ...]
    limits: tuple[Slot, ...]
    budget_bytes: int
    is_software: bool = False

    def target(
        self, need: Sequence[int], have: Sequence[int], grids: Sequence[Slot | None]
    ) -> list[int]:
        """Choose how many slots every texture shall have.

        Parameters
        ----------
        need, have : sequence of int
            Slots that the plan uses, and that there are.
        grids : sequence of Slot or None
            Of the textures that there are.
        """
        # Not every number of slots makes a grid; count what the need really takes.
        least = [
            prod(self.grid(place, n, n, grids[place])) if n else 0
            for place, n in enumerate(need)
        ]
        # Rounded up, all levels together may exceed the budget though the need itself
        # fits.
        if np.dot(least, self.slot_bytes) > self.budget_bytes:
            least = list(need)
        is_dear = self.is_software and self.budget_bytes > CLEARED_BYTES
        found = distribute(
            least,
            have,
            self.slot_bytes,
            self.grid_slots,
            self.budget_bytes,
            LARGE if is_dear else SMALL,
        )
        return self._whole_layers(found, have, grids)

    def _whole_layers(
        self, slots: list[int], have: Sequence[int], grids: Sequence[Slot | None]
    ) -> list[int]:
        """Round small textures up to whole layers of the grid that they grow in."""
        found = list(slots)
        for place, n in enumerate(slots):
            is_small = n * self.slot_bytes[place] <= SMALL * self.budget_bytes
            if n <= have[place] or not is_small:
                continue
            most, limits = self._most(place), self.limits[place]
            width = grids[place] or column_grid(1, most, limits)
            layer = width[0] * width[1]
            found[place] = -(-n // layer) * layer
            if np.dot(found, self.slot_bytes) > self.budget_bytes:
                found[place] = n
        return found

    def grid(self, place: int, n_slots: int, need: int, old: Slot | None) -> Slot:
        """Choose a grid of at most `n_slots`, or of a few more than `need`.

        Parameters
        ----------
        place : int
            Which texture.
        n_slots, need : int
        old : Slot or None
            Grid of the texture that is replaced.
        """
        most = max(self._most(place), n_slots)
        return fitting_grid(n_slots, need, most, self.limits[place], old)

    def _most(self, place: int) -> int:
        return min(self.grid_slots[place], self.budget_bytes // self.slot_bytes[place])

    def is_full(self, need: Sequence[int], have: Sequence[int]) -> bool:
        """Tell whether what is short has nearly the whole budget already.

        To send all of its bricks again would win a few slots.

        Parameters
        ----------
        need, have : sequence of int
            Slots that the plan uses, and that there are.
        """
        least = FULL * self.budget_bytes
        trio = zip(need, have, self.slot_bytes, strict=True)
        return all(h * b >= least for n, h, b in trio if n > h)


def distribute(
    need: Sequence[int],
    have: Sequence[int],
    slot_bytes: Sequence[int],
    grid_slots: Sequence[int],
    budget_bytes: int,
    small: float = SMALL,
) -> list[int]:
    """Choose how many slots every texture shall have.

    Parameters
    ----------
    need : sequence of int
        Slots the present plan uses, a texture.
    have : sequence of int
        Slots there are now.
    slot_bytes : sequence of int
        Bytes of a slot.
    grid_slots : sequence of int
        Most slots that could ever be used (all chunks, or the device's limit).
    budget_bytes : int
        For all textures together; the bytes of `need` fit into it.
    small : float
        Share of the budget up to which textures grow step by step; what is needed beyond
        that takes all that is free at once.

    Returns
    -------
    list of int
        At least `need` of every texture; equal to `have` when nothing is short.
    """

    def cost(slots: Sequence[int]) -> int:
        return sum(s * b for s, b in zip(slots, slot_bytes, strict=True))

    is_short = [n > h for n, h in zip(need, have, strict=True)]
    # Rebuilding a texture copies all of its bricks: nothing moves without need.
    if cost(have) <= budget_bytes and not any(is_short):
        return list(have)
    # A small texture stays until its bricks are copied. To leave room for a larger one
    # would keep too much from plans.
    states = list(zip(need, have, is_short, strict=True))
    olds = [h * b for (_, h, short), b in zip(states, slot_bytes, strict=True) if short]
    old = max(olds, default=0)
    least = [n if short else max(n, h) for n, h, short in states]
    if old <= BESIDE * budget_bytes and cost(least) <= budget_bytes - old:
        budget_bytes -= old
    # Room to grow is shared out in proportion, so that a view that moves on a
    # little does not at once rebuild textures again.
    spare = budget_bytes / max(1, cost(need)) - 1
    if cost(need) <= small * budget_bytes:
        spare = min(GROWTH, small * budget_bytes / max(1, cost(need)) - 1)
    comfort = [
        min(n + int(n * spare), max(n, g))
        for n, g in zip(need, grid_slots, strict=True)
    ]
    wish = [
        max(h, c) if short else h
        for h, c, short in zip(have, comfort, is_short, strict=True)
    ]
    # First the slots beyond a comfortable size are taken away, then the comfort.
    for floor in (comfort, need):
        _shrink(wish, floor, slot_bytes, cost(wish) - budget_bytes)
    return wish


def _shrink(
    wish: list[int], floor: Sequence[int], slot_bytes: Sequence[int], over: int
) -> None:
    """Take `over` bytes of slots above `floor`, from where most are idle first."""
    idle = [max(0, w - f) * b for w, f, b in zip(wish, floor, slot_bytes, strict=True)]
    # From the level with the most unused bytes: few textures are rebuilt.
    for i in sorted(range(len(wish)), key=lambda i: -idle[i]):
        if over <= 0:
            return
        slots = min(idle[i] // slot_bytes[i], -(-over // slot_bytes[i]))
        wish[i] -= slots
        over -= slots * slot_bytes[i]


def places_in(grid: Slot, old: LevelTexture) -> dict[Name, Slot]:
    """Choose who stays in a texture of another size, and where.

    Those used last stay, in their slots where the grid is as wide as before.
    """
    names = old.residency.names()
    names = names[max(0, len(names) - prod(grid)) :]
    before = {name: old.residency.slot_of(name) for name in names}
    stays = {
        name: slot
        for name, slot in before.items()
        if slot is not None and grid[:2] == old.grid[:2] and slot[2] < grid[2]
    }
    allocator = SimpleTextureAllocator(grid, (1, 1, 1), stays)
    placed = ((name, allocator.allocate(name)) for name in names)
    return {name: slot for name, slot in placed if slot is not None}
