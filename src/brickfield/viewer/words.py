"""What a view has to say, in words for the person in front of it.

Pure functions from plain numbers to short texts; no text is longer than a status
line. A picture is only called complete when it is, a hundred percent only when
everything is there, and a fault always comes with its consequence.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol, SupportsFloat

from brickfield.blockwise.budget import format_bytes
from brickfield.model.requests import ChunkFailure
from brickfield.viewer.quantities import duration, percent, rate

DOT = " · "
_QUALITIES = ((0.75, "exact"), (1.5, "sharp"), (3.0, "good"), (6.0, "quick"))


class Report(Protocol):
    """What :func:`status` needs to know; a view's report has it."""

    @property
    def is_complete(self) -> bool:
        """Whether the picture is as good as was asked for."""
        ...

    @property
    def is_moving(self) -> bool:
        """Whether the camera moves, and less is drawn for it."""
        ...

    @property
    def has_base(self) -> bool:
        """Whether the coarse overview is there."""
        ...

    @property
    def percent(self) -> float:
        """Share of the wanted chunks that are done, 0 to 100."""
        ...

    @property
    def rate(self) -> float:
        """Bytes a second, lately."""
        ...

    @property
    def seconds_left(self) -> float | None:
        """Estimate; None while unknown."""
        ...

    @property
    def levels(self) -> Sequence[int]:
        """Finest and coarsest level drawn; empty when nothing is."""
        ...

    @property
    def is_coarsened(self) -> bool:
        """Whether the budget allows no finer picture."""
        ...

    @property
    def failures(self) -> Sequence[ChunkFailure]:
        """What could not be read."""
        ...

    @property
    def error(self) -> str:
        """One sentence when nothing can be drawn."""
        ...


def status(report: Report, *, is_remote: bool = False) -> str:
    """Say how far a picture is.

    Parameters
    ----------
    report : Report
    is_remote : bool
        Whether the data come from a server.
    """
    if report.error:
        return report.error
    if report.is_complete and not report.is_moving:
        return _complete(report)
    stands_still = report.rate <= 0 and report.seconds_left is None
    if not report.has_base:
        is_waiting = stands_still and is_remote
        return "waiting for the server…" if is_waiting else "loading the overview…"
    if report.is_moving:
        return DOT.join(["moving", *_levels(report, "–")])
    # All chunks may be there while some are not drawn yet.
    parts = [f"sharpening {percent(min(report.percent, 99.0))}"]
    if report.seconds_left:
        parts.append(f"{duration(report.seconds_left)} left")
    parts += _levels(report, "→")
    if report.rate > 0:
        parts.append(rate(report.rate))
    elif stands_still and is_remote:
        parts.append("waiting for the server…")
    return DOT.join(parts)


def _complete(report: Report) -> str:
    head = "complete"
    if report.failures:
        head += f" but for {_chunks(len(report.failures))}"
    text = DOT.join([head, *_levels(report, "–")])
    return f"{text} (the GPU budget allows no finer)" if report.is_coarsened else text


def _levels(report: Report, sign: str) -> list[str]:
    if not report.levels:
        return []
    finest, coarsest = min(report.levels), max(report.levels)
    if finest == coarsest:
        return [f"level {finest}"]
    first, last = (coarsest, finest) if sign == "→" else (finest, coarsest)
    return [f"level {first}{sign}{last}"]


def _chunks(n: int) -> str:
    return "1 chunk" if n == 1 else f"{n} chunks"


def failures(found: Sequence[ChunkFailure]) -> str:
    """Say what could not be read and what that means; "" without failures."""
    if not found:
        return ""
    levels = sorted({f.chunk_id.scale_level for f in found})
    where = f"level {levels[0]}"
    if len(levels) > 1:
        where = f"levels {', '.join(map(str, levels[:-1]))} and {levels[-1]}"
    advice = " Try again later." if any(f.is_transient for f in found) else ""
    return (
        f"{_chunks(len(found))} of {where} could not be read"
        f" ({_cause(found[0])}). Shown coarser.{advice}"
    )


def _cause(failure: ChunkFailure) -> str:
    if failure.is_transient:
        return f"no answer for {failure.key}"
    if "denied" in failure.reason:
        return f"access denied to {failure.key}"
    if "damaged" in failure.reason or "corrupt" in failure.reason:
        return f"corrupt file {failure.key}"
    return failure.key or failure.reason


def failure_lines(found: Sequence[ChunkFailure], *, most: int = 12) -> list[str]:
    """Return one line a failure, and how many more there are."""
    lines = [
        f"level {f.chunk_id.scale_level}, {f.key}: {f.reason}" for f in found[:most]
    ]
    more = len(found) - most
    return [*lines, f"and {_chunks(more)} more"] if more > 0 else lines


def under_cursor(
    values: Sequence[SupportsFloat | None],
    place: str,
    *,
    level: int,
    is_labels: bool = False,
) -> str:
    """Say what lies under the cursor: 1024 at (z 12.4, …) · level 1.

    Parameters
    ----------
    values : sequence
        Value of every drawn channel in the type of the file; None where the voxel
        is not at hand.
    place : str
        See :func:`brickfield.viewer.quantities.coordinates`.
    level : int
    is_labels : bool
        Whether values are object numbers.
    """
    texts = [_value(v) for v in values]
    what = ", ".join(texts) if any(v is not None for v in values) else "not loaded"
    return f"{'label ' if is_labels else ''}{what} at {place}{DOT}level {level}"


def _value(value: SupportsFloat | None) -> str:
    if value is None:
        return "–"
    kind = getattr(getattr(value, "dtype", None), "kind", "")
    if isinstance(value, int) or (kind in "biu" and kind):
        return str(value)
    return f"{float(value):.6g}"


def memory(used: float, budget: float) -> str:
    """Say how much of a budget is used: 412 MiB of 1 GiB."""
    return f"{_rounded(used)} of {_rounded(budget)}"


def level_estimate(level: int, n_bytes: float, budget: float) -> str:
    """Say what a forced level would take, and what happens when that is too much."""
    text = f"level {level} takes {_rounded(n_bytes)} of GPU memory"
    if n_bytes <= budget:
        return f"{text} of the {_rounded(budget)} allowed"
    return f"{text}; {_rounded(budget)} are allowed, so parts will stay coarser"


def _rounded(n_bytes: float) -> str:
    number, _, unit = format_bytes(max(n_bytes, 0)).partition(" ")
    return f"{float(number):.3g} {unit}" if float(number) < 1000 else f"{number} {unit}"


def quality(target_error_px: float) -> str:
    """Name a target screen-space error: exact, sharp, good, quick or draft."""
    for limit, name in _QUALITIES:
        if target_error_px < limit:
            return name
    return "draft"
