"""A scene in memory, a main thread in turns, and live views on them."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
import pytest

from brickfield.loading import default_cache
from brickfield.rendering import RenderThread
from brickfield.testing.scene import MemoryScene
from brickfield.testing.turns import Turns
from brickfield.viewer.live.live_view import LiveView


@pytest.fixture
def turns() -> Turns:
    """The main thread."""
    return Turns()


@pytest.fixture
def memory_scene() -> Iterator[MemoryScene]:
    """An empty scene."""
    default_cache().clear()
    scene = MemoryScene()
    yield scene
    scene.close()


@pytest.fixture
def make_live(memory_scene, turns, adapter) -> Iterator[Callable[..., LiveView]]:
    """Make shown views of 80x60 pixels on a render thread of the test's own."""
    thread = RenderThread()
    views: list[LiveView] = []

    def make(
        kind: str = "3D", *, is_shown: bool = True, frames_content: bool = False
    ) -> LiveView:
        view = LiveView(kind, memory_scene, turns, thread=thread)
        view.framing.frames_content = frames_content
        view.resize((80, 60))
        view.is_shown = is_shown
        views.append(view)
        return view

    yield make
    for view in views:
        view.close()
    thread.close()


@pytest.fixture
def box() -> np.ndarray:
    """Value 200 within 20 to 44 of 64 voxels along every axis, else 0; uint8."""
    data = np.zeros((64, 64, 64), np.uint8)
    data[20:44, 20:44, 20:44] = 200
    return data
