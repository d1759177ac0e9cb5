"""A scene in memory, and room for windows."""

from __future__ import annotations

import numpy as np
import pytest

from brickfield.testing.scene import MemoryScene


@pytest.fixture
def scene():
    """A scene without layers, closed at the end."""
    scene = MemoryScene(unit="µm")
    yield scene
    scene.close()


@pytest.fixture
def blob():
    """Two levels of a ball in the dark, uint16, shape (32, 40, 48) and half of it."""
    z, y, x = np.indices((32, 40, 48))
    distance = np.hypot(np.hypot(z - 16, y - 20), x - 24)
    fine = np.clip(1000 - 60 * distance, 0, None).astype(np.uint16)
    return [fine, fine[::2, ::2, ::2]]
