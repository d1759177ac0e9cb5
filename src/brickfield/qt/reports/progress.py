"""What a status line says, out of the reports of several views and the time.

Invariant: what is done at once is never announced. Work is told of when it has
taken a third of a second, and silence of storage when reads have been out for five.
A share that was told of some work does not fall before that work is done, or the
camera moves.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from brickfield.model.requests import ChunkFailure
from brickfield.model.units import duration
from brickfield.viewer.live.frame_state import ViewReport
from brickfield.viewer.receipts import text_status as words
from brickfield.viewer.receipts.fidelity import least_true
from brickfield.viewer.receipts.level_names import UNNAMED, LevelNames

QUIET_S = 0.3
"""Work that takes less is not told of."""
LEAST_ELAPSED_S = 1.0
"""Before that nothing is guessed from the share that is done."""
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
    level_names : LevelNames
        What the levels of the failures are called.
    is_busy : bool
        Whether it will change soon without anybody's doing.
    fidelity : str
        Of the least true picture; "" without one. See
        :data:`brickfield.viewer.receipts.fidelity.Fidelity`.
    """

    text: str = ""
    percent: float | None = None
    error: str = ""
    failures: tuple[ChunkFailure, ...] = ()
    is_busy: bool = False
    fidelity: str = ""
    level_names: LevelNames = UNNAMED


class Progress:
    """Remembers since when there is work, and when something last arrived."""

    def __init__(self) -> None:
        self._began: float | None = None
        self._moved_at = 0.0
        self._moved: tuple[int, int] | None = None
        self._calm = Shown()
        self._reached = 0.0

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
        is_broken = any(r.error for r in reports)
        reports = [r for r in reports if _has_data(r) and not r.error]
        failures = tuple(dict.fromkeys(f for r in reports for f in r.failures))
        names = next((r.level_names for r in reports if r.failures), UNNAMED)
        said = Shown(error=error, failures=failures, level_names=names)
        waiting = [r for r in reports if r.fidelity == "improving" or r.is_moving]
        if not waiting:
            self._began = self._moved = None
            self._reached = 0.0
            text = words.status(_coarsest(reports)) if reports else ""
            word = "failed" if is_broken else least_true(r.fidelity for r in reports)
            self._calm = replace(said, text=text, fidelity=word)
            return self._calm
        self._note(waiting, now)
        assert self._began is not None
        if now - self._began < QUIET_S and self._calm.text:
            # The work is not told of, but no picture is called better than it is.
            word = words.resolution(_coarsest(waiting)) or self._calm.text
            return replace(said, text=word, is_busy=True, fidelity="improving")
        busiest = self._going_on(min(waiting, key=lambda r: (r.is_moving, r.percent)))
        text = self._text(self._with_time_left(busiest, now), now)
        percent = None if busiest.is_moving else min(busiest.percent, 99.0)
        return replace(
            said, text=text, percent=percent, is_busy=True, fidelity="improving"
        )

    def _text(self, report: ViewReport, now: float) -> str:
        is_remote = _is_remote(report)
        text = words.status(report, is_remote=is_remote)
        silence = now - self._moved_at
        # Drawing takes its time with nothing left to read: that is no silence.
        if silence > STALLED_S and report.waiting and not report.is_moving:
            who = "the server has sent" if is_remote else "storage has given"
            return f"{who} nothing for {duration(silence)}{words.DOT}{text}"
        return text

    def _going_on(self, report: ViewReport) -> ViewReport:
        """Keep what was reached: a plan that grows is no step back."""
        if report.is_moving:
            self._reached = 0.0
            return report
        self._reached = max(self._reached, min(report.percent, 99.0))
        return replace(report, least_percent=self._reached)

    def _with_time_left(self, report: ViewReport, now: float) -> ViewReport:
        """Guess from the share that is done where the loader knows no rate."""
        assert self._began is not None
        elapsed, share = now - self._began, report.percent / 100
        is_silent = report.waiting and report.rate <= 0
        is_early = elapsed < LEAST_ELAPSED_S or not 0 < share < 1
        if report.seconds_left or is_silent or is_early:
            return report
        return replace(report, seconds_left=elapsed * (1 - share) / share)

    def _note(self, waiting: Sequence[ViewReport], now: float) -> None:
        moved = (
            sum(r.done + r.drawn for r in waiting),
            sum(r.wanted + r.to_draw for r in waiting),
        )
        if self._began is None:
            self._began = now
        if moved != self._moved or any(r.is_moving for r in waiting):
            self._moved, self._moved_at = moved, now


def _has_data(report: ViewReport) -> bool:
    return report.is_starting or bool(report.state.layers)


def _coarsest(reports: Sequence[ViewReport]) -> ViewReport:
    """The view that shows the least detail speaks for all."""
    return max(reports, key=lambda r: max(r.levels, default=-1))


def _is_remote(report: ViewReport) -> bool:
    return any(layer.store.source.is_remote for layer in report.state.layers)
