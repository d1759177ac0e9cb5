"""Which bricks wait for voxels of which neighbours. Render thread only.

A brick waits for the neighbours that are on their way, and is *due* once, when the last
of them came. One that waits for nobody is due as well when a neighbour comes that was
not expected before, as when the view moves on.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable

from brickfield.gpu.names import Name


class WaitingBricks:
    """Borrowers by lender, and what is due."""

    def __init__(self) -> None:
        self._awaited: dict[Name, set[Name]] = {}
        self._asked: dict[Name, tuple[Name, ...]] = {}
        self._borrowers: dict[Name, set[Name]] = {}
        self._due: dict[Name, None] = {}

    @property
    def is_due(self) -> bool:
        """Whether any brick is due."""
        return bool(self._due)

    @property
    def is_waiting(self) -> bool:
        """Whether any brick waits for a neighbour on its way."""
        return bool(self._awaited)

    def add(self, name: Name, awaited: set[Name], others: Collection[Name]) -> None:
        """Let a brick wait.

        Parameters
        ----------
        name : (plane, key)
            Waits for nobody yet.
        awaited : set of name
            Neighbours on their way.
        others : collection of name
            Neighbours that are neither here nor expected.
        """
        if awaited:
            self._awaited[name] = awaited
        asked = (*awaited, *others)
        if asked:
            self._asked[name] = asked
        for other in asked:
            self._borrowers.setdefault(other, set()).add(name)

    def arrived(self, name: Name) -> None:
        """Note that a chunk came, or that it never will."""
        for borrower in self._borrowers.pop(name, ()):
            awaited = self._awaited.get(borrower)
            if awaited is None:
                self._due[borrower] = None
                continue
            awaited.discard(name)
            # Once, when the last one came, not once for each of up to 26 neighbours.
            if not awaited:
                del self._awaited[borrower]
                self._due[borrower] = None

    def give_up(self, gone: set[Name]) -> None:
        """Expect chunks no longer."""
        for borrower, awaited in list(self._awaited.items()):
            if awaited.isdisjoint(gone):
                continue
            awaited -= gone
            if not awaited:
                del self._awaited[borrower]
                self._due[borrower] = None

    def plan(self, names: Iterable[Name]) -> None:
        """Make bricks due that do not wait."""
        for name in names:
            if name not in self._awaited:
                self._due[name] = None

    def next_due(self) -> Name:
        """Take what is due first; to be called if anything is."""
        name = next(iter(self._due))
        del self._due[name]
        return name

    def forget(self, name: Name) -> None:
        """Let a brick wait for nobody."""
        self._awaited.pop(name, None)
        self._due.pop(name, None)
        for other in self._asked.pop(name, ()):
            borrowers = self._borrowers.get(other)
            if borrowers is not None:
                borrowers.discard(name)
                if not borrowers:
                    del self._borrowers[other]

    def clear(self) -> None:
        """Forget everything."""
        for book in (self._awaited, self._asked, self._borrowers, self._due):
            book.clear()
