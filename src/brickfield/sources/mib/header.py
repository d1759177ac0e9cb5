"""The text in front of every frame of a MIB file, and the ``.hdr`` file beside it.

A header is comma separated ASCII, padded with NUL to the length that its third field
gives. Behind the chips' converter values, whose number differs, stand the time in
UTC, the exposure in nanoseconds and the counter depth: these are counted from the
end. Older software ends after the converter values; then the local time and the
exposure in seconds, in front, are what there is.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from brickfield.errors import StoreFormatError
from brickfield.sources.io.plain_files import read_whole

MAGIC = b"MQ1,"
LEAST_HEADER = 64
"""Bytes that hold the fields up to the layout of the chips."""
MOST_HEADER = 1 << 16
MOST_SIDE = 1 << 15
"""Pixels along one axis of a detector."""
MOST_HDR_BYTES = 1 << 20
_TYPES = {"U08": 8, "U8": 8, "U16": 16, "U32": 32, "R64": 64}
_RAW_DEPTHS = (1, 6, 12)


@dataclass(frozen=True, slots=True)
class MIBHeader:
    """What one frame's header says of the frame.

    Attributes
    ----------
    sequence : int
        Number of the frame in its acquisition, from 1; from 0 by some software.
    n_bytes : int
        Length of the header.
    n_chips : int
    width, height : int
        As stored; raw quad frames hold their four chips side by side.
    kind : str
        ``"U08"``, ``"U16"``, ``"U32"`` or ``"R64"`` (raw).
    layout : str
        Of the chips, for example ``"1x1"``, ``"2x2"``, ``"2x2G"``.
    depth : int or None
        Bits of a counter; None where an old header does not say.
    time_ns : int or None
        Of the frame, nanoseconds since 1970.
    exposure_s : float or None
    """

    sequence: int
    n_bytes: int
    n_chips: int
    width: int
    height: int
    kind: str
    layout: str
    depth: int | None = None
    time_ns: int | None = None
    exposure_s: float | None = None

    @property
    def is_raw(self) -> bool:
        """Whether pixels are stored as the chip sends them."""
        return self.kind == "R64"

    @property
    def is_quad(self) -> bool:
        """Whether four chips side by side are to be put together to a square."""
        return self.is_raw and self.n_chips == 4 and self.layout.startswith("2x2")

    @property
    def frame_shape(self) -> tuple[int, int]:
        """Rows and columns of the picture, pixels."""
        if self.is_quad:
            return (2 * self.height, self.width // 2)
        return (self.height, self.width)

    @property
    def stored_bits(self) -> int:
        """Bits of a pixel in the file."""
        if not self.is_raw:
            return _TYPES[self.kind]
        return {1: 1, 6: 8, 12: 16}[int(self.depth or 0)]

    @property
    def dtype(self) -> np.dtype[np.generic]:
        """Data type of the pixels as read, native byte order."""
        bits = max(8, self.stored_bits)
        return np.dtype(f"u{bits // 8}")

    @property
    def picture_bytes(self) -> int:
        """Bytes of a frame in the file, without its header."""
        return self.width * self.height * self.stored_bits // 8

    @property
    def stride(self) -> int:
        """Bytes from one frame's header to the next."""
        return self.n_bytes + self.picture_bytes

    def is_like(self, other: MIBHeader) -> bool:
        """Whether another frame is stored in the same way."""
        return self._storage == other._storage

    @property
    def _storage(self) -> tuple[object, ...]:
        of = (self.n_bytes, self.n_chips, self.width, self.height, self.kind)
        return (*of, self.layout, self.depth)


def header_length(head: bytes, where: str) -> int:
    """Return the length of a header, bytes, from its beginning.

    Parameters
    ----------
    head : bytes
        First bytes of a frame.
    where : str
        Path of the file, for messages.

    Raises
    ------
    StoreFormatError
        If it is no MIB header.
    """
    fields = head.split(b",", 3)
    text = fields[2].strip() if len(fields) > 3 else b""
    if not head.startswith(MAGIC) or not text.isdigit():
        msg = (
            f"expected a frame of a Merlin detector, which begins with MQ1, in {where};"
            f" found {head[:8]!r}: check the file"
        )
        raise StoreFormatError(msg)
    n = int(text)
    if not LEAST_HEADER <= n <= MOST_HEADER:
        msg = (
            f"expected a header of {LEAST_HEADER} to {MOST_HEADER} bytes (third field)"
            f" in {where}; found {n}: it is damaged"
        )
        raise StoreFormatError(msg)
    return n


def parse_header(raw: bytes, where: str) -> MIBHeader:
    """Read the header of one frame.

    Parameters
    ----------
    raw : bytes
        The whole header.
    where : str
        File, for messages.

    Raises
    ------
    StoreFormatError
        Naming the field that cannot be used.
    """
    n_bytes = header_length(raw, where)
    fields = raw[:n_bytes].split(b"\0", 1)[0].decode("ascii", "replace").split(",")
    time_ns, exposure_s, depth = _timing(fields)
    header = MIBHeader(
        sequence=_whole(fields, 1, "sequence number", where, least=0),
        n_bytes=n_bytes,
        n_chips=_whole(fields, 3, "number of chips", where),
        width=_whole(fields, 4, "width", where),
        height=_whole(fields, 5, "height", where),
        kind=_kind(fields, where),
        layout=fields[7].strip() if len(fields) > 7 else "",
        depth=depth,
        time_ns=time_ns,
        exposure_s=exposure_s,
    )
    _check(header, where)
    return header


