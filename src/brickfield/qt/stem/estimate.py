"""How long a conversion or a transform will take, from a few megabytes of each.

A part of the scan is read and worked on, and as much is written beside the target and
deleted. The slower of both says how long all of it takes: rates of disks differ by a
factor of a hundred, so no fixed number would do.
"""

from __future__ import annotations

import os
import tempfile
import zlib
from pathlib import Path
from time import perf_counter
from typing import Any

import numpy as np
from numpy.typing import NDArray

from brickfield.blockwise import ThreadBuffers
from brickfield.model.units import duration
from brickfield.stem4d import ScanViewer

PROBE_BYTES = 16 << 20
LEAST_S = 1e-4


def about(seconds: float) -> str:
    """Say a time that is not exact, as "about 9 s"."""
    text = duration(seconds)
    return text if text.startswith("under") else f"about {text}"


def conversion_seconds(viewer: ScanViewer, folder: Path, compression: str) -> float:
    """Return about how long all patterns take to be read and written, seconds.

    Parameters
    ----------
    viewer : ScanViewer
    folder : Path
        Where the file is to be written.
    compression : {"none", "gzip", "lz4"}

    Raises
    ------
    ChunkReadError
    OSError
        If nothing can be written to the folder.
    """
    begun = perf_counter()
    sample = _sample(viewer)
    stored = sample.tobytes()
    if compression == "gzip":
        stored = _deflated(stored)
    reading = (perf_counter() - begun) / max(sample.nbytes, 1)
    if compression == "gzip":
        reading /= os.cpu_count() or 1
    ratio = len(stored) / max(sample.nbytes, 1)
    writing = ratio / write_rate(folder)
    n_bytes = float(np.prod(viewer.shape, dtype=np.float64)) * viewer.dtype.itemsize
    return n_bytes * max(reading, writing)


def transform_seconds(viewer: ScanViewer, folder: Path, n_bytes: int) -> float:
    """Return about how long a transform takes to be computed and written, seconds.

    Parameters
    ----------
    viewer : ScanViewer
    folder : Path
        Where the result is to be written.
    n_bytes : int
        Of the result, all passes over it.
    """
    from scipy import fft

    sample = _sample(viewer)[:8].astype(np.float32)
    begun = perf_counter()
    spectrum = fft.fft2(sample, workers=1)
    seconds = perf_counter() - begun
    computing = seconds / int(spectrum.nbytes) / (os.cpu_count() or 1)
    return n_bytes * max(computing, 1 / write_rate(folder))


def write_rate(folder: Path) -> float:
    """Return how many bytes a second a folder takes, on disk.

    Parameters
    ----------
    folder : Path

    Raises
    ------
    OSError
    """
    blob = os.urandom(1 << 20) * (PROBE_BYTES >> 20)
    with tempfile.TemporaryFile(dir=folder) as file:
        begun = perf_counter()
        file.write(blob)
        file.flush()
        os.fsync(file.fileno())
        return len(blob) / max(perf_counter() - begun, LEAST_S)


def _deflated(values: bytes) -> bytes:
    try:
        from isal import isal_zlib
    except ImportError:
        return zlib.compress(values, 1)
    return bytes(isal_zlib.compress(values, 1))


def _sample(viewer: ScanViewer) -> NDArray[Any]:
    """Read patterns from the middle of the scan, shape (n, rows, columns)."""
    ny, nx, h, w = viewer.shape
    n = min(nx, max(1, PROBE_BYTES // (h * w * viewer.dtype.itemsize)))
    line, first = ny // 2, (nx - n) // 2
    place = (slice(line, line + 1), slice(first, first + n))
    return np.array(viewer.opened.data.view(*place, ThreadBuffers())[0], viewer.dtype)
