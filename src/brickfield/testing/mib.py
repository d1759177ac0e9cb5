"""Writes MIB files as Merlin detectors do, for tests of what reads them.

Raw pixels are put in place one by one by the formulas of the format, so that a
reader that works on whole arrays has something to be compared with.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

_START_NS = 1_620_413_470_905_800_928
_TYPES = {8: "U08", 16: "U16", 32: "U32"}


@dataclass(frozen=True, slots=True)
class MIBOptions:
    """How frames are written.

    Attributes
    ----------
    depth : int
        Bits of a counter: 1, 6, 12 or 24.
    is_raw : bool
        As the chip sends them; a square picture of 2 x 2 chips where `n_chips` is 4.
    n_chips : int
    layout : str
        Of the chips.
    first_sequence : int
        Number of the first frame.
    header_bytes : int or None
        Length of a header; 384 for one chip, 768 for four.
    has_times : bool
        Whether the header ends with time, exposure and depth; old ones do not.
    """

    depth: int = 12
    is_raw: bool = False
    n_chips: int = 1
    layout: str = "1x1"
    first_sequence: int = 1
    header_bytes: int | None = None
    has_times: bool = True

    @property
    def length(self) -> int:
        """Bytes of a header."""
        return self.header_bytes or (384 if self.n_chips == 1 else 768)


def write_mib(
    path: Path,
    frames: NDArray[Any],
    options: MIBOptions | None = None,
    *,
    times_ns: Sequence[int] | None = None,
    exposures_s: Sequence[float] | None = None,
) -> Path:
    """Write a MIB file.

    Parameters
    ----------
    path : Path
    frames : ndarray, shape (n, rows, columns)
        Whole numbers that the depth can hold.
    options : MIBOptions, optional
    times_ns : sequence of int, optional
        Of the frames, from 0; one a millisecond if not given.
    exposures_s : sequence of float, optional
        0.001 for each if not given.
    """
    options = options or MIBOptions()
    n = len(frames)
    times = range(0, n * 1_000_000, 1_000_000) if times_ns is None else times_ns
    exposures = [0.001] * n if exposures_s is None else exposures_s
    with path.open("wb") as file:
        for i, (frame, time, exposure) in enumerate(
            zip(frames, times, exposures, strict=True)
        ):
            sequence = options.first_sequence + i
            file.write(header(frame.shape, options, sequence, int(time), exposure))
            file.write(
                _raw(frame, options) if options.is_raw else _plain(frame, options)
            )
    return path


def write_hdr(path: Path, **values: object) -> Path:
    """Write a ``.hdr`` file; underscores in names stand for spaces."""
    rows = [f"{name.replace('_', ' ')}:\t{value}" for name, value in values.items()]
    text = "\r\n".join(["HDR,\t", *rows, "End\t"])
    path.write_bytes(text.encode().ljust(2048))
    return path


def header(
    shape: tuple[int, ...],
    options: MIBOptions,
    sequence: int = 1,
    time_ns: int = 0,
    exposure_s: float = 0.001,
) -> bytes:
    """Return the header of a frame.

    Parameters
    ----------
    shape : tuple of int
        Rows and columns.
    options : MIBOptions
    sequence : int
        Number of the frame, from 1.
    time_ns : int
        After the start.
    exposure_s : float
        Seconds.
    """
    rows, columns = shape
    if options.is_raw and options.n_chips == 4:
        rows, columns = rows // 2, columns * 2
    bits = 8 if options.depth <= 6 else 16 if options.depth <= 12 else 32
    kind = "R64" if options.is_raw else _TYPES[bits]
    time = np.datetime64(_START_NS + time_ns, "ns")
    local = str(time.astype("datetime64[us]")).replace("T", " ")
    chips = ["3RX", *(f"{v:03d}" for v in range(27))] * options.n_chips
    fields = [
        "MQ1",
        f"{sequence:06d}",
        f"{options.length:05d}",
        f"{options.n_chips:02d}",
        f"{columns:04d}",
        f"{rows:04d}",
        kind,
        f"{options.layout:>6}",
        "01" if options.n_chips == 1 else "0F",
        local,
        f"{exposure_s:.6f}",
        *["0"] * 3,
        *["4.000000E+1"] * 8,
        *chips,
    ]
    if options.has_times:
        nanoseconds = round(exposure_s * 1e9)
        fields += ["MQ1A", f"{time}Z", f"{nanoseconds}ns", str(options.depth)]
    return (",".join(fields) + ",").encode().ljust(options.length, b"\0")


def _plain(frame: NDArray[Any], options: MIBOptions) -> bytes:
    n_bytes = 1 if options.depth <= 6 else 2 if options.depth <= 12 else 4
    return frame.astype(f">u{n_bytes}").tobytes()


def _raw(frame: NDArray[Any], options: MIBOptions) -> bytes:
    if options.n_chips == 4:
        half, side = frame.shape[0] // 2, frame.shape[1] // 2
        first, second = frame[:half, :side], frame[:half, side:]
        third = np.rot90(frame[half:, :side], 2)
        fourth = np.rot90(frame[half:, side:], 2)
        frame = np.concatenate([fourth, third, second, first], axis=1)
    pixels = frame.reshape(-1).tolist()
    if options.depth == 1:
        words = [
            sum(int(p) << i for i, p in enumerate(pixels[at : at + 64]))
            for at in range(0, len(pixels), 64)
        ]
        return np.array(words, ">u8").tobytes()
    per, kind = (8, "u1") if options.depth == 6 else (4, ">u2")
    stored: list[int] = []
    for at in range(0, len(pixels), per):
        stored += pixels[at : at + per][::-1]
    return np.array(stored, kind).tobytes()
