"""Stored bytes that tensorstore asked for, shared out among reads.

tensorstore tells bytes read only as one number for the whole process and each
kind of store. A :class:`ByteMeter` hands that number's growth to whichever read asks
next, each byte to exactly one caller: a single read may be told its neighbour's
bytes, but the sum over all reads is what was really asked of the store.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from threading import Lock


class ByteMeter:
    """Hands out the growth of one counter. Any thread may call it.

    Parameters
    ----------
    driver : str
        tensorstore's name of the store, for example ``"http"``.
    what : str
        The last part of the metric's name: ``"read"`` counts requests.
    """

    def __init__(self, driver: str, what: str = "bytes_read") -> None:
        self._name = f"/tensorstore/kvstore/{driver}/{what}"
        self._lock = Lock()
        self._last = self._now()
        self._owed = 0
        self._n_reading = 0

    def _now(self) -> int:
        import tensorstore as ts

        for metric in ts.experimental_collect_matching_metrics(self._name):
            if metric["name"] == self._name:
                return int(metric["values"][0]["value"])
        return 0

    @contextmanager
    def reading(self) -> Iterator[None]:
        """Mark a read whose bytes will be taken, so that no one settles them."""
        with self._lock:
            self._n_reading += 1
        try:
            yield
        finally:
            with self._lock:
                self._n_reading -= 1

    def settle(self) -> None:
        """Forget what others read before, unless a read is under way."""
        with self._lock:
            if self._n_reading == 0:
                self._last = self._now()
                self._owed = 0

    def take(self) -> int:
        """Return the bytes that were not reported yet."""
        with self._lock:
            now = self._now()
            fresh = now - self._last - self._owed
            self._last = now
            # Excluded bytes may be counted late: then they stay owed.
            self._owed = max(0, -fresh)
            return max(0, fresh)

    def exclude(self, n_bytes: int) -> None:
        """Leave bytes out that were counted otherwise (metadata, known files)."""
        with self._lock:
            self._owed += n_bytes


_METERS: dict[tuple[str, str], ByteMeter] = {}
_METERS_LOCK = Lock()


def meter(driver: str, what: str = "bytes_read") -> ByteMeter:
    """Return the one meter of a driver and a metric.

    Parameters
    ----------
    driver : str
        Key-value driver of tensorstore, such as "file".
    what : str
        Metric of that driver.
    """
    name = (driver, what)
    with _METERS_LOCK:
        if name not in _METERS:
            _METERS[name] = ByteMeter(driver, what)
        return _METERS[name]
