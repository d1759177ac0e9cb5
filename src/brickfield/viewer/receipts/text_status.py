"""The state of a view as text for the user.

Pure functions from plain numbers to short texts; no text is longer than a status
line. A picture is only called complete when it is, a hundred percent only when
everything is there, and a fault always comes with its consequence.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol, SupportsFloat

from brickfield.blockwise import format_bytes
from brickfield.model.requests import ChunkFailure
from brickfield.model.units import counted, duration, percent, rate
from brickfield.viewer.receipts.level_names import UNNAMED, LevelNames, share

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
    def is_starting(self) -> bool:
        """Whether the renderer has not looked at the layers yet."""
        ...

    @property
    def has_renderer(self) -> bool:
        """Whether the renderer runs already."""
        ...

    @property
    def is_drawing(self) -> bool:
        """Whether only the drawing is left."""
        ...

    @property
    def fidelity(self) -> str:
        """One of :data:`brickfield.viewer.receipts.fidelity.Fidelity`."""
        ...

    @property
    def has_base(self) -> bool:
        """Whether the coarse overview is there."""
        ...

    @property
    def percent(self) -> float:
        """Share of the work that is done, 0 to 100."""
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
    def waiting(self) -> int:
        """Chunks that reads are out for."""
        ...

    @property
    def factors(self) -> Sequence[float]:
        """How much coarser than the data the finest and the coarsest drawn level are.

        Empty when nothing is drawn.
        """
        ...

    @property
    def is_coarsened(self) -> bool:
        """Whether the budget allows no finer picture."""
        ...

    @property
    def is_preview(self) -> bool:
        """Whether a layer stands for finer data that are not there."""
        ...

    @property
    def failures(self) -> Sequence[ChunkFailure]:
        """What could not be read."""
        ...

    @property
    def error(self) -> str:
        """One sentence when nothing can be drawn."""
        ...


LEAST_LEFT_S = 3.0
"""Work that ends sooner needs no time told."""


def status(report: Report, *, is_remote: bool = False) -> str:
    """Say how far a picture is, beside the word of its fidelity.

    The most important comes first: where there is little room the end is left out.

    Parameters
    ----------
    report : Report
    is_remote : bool
        Whether the data come from a server.
    """
    if report.error:
        return report.error[0].upper() + report.error[1:]
    if report.is_starting:
        return _beginning(report)
    if report.fidelity != "improving" and not report.is_moving:
        return _ended(report)
    stands_still = report.waiting and report.rate <= 0 and report.seconds_left is None
    is_waiting = bool(stands_still and is_remote)
    if not report.has_base:
        what = "reading" if report.waiting else "drawing"
        return "waiting for the server…" if is_waiting else f"{what} the overview…"
    if report.is_moving or report.is_drawing:
        what = "moving" if report.is_moving else "drawing…"
        return DOT.join([what, *_resolution(report, "–")])
    parts = [f"sharpening {percent(min(report.percent, 99.0))}"]
    if report.seconds_left and report.seconds_left >= LEAST_LEFT_S:
        parts.append(f"{duration(report.seconds_left)} left")
    parts += _resolution(report, "→")
    if report.waiting and report.rate > 0:
        parts.append(rate(report.rate))
    elif is_waiting:
        parts.append("waiting for the server…")
    return DOT.join(parts)


def _beginning(report: Report) -> str:
    if report.has_renderer:
        return "preparing the first picture…"
    return "starting the renderer…"


def _ended(report: Report) -> str:
    head, why = "", ""
    if report.failures:
        head = (
            f"{counted(len(report.failures), 'chunk')} could not be read, shown coarser"
        )
    elif report.is_preview:
        return "preview of data that are offline"
    elif report.fidelity == "limited":
        why = "the file has nothing finer that fits"
        if report.is_coarsened:
            why = "the GPU budget allows nothing finer"
    return DOT.join(part for part in (head, *_resolution(report, "–"), why) if part)


def resolution(report: Report) -> str:
    """Say how fine the drawn levels are, and nothing else; "" when none is drawn."""
    return DOT.join(_resolution(report, "–"))


def _resolution(report: Report, sign: str) -> list[str]:
    """Say how fine the drawn levels are: full resolution, 1/8 → full resolution."""
    if not report.factors:
        return []
    finest, coarsest = min(report.factors), max(report.factors)
    if finest == coarsest:
        return [f"{share(finest)} resolution"]
    first, last = (coarsest, finest) if sign == "→" else (finest, coarsest)
    joint = " → " if sign == "→" else " to "
    return [f"{share(first)}{joint}{share(last)} resolution"]


def failures(found: Sequence[ChunkFailure], names: LevelNames = UNNAMED) -> str:
    """Say what could not be read and what that means; "" without failures.

    Parameters
    ----------
    found : sequence of ChunkFailure
    names : LevelNames
        Of the layers that they belong to.
    """
    if not found:
        return ""
    levels = sorted({f.chunk_id.scale_level for f in found})
    where = names.resolution(levels[0])
    if len(levels) > 1:
        *first, last = [names.share(level) for level in levels]
        end = " resolution" if names.factors else ""
        where = f"{', '.join(first)} and {last}{end}"
    advice = " Try again later." if any(f.is_transient for f in found) else ""
    return (
        f"{counted(len(found), 'chunk')} at {where} could not be read"
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


def value_of(values: Sequence[SupportsFloat | None], *, is_labels: bool = False) -> str:
    """Say what a layer holds under the cursor: 1024, or label 12.

    Parameters
    ----------
    values : sequence
        Value of every drawn channel in the type of the file; None where the voxel
        is not loaded.
    is_labels : bool
        Whether values are object numbers.
    """
    texts = [_value(v) for v in values]
    what = ", ".join(texts) if any(v is not None for v in values) else "not loaded"
    return f"{'label ' if is_labels else ''}{what}"


def _value(value: SupportsFloat | None) -> str:
    if value is None:
        return "–"
    kind = getattr(getattr(value, "dtype", None), "kind", "")
    if isinstance(value, int) or (kind in "biu" and kind):
        return str(value)
    return f"{float(value):z.6g}"


def memory(used: float, budget: float) -> str:
    """Write how much of a budget is used: 412 MiB of 1 GiB.

    Parameters
    ----------
    used : float
        Bytes.
    budget : float
        Bytes.
    """
    return f"{_rounded(used)} of {_rounded(budget)}"


def level_estimate(resolution: str, n_bytes: float, budget: float) -> str:
    """Say what a forced level would take, and what happens when that is too much.

    Parameters
    ----------
    resolution : str
        Name of the level, of :meth:`.LevelNames.resolution`.
    n_bytes, budget : float
        GPU memory.
    """
    text = f"{resolution} takes {_rounded(n_bytes)} of GPU memory"
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
