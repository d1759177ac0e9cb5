"""Writes pictures."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from brickfield.errors import OptionError


def write_png(path: Path, image: NDArray[np.uint8]) -> None:
    """Write a picture, shape (h, w, 4), uint8, sRGB; without alpha when opaque."""
    from PIL import Image

    is_opaque = bool((image[..., 3] == 255).all())
    try:
        Image.fromarray(image[..., :3].copy() if is_opaque else image).save(path)
    except OSError as error:
        msg = f"expected to write {path}; the system says: {error.strerror or error}"
        raise OptionError(msg) from error
