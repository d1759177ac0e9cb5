"""How values become one of the four types that Imaris reads, never by wrapping.

Decided before anything is read where the type alone tells; what only the values tell
(a negative one in a signed image) is looked at in every block, and the first one that
does not fit ends the export with the choices there are.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from brickfield.errors import OptionError

AnyArray = NDArray[Any]
IMARIS_TYPES = ("uint8", "uint16", "uint32", "float32")
_CHOICES = "choose --dtype uint16 (shifted or scaled), float32, or uint8 (scaled by the window)"
_OFFSETS = {"int8": 128, "int16": 32768}


class ValueRangeError(OptionError):
    """Raised when a value does not fit the type to be written."""


@dataclass(frozen=True, slots=True)
class ValueChange:
    """What is done to the values of a channel.

    Attributes
    ----------
    source, target : str
        Names of data types.
    how : {"same", "cast", "checked", "shifted", "scaled"}
        `checked` casts and refuses what does not fit.
    offset : int
        Added when shifted.
    window : (float, float) or None
        Written as 0 and the largest value when scaled; None as long as the smallest and
        the largest value of the channel are to be looked for.
    """

    source: str
    target: str
    how: Literal["same", "cast", "checked", "shifted", "scaled"]
    offset: int = 0
    window: tuple[float, float] | None = None

    @property
    def needs_range(self) -> bool:
        """Whether all values have to be seen before the first is written."""
        return self.how == "scaled" and self.window is None

    @property
    def text(self) -> str:
        """For people, and in the description of the file; empty when unchanged."""
        words = f"{self.source} written as {self.target}"
        if self.how == "same":
            return ""
        if self.how == "shifted":
            return f"{words}: {self.offset} was added to every value"
        if self.how == "scaled":
            top = np.iinfo(self.target).max
            if self.window is None:
                return f"{words}: smallest to largest value became 0 to {top}"
            low, high = self.window
            return f"{words}: {low:g} to {high:g} became 0 to {top}"
        return words


def target_type(source: np.dtype[Any], wanted: str, *, is_labels: bool) -> str:
    """Return the type that a channel would be written as by itself.

    Parameters
    ----------
    source : numpy.dtype
    wanted : {"auto", "uint8", "uint16", "float32"}
    is_labels : bool

    Raises
    ------
    OptionError
        For complex and other values that are no real numbers.
    """
    if source.kind not in "biuf":
        msg = (
            f"expected real numbers; found {source}: take abs() or the real part first"
        )
        raise OptionError(msg)
    if wanted != "auto":
        return wanted
    if source.kind == "f":
        return "float32"
    if source.itemsize == 1:
        return "uint16" if is_labels else "uint8"
    return "uint16" if source.itemsize == 2 else "uint32"


def common_type(targets: list[str]) -> str:
    """Return the one type that holds all channels: a file has one."""
    if "float32" in targets:
        return "float32"
    return max(targets, key=IMARIS_TYPES.index)


def value_change(
    source: np.dtype[Any],
    target: str,
    *,
    is_auto: bool,
    window: tuple[float, float] | None,
) -> ValueChange:
    """Decide how the values of a channel are changed.

    Parameters
    ----------
    source : numpy.dtype
    target : str
        One of :data:`IMARIS_TYPES`.
    is_auto : bool
        Whether the type was not asked for: then nothing is shifted or scaled.
    window : (float, float) or None
        To scale by; from the smallest to the largest value without one.
    """
    name, to = source.name, np.dtype(target)
    if name == target:
        return ValueChange(name, target, "same")
    if to.kind == "f" or source.kind == "b":
        return ValueChange(name, target, "cast")
    if np.can_cast(source, to, "safe"):
        return ValueChange(name, target, "cast")
    if is_auto:
        return ValueChange(name, target, "checked")
    if target == "uint16" and name in _OFFSETS:
        return ValueChange(name, target, "shifted", _OFFSETS[name])
    return ValueChange(name, target, "scaled", window=window)


def extent(data: AnyArray) -> tuple[float, float] | None:
    """Return the smallest and the largest finite value; None when there is none."""
    if data.dtype.kind == "f":
        data = data[np.isfinite(data)]
    return (float(data.min()), float(data.max())) if data.size else None


class Converter:
    """Changes blocks, and counts what could not be kept. From any thread.

    Parameters
    ----------
    change : ValueChange
    name : str
        Of the channel, for messages.
    """

    def __init__(self, change: ValueChange, name: str) -> None:
        self.change = change
        self._name = name
        self._lock = threading.Lock()
        self.n_overflowed = 0

    def __call__(self, data: AnyArray) -> AnyArray:
        """Return the block in the type that is written.

        Raises
        ------
        ValueRangeError
            When a value does not fit.
        """
        change = self.change
        if change.how == "same":
            return data
        if change.how == "scaled":
            return self._scaled(data)
        if change.how == "shifted":
            return (data.astype(np.int32) + change.offset).astype(change.target)
        if change.how == "checked":
            self._check(data)
        if data.dtype.kind == "f" and data.dtype.itemsize > 4:
            return self._narrowed(data)
        return data.astype(change.target)

    def _check(self, data: AnyArray) -> None:
        if not data.size:
            return
        low, high = data.min().item(), data.max().item()
        top = np.iinfo(self.change.target).max
        if low < 0 or high > top:
            msg = (
                f"expected values of {self._name} from 0 to {top} to write"
                f" {self.change.source} as {self.change.target}; found"
                f" {low if low < 0 else high}: {_CHOICES}"
            )
            raise ValueRangeError(msg)

    def _scaled(self, data: AnyArray) -> AnyArray:
        low, high = self.change.window or extent(data) or (0.0, 1.0)
        top = np.iinfo(self.change.target).max
        values = (data.astype(np.float64) - low) * (top / ((high - low) or 1.0))
        # NaN is no data: it becomes the smallest value, as it is drawn.
        values = np.nan_to_num(values, nan=0.0, posinf=top, neginf=0.0)
        return np.rint(np.clip(values, 0, top)).astype(self.change.target)

    def _narrowed(self, data: AnyArray) -> AnyArray:
        with np.errstate(over="ignore", invalid="ignore"):
            narrow = data.astype(np.float32)
        lost = np.isfinite(data) & ~np.isfinite(narrow)
        if lost.any():
            with self._lock:
                self.n_overflowed += int(lost.sum())
        return narrow
