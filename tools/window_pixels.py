"""What a widget shows, as an array."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from qtpy.QtWidgets import QWidget


def pixels_of(widget: QWidget) -> NDArray[np.uint8]:
    """Return what a widget shows, shape (h, w, 3), uint8."""
    image = widget.grab().toImage()
    image = image.convertToFormat(image.Format.Format_RGBX8888)
    memory = image.constBits()
    if hasattr(memory, "setsize"):  # PyQt's
        memory.setsize(image.sizeInBytes())
    rows = np.frombuffer(memory, np.uint8).reshape(image.height(), -1)
    found = rows[:, : 4 * image.width()].reshape(image.height(), image.width(), 4)
    return found[..., :3].copy()
