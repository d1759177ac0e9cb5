"""An image that gets longer while napari shows it: the sliders follow."""

import json

import numpy as np
import pytest

from brickfield.loading import ChunkCache
from brickfield.plugin.slicing.growth import lengthen
from brickfield.sources import ReplaceableSource, open_source
from brickfield.store import ChunkedImageStore
from brickfield.testing.zarr_stores import image_attributes, write_array, write_image

MOVIE = np.random.default_rng(3).integers(10, 250, (4, 32, 40, 48)).astype("u1")
LOOK = image_attributes("tzyx", [[2, 1, 1, 1]])


@pytest.fixture
def place(tmp_path):
    return write_image(tmp_path / "a.zarr", [MOVIE[:2]], LOOK, chunks=(1, 16, 16, 16))


@pytest.fixture
def store(place):
    source = ReplaceableSource(lambda: open_source(place))
    with ChunkedImageStore(source, cache=ChunkCache(1 << 24)) as opened:
        yield opened


def grow(store, place, n: int) -> None:
    meta = json.loads((place / "0/.zarray").read_text())
    write_array(place / "0", MOVIE[:n], chunks=meta["chunks"])
    store.grow((n, *MOVIE.shape[1:]))


def test_the_slider_is_longer_and_nothing_is_built_anew(seen, store, place, layer):
    assert seen.viewer.dims.nsteps[0] == 2
    port, n_reads = seen.scene.layers[0], store.manager.counters.requests
    grow(store, place, 4)
    assert layer.data[0].shape[0] == 4
    assert seen.viewer.dims.nsteps[0] == 4
    assert seen.scene.axes[0].n_steps == 4
    assert seen.scene.layers == (port,)
    assert store.manager.counters.requests == n_reads


def test_a_new_time_point_is_drawn(seen, store, place, layer):
    seen.gray()
    grow(store, place, 4)
    seen.viewer.dims.set_current_step(0, 3)
    assert np.abs(seen.gray() - MOVIE[3].max(0)).max() <= 1
    seen.viewer.dims.set_current_step(0, 1)
    assert np.abs(seen.gray() - MOVIE[1].max(0)).max() <= 1


def test_the_level_that_is_shown_stays(store, place, layer):
    layer._data_level = 0
    grow(store, place, 3)
    lengthen(layer)  # has been told already
    assert layer.data_level == 0
    assert layer.data.shape[0] == 3
