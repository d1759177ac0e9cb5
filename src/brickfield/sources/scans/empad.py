"""EMPAD's scans: a ``.xml`` that describes, a ``.raw`` of float32 frames.

A frame has 128 rows of 128 pixels and two further rows of the detector's own, which
are not shown.
"""

from __future__ import annotations

import os
import re
from pathlib import Path
from xml.etree import ElementTree as ET

import numpy as np

from brickfield.errors import StoreFormatError, StoreNotFoundError
from brickfield.sources.arrays.stored import AssembledSource
from brickfield.sources.io.plain_files import (
    local_path,
    open_regular,
    read_head,
    read_whole,
)
from brickfield.sources.scans.frame_files import FileFrames, FrameFile, FrameLayout
from brickfield.sources.scans.frame_stack import FrameScan
from brickfield.sources.scans.scan_shape import ScanHints, ScanOptions, find_scan_shape
from brickfield.sources.scans.source import AxisCalibration, Scan, source_of

SIDE = 128
FURTHER_ROWS = 2
MOST_XML_BYTES = 4 << 20
HEAD_BYTES = 1 << 16
LAYOUT = FrameLayout.plain((SIDE, SIDE), np.dtype("<f4"), FURTHER_ROWS)
_NAMED_SIZE = re.compile(r"x(\d+)_y(\d+)", re.IGNORECASE)


def matches(uri: str) -> bool:
    """Whether a local XML file describes a scan."""
    text = str(uri)
    if not text.lower().endswith(".xml"):
        return False
    if "://" in text and not text.startswith("file://"):
        return False
    try:
        return b"<raw_file" in read_head(local_path(text), HEAD_BYTES)
    except (OSError, StoreFormatError):
        return False


def open_source(uri: str) -> AssembledSource:
    """Open a scan by its description as a source of patterns.

    Parameters
    ----------
    uri : str
        Local ``.xml``.

    Raises
    ------
    StoreNotFoundError, StoreAccessError, StoreFormatError
    """
    return source_of(open_scan(local_path(uri)), str(uri))


def open_scan(path: Path, options: ScanOptions | None = None) -> Scan:
    """Open an EMPAD scan by its description or by its frames.

    Parameters
    ----------
    path : Path
        The ``.xml``, or the ``.raw`` if its frames are as an EMPAD's.
    options : ScanOptions, optional

    Raises
    ------
    StoreNotFoundError, StoreFormatError, OptionError
    """
    raw, nx, ny = path, None, None
    if path.suffix.lower() == ".xml":
        raw, nx, ny = _described(path)
    else:
        named = _NAMED_SIZE.search(path.stem)
        nx, ny = (int(named[1]), int(named[2])) if named else (None, None)
    with open_regular(raw) as file:
        size = os.fstat(file.fileno()).st_size
    n_frames = size // LAYOUT.stride
    if not n_frames or (raw == path and size % LAYOUT.stride):
        msg = (
            f"expected EMPAD frames of {LAYOUT.stride} bytes in {raw}; found {size}"
            " bytes: other frames open with --raw DTYPE,NY,NX,H,W"
        )
        raise StoreFormatError(msg)
    hints = ScanHints(ny, nx) if nx and ny else ScanHints()
    found = find_scan_shape(n_frames, hints, options)
    frames = FileFrames([FrameFile(raw.absolute(), 0, n_frames)], LAYOUT)
    return Scan(
        data=FrameScan(frames, found.grid),
        path=path,
        format="EMPAD",
        shape_found=found,
        n_frames=n_frames,
        bit_depth=32,
        calibration=AxisCalibration.none(),
    )


def _described(path: Path) -> tuple[Path, int | None, int | None]:
    text = read_whole(path, MOST_XML_BYTES)
    if b"<!DOCTYPE" in text or b"<!ENTITY" in text:
        msg = f"expected plain XML in {path}; found a document type: it is not read"
        raise StoreFormatError(msg)
    try:
        root = ET.fromstring(text)  # noqa: S314 -- no document type, bounded length
    except ET.ParseError as error:
        msg = f"expected the description of an EMPAD scan in {path}; found {error}"
        raise StoreFormatError(msg) from error
    named = root.find(".//raw_file")
    name = "" if named is None else str(named.get("filename", ""))
    name = re.split(r"[\\/]", name)[-1]
    if not name:
        msg = (
            f"expected the description of an EMPAD scan, with a raw_file, in {path};"
            " found none"
        )
        raise StoreFormatError(msg)
    raw = path.with_name(name)
    if not raw.is_file():
        msg = f"expected the frames of {path} in {raw}; found nothing: put them there"
        raise StoreNotFoundError(msg)
    return raw, _count(root, "x"), _count(root, "y")


def _count(root: ET.Element, axis: str) -> int | None:
    paths = (
        f".//scan_parameters[@mode='acquire']/scan_resolution_{axis}",
        f".//scan_resolution_{axis}",
        f".//pix_{axis}",
    )
    for path in paths:
        text = (root.findtext(path) or "").strip()
        if text.isdigit() and int(text) > 0:
            return int(text)
    return None
