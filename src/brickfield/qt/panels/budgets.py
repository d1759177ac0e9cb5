"""The two budgets of bytes: whoever keeps them hands in an object of this kind."""

from __future__ import annotations

from typing import Protocol

from psygnal import Signal, SignalInstance

from brickfield.loading.cache import ChunkCache, default_cache
from brickfield.qt.panels.host import Host


class Budgets(Protocol):
    """Where budgets are read and written. Main thread only.

    Attributes
    ----------
    changed : psygnal.SignalInstance
        One of the budgets is another now; no arguments.
    gpu_budget : int
        Bytes of GPU memory for all views of the dock together.
    ram_budget : int
        Bytes of the cache that the process shares.
    """

    changed: SignalInstance

    @property
    def gpu_budget(self) -> int:
        """Bytes of GPU memory for all views together."""
        ...

    @gpu_budget.setter
    def gpu_budget(self, value: int) -> None: ...

    @property
    def ram_budget(self) -> int:
        """Bytes of the shared cache."""
        ...

    @ram_budget.setter
    def ram_budget(self, value: int) -> None: ...

    @property
    def ram_used(self) -> int:
        """Bytes in the shared cache now."""
        ...


class SessionBudgets:
    """Budgets of this dock and this process, kept nowhere else.

    Parameters
    ----------
    host : Host
    cache : ChunkCache, optional
        Default: the one that the process shares.
    """

    changed = Signal()

    def __init__(self, host: Host, cache: ChunkCache | None = None) -> None:
        self._host = host
        self._cache = default_cache() if cache is None else cache

    @property
    def gpu_budget(self) -> int:
        """Bytes of GPU memory for all views together."""
        return self._host.gpu_budget

    @gpu_budget.setter
    def gpu_budget(self, value: int) -> None:
        self._host.gpu_budget = value
        self.changed.emit()

    @property
    def ram_budget(self) -> int:
        """Bytes of the shared cache."""
        return self._cache.budget_bytes

    @ram_budget.setter
    def ram_budget(self, value: int) -> None:
        self._cache.budget_bytes = value
        self.changed.emit()

    @property
    def ram_used(self) -> int:
        """Bytes in the shared cache now."""
        return self._cache.nbytes
