"""What a renderer makes of changes of stored voxels, and of tiles in a hand.

Invariant: what is drawn of a changed chunk stays until the new one is there. While tiles
are moved nothing is read for the picture but what the move changed: where the tiles are
it is no finer than a level of few chunks, and everywhere else it stays as it is.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from brickfield.gpu import BrickSet, Name
from brickfield.model import INDEX_BITS, CameraState, pack_keys
from brickfield.model.changes import ChunkChange
from brickfield.planning import FramePlan, LodPolicy, Occupancy
from brickfield.store import ChunkedImageStore, CoarseRegion


@dataclass(frozen=True, eq=False)
class AsItIs:
    """Tells which chunks are not refined while tiles are moved.

    Equal for layers of one place and plan, which are planned together.

    Attributes
    ----------
    moved : CoarseRegion
        Where the tiles are and were.
    refined : ndarray, shape (n,), int64
        Keys of the chunks that were refined before, ascending.
    """

    moved: CoarseRegion
    refined: NDArray[np.int64]

    def __call__(self, level: int, indices: NDArray[np.int64]) -> NDArray[np.bool_]:
        """Tell of chunks, grid indices of shape (n, 3), which are not refined."""
        keys = pack_keys(level, indices)
        at = np.minimum(self.refined.searchsorted(keys), len(self.refined) - 1)
        is_other = (self.refined[at] != keys) & ~self.moved.meets(level, indices)
        hidden: NDArray[np.bool_] = is_other | self.moved(level, indices)
        return hidden

    def __eq__(self, other: object) -> bool:
        return (
            isinstance(other, AsItIs)
            and self.moved is other.moved
            and np.array_equal(self.refined, other.refined)
        )

    def __hash__(self) -> int:
        return hash((id(self.moved), self.refined.tobytes()))


class ChangedBricks:
    """Follows the changes of one store for one renderer. Render thread only.

    Parameters
    ----------
    store : ChunkedImageStore
        Its changes from now on count.

    Attributes
    ----------
    stays_coarse : callable or None
        Which chunks are not refined while the data are moved.
    """

    def __init__(self, store: ChunkedImageStore) -> None:
        self._store = store
        self._log = store.changes
        self._seen = store.changes.version
        self.stays_coarse = store.stays_coarse
        self._put_off: set[Name] = set()
        self._planned_for: CameraState | None = None

    def is_other_coarse(self) -> bool:
        """Take note of what stays coarse now; tell whether that is something else."""
        before, self.stays_coarse = self.stays_coarse, self._store.stays_coarse
        return before is not self.stays_coarse

    def _leaves(self, plan: FramePlan | None) -> set[int] | None:
        """Return the keys of what shall be drawn, while the data are being moved."""
        if self.stays_coarse is None or plan is None:
            return None
        return set(plan.leaf_keys.tolist())

    def renew(
        self, bricks: BrickSet, plan: FramePlan | None = None
    ) -> set[Name] | None:
        """Request the bricks under new changes again.

        What is drawn of them stays until they are there; those in reserve are dropped.

        Parameters
        ----------
        bricks : BrickSet
        plan : FramePlan, optional
            While the data are moved, chunks that only stand behind its leaves are put
            off: they change again and again.

        Returns
        -------
        set of Name or None
            None when there were more changes than are remembered.
        """
        leaves = self._leaves(plan)
        is_over = bool(self._put_off) and leaves is None
        if self._log.version == self._seen and not is_over:
            return set()
        # The log keeps a limited number: None when some of them were missed.
        self._seen, changes = self._log.since(self._seen)
        if changes is None:
            self._put_off.clear()
            return None
        found: set[Name] = set()
        before, self._put_off = self._put_off, set()
        of_level: dict[int, list[ChunkChange]] = {}
        for change in changes:
            of_level.setdefault(change.level, []).append(change)
        for name in {*bricks.wanted, *bricks.atlas.resident()}:
            selection = bricks.atlas.selection_of(name[0])
            is_changed = name in before or any(
                change.has(selection, name[1])
                for change in of_level.get(name[1] >> (3 * INDEX_BITS), ())
            )
            if is_changed and leaves is not None and name[1] not in leaves:
                self._put_off.add(name)
            elif is_changed:
                bricks.renew(name)
                found.add(name)
        return found

    def hidden(self, camera: CameraState, plan: FramePlan | None) -> Occupancy | None:
        """Return which chunks the next plan shall not refine; None where any may be.

        Parameters
        ----------
        camera : CameraState
        plan : FramePlan or None
            The one before.
        """
        moved = self.stays_coarse
        if moved is None or plan is None or not len(plan.refined):
            return moved
        # Another camera sees other things, which the plan before says nothing of.
        return AsItIs(moved, plan.refined) if camera == self._planned_for else moved

    def policy(self, policy: LodPolicy) -> LodPolicy:
        """Return the policy of the next plan."""
        if self.stays_coarse is None or policy.keeps_way:
            return policy
        # What stands behind the tiles is put off, and would be read for nothing.
        return replace(policy, way_share=0.0)

    def take_plan(self, bricks: BrickSet, plan: FramePlan, camera: CameraState) -> None:
        """Request what was put off of the chunks that a new plan draws.

        Parameters
        ----------
        bricks : BrickSet
        plan : FramePlan
        camera : CameraState
            That it was made for.
        """
        self._planned_for = camera
        leaves = self._leaves(plan) or ()
        for name in [name for name in self._put_off if name[1] in leaves]:
            self._put_off.discard(name)
            bricks.renew(name)
