"""What a dock keeps in napari's preferences: budgets, framing, and open panels.

Budgets are the preferences of the *Brickfield* page; a slider in the dock writes
there, so that both show one value. So does a second press of *Fit*. Which panels are open is kept for the session
only: napari has no place for a plugin's window state.
"""

from __future__ import annotations

from typing import Any

from psygnal import Signal

from brickfield.loading.cache import default_cache
from brickfield.plugin.settings import Settings, board, preferences, settings

_MIB = 1 << 20
open_panels: dict[str, Any] = {}
"""Which panels are open, for every dock of the session."""


def keep_framing(by_content: bool) -> None:
    """Begin sparse data framed by what can be seen from now on, or by their box."""
    groups = preferences()
    if groups is not None:
        groups.drawing.frame_content = by_content


class PreferredBudgets:
    """The two budgets, kept in napari's preferences. Main thread only.

    Attributes
    ----------
    changed : psygnal.SignalInstance
        One of the budgets is another now; no arguments.
    """

    changed = Signal()

    def __init__(self) -> None:
        board.changed.connect(self._on_change)

    def _on_change(self, _now: Settings) -> None:
        self.changed.emit()

    @property
    def gpu_budget(self) -> int:
        """Bytes of GPU memory for all views of a dock together."""
        return settings().gpu_budget_bytes

    @gpu_budget.setter
    def gpu_budget(self, value: int) -> None:
        self._keep("gpu_mib", value)

    @property
    def ram_budget(self) -> int:
        """Bytes of the cache that the process shares."""
        return settings().ram_budget_bytes

    @ram_budget.setter
    def ram_budget(self, value: int) -> None:
        self._keep("ram_mib", value)

    @property
    def ram_used(self) -> int:
        """Bytes in the shared cache now."""
        return default_cache().nbytes

    @staticmethod
    def _keep(name: str, value: int) -> None:
        groups = preferences()
        if groups is not None:
            setattr(groups.memory, name, max(64, round(value / _MIB)))
