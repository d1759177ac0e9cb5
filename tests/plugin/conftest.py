"""A napari viewer without a window, seen through the volume view."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from napari.components import ViewerModel
from npe2 import PluginManifest

from brickfield.camera import OrthoCamera, fit_camera
from brickfield.loading import default_cache
from brickfield.plugin.layers.scene_adapter import NapariScene
from brickfield.rendering import RenderThread
from brickfield.testing.turns import Turns
from brickfield.viewer.live import LiveView

SIZE = (48, 40)
"""Columns and rows: one pixel a voxel along z."""


class Seen:
    """A viewer without a window, and the picture that looks along z."""

    def __init__(self, thread: RenderThread) -> None:
        self.viewer = ViewerModel()
        self.thread = thread
        self.scene = NapariScene(self.viewer)
        self.view = LiveView("3D", self.scene, Turns(), thread=thread)
        self.view.resize(SIZE)

    def look(self) -> None:
        """Look along z at the box from (0, 0, 0) to (32, 40, 48)."""
        ends = np.array([[-0.5, -0.5, -0.5], [31.5, 39.5, 47.5]])
        corners = np.array(
            [[z, y, x] for z in ends[:, 0] for y in ends[:, 1] for x in ends[:, 2]]
        )
        self.view.camera = fit_camera(OrthoCamera("z"), corners, SIZE, (32, 40, 48))

    def picture(self) -> np.ndarray:
        """Return red, green and blue of the complete picture."""
        return self.view.screenshot()[..., :3].astype(int)

    def gray(self) -> np.ndarray:
        """Return the red part, shape (40, 48)."""
        return self.picture()[..., 0]


@pytest.fixture(scope="session", autouse=True)
def _manifests() -> Iterator[None]:
    """Read the manifests of what is installed once.

    Every viewer of napari's fixture asks for them, and npe2 would look through all
    packages again to register none: it knows them since the first viewer.
    """
    find = PluginManifest.discover
    found: dict[str, list] = {}

    def discover(*args: Any, **options: Any) -> list:
        asked = repr((args, options, sys.path))
        if asked not in found:
            found[asked] = list(find(*args, **options))
        return found[asked]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(PluginManifest, "discover", discover)
        yield


@pytest.fixture
def seen(adapter) -> Iterator[Seen]:
    default_cache().clear()
    thread = RenderThread()
    made = Seen(thread)
    yield made
    made.view.close()
    made.scene.close()
    thread.close()
