"""Writes pictures."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from brickfield.errors import OptionError, StoreWriteError
from brickfield.model.secrets import hide_secrets
from brickfield.writing.files import usable_path, write_whole


def write_png(
    path: Path, image: NDArray[np.uint8], notes: Mapping[str, str] | None = None
) -> None:
    """Write a picture, shape (h, w, 4), uint8, sRGB; without alpha when opaque.

    The file is there when all of it is written, and not before.

    Parameters
    ----------
    path : Path
    image : ndarray
    notes : mapping, optional
        Texts that the file says of itself, by keyword (PNG's ``Description``, …).

    Raises
    ------
    OptionError
        If there is no room or no right to write.
    """
    from PIL import Image
    from PIL.PngImagePlugin import PngInfo

    is_opaque = bool((image[..., 3] == 255).all())
    info = PngInfo()
    for keyword, text in (notes or {}).items():
        info.add_itxt(keyword, hide_secrets(text))
    picture = Image.fromarray(image[..., :3].copy() if is_opaque else image)
    try:
        write_whole(
            usable_path(path),
            lambda file: picture.save(file, format="PNG", pnginfo=info),
        )
    except StoreWriteError as error:
        raise OptionError(str(error)) from error
