"""Makes the receipt of a view's present picture.

:class:`Account` counts what was read for it; :func:`make_receipt` adds bytes, requests,
levels and classes of pixels.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from brickfield.loading import default_cache
from brickfield.model.requests import ChunkFailure
from brickfield.store import ChunkedImageStore
from brickfield.viewer.receipts.fidelity import fidelity_of
from brickfield.viewer.receipts.receipt import Receipt

if TYPE_CHECKING:
    from brickfield.rendering import LayerRenderer, OffscreenView

_CLASSES = {1: "at_target", 2: "coarser", 3: "empty", 4: "failed"}


class Account:
    """Counts from its making on what a store was asked for."""

    def __init__(self, store: ChunkedImageStore) -> None:
        self.store = store
        self._start = store.manager.counters

    @property
    def bytes_read(self) -> int:
        """Stored bytes asked of the store since then."""
        return self._since("bytes_read")

    @property
    def requests(self) -> int:
        """Reads sent to the store since then."""
        return self._since("requests")

    def _since(self, name: str) -> int:
        now = self.store.manager.counters
        if now.n_entries < self._start.n_entries:
            # A store on another grid has another loader, which counts from nothing.
            self._start = type(now)()
        return int(getattr(now, name) - getattr(self._start, name))

    def needed_bytes(self, *renderers: LayerRenderer) -> tuple[int, int]:
        """Return the stored bytes that the pictures need, each storage chunk once.

        Needed is what is drawn in the end: not what is read beside it so that
        something is seen meanwhile.

        Returns
        -------
        minimum, in_memory : int
            Of the storage chunks that had to be read since then, never more than
            :attr:`bytes_read`; and of those that were in memory.
        """
        needed = [wish for r in renderers for wish in r.needed()]
        ended = [wish for r in renderers for wish in r.needed(is_ended=True)]
        return self.store.manager.needed_bytes(needed, ended, since=self._start)


def drawn_levels(renderers: Iterable[LayerRenderer]) -> dict[int, int]:
    """Return how many bricks of every level are drawn, finest level first.

    What lies whole under finer bricks, as the overview of a finished picture does,
    is not drawn.
    """
    counts: Counter[int] = Counter()
    for renderer in renderers:
        counts.update(dict(enumerate(renderer.bricks.table.n_active)))
        counts.subtract(_covered(renderer))
    return {level: counts[level] for level in sorted(counts) if counts[level]}


def _covered(renderer: LayerRenderer) -> Counter[int]:
    """Count the chunks that the plan keeps only to fall back to, if none is needed."""
    plan = renderer.plan
    if plan is None or not renderer.is_complete or renderer.failures:
        return Counter()
    active = renderer.bricks.table.active
    planes = [renderer.bricks.atlas.plane_of(s) for s in renderer.shown]
    rows = np.flatnonzero(~plan.is_leaf)
    keys, levels = plan.keys[rows].tolist(), plan.levels[rows].tolist()
    return Counter(
        level
        for key, level in zip(keys, levels, strict=True)
        for plane in planes
        if (plane, key) in active
    )


def pixel_shares(
    classes: NDArray[np.uint8], *, is_reduced: bool = False
) -> dict[str, float]:
    """Return the shares of the classes among the pixels that the volume covers.

    Parameters
    ----------
    classes : ndarray, shape (h, w), uint8
        1 at target, 2 coarser, 3 nothing loaded, 4 failed, 0 no volume there.
    is_reduced : bool
        Whether the picture was drawn with fewer pixels: none is at the target then.
    """
    if is_reduced:
        classes = np.where(classes == 1, np.uint8(2), classes)
    covered = int(np.count_nonzero(classes))
    return {
        name: float(np.count_nonzero(classes == value)) / covered if covered else 0.0
        for value, name in _CLASSES.items()
    }


def quantiles(values: Iterable[float]) -> dict[str, float]:
    """Return median and p99; zeros without values."""
    v = np.fromiter(values, dtype=np.float64)
    if not v.size:
        return {"median": 0.0, "p99": 0.0}
    return {"median": float(np.median(v)), "p99": float(np.percentile(v, 99))}


def make_receipt(
    view: OffscreenView,
    accounts: Sequence[Account],
    *,
    ended: bool,
    is_drawn: bool = True,
    scale: float = 1.0,
    times_s: tuple[float | None, float | None] = (None, None),
) -> Receipt:
    """Add up what the picture cost; draws once to judge every pixel.

    Parameters
    ----------
    view : OffscreenView
    accounts : sequence of Account
        One for each store.
    ended : bool
        Whether nothing is on its way.
    is_drawn : bool
        Whether the picture that is shown is of what is at hand, at full quality.
    scale : float
        Drawn pixels along each edge, as a share: with fewer than all of them nothing
        is at the target.
    times_s : tuple of float or None
        Seconds to the first and to the full picture.
    """
    renderers = [r for r in view.manager.renderers if r.layer.visible]
    manager, cache = view.manager, default_cache()
    failures = [f for r in renderers for f in r.failures]
    minimum, in_memory = _needed_bytes(accounts, renderers)
    return Receipt(
        complete=ended and not failures and scale >= 1,
        fidelity=fidelity_of(renderers, is_done=ended and is_drawn and scale >= 1),
        time_to_first_image_s=times_s[0] or 0.0,
        time_to_complete_s=times_s[1] or 0.0,
        bytes_read=sum(a.bytes_read for a in accounts),
        bytes_minimum=minimum,
        bytes_in_memory=in_memory,
        is_minimum_known=all(r.layer.store.info.n_images == 1 for r in renderers),
        requests=sum(a.requests for a in accounts),
        chunks=_storage_counts(renderers),
        bricks=_brick_counts(renderers),
        pixels=pixel_shares(view.classes(), is_reduced=scale < 1),
        levels={str(k): n for k, n in drawn_levels(renderers).items()},
        target_error_px=max(
            (r.plan.target_error_px for r in renderers if r.plan), default=0.0
        ),
        gpu_bytes=manager.gpu_bytes,
        gpu_budget=manager.gpu_budget,
        gpu_usable_fraction=manager.statistics.planned_share,
        ram_cache_peak_bytes=cache.peak_bytes,
        ram_budget=cache.budget_bytes,
        plan_ms=quantiles(manager.statistics.plan_ms),
        upload_ms=quantiles(manager.statistics.upload_ms),
        page_table_bytes_per_brick=max(
            (r.bricks.page_bytes_per_brick for r in renderers), default=0.0
        ),
        frames=manager.statistics.frames,
        late_frames=manager.statistics.late_frames,
        failures=[_failure_entry(f) for f in failures],
        adapter=view.gpu.adapter,
        versions=_versions(accounts),
    )


def _needed_bytes(
    accounts: Sequence[Account], renderers: Sequence[LayerRenderer]
) -> tuple[int, int]:
    minimum = in_memory = 0
    for account in accounts:
        mine = [r for r in renderers if r.layer.store is account.store]
        read, at_hand = account.needed_bytes(*mine)
        minimum += read
        in_memory += at_hand
    return minimum, in_memory


def _storage_counts(renderers: Sequence[LayerRenderer]) -> dict[str, int]:
    counts = dict.fromkeys(("wanted", "loaded", "missing", "failed"), 0)
    for renderer in renderers:
        for name, n in renderer.storage_counts().items():
            counts[name] += n
    return counts | {"cancelled": _n_cancelled(renderers)}


def _brick_counts(renderers: Sequence[LayerRenderer]) -> dict[str, int]:
    names = ("wanted", "loaded", "missing", "failed", "damaged")
    counts = dict.fromkeys(names, 0)
    for renderer in renderers:
        for name, n in renderer.chunk_counts().items():
            counts[name] += n
    return counts | {"cancelled": _n_cancelled(renderers)}


def _n_cancelled(renderers: Sequence[LayerRenderer]) -> int:
    return sum(r.layer.loader.status(r.visual_id).cancelled for r in renderers)


def _failure_entry(failure: ChunkFailure) -> dict[str, Any]:
    return {
        "level": failure.chunk_id.scale_level,
        "chunk": list(failure.chunk_id.index),
        "storage_chunk": list(failure.storage_index),
        "key": failure.key,
        "reason": failure.reason,
    }


def _versions(accounts: Sequence[Account]) -> dict[str, str]:
    names = ("napari-brickfield", "pygfx", "wgpu", "tensorstore", "numpy")
    formats = ", ".join(dict.fromkeys(a.store.info.format for a in accounts))
    return {name: version(name) for name in names} | {"format": formats}
