"""A dark volume to draw on, and a view of it that is already complete."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest

from brickfield.loading import default_cache
from brickfield.model.appearance import Appearance
from brickfield.rendering.offscreen import OffscreenView
from brickfield.store import ChunkedImageStore, open_store

MICROMETRES = 2.0
"""World units a voxel."""


@pytest.fixture
def dark() -> Iterator[ChunkedImageStore]:
    """Nothing, 50 voxels a side, each 2 world units."""
    default_cache().clear()
    with open_store(np.zeros((50, 50, 50), np.uint8), scale=MICROMETRES) as store:
        yield store


@pytest.fixture
def seen(make_view, layer_of) -> Callable[..., OffscreenView]:
    """Makes a complete view of a store: size in logical pixels."""

    def make(
        store: ChunkedImageStore,
        size: tuple[int, int] = (160, 100),
        camera: str = "ortho:z",
        *,
        pixel_ratio: float = 1.0,
        look: Appearance | None = None,
        **options: Any,
    ) -> OffscreenView:
        physical = (round(size[0] * pixel_ratio), round(size[1] * pixel_ratio))
        layer = layer_of(store)
        if look is not None:
            layer.appearance = look
        view = make_view(layer, size=physical, camera=camera, **options)
        view.resize(size, pixel_ratio)
        assert view.wait_until_complete(30)
        return view

    return make


@pytest.fixture
def changed() -> Callable[[OffscreenView], np.ndarray]:
    """Tells which pixels overlays changed, shape (h, w)."""

    def tell(view: OffscreenView) -> np.ndarray:
        with_overlays = view.image().astype(int)
        state, view.overlays.state = view.overlays.state, type(view.overlays.state)()
        without = view.image().astype(int)
        view.overlays.state = state
        return (with_overlays != without).any(axis=-1)

    return tell
