"""An image whose axes of space get longer while a view shows it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from brickfield.camera import camera_spec, fit_camera
from brickfield.loading import ChunkCache
from brickfield.rendering.volume_view import world_corners
from brickfield.sources import ReplaceableSource, open_source
from brickfield.store import ChunkedImageStore
from brickfield.testing.zarr_stores import image_attributes, write_image

SIZE = (160, 120)
SCALES = [[2.0**i] * 3 for i in range(3)]
LOOK = image_attributes(
    "zyx", SCALES, translations=[[(2**i - 1) / 2] * 3 for i in range(3)]
)
WHOLE = np.random.default_rng(5).integers(0, 90, (300, 140, 150)).astype("u1")
WHOLE[:, 40:60, 30:120] += 90
"""Structure that a wrong place would show."""


@pytest.fixture
def write(tmp_path, levels_of):
    """Writes the image as far as a shape, in place."""

    def write(shape, name="a.zarr"):
        part = WHOLE[tuple(map(slice, shape))]
        levels = levels_of(part, 3)
        return write_image(tmp_path / name, levels, LOOK, chunks=(16, 64, 64))

    return write


@pytest.fixture
def opened():
    """Opens images with caches of their own, closed afterwards."""
    stores = []

    def opened(place):
        source = ReplaceableSource(lambda: open_source(str(place)))
        stores.append(ChunkedImageStore(source, cache=ChunkCache(1 << 28)))
        return stores[-1]

    yield opened
    for store in stores:
        store.close()


def finish(view):
    assert view.wait_until_complete(60)
    return view.image()


def from_the_side(layer, size):
    """A camera without perspective, so that all chunks are wanted in one level."""
    spec = camera_spec("orbit:30,25")
    camera = fit_camera(spec, world_corners(layer), size, WHOLE.shape)
    return replace(camera, orthographic=True, height=400.0)


@pytest.mark.parametrize(
    ("mode", "size"), [("mip", (300, 400)), ("average", (90, 120))]
)
def test_a_grown_image_is_drawn_as_one_that_was_opened_then(
    write, opened, make_view, layer_of, mode, size
):
    """Through thin, cut and whole chunks, one level after another."""
    last = layer_of(opened(write(WHOLE.shape, "whole.zarr")))
    camera = from_the_side(last, size)
    store = opened(write((10, 140, 150)))
    view = make_view(layer_of(store, mode=mode), size=size)
    view.camera = camera
    finish(view)
    for z in (49, 65, 192):
        place = write((z, 140, 150))
        store.grow((z, 140, 150))
        drawn = finish(view)
        new = opened(place)
        assert new.pyramid.shapes_zyx.tolist() == store.pyramid.shapes_zyx.tolist()
        other = make_view(layer_of(new, mode=mode), size=size)
        other.camera = camera
        expected = finish(other)
        assert drawn[..., 0].max() > 20
        # Chunks of other shapes are walked through in other steps.
        assert np.abs(drawn.astype(int) - expected).max() <= 1, z


@pytest.mark.parametrize("axis", [0, 1, 2])
def test_bricks_that_stand_stay_and_are_not_read_again(
    write, opened, make_view, layer_of, axis
):
    shape = [128, 128, 128]
    store = opened(write(shape))
    view = make_view(layer_of(store), size=SIZE)
    finish(view)
    (renderer,) = view.manager.renderers
    before, sent = set(renderer.bricks.atlas.resident()), renderer.bricks.n_committed
    chunks = store.pyramid.chunk_shapes.tolist()
    shape[axis] = (300, 140, 150)[axis]
    write(shape)
    store.grow(shape)
    finish(view)
    assert renderer is view.manager.renderers[0]
    assert store.pyramid.chunk_shapes.tolist() == chunks
    assert before <= set(renderer.bricks.atlas.resident())
    assert store.manager.counters.rereads <= 8  # of coarse levels that ended in a chunk
    assert renderer.bricks.n_committed > sent


def test_a_view_that_rests_is_told_that_the_image_grew(
    write, opened, make_view, layer_of
):
    store = opened(write((64, 140, 150)))
    layer = layer_of(store)
    view = make_view(layer, size=SIZE)
    finish(view)
    told = []
    layer.render_callbacks.append(lambda: told.append(1))
    write((128, 140, 150))
    store.grow((128, 140, 150))
    assert told
    (done,) = view.sync().values()
    assert "grown" in done
    assert "rebuild" not in done
