"""What a layer requests of the planner for a slice, and of the loader for a plan.

While the camera moves, chunks near the rim of the picture are held back, and those that
the movement takes out of sight within :data:`AHEAD_S`: most of them leave again before
they could be read. What is near the centre of attention, and the base level, is asked
for at once. At rest everything is. Bricks whose voxels changed are requested again.

:class:`UploadQueue` takes chunks from the loader to one layer's textures. Invariant:
the render thread takes the loader's lock at most once for each :data:`BATCH` chunks and
waits for it at most :data:`LOCK_WAIT_S`, because a reading thread may be put aside by
the system while it holds the lock. What was taken and found no time waits here for the
next frame. Thread rule: render thread only.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import replace
from functools import lru_cache
from time import perf_counter

import numpy as np
from numpy.typing import NDArray

from brickfield.gpu import BrickSet, MissingNames, Name, NameSet, Wanted, codes_of
from brickfield.loading import ChunkManager
from brickfield.model import INDEX_BITS, CameraState, Plane, Pyramid, Selection
from brickfield.model.requests import Category, ChunkedDataRequest, LoadedChunk
from brickfield.planning import FramePlan, Occupancy, PlanRequest
from brickfield.rendering.clipping import slab_planes

SelectedKeys = tuple[Selection, NDArray[np.int64]]
"""A selection and the keys of chunks of it."""
SLICE_BASE_SHARE = 0.02
"""Share of the budget for the coarse level that is kept whole behind a slice."""
CENTRAL = 0.6
"""Half width of the part of the picture that is refined in motion (1: all of it)."""
AHEAD_S = 1 / 3
"""What is out of sight after so long a time of the same movement is not read now."""
FRAME_S = 1 / 60
"""Between frames at the least, and between the first two of a movement."""


class Motion:
    """What of a plan is worth reading while the camera moves as it did of late.

    Render thread only.
    """

    def __init__(self) -> None:
        self._before: PlanRequest | None = None
        self._at = 0.0

    def held_rows(
        self, plan: FramePlan, asked: PlanRequest, *, is_held: bool = True
    ) -> NDArray[np.bool_]:
        """Tell what is not worth reading now; see :func:`held_rows`.

        Parameters
        ----------
        plan : FramePlan
        asked : PlanRequest
            What the plan was made for, just now.
        is_held : bool
            Whether any is; not where the camera rests and the data are moved.
        """
        before, self._before = self._before, asked
        at, self._at = self._at, perf_counter()
        if before is None or not is_held:
            return held_rows(plan, asked, is_held=is_held)
        # A slow device draws few frames, of which each moves far.
        frame_s = max(self._at - at, FRAME_S) if before.is_moving else FRAME_S
        return held_rows(plan, asked, before.camera, n_ahead=AHEAD_S / frame_s)


def held_rows(
    plan: FramePlan,
    asked: PlanRequest,
    before: CameraState | None = None,
    *,
    n_ahead: float = AHEAD_S / FRAME_S,
    is_held: bool = True,
) -> NDArray[np.bool_]:
    """Tell which chunks of a plan are not worth reading while the camera moves.

    Parameters
    ----------
    plan : FramePlan
    asked : PlanRequest
        What the plan was made for.
    before : CameraState, optional
        Of the frame before: it tells which way chunks go.
    n_ahead : float
        Frames for which the movement is taken to go on.
    is_held : bool
        Whether any is; not where the camera rests and the data are moved.

    Returns
    -------
    ndarray, shape (n,), bool
        All False at rest.
    """
    if not (asked.is_moving and is_held):
        return np.zeros(len(plan.keys), dtype=np.bool_)
    centre = _centres_of(plan.keys, asked.pyramid)
    now = _on_screen(centre, asked.camera, asked)
    is_rim = np.abs(now) > CENTRAL
    if before is not None and before != asked.camera:
        # Places on the screen, not in space: near chunks pass by sooner than far ones.
        then = now + n_ahead * (now - _on_screen(centre, before, asked))
        is_rim |= np.abs(then) > 1
    # The base level is read in any case: it is what the rim shows meanwhile.
    held: NDArray[np.bool_] = is_rim.any(axis=0) & (plan.categories != Category.BASE)
    return held


def _centres_of(keys: NDArray[np.int64], pyramid: Pyramid) -> NDArray[np.float64]:
    """Return the centres of chunks, data space (z, y, x), shape (3, n)."""
    step, first = _centres_by_level(pyramid).take(keys >> 3 * INDEX_BITS, axis=2)
    indices = np.stack([keys >> 2 * INDEX_BITS, keys >> INDEX_BITS, keys])
    return np.asarray((indices & (1 << INDEX_BITS) - 1) * step + first)


@lru_cache(maxsize=64)
def _centres_by_level(pyramid: Pyramid) -> NDArray[np.float64]:
    """Return the steps between chunks and the centre of the first, (2, 3, n_levels)."""
    n, scale = pyramid.chunk_shapes, pyramid.downscale
    # Voxel centres are at whole numbers, so the box of chunk i begins at i · n - 0.5.
    return np.stack([(n * scale).T, ((0.5 * n - 0.5) * scale + pyramid.offset).T])


def _on_screen(
    points: NDArray[np.float64], camera: CameraState, asked: PlanRequest
) -> NDArray[np.float64]:
    """Return places on the screen, right and up, -1 to 1 within the picture, (2, n).

    Parameters
    ----------
    points : ndarray, shape (3, n), float64
        Data space (z, y, x).
    camera : CameraState
    asked : PlanRequest
        Gives the image's place in the world.
    """
    to_clip = (camera.world_to_clip @ asked.world.matrix)[[0, 1, 3]]
    place = to_clip[:, :3] @ points + to_clip[:, 3:]
    w = place[2]
    # Behind the eye lies only the middle of a chunk that surrounds it.
    w[w <= 0] = np.inf
    return np.asarray(place[:2] / w)


def either(first: Occupancy | None, second: Occupancy | None) -> Occupancy | None:
    """Join two reasons for which chunks are not refined.

    Parameters
    ----------
    first, second : callable or None
        ``(level, indices (n, 3)) -> (n,) bool or None``.
    """
    if first is None or second is None:
        return second if first is None else first

    def joined(level: int, indices: NDArray[np.int64]) -> NDArray[np.bool_] | None:
        found = [f(level, indices) for f in (first, second)]
        known = [answer for answer in found if answer is not None]
        return np.logical_or.reduce(known) if known else None

    return joined


def target_rows(plan: FramePlan) -> NDArray[np.bool_]:
    """Tell which chunks of a plan are as good as was asked for, shape (n,), bool.

    A leaf a little above the target error counts: hysteresis leaves it so.
    """
    if plan.is_forced:
        return plan.is_leaf
    is_fine = plan.errors_px <= plan.target_error_px * 1.2
    good: NDArray[np.bool_] = plan.is_leaf & ((plan.levels == 0) | is_fine)
    return good


def request_for_slice(
    request: PlanRequest, plane: Plane, *, is_linear: bool
) -> PlanRequest:
    """Return a request for what one plane needs instead of the volume.

    Moving the plane must never show an empty picture, but a slice does not need
    the whole of a rich base level: it keeps :data:`SLICE_BASE_SHARE` at most.

    Parameters
    ----------
    request : PlanRequest
    plane : Plane
        World.
    is_linear : bool
        Whether samples are interpolated, which needs the voxels beside the plane.
    """
    policy = request.policy
    slab = slab_planes(
        plane,
        request.world,
        request.pyramid,
        level=policy.forced_level or 0,
        is_linear=is_linear,
    )
    return replace(
        request,
        clip_planes=np.vstack([request.clip_planes, slab]),
        slice_normal=plane.normal,
        policy=replace(policy, base_share=min(policy.base_share, SLICE_BASE_SHARE)),
    )


def wanted_of(
    plan: FramePlan, planes: Iterable[int], substitutes: Iterable[Name]
) -> Wanted:
    """Return what a plan names, for each drawn channel.

    Parameters
    ----------
    plan : FramePlan
    planes : iterable of int
        One for each drawn channel.
    substitutes : iterable of name
        Chunks that are drawn in place of what could not be read.
    """
    extra: dict[int, list[int]] = {}
    for plane, key in substitutes:
        extra.setdefault(plane, []).append(key)
    targets = target_rows(plan)
    order = plan.by_key
    # In the order of keys at once: the same order serves for requests.
    keys, targets = plan.keys[order], targets[order]
    alike = codes_of(keys, targets, plan.empty_keys)
    codes = {
        p: codes_of(keys, targets, plan.empty_keys, extra=extra[p])
        if p in extra
        else alike
        for p in planes
    }
    return Wanted(codes)


def requests_for(
    plan: FramePlan,
    missing: MissingNames | NameSet,
    selections: Mapping[int, Selection],
    *,
    visual_id: str,
    data_version: int,
    held: NDArray[np.bool_],
) -> list[ChunkedDataRequest]:
    """Make one request a selection for what is missing.

    Parameters
    ----------
    plan : FramePlan
    missing : MissingNames or NameSet
        Chunks that are wanted and not here; those that the plan does not name
        (stand-ins for failed ones) come first of all.
    selections : mapping of int to Selection
        Plane to selection, in the order of the drawn channels.
    visual_id : str
    data_version : int
    held : ndarray, shape (n,), bool
        Chunks of the plan to leave for later.
    """
    requests = []
    ascending = plan.keys[plan.by_key]
    for plane, selection in selections.items():
        # Both ascend, so that all are found without going to and fro.
        keys = missing.array(plane)
        at = np.searchsorted(ascending, keys)
        at[at == len(ascending)] = 0
        is_planned = ascending[at] == keys if len(ascending) else at < 0
        rows = np.sort(plan.by_key[at[is_planned]])
        rows = rows[~held[rows]]
        # Not of the plan: substitutes for what could not be read. They go first, with
        # priority and category 0, for a hole is seen at once.
        extra = keys[~is_planned]
        n = len(extra)
        requests.append(
            ChunkedDataRequest(
                visual_id,
                selection,
                np.concatenate([extra, plan.keys[rows]]),
                np.concatenate([np.zeros(n, np.float32), plan.priorities[rows]]),
                np.concatenate([np.zeros(n, np.uint8), plan.categories[rows]]),
                data_version,
            )
        )
    return requests


def needed_of(
    plan: FramePlan,
    selections: Mapping[int, Selection],
    stand_ins: Iterable[Name],
    absent: AbstractSet[Name],
) -> list[SelectedKeys]:
    """List what a picture needs in the end.

    Parameters
    ----------
    plan : FramePlan
        Its leaves are needed; what is drawn or kept for the time being is not.
    selections : mapping of int to Selection
        Plane to selection.
    stand_ins : iterable of name
        What is drawn in place of what could not be read.
    absent : set of name
        What to leave out.

    Returns
    -------
    list of (selection, keys)
    """
    leaves, names = plan.leaf_keys.tolist(), list(stand_ins)
    found = []
    for plane, selection in selections.items():
        keys = {*leaves, *(key for p, key in names if p == plane)}
        keys = {key for key in keys if (plane, key) not in absent}
        found.append((selection, np.array(sorted(keys), dtype=np.int64)))
    return found


def wanted_and_ended(bricks: BrickSet) -> tuple[list[SelectedKeys], list[SelectedKeys]]:
    """List the keys that are wanted and those of them that ended, by selection."""
    wanted: dict[int, list[int]] = {}
    ended: dict[int, list[int]] = {}
    for plane, key in bricks.wanted:
        wanted.setdefault(plane, []).append(key)
        if (plane, key) in bricks.table:
            ended.setdefault(plane, []).append(key)
    first, second = (
        [(bricks.atlas.selection_of(p), np.array(k)) for p, k in names.items()]
        for names in (wanted, ended)
    )
    return first, second


BATCH = 8
LOCK_WAIT_S = 0.001


class UploadQueue:
    """Hands over a visual's chunks for upload, best first.

    Parameters
    ----------
    visual_id : str
    """

    def __init__(self, visual_id: str) -> None:
        self._visual_id = visual_id
        self._chunks: deque[LoadedChunk] = deque()
        self.has_more = False
        """Whether the last poll left chunks that no signal announces again."""

    def begin(self) -> None:
        """Assume that there is something until a poll finds nothing."""
        self.has_more = True

    def next(self, manager: ChunkManager) -> LoadedChunk | None:
        """Return the next chunk; None when there is none, or the loader is busy."""
        if not self._chunks:
            # None when the lock was not free in time: the frame goes on, and asks
            # again.
            taken = manager.try_take_ready(self._visual_id, BATCH, wait_s=LOCK_WAIT_S)
            self.has_more = taken is None or bool(taken)
            self._chunks.extend(taken or ())
        return self._chunks.popleft() if self._chunks else None

    def clear(self) -> None:
        """Drop the queued chunks: the data changed."""
        self._chunks.clear()


class TimeSlice:
    """Tells whether another step fits into a slice of time; the first always does.

    Parameters
    ----------
    seconds : float
    """

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._start = self._last = perf_counter()
        self._longest = 0.0
        self._has_begun = False

    @property
    def elapsed(self) -> float:
        """Seconds since the slice began."""
        return perf_counter() - self._start

    def __call__(self) -> bool:
        """Expect a step as long as the longest so far."""
        now = perf_counter()
        if not self._has_begun:
            self._has_begun, self._last = True, now
            return self._seconds > 0
        # The next step may take as long as the longest so far; it must still fit.
        self._longest = max(self._longest, now - self._last)
        self._last = now
        return now - self._start + self._longest < self._seconds
