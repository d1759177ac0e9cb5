"""Volumes in memory transformed on threads, while the window goes on.

Invariant: every request ends once, as done, failed or cancelled; its signals come in
order, on the thread that made the manager. Errors are values: a request that fails says
so by :attr:`TransformManager.transform_error` and by :meth:`TransformManager.result`,
and disturbs no other.

A request first has its content read through (about 1 GB/s) to find out whether its
result is kept or under way already; that happens on a thread of its own, so that it
waits for no computation. There are threads only while there is work.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Sequence
from typing import Any, Self

from numpy.typing import NDArray
from psygnal import EmitLoopError, Signal

from brickfield.blockwise import parse_bytes
from brickfield.errors import OptionError
from brickfield.transforms.requests.book import (
    RequestBook,
    wait_for,
)
from brickfield.transforms.requests.cache import ResultCache
from brickfield.transforms.requests.delivery import Waker
from brickfield.transforms.requests.threads import RequestThreads
from brickfield.transforms.requests.workers import (
    CombinedTransformWorker,
    DownsampleWorker,
    GaussianSmoothWorker,
    RotationTransformWorker,
    TranslationWorker,
    VolumeWorker,
)
from brickfield.writing import Triple

logger = logging.getLogger(__name__)
AnyArray = NDArray[Any]
Offsets = Sequence[float]


class TransformManager:
    """Transforms volumes on threads, higher priority first, then first come.

    Methods may be called from any thread. Equal requests (the same bytes, the same
    parameters) share one computation; results are kept while both limits hold.

    Parameters
    ----------
    max_workers : int
        Computations at the same time.
    cache_size : int
        Results that are kept at most; 0 keeps none.
    cache_bytes : str or int
        Bytes that they have at most.

    Attributes
    ----------
    transform_started : psygnal.Signal(request_id, channel_id)
    transform_progress : psygnal.Signal(request_id, percent)
    transform_completed : psygnal.Signal(request_id, channel_id, result)
    transform_error : psygnal.Signal(request_id, message)
    transform_cancelled : psygnal.Signal(request_id)
        All are emitted on the thread that made the manager: from Qt's event loop where
        there is one, else by :meth:`deliver`.

    Raises
    ------
    OptionError
        When a number cannot be used.
    """

    transform_started = Signal(int, int)
    transform_progress = Signal(int, int)
    transform_completed = Signal(int, int, object)
    transform_error = Signal(int, str)
    transform_cancelled = Signal(int)

    def __init__(
        self,
        max_workers: int = 2,
        cache_size: int = 10,
        cache_bytes: str | int = "512 MiB",
    ) -> None:
        if max_workers < 1 or cache_size < 0:
            msg = (
                f"expected at least 1 worker and a cache of at least 0 results; found"
                f" {max_workers} and {cache_size}"
            )
            raise OptionError(msg)
        self._lock = threading.Lock()
        self._book = RequestBook(ResultCache(cache_size, parse_bytes(cache_bytes)))
        self._is_closed = False
        self._waker = Waker(self.deliver)
        self._threads = RequestThreads(self._book, self._lock, max_workers, self._waker)

    # -- asking ------------------------------------------------------------------

    def submit(self, worker: VolumeWorker) -> int:
        """Ask for what a worker computes.

        Parameters
        ----------
        worker : VolumeWorker

        Returns
        -------
        int
            Id of the request.

        Raises
        ------
        OptionError
            When the manager is closed.
        """
        with self._lock:
            if self._is_closed:
                msg = "expected an open manager; found it closed: make another one"
                raise OptionError(msg)
            request = self._book.add(worker)
            self._threads.start()
        return request.number

    def submit_rotation(  # noqa: PLR0913 -- what a turn needs
        self,
        channel_id: int,
        volume: Any,
        rotation_deg: float,
        center_voxels: Offsets | None = None,
        axis: str = "y",
        voxel_size: Offsets = (1.0, 1.0, 1.0),
        order: int = 1,
        priority: int = 0,
    ) -> int:
        """Ask for a turned volume.

        Parameters
        ----------
        channel_id, volume, rotation_deg, center_voxels, axis, voxel_size, order, priority
            See :class:`~brickfield.transforms.requests.workers.RotationTransformWorker`.

        Returns
        -------
        int
            Id of the request.
        """
        return self.submit(
            RotationTransformWorker(
                channel_id=channel_id,
                volume=volume,
                rotation_deg=rotation_deg,
                center_voxels=center_voxels,
                axis=axis,
                voxel_size=voxel_size,
                order=order,
                priority=priority,
            )
        )

    def submit_translation(
        self,
        channel_id: int,
        volume: Any,
        offset_voxels: Offsets,
        order: int = 1,
        priority: int = 0,
    ) -> int:
        """Ask for a shifted volume.

        Parameters
        ----------
        channel_id, volume, offset_voxels, order, priority
            See :class:`~brickfield.transforms.requests.workers.TranslationWorker`.

        Returns
        -------
        int
            Id of the request.
        """
        return self.submit(
            TranslationWorker(
                channel_id=channel_id,
                volume=volume,
                offset_voxels=offset_voxels,
                order=order,
                priority=priority,
            )
        )

    def submit_combined(  # noqa: PLR0913 -- what a turn and a shift need
        self,
        channel_id: int,
        volume: Any,
        rotation_deg: float,
        offset_voxels: Offsets,
        center_voxels: Offsets | None = None,
        axis: str = "y",
        voxel_size: Offsets = (1.0, 1.0, 1.0),
        order: int = 1,
        priority: int = 0,
    ) -> int:
        """Ask for a volume that is first turned, then shifted.

        Parameters
        ----------
        channel_id, volume, rotation_deg, offset_voxels, center_voxels, axis, voxel_size
        order, priority
            See :class:`~brickfield.transforms.requests.workers.CombinedTransformWorker`.

        Returns
        -------
        int
            Id of the request.
        """
        return self.submit(
            CombinedTransformWorker(
                channel_id=channel_id,
                volume=volume,
                rotation_deg=rotation_deg,
                offset_voxels=offset_voxels,
                center_voxels=center_voxels,
                axis=axis,
                voxel_size=voxel_size,
                order=order,
                priority=priority,
            )
        )

    def submit_gaussian(
        self,
        channel_id: int,
        volume: Any,
        sigma: float | Offsets,
        priority: int = 0,
    ) -> int:
        """Ask for a smoothed volume.

        Parameters
        ----------
        channel_id, volume, sigma, priority
            See :class:`~brickfield.transforms.requests.workers.GaussianSmoothWorker`.

        Returns
        -------
        int
            Id of the request.
        """
        return self.submit(
            GaussianSmoothWorker(
                channel_id=channel_id, volume=volume, sigma=sigma, priority=priority
            )
        )

    def submit_downsample(
        self, channel_id: int, volume: Any, factor: Triple = 3, priority: int = 0
    ) -> int:
        """Ask for a volume of fewer voxels.

        Parameters
        ----------
        channel_id, volume, factor, priority
            See :class:`~brickfield.transforms.requests.workers.DownsampleWorker`.

        Returns
        -------
        int
            Id of the request.
        """
        return self.submit(
            DownsampleWorker(
                channel_id=channel_id, volume=volume, factor=factor, priority=priority
            )
        )

    # -- results -----------------------------------------------------------------

    def result(self, request_id: int, timeout: float | None = None) -> AnyArray:
        """Wait for a result.

        A result is held for its request until it is given out here, or to a listener of
        :attr:`transform_completed`; from then on only while somebody uses it or the
        cache keeps it.

        Parameters
        ----------
        request_id : int
        timeout : float, optional
            Seconds; as long as it takes if not given.

        Returns
        -------
        ndarray, shape (z, y, x)
            Read-only.

        Raises
        ------
        OptionError
            When there is no such request, or a parameter could not be used.
        CancelledError
            When it was cancelled.
        TimeoutError
            When it takes longer.
        """
        with self._lock:
            request = self._book.request(request_id)
        wait_for(request, timeout)
        with self._lock:
            return self._book.claim(request)

    def cancel(self, request_id: int) -> bool:
        """Cancel a request; the computation ends within 50 ms.

        Parameters
        ----------
        request_id : int

        Returns
        -------
        bool
            Whether it was still to come.

        Raises
        ------
        OptionError
            When there is no such request.
        """
        with self._lock:
            is_cancelled = self._book.cancel(self._book.request(request_id))
        self._waker()
        return is_cancelled

    def cancel_all(self) -> None:
        """Cancel all requests."""
        with self._lock:
            for request in self._book.open_requests():
                self._book.cancel(request)
        self._waker()

    def clear_cache(self) -> None:
        """Forget the results that are kept; the counts go on."""
        with self._lock:
            self._book.cache.clear()

    def cache_info(self) -> dict[str, int]:
        """Count.

        Returns
        -------
        dict
            ``hits`` (requests answered by a kept result), ``misses`` (that began a
            computation), ``shared`` (that joined one under way), ``computed``
            (computations that ended well), ``entries``, ``bytes`` and ``max_bytes`` of
            the results that are kept.
        """
        with self._lock:
            book = self._book
            return {
                "hits": book.hits,
                "misses": book.misses,
                "computed": book.computed,
                "shared": book.shared,
                "entries": len(book.cache),
                "bytes": book.cache.n_bytes,
                "max_bytes": book.cache.most_bytes,
            }

    def deliver(self) -> int:
        """Emit the signals that are waiting; on the thread that made the manager.

        Returns
        -------
        int
            How many there were.
        """
        n = 0
        while True:
            with self._lock:
                if not self._book.emissions:
                    return n
                name, said = self._book.emissions.popleft()
            n += 1
            self._emit(name, said)

    def _emit(self, name: str, said: tuple[Any, ...]) -> None:
        signal = getattr(self, name)
        try:
            signal.emit(*said)
        except EmitLoopError:
            logger.exception("a listener of %s failed", name)
        if name == "transform_completed" and len(signal):
            with self._lock:
                self._book.release_result(self._book.request(said[0]))

    def close(self) -> None:
        """Cancel everything and wait for the threads; may be called twice."""
        with self._lock:
            self._is_closed = True
            for request in self._book.open_requests():
                self._book.cancel(request)
            self._book.cache.clear()
        self._threads.join()
        self._waker()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
