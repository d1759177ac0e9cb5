"""Results as files: ``.npy`` exact, ``.tif`` and ``.png`` for other programs.

A TIFF holds uint8 and uint16 as they are and everything else in float32; a PNG is a
grey picture from the least to the greatest value, for looking at.
"""

from __future__ import annotations

from io import BytesIO
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from brickfield.errors import OptionError
from brickfield.sources import Scan
from brickfield.writing import check_file, usable_path, write_whole

ENDS = (".npy", ".tif", ".tiff", ".png")


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
    """
    where = usable_path(path, "an output file")
    if where.suffix.lower() not in ENDS:
        msg = f"expected an output file that ends in {', '.join(ENDS)}; found {where}"
        raise OptionError(msg)
    if where.is_dir() or not where.absolute().parent.is_dir():
        msg = f"expected an output file in a folder that exists; found {where}"
        raise OptionError(msg)
    check_file(where, [scan.data])
    return where


def write_result(path: Path, values: NDArray[Any]) -> None:
    """Write an array by the end of its file's name.

    Parameters
    ----------
    path : Path
    values : ndarray, shape (rows, columns) or (n, rows, columns)

    Raises
    ------
    OptionError
        If the format cannot hold it.
    StoreWriteError
    """
    end = path.suffix.lower()
    if end == ".npy":
        write_whole(path, lambda file: np.save(file, values))
        return
    if end == ".png":
        if values.ndim != 2:
            msg = (
                f"expected a picture of rows and columns for {path.name}; found the"
                f" shape {values.shape}: write .npy or .tif"
            )
            raise OptionError(msg)
        write_whole(path, lambda file: _png(values, file))
        return
    write_whole(path, lambda file: _tiff(values, file))


def _tiff(values: NDArray[Any], file: IO[bytes]) -> None:
    from PIL import Image

    exact = values.dtype in (np.uint8, np.uint16)
    pages = values if exact else values.astype(np.float32)
    images = [Image.fromarray(p) for p in pages.reshape(-1, *pages.shape[-2:])]
    # The writer of several pages reads what it wrote before.
    whole = BytesIO()
    images[0].save(whole, "TIFF", save_all=True, append_images=images[1:])
    file.write(whole.getbuffer())


def _png(values: NDArray[Any], file: IO[bytes]) -> None:
    from PIL import Image

    numbers = values.astype(np.float64)
    finite = numbers[np.isfinite(numbers)]
    low, high = (finite.min(), finite.max()) if finite.size else (0.0, 0.0)
    grey = (numbers - low) / ((high - low) or 1.0) * 255
    picture = np.nan_to_num(grey, nan=0.0, posinf=255.0, neginf=0.0)
    Image.fromarray(np.rint(np.clip(picture, 0, 255)).astype(np.uint8)).save(
        file, "PNG"
    )
