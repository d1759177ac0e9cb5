"""How many lines and positions a row of frames was taken at.

A file of frames does not say it plainly. What there is, from sure to doubtful: the
user; the scan's size in the acquisition's description; frames per trigger, where
every line was triggered; gaps between the times of frames, at the end of lines; a
longer exposure once a line; the square root of the number of frames.

**Gaps.** A gap is an interval longer than the median by many median absolute
deviations. Single stalls of the detector are gaps, too, so the line length is the
*most frequent* distance between gaps, and it counts only when most gaps lie whole
lines apart and most lines end with one. Frames in front of the first line follow from where gaps
lie within a period, frames after the last line are left over. A period that is
longer by one or two than there are lines, or than a power of two, has frames of the
beam's way back in it: these are skipped after each line.

Everything here is pure but for the reads of headers through `timing`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import isqrt
from typing import Any

import numpy as np
from numpy.typing import NDArray

from brickfield.errors import OptionError
from brickfield.sources.scans.frame_stack import ScanGrid

Timing = Callable[[int], tuple[int | None, float | None]]
"""Frame number to time, nanoseconds, and exposure, seconds; None where not known."""
MOST_TIMED = 4096
"""Headers that are read to find lines; each costs a page of a cold disk."""
FIRST_TIMED = 256
ENOUGH_GAPS = 4
LEAST_SHARE = 0.6
"""Of the gaps that must lie a period apart, and of the periods that must have one."""
LEAST_GAP_NS = 500
MOST_SKIPPED = 2
"""Frames of the way back that are found by counting alone."""


@dataclass(frozen=True, slots=True)
class ScanShape:
    """A scan's shape, and how it was found.

    Attributes
    ----------
    grid : ScanGrid
    found_from : str
        ``"user"``, ``"header"``, ``"triggers"``, ``"time gaps"``, ``"exposure"``,
        ``"square"`` or ``"none"``.
    confidence : float
        0 to 1.
    reason : str
        One sentence for people.
    """

    grid: ScanGrid
    found_from: str
    confidence: float
    reason: str


@dataclass(frozen=True, slots=True)
class ScanOptions:
    """What a user says of the scan; None where it is to be found.

    Attributes
    ----------
    shape : tuple of int or None
        Lines, and positions along a line.
    skip_frames : int or None
        Frames in front of the first position.
    line_skip : int or None
        Frames after each line that belong to none.
    """

    shape: tuple[int, int] | None = None
    skip_frames: int | None = None
    line_skip: int | None = None

    def __post_init__(self) -> None:
        for name, n in (("skip", self.skip_frames), ("line skip", self.line_skip)):
            if n is not None and n < 0:
                msg = f"expected a {name} of 0 frames or more; found {n}"
                raise OptionError(msg)


@dataclass(frozen=True, slots=True)
class ScanHints:
    """What a file says of its scan; None where it is silent.

    Attributes
    ----------
    scan_y, scan_x : int or None
    per_trigger : int or None
        Frames that one trigger took.
    n_asked : int or None
        Frames that the acquisition was to have.
    timing : callable or None
    """

    scan_y: int | None = None
    scan_x: int | None = None
    per_trigger: int | None = None
    n_asked: int | None = None
    timing: Timing | None = None


@dataclass(frozen=True, slots=True)
class _Lines:
    """Lines: period and frames in front; share of gaps that agree; frames to skip."""

    period: int
    first: int
    share: float
    n_gaps: int
    skip: int | None = None


def find_scan_shape(
    n_frames: int, hints: ScanHints, options: ScanOptions | None = None
) -> ScanShape:
    """Find out the shape of a scan.

    Parameters
    ----------
    n_frames : int
        In the files, 1 or more.
    hints : ScanHints
    options : ScanOptions, optional

    Returns
    -------
    ScanShape
        Whose grid needs no more frames than there are, unless the user gave it.

    Raises
    ------
    OptionError
        If more frames are to be skipped than there are.
    """
    options = options or ScanOptions()
    if options.shape is not None:
        grid = ScanGrid(
            *options.shape, options.skip_frames or 0, options.line_skip or 0
        )
        return ScanShape(grid, "user", 1.0, "as given")
    first = options.skip_frames or 0
    n = n_frames - first
    if n < 1:
        msg = (
            f"expected fewer frames to skip than the {n_frames} that there are; found"
            f" {first}"
        )
        raise OptionError(msg)
    for look in (_from_header, _from_triggers, _from_gaps, _from_exposure, _from_root):
        found = look(n, _moved(hints, first), options.line_skip)
        if found is not None:
            break
    else:
        reason = f"nothing tells lines apart: {n} positions in one line"
        found = ScanShape(ScanGrid(1, n), "none", 0.1, reason)
    grid = found.grid
    if first:
        # What the user skips is in front already.
        grid = ScanGrid(grid.ny, grid.nx, first + grid.first, grid.line_skip)
    return ScanShape(grid, found.found_from, found.confidence, found.reason)


def _moved(hints: ScanHints, first: int) -> ScanHints:
    timing = hints.timing
    if not first or timing is None:
        return hints
    return ScanHints(
        hints.scan_y,
        hints.scan_x,
        hints.per_trigger,
        hints.n_asked,
        lambda number: timing(number + first),
    )


def _from_header(n: int, hints: ScanHints, line_skip: int | None) -> ScanShape | None:
    ny, nx = hints.scan_y, hints.scan_x
    if nx is None or nx > n:
        return None
    skip = line_skip
    if skip is None:
        skips = (k for k in range(1, 5) if ny is not None and n == ny * (nx + k))
        skip = next(skips, 0)
    most = (n + skip) // (nx + skip)
    lines = most if ny is None else min(ny, most)
    grid, reason = ScanGrid(lines, nx, 0, skip), "ScanX and ScanY of the .hdr file"
    if ny is not None and ny > most:
        reason += f", cut to the {most} lines that are there"
    elif n > grid.n_needed and not skip and hints.timing is not None:
        found = _lines_from_gaps(n, hints.timing)
        if found is not None and found.period == nx:
            first = min(found.first, n - grid.n_needed)
            grid = ScanGrid(lines, nx, first, 0)
    return ScanShape(grid, "header", 1.0 if ny == lines else 0.9, reason)


def _from_triggers(n: int, hints: ScanHints, line_skip: int | None) -> ScanShape | None:
    per = hints.per_trigger
    # One frame: every position was triggered; all frames: the scan was, as a whole.
    if per is None or not 1 < per < n:
        return None
    skip = min(line_skip or 0, per - 1)
    lines = (n + skip) // per
    if not lines:
        return None
    reason = f"{per} frames per trigger in the .hdr file"
    confidence = 0.9 if n % per == 0 else 0.7
    return ScanShape(
        ScanGrid(lines, per - skip, 0, skip), "triggers", confidence, reason
    )


def _from_gaps(n: int, hints: ScanHints, line_skip: int | None) -> ScanShape | None:
    if hints.timing is None:
        return None
    lines = _lines_from_gaps(n, hints.timing)
    if lines is None:
        return None
    confidence = min(0.95, 0.5 + 0.1 * lines.n_gaps) * lines.share
    return _of_lines(n, lines, line_skip, "time gaps", confidence)


def _from_exposure(n: int, hints: ScanHints, line_skip: int | None) -> ScanShape | None:
    if hints.timing is None:
        return None
    lines = _lines_from_exposure(n, hints.timing)
    if lines is None:
        return None
    return _of_lines(n, lines, line_skip, "exposure", 0.7 * lines.share)


def _from_root(n: int, hints: ScanHints, _line_skip: int | None) -> ScanShape | None:
    side = isqrt(n)
    if side > 1 and side * side == n:
        reason = f"{n} is a square number; nothing else tells lines apart"
        return ScanShape(ScanGrid(side, side), "square", 0.3, reason)
    asked = hints.n_asked or 0
    side = isqrt(asked)
    if side > 1 and side * side == asked and side <= n < asked:
        reason = f"{asked} frames, a square number, were asked for and {n} are there"
        return ScanShape(ScanGrid(n // side, side), "square", 0.25, reason)
    return None


def _of_lines(
    n: int, lines: _Lines, line_skip: int | None, found_from: str, confidence: float
) -> ScanShape | None:
    period = lines.period
    n_lines = (n - lines.first) // period
    if line_skip is not None:
        skip = min(line_skip, period - 1)
    elif lines.skip is not None:
        skip = lines.skip
    else:
        skip = _skipped(period, n_lines)
    # The way back behind the last line need not have been recorded.
    n_lines = (n - lines.first + skip) // period
    if not n_lines:
        return None
    what = {"time gaps": "a gap in time", "exposure": "a longer exposure"}[found_from]
    reason = f"{what} every {period} frames"
    if skip:
        reason += f", {skip} of them of the beam's way back"
        confidence *= 1.0 if line_skip is not None or lines.skip is not None else 0.8
    grid = ScanGrid(n_lines, period - skip, lines.first, skip)
    return ScanShape(grid, found_from, round(confidence, 3), reason)


def _skipped(period: int, n_lines: int) -> int:
    """Tell how many frames of a period are of the beam's way back."""
    for k in range(1, MOST_SKIPPED + 1):
        side = period - k
        is_power = side >= 64 and side & (side - 1) == 0
        if side > 2 and (n_lines == side or is_power):
            return k
    return 0


