"""E17: channels, scales and time points."""

from __future__ import annotations

import numpy as np

from benchmarks.rows import Row, Setting, exactly
from benchmarks.scenes import layer_of, orbit, ortho, own_cache, view_of, virtual_store
from brickfield.model.appearance import MAX_CHANNELS
from brickfield.planning import LodPolicy
from brickfield.sample import VirtualImage
from brickfield.sources import open_source

SIZE = (320, 240)


def capacity(setting: Setting) -> list[Row]:
    """E17."""
    peer = {"peer": "cellier (read)", "theirs": 4.0}
    n_bytes, n_uploads = revisit()
    return [
        exactly("E17", "channels drawn in one pass in 3D", channels(), 32, **peer),
        exactly("E17", "levels of one pyramid that can be planned", levels(), 12),
        exactly(
            "E17",
            "bytes read on the way back to a time point",
            n_bytes,
            0,
            unit="B",
            note=f"{n_uploads / 1e6:.1f} MB go to the GPU again from the RAM cache",
        ),
    ]


def channels() -> int:
    """Draw channels that are bright in one stripe each; count stripes that show."""
    n = MAX_CHANNELS
    data = np.zeros((n, 32, 64, 16 * n), np.uint8)
    for i in range(n):
        data[i, :, :, 16 * i + 4 : 16 * i + 12] = 200
    store = own_cache(open_source(data, axes="czyx"))
    layer = layer_of(store, (0, 255), n_channels=n)
    size = (16 * n, 64)
    with view_of(layer, size, policy=LodPolicy(forced_level=0)) as view:
        view.camera = ortho(data.shape[1:], size)
        assert view.wait_until_complete(60)
        image = view.image()[..., 0]
        assert len(view.manager.renderers) == 1
    return sum(bool((image[:, 16 * i + 8] == 200).all()) for i in range(n))


def levels() -> int:
    """Force each level of a pyramid of 12; count those that are drawn whole."""
    image = VirtualImage((100_000,) * 3, is_hollow=False)
    n = len(virtual_store(image).pyramid.levels)
    drawn = 0
    for level in range(n):
        policy = LodPolicy(forced_level=level)
        with view_of(layer_of(virtual_store(image)), SIZE, policy=policy) as view:
            # So near that a few chunks of that level fill the picture.
            distance = 0.9 * 64 * 2**level / 100_000
            view.camera = orbit(image.shape, SIZE, distance=distance)
            view.manager.plan(view.camera)
            (renderer,) = view.manager.renderers
            plan = renderer.plan
            assert plan is not None
            drawn += bool((plan.levels[plan.is_leaf] == level).any())
    return drawn


def revisit() -> tuple[int, int]:
    """Step 0, 1, 2 and back to 0; return the bytes read and uploaded on the way back."""
    image = VirtualImage((160, 160, 160), n_times=3, is_hollow=False)
    store = virtual_store(image)
    layer = layer_of(store)
    with view_of(layer, SIZE) as view:
        view.camera = orbit(image.shape, SIZE, distance=1.4)
        for t in (0, 1, 2):
            layer.selections = [(t,)]
            assert view.wait_until_complete(30)
            view.image()
        (renderer,) = view.manager.renderers
        read, sent = (
            store.manager.counters.bytes_read,
            renderer.bricks.atlas.upload_bytes,
        )
        layer.selections = [(0,)]
        assert view.wait_until_complete(30)
        view.image()
        return (
            store.manager.counters.bytes_read - read,
            renderer.bricks.atlas.upload_bytes - sent,
        )
