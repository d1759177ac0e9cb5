"""A view whose chunks do not fit into memory is as exact as one whose chunks do."""

from dataclasses import replace

import numpy as np
import pytest

from brickfield.gpu.texels.padding import fill_slot
from brickfield.loading import ChunkCache
from brickfield.model import unpack_keys
from brickfield.planning import EXPORT
from brickfield.store import ChunkedImageStore
from brickfield.testing.sources import MemorySource
from brickfield.testing.textures import slot_texels

pytestmark = pytest.mark.gpu


@pytest.fixture
def scarce(volume, levels_of):
    """Makes a store in chunks of 32 whose cache holds a share of level 0."""
    stores = []

    def make(share, storage=32):
        source = MemorySource(levels_of(volume, 2), (storage,) * 3, chunk=(32,) * 3)
        store = ChunkedImageStore(source, cache=ChunkCache(int(volume.nbytes * share)))
        stores.append(store)
        return source, store

    yield make
    for store in stores:
        store.close()


def _wrong_texels(view, levels):
    """Count the texels of drawn bricks that are not those of the whole array."""
    (renderer,) = view.manager.renderers
    bricks, n_wrong, n_seen = renderer.bricks, 0, 0
    for name in bricks.atlas.resident():
        level, place = unpack_keys(np.int64(name[1]))
        whole = np.pad(levels[int(level)], 1, mode="edge")
        box = tuple(slice(i * 32, i * 32 + 34) for i in place)
        slot = slot_texels(renderer._gpu.device, bricks, name)
        n_wrong += np.count_nonzero(slot != fill_slot(whole[box], (34, 34, 34)))
        n_seen += 1
    return n_wrong, n_seen


@pytest.mark.parametrize("storage", [32, 64])
@pytest.mark.parametrize("share", [1 / 2, 1 / 4, 1 / 8])
def test_borders_are_exact_and_nothing_is_read_twice_with_little_memory(
    scarce, layer_of, make_view, levels_of, volume, share, storage
):
    source, store = scarce(share, storage)
    policy = replace(EXPORT, forced_level=0)
    view = make_view(layer_of(store), policy=policy)
    assert view.wait_until_complete(30)
    n_wrong, n_seen = _wrong_texels(view, levels_of(volume, 2))
    assert n_seen >= 125
    assert n_wrong == 0
    assert set(source.reads.values()) == {1}


@pytest.mark.parametrize("share", [1 / 2, 1 / 8])
def test_borders_are_exact_after_the_view_moved_on_and_came_back(
    scarce, layer_of, make_view, levels_of, volume, share
):
    _, store = scarce(share)
    near = replace(EXPORT, forced_level=0)
    view = make_view(layer_of(store), policy=near, gpu_budget=6 << 20)
    whole = view.camera
    # Near by, only some of the chunks are seen, and the others come beside them later.
    middle = np.array(whole.target)
    close = middle + (np.array(whole.position) - middle) * 0.3
    for camera in (replace(whole, position=tuple(close)), whole):
        view.camera = camera
        assert view.wait_until_complete(30)
    assert _wrong_texels(view, levels_of(volume, 2))[0] == 0
