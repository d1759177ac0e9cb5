"""Small pyramids with a view on them."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
import pytest

from brickfield.camera import camera_spec, fit_camera
from brickfield.loading import default_cache
from brickfield.model.appearance import Appearance, ChannelAppearance
from brickfield.planning import EXPORT
from brickfield.rendering.offscreen import OffscreenView
from brickfield.rendering.volume_view import world_corners
from brickfield.store import ChunkedImageStore, ChunkedLayer, open_store


def _levels_of(volume: np.ndarray, n: int) -> list[np.ndarray]:
    """Block means of factor two, n levels."""
    levels = [volume]
    for _ in range(n - 1):
        z, y, x = (s // 2 * 2 for s in levels[-1].shape)
        a = levels[-1][:z, :y, :x].astype(float)
        a = a.reshape(z // 2, 2, y // 2, 2, x // 2, 2).mean(axis=(1, 3, 5))
        levels.append(np.rint(a).astype(volume.dtype))
    return levels


@pytest.fixture
def volume() -> np.ndarray:
    """Noise with a bright block, uint8, edges no multiple of the brick."""
    rng = np.random.default_rng(3)
    data = rng.integers(0, 60, (130, 140, 150), dtype=np.uint8)
    data[40:60, 50:90, 20:110] = 220
    return data


@pytest.fixture
def store(volume: np.ndarray) -> Iterator[ChunkedImageStore]:
    """The volume as a pyramid of three levels."""
    default_cache().clear()
    opened = open_store(_levels_of(volume, 3))
    yield opened
    opened.close()


def _layer_of(store: ChunkedImageStore, **look: object) -> ChunkedLayer:
    """A layer of one channel, full contrast."""
    channel = ChannelAppearance(contrast=(0.0, 255.0))
    appearance = Appearance(channels=(channel,), **look)
    n = len(store.pyramid.other_axes)
    return ChunkedLayer(store, appearance=appearance, selections=[(0,) * n])


@pytest.fixture
def levels_of() -> Callable[..., list[np.ndarray]]:
    """Makes a pyramid of block means."""
    return _levels_of


@pytest.fixture
def layer_of() -> Callable[..., ChunkedLayer]:
    """Makes a layer of one channel."""
    return _layer_of


@pytest.fixture
def make_view(adapter: object) -> Iterator[Callable[..., OffscreenView]]:
    """Views that are closed afterwards."""
    views: list[OffscreenView] = []

    def make(
        *layers: ChunkedLayer,
        size: tuple[int, int] = (96, 80),
        camera: str = "fit",
        **options: object,
    ) -> OffscreenView:
        view = OffscreenView(size, **{"policy": EXPORT, **options})
        view.set_layers(layers)
        shape = layers[0].store.pyramid.levels[0].shape_zyx
        corners = world_corners(layers[0])
        view.camera = fit_camera(camera_spec(camera), corners, size, shape)
        views.append(view)
        return view

    yield make
    for view in views:
        view.close()
