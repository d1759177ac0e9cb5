"""A small picture of a session, from the images that it holds; on any thread."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from brickfield.errors import BrickfieldError
from brickfield.sessions import SessionDocument
from brickfield.store import open_store
from brickfield.viewer import thumbnail

MOST_LAYERS = 6
"""That are put over each other; more cost time and show nothing."""
EDGE = 96


def session_thumbnail(
    folder: Path, document: SessionDocument
) -> NDArray[np.uint8] | None:
    """Return what a session's visible layers look like, in their colours.

    Parameters
    ----------
    folder : Path
        Of the session.
    document : SessionDocument

    Returns
    -------
    ndarray, shape (96, 96, 3), uint8, or None
        On black; None where the session holds no picture.
    """
    shown = zip(document.scene.layers, document.image_names, strict=True)
    names = [name for layer, name in shown if layer.visible][:MOST_LAYERS]
    whole = np.zeros((EDGE, EDGE, 3), np.uint8)
    is_there = False
    for name in names:
        try:
            with closing(open_store(str(folder / name))) as store:
                picture = thumbnail(store)
        except (BrickfieldError, OSError):  # a preview may be gone
            continue
        if picture is None:
            continue
        is_there = True
        # The brighter of them: a sum of several layers would be white.
        np.maximum(whole, _framed(picture), out=whole)
    return whole if is_there else None


def _framed(picture: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Put a picture, shape (h, w, 3), in the middle of a square, as large as fits."""
    height, width = picture.shape[:2]
    scale = EDGE / max(height, width)
    h, w = max(1, round(height * scale)), max(1, round(width * scale))
    rows = (np.arange(h) * height) // h
    columns = (np.arange(w) * width) // w
    framed = np.zeros((EDGE, EDGE, 3), np.uint8)
    top, left = (EDGE - h) // 2, (EDGE - w) // 2
    framed[top : top + h, left : left + w] = picture[rows][:, columns]
    return framed
