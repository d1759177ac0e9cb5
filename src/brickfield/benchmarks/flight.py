"""A flight round an image: the same cameras every time, each picture waited for.

All GPU work is done on the render thread, in turns with views that are open, as for
every picture. The first flight of a process compiles the ray caster, too: that is what
a warm-up is for.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import ExitStack
from copy import copy
from time import perf_counter
from types import TracebackType
from typing import Self

import numpy as np

from brickfield.errors import StoreUnreachableError
from brickfield.loading import ChunkCache
from brickfield.rendering import OffscreenView, render_thread
from brickfield.sources import ChunkSource
from brickfield.store import ChunkedImageStore
from brickfield.viewer.export import camera_for, make_layer, render_options

SIZE = (512, 512)
"""Width and height of the pictures, pixels."""
CAMERAS = tuple(f"orbit:{35 + 12 * i},{20 + 3 * i},{1 + 0.25 * i}" for i in range(8))
"""Round the image and nearer and nearer."""
GPU_BUDGET = 256 << 20
RAM_BUDGET = 512 << 20
PATIENCE_S = 60.0


class Flight:
    """Draws pictures along a path. A context; one thread at a time.

    Parameters
    ----------
    source : ChunkSource
        Left open.
    """

    def __init__(self, source: ChunkSource) -> None:
        self._source = source
        self._opened = ExitStack()
        self._frames_ms: list[float] = []
        self._bytes_read = self._n_needed = self._n_decoded = 0
        self._view: OffscreenView | None = None

    def __enter__(self) -> Self:
        cache = ChunkCache(RAM_BUDGET)
        self._store = ChunkedImageStore(_lent(self._source), cache=cache)
        self._opened.callback(self._store.close)
        self._layer = make_layer(self._store, render_options(channel=0))
        options = [render_options(size=SIZE, camera=text) for text in CAMERAS]
        self._cameras = [camera_for(self._layer, given) for given in options]
        self._opened.callback(self._close_view)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._opened.close()

    def forget(self) -> None:
        """Forget all chunks, so that each flight reads them again."""
        self._close_view()
        self._store.manager.cache.clear()
        self._view = render_thread().call(
            lambda: OffscreenView(SIZE, gpu_budget=GPU_BUDGET)
        )
        view, layer = self._view, self._layer
        render_thread().call(lambda: view.set_layers([layer]))

    def fly(self) -> None:
        """Draw a picture from every camera.

        Raises
        ------
        StoreUnreachableError
            When a picture does not become complete in time.
        """
        view = self._view
        assert view is not None
        for camera in self._cameras:
            before, start = self._store.manager.counters, perf_counter()
            view.camera = camera
            if not view.wait_until_complete(PATIENCE_S, carry_out=render_thread().call):
                msg = (
                    f"expected each picture complete within {PATIENCE_S:g} s; found one"
                    " that was not: measure on an image that is read faster, such as a local copy"
                )
                raise StoreUnreachableError(msg)
            render_thread().call(view.image)
            self._frames_ms.append(1e3 * (perf_counter() - start))
            now = self._store.manager.counters
            self._bytes_read += now.bytes_read - before.bytes_read
            self._n_decoded += now.decoded_chunks - before.decoded_chunks
            self._n_needed += sum(
                r.storage_counts()["wanted"] for r in view.manager.renderers
            )

    def further(self) -> Mapping[str, float]:
        """Return figures of all pictures: frame times, stored bytes read, chunks loaded.

        Returns
        -------
        mapping
            ``frame_p50_ms``, ``frame_p95_ms``, ``bytes_read`` (of all flights, the
            warm-up included) and ``hit_rate``, the share of the storage chunks that
            pictures needed and that were in memory.
        """
        if not self._frames_ms:
            return {}
        hits = max(0, self._n_needed - self._n_decoded)
        return {
            "frame_p50_ms": float(np.percentile(self._frames_ms, 50)),
            "frame_p95_ms": float(np.percentile(self._frames_ms, 95)),
            "bytes_read": float(self._bytes_read),
            "hit_rate": hits / max(1, self._n_needed),
        }

    def _close_view(self) -> None:
        view, self._view = self._view, None
        if view is not None:
            render_thread().call(view.close)


def _lent(source: ChunkSource) -> ChunkSource:
    """Return a source that stays open when a store that uses it is closed."""
    lent = copy(source)
    lent.close = lambda: None  # type: ignore[method-assign]
    return lent
