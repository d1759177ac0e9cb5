"""What chunks that are being put together still need (:class:`Needs`).

A plane lies under a thousand chunks, and each of them needs 64 planes: to note for
every chunk that a plane has come takes longer than to copy its voxels. Chunks that
need the same storage chunks and were begun at once share one record of it.

Invariants: members join a record at once and leave it one by one, so what has come for
one has come for all; whoever fails, or ends before the others, leaves first. Guarded by
the scheduler's lock.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from brickfield.loading.storage_layout import FlatIndex, LevelLayout
from brickfield.model import ChunkId, Selection


class Needs:
    """Storage chunks that some chunks of one level and selection need.

    Parameters
    ----------
    layout : LevelLayout
    selection : Selection
    flats : sequence of int
        Flat indices of the storage chunks, C order.
    missing : set of int
        Which of them are known not to be stored.

    Attributes
    ----------
    members : dict
        The chunks (:class:`~brickfield.loading.assembly.Assembly`), as they joined.
    pending : set of int
        Storage chunks that have not come.
    gaps : list of int
        Those that are not stored.
    n_stored : int
        Those that had voxels.
    is_shared : bool
        Whether there are several members, or will be.
    is_single : bool
        Whether one storage chunk covers all: its array can become the chunk's.
    targets : dict
        How voxels are copied to the members, by where they come from.
    """

    __slots__ = (
        "_has_buffers", "_listed", "gaps", "is_shared", "is_single", "layout", "members",
        "n_stored", "pending", "selection", "targets", "unsent",
    )  # fmt: skip

    def __init__(
        self,
        layout: LevelLayout,
        selection: Selection,
        flats: Sequence[FlatIndex],
        missing: set[FlatIndex],
    ) -> None:
        self.layout, self.selection = layout, selection
        self.gaps = [f for f in flats if f in missing]
        # What is known not to be stored costs no read; it is filled when the chunk is
        # finished.
        self.pending = set(flats) - missing
        # Taken from the end: reversed keeps the order on disk.
        self.unsent = [f for f in reversed(flats) if f not in missing]
        self.n_stored = 0
        self.is_shared = False
        self.is_single = len(flats) == 1
        self.members: dict[Any, None] = {}
        self.targets: dict[Any, Any] = {}
        self._has_buffers = False
        self._listed: dict[Needs, None] | None = None

    # -- members -----------------------------------------------------------------

    def join(self, assembly: Any, listed: dict[Needs, None]) -> None:
        """Add a chunk.

        Parameters
        ----------
        assembly : Assembly
        listed : dict
            Where records with members are listed.
        """
        self.members[assembly] = None
        self._listed = listed
        listed[self] = None

    def leave(self, assembly: Any) -> None:
        """Take a chunk out; what comes is not copied to it any more."""
        self.members.pop(assembly, None)
        # After that: they would keep its voxels.
        self.targets.clear()
        if not self.members and self._listed is not None:
            self._listed.pop(self, None)

    def of_one(self, assembly: Any) -> Needs:
        """Return the record for one member alone, which leaves the others."""
        if not self.is_shared:
            return self
        own = Needs(self.layout, self.selection, (), set())
        own.gaps, own.pending = list(self.gaps), set(self.pending)
        own.unsent, own.n_stored = list(self.unsent), self.n_stored
        own.is_single, own._has_buffers = self.is_single, self._has_buffers
        listed = self._listed
        self.leave(assembly)
        if listed is not None:
            own.join(assembly, listed)
        return own

    def make_buffers(self, dtype: np.dtype[np.generic]) -> None:
        """Allocate the voxels of all members (not yet touched), unless they are there."""
        if not self._has_buffers:
            self._has_buffers = True
            for assembly in self.members:
                assembly.make_buffer(dtype)

    # -- storage chunks ----------------------------------------------------------

    def next_unsent(self, busy: set[FlatIndex]) -> FlatIndex | None:
        """Return the next storage chunk to read, None when all are on their way.

        Parameters
        ----------
        busy : set of int
            Those of this level that are being read, or wait to be tried again.
        """
        while self.unsent:
            flat = self.unsent[-1]
            if flat in self.pending and flat not in busy:
                return flat
            # Read for another chunk meanwhile, or on its way: `pending` tells when it
            # has come.
            self.unsent.pop()
        return None

    def receive(self, flat: FlatIndex, *, is_stored: bool) -> bool:
        """Record that a storage chunk was read or is not stored; tell whether it was the last.

        Parameters
        ----------
        flat : FlatIndex
            Flat index of the storage chunk.
        is_stored : bool
            Whether there were voxels.

        Returns
        -------
        bool
            Whether nothing is pending now that was before.
        """
        if flat not in self.pending:
            return False
        self.pending.discard(flat)
        if is_stored:
            self.n_stored += 1
        else:
            self.gaps.append(flat)
        return not self.pending


def members_of(needs: Iterable[Needs]) -> list[Any]:
    """List the chunks of some records."""
    return [assembly for one in needs for assembly in tuple(one.members)]


Place = tuple[Selection, tuple[range, ...]]
"""A selection, and the ranges of storage chunks along all axes."""


def places_under(
    layout: LevelLayout, chunks: Sequence[ChunkId]
) -> tuple[list[Place], dict[Place, list[FlatIndex]]]:
    """Find the storage chunks under some chunks of a level.

    Parameters
    ----------
    layout : LevelLayout
    chunks : sequence of ChunkId

    Returns
    -------
    places : list of Place
        One for each chunk.
    flats : dict of Place to list of int
        Flat indices of the storage chunks of each place, C order.
    """
    places = [
        (c.selection, layout.ranges_of_box(layout.box_of(c.index), c.selection))
        for c in chunks
    ]
    return places, {place: layout.flats_in(place[1]) for place in set(places)}


def shared_needs(
    layout: LevelLayout,
    places: Sequence[Place],
    flats: dict[Place, list[FlatIndex]],
    missing: set[FlatIndex],
) -> list[Needs]:
    """Make records for chunks that are begun at once, one for all that need the same.

    Parameters
    ----------
    layout : LevelLayout
    places : sequence of Place
        Of each chunk.
    flats : dict
        Storage chunks of each place.
    missing : set of int
        Which of them are known not to be stored.
    """
    made = {}
    for place, n in Counter(places).items():
        made[place] = Needs(layout, place[0], flats[place], missing)
        made[place].is_shared = n > 1
    return [made[place] for place in places]
