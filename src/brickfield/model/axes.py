"""Axes of a stored array: name, kind and unit."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

AxisKind = Literal["space", "time", "channel", "other"]


@dataclass(frozen=True, slots=True)
class Axis:
    """One axis of a stored array.

    Attributes
    ----------
    name : str
        As the file names it, for example ``"z"``.
    kind : {"space", "time", "channel", "other"}
    unit : str or None
        As the file names it, for example ``"micrometer"``; None if not given.
    """

    name: str
    kind: AxisKind = "space"
    unit: str | None = None
