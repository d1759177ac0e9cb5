"""The value that every measurement returns, and what it was allowed to use."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]


@dataclass(frozen=True)
class Setting:
    """What a measurement may use.

    Attributes
    ----------
    folder : Path
        Empty, gone afterwards.
    is_full : bool
        Whether to take the long way (a minute's flight, larger volumes).
    peers : Path or None
        Python that has the peers installed.
    """

    folder: Path
    is_full: bool = False
    peers: Path | None = None


@dataclass(frozen=True)
class Row:
    """One line of the table.

    Attributes
    ----------
    goal : str
        For example ``"E9"``.
    what : str
    ours : float or None
        None where this machine cannot tell.
    unit : str
    limit : str
        What is to be reached, for people.
    reached : bool or None
        None where this machine cannot tell.
    peer : str
        Who was measured in the same run; empty for nobody.
    theirs : float or None
    repeats : int
        How often it was measured; the median stands. 1 for counts.
    note : str
    measured : str
        Day and version, filled in by the run.
    """

    goal: str
    what: str
    ours: float | None
    unit: str = ""
    limit: str = ""
    reached: bool | None = None
    peer: str = ""
    theirs: float | None = None
    repeats: int = 1
    note: str = ""
    measured: str = ""

    @property
    def ratio(self) -> float | None:
        """Ours over theirs."""
        return (
            self.ours / self.theirs if self.theirs and self.ours is not None else None
        )

    def as_dict(self) -> dict[str, Any]:
        """Return plain values."""
        return asdict(self) | {"ratio": self.ratio}


def at_most(goal: str, what: str, ours: float, limit: float, **more: Any) -> Row:
    """Make a row that is reached at or below a limit."""
    unit = more.get("unit", "")
    text = f"≤ {limit:g} {unit}".rstrip()
    return Row(goal, what, ours, limit=text, reached=bool(ours <= limit), **more)


def at_least(goal: str, what: str, ours: float, limit: float, **more: Any) -> Row:
    """Make a row that is reached at or above a limit."""
    unit = more.get("unit", "")
    text = f"≥ {limit:g} {unit}".rstrip()
    return Row(goal, what, ours, limit=text, reached=bool(ours >= limit), **more)


def exactly(goal: str, what: str, ours: float, wanted: float, **more: Any) -> Row:
    """Make a row of a count that has one right value."""
    unit = more.get("unit", "")
    text = f"{wanted:g} {unit}".rstrip()
    return Row(goal, what, ours, limit=text, reached=bool(ours == wanted), **more)
