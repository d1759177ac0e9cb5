"""Consecutive frames without any description, as a user describes them."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np

from brickfield.errors import OptionError, StoreFormatError
from brickfield.sources.io.plain_files import open_regular
from brickfield.sources.scans import empad
from brickfield.sources.scans.frame_files import FileFrames, FrameFile, FrameLayout
from brickfield.sources.scans.frame_stack import FrameScan
from brickfield.sources.scans.scan_shape import ScanHints, ScanOptions, find_scan_shape
from brickfield.sources.scans.source import AxisCalibration, Scan

NAMES = "DTYPE,NY,NX,H,W[,OFFSET]"


def open_flat_scan(
    path: Path, options: ScanOptions | None = None, raw: str | None = None
) -> Scan:
    """Open a scan of consecutive frames.

    Parameters
    ----------
    path : Path
    options : ScanOptions, optional
    raw : str, optional
        As for :func:`open_raw`; the file is EMPAD's description or frames if not
        given.
    """
    if raw is None:
        return empad.open_scan(path, options)
    return open_raw(path, raw, options)


def open_raw(path: Path, description: str, options: ScanOptions | None = None) -> Scan:
    """Open frames of which a file says nothing.

    Parameters
    ----------
    path : Path
    description : str
        ``DTYPE,NY,NX,H,W[,OFFSET]``: data type as numpy spells it (``>u2``,
        ``float32``), lines, positions, rows, columns, bytes in front.
    options : ScanOptions, optional
        Another shape of the scan, frames to skip.

    Raises
    ------
    OptionError
        If the description cannot be read.
    StoreFormatError
        If the file is too short for it.
    """
    stored, ny, nx, h, w, offset = parse_raw(description)
    layout = FrameLayout.plain((h, w), stored)
    with open_regular(path) as file:
        size = os.fstat(file.fileno()).st_size
    n_frames = max(size - offset, 0) // layout.stride
    options = options or ScanOptions()
    if options == ScanOptions():
        options = ScanOptions((ny, nx))
    elif options.shape is None:
        options = ScanOptions((ny, nx), options.skip_frames, options.line_skip)
    if n_frames < ny * nx:
        msg = (
            f"expected {ny}x{nx} frames of {layout.stride} bytes from byte {offset} of"
            f" {path}, as --raw says; found {size} bytes, enough for {n_frames}"
        )
        raise StoreFormatError(msg)
    found = find_scan_shape(n_frames, ScanHints(), options)
    frames = FileFrames([FrameFile(path.absolute(), offset, n_frames)], layout)
    return Scan(
        data=FrameScan(frames, found.grid),
        path=path,
        format="raw frames",
        shape_found=found,
        n_frames=n_frames,
        bit_depth=8 * stored.itemsize,
        calibration=AxisCalibration.none(),
    )


def parse_raw(
    description: str,
) -> tuple[np.dtype[np.generic], int, int, int, int, int]:
    """Read ``DTYPE,NY,NX,H,W[,OFFSET]``.

    Raises
    ------
    OptionError
    """
    kind, *rest = [part.strip() for part in description.split(",")]
    refusal = OptionError(
        f"expected --raw as {NAMES}, for example >u2,256,256,128,128; found"
        f" {description!r}"
    )
    try:
        stored = np.dtype(kind)
        numbers = [int(part) for part in rest]
    except (TypeError, ValueError, SyntaxError) as error:
        raise refusal from error
    if len(numbers) == 4:
        numbers.append(0)
    if len(numbers) != 5 or stored.kind not in "iuf":
        raise refusal
    ny, nx, h, w, offset = numbers
    if min(ny, nx, h, w) < 1 or offset < 0:
        raise refusal
    return stored, ny, nx, h, w, offset
