"""What a user may choose for an export, checked at the border."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from numbers import Integral
from typing import Any, TypeAlias

from brickfield.blockwise import parse_bytes
from brickfield.errors import OptionError
from brickfield.imaris.deflate import Encoder
from brickfield.model import Int3
from brickfield.sources import opening_options

DTYPES = ("auto", "uint8", "uint16", "float32")
MOST_VOXELS = 1 << 28
"""Of a chunk: a gigabyte in 32 bits, which every reader has to hold."""
Color: TypeAlias = "str | Sequence[float]"
Window: TypeAlias = "tuple[float, float]"
Region: TypeAlias = "str | Sequence[Sequence[int] | slice]"


@dataclass(frozen=True)
class ImarisOptions:
    """How an Imaris file is written; see :func:`brickfield.to_imaris`.

    Attributes
    ----------
    spacing : sequence of float or None
    units : str
    channel_names, colors, windows, times : sequence or None
    name : str or None
    description : str
    axes : str or None
    channels, time_points : sequence of int or None
    level : int
    region : str or sequence or None
    levels : int or None
    chunks : str, sequence of int or None
    compression : str
    compression_opts : int or None
    shuffle : bool
    dtype : str
    budget : str or int
    workers : int or None
    scheduler : str or None
    tmp_dir : str or None
    bdv_xml, verify, overwrite, restart, skip_failed : bool
    opening : mapping or None
    """

    spacing: Sequence[float] | None = None
    units: str = "um"
    channel_names: Sequence[str] | None = None
    colors: Sequence[Color] | None = None
    windows: Sequence[Window] | None = None
    times: Sequence[float | datetime] | None = None
    name: str | None = None
    description: str = ""
    axes: str | None = None
    channels: Sequence[int] | None = None
    time_points: Sequence[int] | None = None
    level: int = 0
    region: Region | None = None
    levels: int | None = None
    chunks: str | Sequence[int] | None = None
    compression: str = "gzip"
    compression_opts: int | None = None
    shuffle: bool = False
    dtype: str = "auto"
    budget: str | int = "512 MiB"
    workers: int | None = None
    scheduler: str | None = None
    tmp_dir: str | None = None
    bdv_xml: bool = False
    verify: bool = False
    overwrite: bool = False
    restart: bool = False
    skip_failed: bool = False
    opening: Mapping[str, Any] | None = None

    def __post_init__(self) -> None:
        if self.dtype not in DTYPES:
            msg = f"expected a dtype out of {', '.join(DTYPES)}; found {self.dtype!r}"
            raise OptionError(msg)
        self._check_numbers()
        parse_bytes(self.budget)
        _ = self.encoder, self.chunk_zyx, self.bounds_zyx, self.reading

    def _check_numbers(self) -> None:
        least = {"levels": 1, "workers": 1, "level": 0, "compression_opts": 0}
        for name, lowest in least.items():
            value = getattr(self, name)
            if value is not None and not (_is_whole(value) and value >= lowest):
                msg = f"expected {name} of at least {lowest}, a whole number; found {value!r}"
                raise OptionError(msg)
        for name in ("channels", "time_points"):
            given = getattr(self, name)
            is_list = isinstance(given, Iterable) and all(map(_is_whole, given))
            if given is not None and not is_list:
                msg = f"expected {name} as whole numbers, as [0, 2]; found {given!r}"
                raise OptionError(msg)

    @property
    def encoder(self) -> Encoder:
        """How chunks are stored."""
        return Encoder(
            self.compression,  # type: ignore[arg-type]  # checked there
            self.compression_opts,
            self.shuffle,
        )

    @property
    def reading(self) -> dict[str, Any]:
        """How addresses are opened."""
        found = opening_options(self.opening)
        return found if self.axes is None else {**found, "axes": self.axes}

    @property
    def budget_bytes(self) -> int:
        """Budget in bytes."""
        return parse_bytes(self.budget)

    @property
    def chunk_zyx(self) -> Int3 | None:
        """The chunk (z, y, x) of all levels, if it was given; None for that of the rule.

        Raises
        ------
        OptionError
            If it cannot be a chunk.
        """
        if self.chunks is None:
            return None
        given: Any = self.chunks
        try:
            parts = given.split(",") if isinstance(given, str) else list(given)
            z, y, x = (int(str(p)) for p in parts)
        except (ValueError, TypeError):
            z = y = x = 0
        if min(z, y, x) < 1 or z * y * x > MOST_VOXELS:
            msg = (
                'expected chunks "Z,Y,X" of at least 1 voxel along each and at most'
                f" {MOST_VOXELS:,} in all; found {given!r}"
            )
            raise OptionError(msg)
        return (z, y, x)

    @property
    def bounds_zyx(self) -> tuple[tuple[int | None, int | None], ...] | None:
        """First voxel and the one after the last along z, y, x; None for all.

        Raises
        ------
        OptionError
            If it is no region.
        """
        if self.region is None:
            return None
        given: Any = self.region
        try:
            parts = given.split(",") if isinstance(given, str) else list(given)
            bounds = [_bounds(part) for part in parts]
        except (ValueError, TypeError):
            bounds = []
        if len(bounds) != 3:
            msg = f'expected a region "Z0:Z1,Y0:Y1,X0:X1" of voxels; found {given!r}'
            raise OptionError(msg)
        return tuple(bounds)


def _is_whole(value: Any) -> bool:
    return isinstance(value, Integral) and not isinstance(value, bool)


def _bounds(part: Any) -> tuple[int | None, int | None]:
    if isinstance(part, slice):
        if part.step not in (None, 1):
            raise ValueError(part)
        return (part.start, part.stop)
    ends = part.split(":") if isinstance(part, str) else list(part)
    low, high = (None if str(e).strip() in ("", "None") else int(str(e)) for e in ends)
    return (low, high)
