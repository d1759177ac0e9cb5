"""Which chunks sit in one level's texture, and who has to leave first.

States of a chunk: absent → *resident* (its voxels are in a slot) → absent.
Resident chunks are *wanted* (the present plan names them; never evicted),
*protected* (drawn as fallback for something on its way; evicted only before a
wanted chunk would find no place) or *reserve* (evicted first, least recently
used first). Eviction always finds a victim as long as a level's wanted chunks
are not more than its slots, which planning guarantees.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Collection

from brickfield.gpu.allocator import SimpleTextureAllocator, Slot
from brickfield.gpu.page_table import Name


class LevelResidency:
    """Chunks of one level's texture, least recently used first. Render thread only."""

    def __init__(self, allocator: SimpleTextureAllocator) -> None:
        self.allocator = allocator
        self._order: OrderedDict[Name, None] = OrderedDict()

    def __contains__(self, name: Name) -> bool:
        return name in self._order

    def __len__(self) -> int:
        return len(self._order)

    def names(self) -> list[Name]:
        """Return the resident chunks, least recently used first."""
        return list(self._order)

    def touch(self, name: Name) -> None:
        """Note that a resident chunk is in use."""
        self._order.move_to_end(name)

    def slot_of(self, name: Name) -> Slot | None:
        """Return a chunk's slot, None if it is not resident."""
        return self.allocator.slot_of(name)

    def place(
        self, name: Name, wanted: Collection[Name], protected: Collection[Name]
    ) -> tuple[Slot | None, Name | None]:
        """Give a chunk a slot, evicting another one if need be.

        Returns
        -------
        slot : tuple of int or None
            None when every slot holds a wanted chunk.
        evicted : name or None
            Who had to leave.
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
        return slot, evicted

    def victim(
        self, wanted: Collection[Name], protected: Collection[Name]
    ) -> Name | None:
        """Return who would have to leave next, None if all are wanted."""
        second = None
        for name in self._order:
            if name in wanted:
                continue
            if name not in protected:
                return name
            second = second or name
        return second

    def drop(self, name: Name) -> None:
        """Forget a chunk and free its slot."""
        self._order.pop(name, None)
        self.allocator.deallocate(name)
