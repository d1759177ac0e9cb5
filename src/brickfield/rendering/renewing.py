"""Which bricks a renderer requests again, since their voxels changed."""

from __future__ import annotations

from brickfield.gpu import BrickSet, Name
from brickfield.loading import ChangeLog


class ChangedBricks:
    """Follows the changes of one store for one renderer. Render thread only.

    Parameters
    ----------
    log : ChangeLog
        Changes from now on count.
    """

    def __init__(self, log: ChangeLog) -> None:
        self._log = log
        self._seen = log.version

    def renew(self, bricks: BrickSet) -> set[Name] | None:
        """Request the bricks under new changes again.

        What is drawn of them stays until they are there; those in reserve are dropped.

        Returns
        -------
        set of Name or None
            None when there were more changes than are remembered.
        """
        if self._log.version == self._seen:
            return set()
        # The log keeps a limited number: None when some of them were missed.
        self._seen, changes = self._log.since(self._seen)
        if changes is None:
            return None
        found: set[Name] = set()
        for name in {*bricks.wanted, *bricks.atlas.resident()}:
            selection = bricks.atlas.selection_of(name[0])
            if any(change.has(selection, name[1]) for change in changes):
                bricks.renew(name)
                found.add(name)
        return found
