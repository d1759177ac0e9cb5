"""Views with opaque objects in a world of 40 voxels a side, one pixel a voxel."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
import pytest

from brickfield.loading import default_cache
from brickfield.model.appearance import Appearance, ChannelAppearance
from brickfield.rendering.objects.object_set import ObjectSet
from brickfield.rendering.objects.values import ObjectValue
from brickfield.rendering.offscreen import OffscreenView
from brickfield.store import ChunkedImageStore, open_store

SLAB = 100
"""Value of the slab at z 20; all else is 0."""


@pytest.fixture
def slab() -> Iterator[ChunkedImageStore]:
    """A slab across the view, two voxels thick, in nothing."""
    data = np.zeros((40, 40, 40), np.uint8)
    data[19:21] = SLAB
    default_cache().clear()
    with open_store(data) as store:
        yield store


@pytest.fixture
def with_objects(make_view, layer_of) -> Callable[..., OffscreenView]:
    """Makes a complete view from z with objects; one pixel a voxel."""

    def make(
        store: ChunkedImageStore,
        values: dict[str, ObjectValue],
        mode: str = "mip",
        camera: str = "ortho:z",
        *,
        size: tuple[int, int] = (40, 40),
        **look: object,
    ) -> OffscreenView:
        layer = layer_of(store)
        channel = ChannelAppearance(contrast=(0.0, 255.0), iso_threshold=50.0)
        layer.appearance = Appearance(mode=mode, channels=(channel,), **look)
        view = make_view(layer, size=size, camera=camera)
        view.object_set = ObjectSet(view.objects)
        view.object_set.show(values)
        assert view.wait_until_complete(30)
        return view

    return make
