"""Preferences of the plugin in napari, as values.

napari owns the preferences (they are declared in ``napari.yaml`` and kept in its
settings folder). Here they are read, and applied to what the whole process shares: the
RAM budget of the chunk cache. Views and readers take the rest from :func:`settings` and
listen to :data:`settings_events`. Main thread only.

A dock keeps budgets, framing and open panels here, too. Budgets are the preferences of
the *Brickfield* page; a slider in the dock writes there, so that both show one value.
So does a second press of *Fit*. Which panels are open is kept for the session only:
napari has no place for a plugin's window state.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from psygnal import Signal

from brickfield.loading import DEFAULT_RAM_BUDGET, default_cache
from brickfield.plugin.names import PLUGIN

_MIB = 1 << 20


@dataclass(frozen=True, slots=True)
class Settings:
    """Preferences.

    Attributes
    ----------
    gpu_budget_bytes : int
        Of all views of a dock together.
    ram_budget_bytes : int
        Of decoded chunks, the whole process.
    quality_px : float
        Target screen-space error of a view at rest, pixels.
    concurrency : int
        Reads in flight at once for each image; 0 leaves it to the kind of store.
    frame_content : bool
        Whether the first view of sparse data is framed by what can be seen.
    open_dock : bool
        Whether the dock opens with images that are dropped on the window, and with
        samples.
    """

    gpu_budget_bytes: int = 1 << 30
    ram_budget_bytes: int = DEFAULT_RAM_BUDGET
    quality_px: float = 1.0
    concurrency: int = 0
    frame_content: bool = True
    open_dock: bool = True


class SettingsEvents:
    """Signals of the preferences."""

    changed = Signal(Settings)


settings_events = SettingsEvents()
"""``settings_events.changed.connect(function)`` hears of every change, with the new values."""


def settings() -> Settings:
    """Return the preferences of now, and apply the RAM budget."""
    return _watched()()


def _read(groups: Any) -> Settings:
    return Settings(
        gpu_budget_bytes=int(groups.memory.gpu_mib) * _MIB,
        ram_budget_bytes=int(groups.memory.ram_mib) * _MIB,
        quality_px=float(groups.drawing.quality_px),
        concurrency=int(groups.loading.concurrency),
        frame_content=bool(groups.drawing.frame_content),
        open_dock=bool(groups.opening.open_dock),
    )


class _Watch:
    """Reads the preferences again at each change."""

    def __init__(self, groups: Any) -> None:
        self.groups = groups
        self._now = Settings() if groups is None else _read(groups)
        default_cache().budget_bytes = self._now.ram_budget_bytes
        if groups is None:
            return
        for group in (groups.memory, groups.drawing, groups.loading, groups.opening):
            group.events.connect(self._on_change)

    def __call__(self) -> Settings:
        return self._now

    def _on_change(self, _event: Any = None) -> None:
        now = _read(self.groups)
        if now == self._now:
            return
        if now.ram_budget_bytes != self._now.ram_budget_bytes:
            default_cache().budget_bytes = now.ram_budget_bytes
        self._now = now
        settings_events.changed.emit(now)


_watches: list[_Watch] = []


def _watched() -> _Watch:
    groups = preferences()
    # napari recreates its settings for tests; a user's process has one.
    if not _watches or _watches[0].groups is not groups:
        _watches[:] = [_Watch(groups)]
    return _watches[0]


def preferences() -> Any:
    """Return napari's preferences of this plugin; None where it is not installed."""
    from napari.settings import get_plugin_settings

    try:
        return get_plugin_settings(PLUGIN)
    except KeyError:  # not installed, or switched off
        return None


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
        settings_events.changed.connect(self._on_change)

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
