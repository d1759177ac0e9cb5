"""What a status line says, out of the reports of several views and the time.

Invariant: what is done at once is never announced. Work is told of when it has
taken a third of a second, and silence of storage when it has lasted five.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from brickfield.model.requests import ChunkFailure
from brickfield.viewer import words
from brickfield.viewer.live_state import ViewReport
from brickfield.viewer.quantities import duration

QUIET_S = 0.3
"""Work that takes less is not told of."""
STALLED_S = 5.0
"""Silence after which it is said that nothing arrives."""


@dataclass(frozen=True)
class Shown:
    """What there is to say.

    Attributes
    ----------
    text : str
        One line.
    percent : float or None
        For a progress bar; None without one.
    error : str
        Why nothing can be drawn, or not what was asked for; "" otherwise.
    failures : tuple of ChunkFailure
    is_busy : bool
        Whether it will change soon without anybody's doing.
    """

    text: str = ""
    percent: float | None = None
    error: str = ""
    failures: tuple[ChunkFailure, ...] = ()
    is_busy: bool = False


class Progress:
    """Remembers since when there is work, and when something last arrived."""

    def __init__(self) -> None:
        self._began: float | None = None
        self._moved_at = 0.0
        self._moved: tuple[int, int] | None = None
        self._calm = ""

    def look(self, reports: Sequence[ViewReport], now: float) -> Shown:
        """Say how it stands.

        Parameters
        ----------
        reports : sequence of ViewReport
            The latest of each view.
        now : float
            Seconds of any clock.
        """
        told = [r.error for r in reports] + [r.notice for r in reports]
        error = next(filter(None, told), "")
        reports = [r for r in reports if r.state.layers and not r.error]
        failures = tuple(dict.fromkeys(f for r in reports for f in r.failures))
        waiting = [r for r in reports if not r.is_complete or r.is_moving]
        if not waiting:
            self._began = self._moved = None
            self._calm = words.status(_coarsest(reports)) if reports else ""
            return Shown(self._calm, error=error, failures=failures)
        self._note(waiting, now)
        busiest = min(waiting, key=lambda r: (r.is_moving, r.percent))
        assert self._began is not None
        if now - self._began < QUIET_S and self._calm:
            return Shown(self._calm, None, error, failures, is_busy=True)
        text = words.status(busiest, is_remote=_is_remote(busiest))
        is_moving = busiest.is_moving
        silence = now - self._moved_at
        if silence > STALLED_S and not is_moving:
            who = "the server has sent" if _is_remote(busiest) else "storage has given"
            text = f"{who} nothing for {duration(silence)}{words.DOT}{text}"
        percent = None if is_moving else min(busiest.percent, 99.0)
        return Shown(text, percent, error, failures, is_busy=True)

    def _note(self, waiting: Sequence[ViewReport], now: float) -> None:
        moved = (sum(r.done for r in waiting), sum(r.wanted for r in waiting))
        if self._began is None:
            self._began = now
        if moved != self._moved or any(r.is_moving for r in waiting):
            self._moved, self._moved_at = moved, now


def _coarsest(reports: Sequence[ViewReport]) -> ViewReport:
    """The view that shows the least detail speaks for all."""
    return max(reports, key=lambda r: max(r.levels, default=-1))


def _is_remote(report: ViewReport) -> bool:
    return any(layer.store.source.is_remote for layer in report.state.layers)