def _lines_from_gaps(n: int, timing: Timing) -> _Lines | None:
    times: list[int] = []
    found = None
    for n_timed in _steps(n):
        for number in range(len(times), n_timed):
            time = timing(number)[0]
            if time is None:
                return None
            times.append(time)
        found = _period(_gaps(np.asarray(times, np.int64)), n_timed)
        if found is not None and (found.n_gaps >= ENOUGH_GAPS or n_timed == n):
            return found
    return found


def _lines_from_exposure(n: int, timing: Timing) -> _Lines | None:
    n_timed = min(n, MOST_TIMED)
    exposures = [timing(number)[1] for number in range(n_timed)]
    known = [e for e in exposures if e is not None]
    if len(known) < n_timed or n_timed < 4:
        return None
    values = np.asarray(known)
    median = np.median(values)
    if not median > 0:
        return None
    return _period(np.flatnonzero(values > 1.5 * median), n_timed)


def _steps(n: int) -> list[int]:
    most = min(n, MOST_TIMED)
    counts = [most]
    while counts[-1] > FIRST_TIMED:
        counts.append(counts[-1] // 2)
    return counts[::-1]


def _gaps(times: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the frames before which time passes that no frame fills."""
    intervals = np.diff(times).astype(np.float64)
    if len(intervals) < 3:
        return np.empty(0, np.int64)
    median = np.median(intervals)
    spread = 1.4826 * np.median(np.abs(intervals - median))
    # Detectors keep time to some ten nanoseconds; a line may end 20 µs late only.
    limit = median + max(10 * spread, 1e-4 * median, LEAST_GAP_NS)
    return np.flatnonzero(intervals > limit) + 1


def _period(places: NDArray[Any], n_timed: int) -> _Lines | None:
    """Find the period of places, where most lie at it and most of it has places."""
    at, skip = _merged(places.tolist())
    if len(at) == 1 and n_timed == 2 * at[0]:
        return _Lines(at[0], 0, 1.0, 1, skip)  # two lines
    distances = Counter(b - a for a, b in pairwise(at))
    if not distances:
        return None
    period = distances.most_common(1)[0][0]
    phase, n_there = Counter(p % period for p in at).most_common(1)[0]
    n_expected = len(range(phase or period, n_timed, period))
    share = min(n_there / len(at), n_there / max(n_expected, 1))
    if period < 2 or share < LEAST_SHARE:
        return None
    return _Lines(int(period), int(phase), float(share), len(at), skip)


def _merged(at: Sequence[int]) -> tuple[list[int], int | None]:
    """Join gaps before and after the frames of the way back, where lines have two.

    Returns
    -------
    at : list of int
        First frames of lines.
    skip : int or None
        Frames of the way back; None where gaps do not tell.
    """
    distances = [b - a for a, b in pairwise(at)]
    short = [d for d in distances if d <= MOST_SKIPPED]
    if not distances or not 0.3 <= len(short) / len(distances) <= 0.75:
        return list(at), None
    starts, ends = [at[0]], []
    for place, following in pairwise(at):
        if following - place > MOST_SKIPPED:
            ends.append(place)
            starts.append(following)
    ends.append(at[-1])
    widths = Counter(b - a for a, b in zip(starts, ends, strict=True))
    return ends, widths.most_common(1)[0][0]
