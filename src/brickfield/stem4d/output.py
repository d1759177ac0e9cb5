"""Results as files: ``.npy`` exact, ``.tif`` and ``.png`` for other programs.

A TIFF holds uint8 and uint16 as they are and everything else in float32; a PNG is a
grey picture for looking at. One pixel in a thousand may be darker than its black, and
one brighter than its white, so that a few hot pixels do not make all others black.
"""

from __future__ import annotations

from io import BytesIO
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from brickfield.errors import OptionError, StoreWriteError
from brickfield.sources.io import may_write
from brickfield.sources.scans import Scan
from brickfield.writing import check_file, usable_path, write_whole

ENDS = (".npy", ".tif", ".tiff", ".png")
CUT_OFF = 1 / 1000
"""Share of pixels beyond either end of a picture's range."""


def check_result_file(path: str | Path, scan: Scan) -> Path:
    """Check where a result is to be written, before it is computed.

    Parameters
    ----------
    path : str or Path
    scan : Scan
        What is read, and must not be replaced.

    Raises
    ------
    OptionError
        If its end is none of ``.npy``, ``.tif``, ``.png``, or it is read.
    StoreWriteError
        If its folder may not be written to.
    """
    where = usable_path(path, "an output file")
    if where.suffix.lower() not in ENDS:
        msg = f"expected an output file that ends in {', '.join(ENDS)}; found {where}"
        raise OptionError(msg)
    if where.is_dir() or not where.absolute().parent.is_dir():
        msg = f"expected an output file in a folder that exists; found {where}"
        raise OptionError(msg)
    check_file(where, [scan.data])
    if not may_write(where.absolute().parent):
        msg = f"expected to write into {where.parent}; the system refuses: allow it"
        raise StoreWriteError(msg)
    return where


def write_result(path: Path, values: NDArray[Any]) -> tuple[float, float] | None:
    """Write an array by the end of its file's name.

    Parameters
    ----------
    path : Path
    values : ndarray, shape (rows, columns) or (n, rows, columns)

    Returns
    -------
    tuple of float or None
        Values that are black and white in a PNG; None for other files.

    Raises
    ------
    OptionError
        If the format cannot hold it.
    StoreWriteError
    """
    end = path.suffix.lower()
    if end == ".npy":
        write_whole(path, lambda file: np.save(file, values))
        return None
    if end == ".png":
        if values.ndim != 2:
            msg = (
                f"expected a picture of rows and columns for {path.name}; found the"
                f" shape {values.shape}: write .npy or .tif"
            )
            raise OptionError(msg)
        shown = picture_range(values)
        write_whole(path, lambda file: _png(values, shown, file))
        return shown
    write_whole(path, lambda file: _tiff(values, file))
    return None


def picture_range(values: NDArray[Any]) -> tuple[float, float]:
    """Return the values that are black and white in a picture.

    The least and the greatest finite value, after :data:`CUT_OFF` of them are left
    out at either end; of fewer than a thousand values none is.

    Parameters
    ----------
    values : ndarray, any shape
    """
    finite = values[np.isfinite(values)].astype(np.float64)
    if not finite.size:
        return (0.0, 0.0)
    cut = int(finite.size * CUT_OFF)
    ends = np.partition(finite, (cut, finite.size - 1 - cut))
    low, high = float(ends[cut]), float(ends[finite.size - 1 - cut])
    return (low, high) if low < high else (float(finite.min()), float(finite.max()))


def _tiff(values: NDArray[Any], file: IO[bytes]) -> None:
    from PIL import Image

    exact = values.dtype in (np.uint8, np.uint16)
    pages = values if exact else values.astype(np.float32)
    images = [Image.fromarray(p) for p in pages.reshape(-1, *pages.shape[-2:])]
    # The writer of several pages reads what it wrote before.
    whole = BytesIO()
    images[0].save(whole, "TIFF", save_all=True, append_images=images[1:])
    file.write(whole.getbuffer())


def _png(values: NDArray[Any], shown: tuple[float, float], file: IO[bytes]) -> None:
    from PIL import Image

    numbers, (low, high) = values.astype(np.float64), shown
    grey = (numbers - low) / ((high - low) or 1.0) * 255
    picture = np.nan_to_num(grey, nan=0.0, posinf=255.0, neginf=0.0)
    Image.fromarray(np.rint(np.clip(picture, 0, 255)).astype(np.uint8)).save(
        file, "PNG"
    )
