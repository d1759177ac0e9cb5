"""MIB files of Merlin detectors as a source of axes (scan y, scan x, y, x).

Nothing but headers is read when a file is opened, and few of them: a file of any
size opens in the same time. Patterns stand as they are stored, the first row on top
(some other programs turn them upside down).
"""

from __future__ import annotations

import functools
from pathlib import Path

import numpy as np

from brickfield.errors import StoreFormatError
from brickfield.sources.arrays.stored import AssembledSource
from brickfield.sources.io.plain_files import local_path, read_head
from brickfield.sources.mib.decode import decode_raw
from brickfield.sources.mib.files import MIBFiles, find_files
from brickfield.sources.mib.growing import GrowingFrames
from brickfield.sources.mib.header import MAGIC, MIBHeader, timing_of
from brickfield.sources.scans.frame_files import FileFrames, FrameLayout
from brickfield.sources.scans.frame_stack import FrameScan
from brickfield.sources.scans.scan_shape import ScanHints, ScanOptions, find_scan_shape
from brickfield.sources.scans.source import AxisCalibration, Scan, source_of

SUFFIX = ".mib"
FORMAT = "Merlin MIB"


def matches(uri: str) -> bool:
    """Whether the suffix or the first bytes are those of a MIB file."""
    if "://" in str(uri) and not str(uri).startswith("file://"):
        return False
    path = local_path(uri)
    if path.suffix.lower() == SUFFIX:
        return True
    try:
        return read_head(path, len(MAGIC)) == MAGIC
    except (OSError, StoreFormatError):
        return False


def open_source(uri: str) -> AssembledSource:
    """Open a MIB file, and what belongs to it, as a source of patterns.

    Parameters
    ----------
    uri : str
        Local file.

    Raises
    ------
    StoreNotFoundError, StoreAccessError, StoreFormatError
    """
    return source_of(open_scan(local_path(uri)), str(uri))


def open_scan(
    path: Path,
    options: ScanOptions | None = None,
    *,
    this_file_only: bool = False,
    is_growing: bool = False,
) -> Scan:
    """Open a MIB file as a scan.

    Parameters
    ----------
    path : Path
    options : ScanOptions, optional
        The scan's shape, where the user gives it.
    this_file_only : bool
        Do not look for further files of the acquisition.
    is_growing : bool
        The acquisition goes on: the scan has its shape already, and patterns that are
        not written yet are 0; see
        :class:`~brickfield.sources.mib.growing.GrowingFrames`.

    Raises
    ------
    StoreNotFoundError, StoreAccessError, StoreFormatError, OptionError
    """
    found = find_files(path, this_file_only=this_file_only)
    header = found.header
    frames = FileFrames(found.files, _layout(header))
    if is_growing:
        frames = GrowingFrames(path, found, _layout(header), options, this_file_only)
    shape = find_scan_shape(frames.n_frames, _hints(found, frames), options)
    return Scan(
        data=FrameScan(frames, shape.grid),
        path=path,
        format=FORMAT,
        shape_found=shape,
        n_frames=frames.n_frames,
        bit_depth=header.depth or header.stored_bits,
        calibration=AxisCalibration.none(),
        findings=found.findings,
    )


def _layout(header: MIBHeader) -> FrameLayout:
    stored = np.dtype(header.dtype).newbyteorder(">")
    decode = functools.partial(decode_raw, header=header) if header.is_raw else None
    return FrameLayout(
        header.frame_shape, stored, header.n_bytes, header.picture_bytes, decode
    )


def _hints(found: MIBFiles, frames: FileFrames) -> ScanHints:
    about = found.acquisition
    n_bytes = found.header.n_bytes

    def timing(number: int) -> tuple[int | None, float | None]:
        return timing_of(frames.read_bytes(number, n_bytes))

    return ScanHints(
        about.scan_y,
        about.scan_x,
        about.frames_per_trigger,
        about.n_frames,
        timing,
    )