def timing_of(raw: bytes) -> tuple[int | None, float | None]:
    """Return the time, ns since 1970, and the exposure, s, of a frame's header."""
    if not raw.startswith(MAGIC):
        return None, None
    text = raw.split(b"\0", 1)[0].decode("ascii", "replace")
    return _timing(text.split(","))[:2]


def _timing(fields: list[str]) -> tuple[int | None, float | None, int | None]:
    """Time, exposure and counter depth: from the end, else from the front."""
    last = [f.strip() for f in fields if f.strip()][-3:]
    time_ns = exposure_s = depth = None
    if len(last) == 3 and last[1].endswith("ns"):
        time_ns = _time(last[0].removesuffix("Z"))
        nanoseconds = last[1].removesuffix("ns")
        exposure_s = int(nanoseconds) / 1e9 if nanoseconds.isdigit() else None
        depth = int(last[2]) if last[2].isdigit() else None
    if time_ns is None and len(fields) > 9:
        time_ns = _time(fields[9].strip().replace(" ", "T"))
    if exposure_s is None and len(fields) > 10:
        exposure_s = _number(fields[10])
    return time_ns, exposure_s, depth


def _time(text: str) -> int | None:
    try:
        return int(np.datetime64(text, "ns").astype(np.int64))
    except (ValueError, OverflowError):
        return None


def _number(text: str) -> float | None:
    try:
        value = float(text)
    except ValueError:
        return None
    return value if np.isfinite(value) and value >= 0 else None


def _whole(fields: list[str], at: int, what: str, where: str, least: int = 1) -> int:
    text = fields[at].strip() if len(fields) > at else ""
    if not text.isdigit() or int(text) < least:
        msg = (
            f"expected a {what} of {least} or more (field {at + 1} of the frame's header) in"
            f" {where}; found {text[:20]!r}: it is damaged"
        )
        raise StoreFormatError(msg)
    return int(text)


def _kind(fields: list[str], where: str) -> str:
    text = fields[6].strip() if len(fields) > 6 else ""
    if text not in _TYPES:
        msg = (
            f"expected pixels of the type U08, U16, U32 or R64 (field 7 of the frame's"
            f" header) in {where}; found {text[:20]!r}"
        )
        raise StoreFormatError(msg)
    return "U08" if text == "U8" else text


def _check(header: MIBHeader, where: str) -> None:
    if max(header.width, header.height) > MOST_SIDE:
        msg = (
            f"expected at most {MOST_SIDE} pixels along an axis of a frame in {where};"
            f" found {header.width} x {header.height}: its header is damaged"
        )
        raise StoreFormatError(msg)
    if header.is_raw:
        _check_raw(header, where)


def _check_raw(header: MIBHeader, where: str) -> None:
    if header.depth == 24:
        msg = (
            f"expected raw frames of 1, 6 or 12 bit in {where}; found 24 bit, whose"
            " order of planes no published description settles: save them processed"
            " (U32)"
        )
        raise StoreFormatError(msg)
    if header.depth not in _RAW_DEPTHS:
        found = "none" if header.depth is None else header.depth
        msg = (
            f"expected a counter depth of 1, 6 or 12 bit at the end of a raw frame's"
            f" header in {where}; found {found}"
        )
        raise StoreFormatError(msg)
    if header.n_chips != 1 and not header.is_quad:
        msg = (
            f"expected raw frames of one chip or of 2x2 chips in {where}; found"
            f" {header.n_chips} chips as {header.layout}: save them processed"
        )
        raise StoreFormatError(msg)
    word = 4 * 64 if header.is_quad else 64
    if header.width % word:
        msg = (
            f"expected a raw frame's width as a multiple of {word} in {where}; found"
            f" {header.width}: its header is damaged"
        )
        raise StoreFormatError(msg)


@dataclass(frozen=True, slots=True)
class Acquisition:
    """What a ``.hdr`` file says of the whole acquisition; None where it is silent.

    Attributes
    ----------
    scan_x, scan_y : int or None
        Positions along a line, and lines.
    n_frames : int or None
        Frames that were asked for.
    frames_per_trigger : int or None
    """

    scan_x: int | None = None
    scan_y: int | None = None
    n_frames: int | None = None
    frames_per_trigger: int | None = None


def read_acquisition(path: Path) -> Acquisition:
    """Read a ``.hdr`` file; one that is absent or cannot be read says nothing."""
    try:
        text = read_whole(path, MOST_HDR_BYTES).decode("utf-8-sig", "replace")
    except (OSError, StoreFormatError):
        return Acquisition()
    if not text.startswith("HDR"):
        return Acquisition()
    values: dict[str, int] = {}
    for line in text.splitlines():
        key, colon, value = line.partition(":")
        if colon and value.strip().isdigit() and int(value) > 0:
            values[key.split("(")[0].strip().lower()] = int(value)
    return Acquisition(
        values.get("scanx"),
        values.get("scany"),
        values.get("frames in acquisition"),
        values.get("frames per trigger"),
    )
