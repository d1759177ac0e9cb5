"""Writes pictures, and reads the scene that a picture of ours knows."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from brickfield.errors import (
    OptionError,
    SceneStateError,
    StoreNotFoundError,
    StoreWriteError,
)
from brickfield.model.secrets import hide_secrets
from brickfield.scene.document import SceneState
from brickfield.writing.files import usable_path, write_whole

SCENE_KEY = "brickfield-scene"
"""Keyword of the scene document in a picture's texts."""
_MOST_SCENE_BYTES = 16 << 20


def scene_of_png(path: Path) -> SceneState:
    """Return the scene that a picture was drawn of.

    Parameters
    ----------
    path : Path
        A PNG that this program wrote.

    Raises
    ------
    StoreNotFoundError
        When there is no such file.
    SceneStateError
        When it is no PNG, or says nothing of its scene.
    """
    from PIL import Image

    try:
        with Image.open(path, formats=["PNG"]) as picture:
            # What comes behind the pixels is read by loading alone.
            text = getattr(picture, "text", {}).get(SCENE_KEY)
    except FileNotFoundError as error:
        msg = f"expected a picture at {path}; found nothing"
        raise StoreNotFoundError(msg) from error
    except (OSError, ValueError, SyntaxError) as error:
        msg = f"expected a PNG picture in {path}; found none that can be read"
        raise SceneStateError(msg) from error
    if text is None or len(text) > _MOST_SCENE_BYTES:
        msg = (
            f"expected a picture that knows its scene, as this program draws them; found"
            f" that {path} does not"
        )
        raise SceneStateError(msg)
    try:
        return SceneState.from_json(str(text))
    except SceneStateError as error:
        msg = f"{path}: {error}"
        raise SceneStateError(msg) from error


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
