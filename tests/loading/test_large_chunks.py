"""A storage chunk beyond the budget is refused with the budget that it needs."""

import json

import numpy as np
import pytest

from brickfield.errors import ChunkReadError
from brickfield.loading.cache.chunk_cache import ChunkCache
from brickfield.loading.manager import ChunkManager
from brickfield.loading.needs import Needs
from brickfield.loading.scheduler import Scheduler
from brickfield.loading.storage.boxes import read_box
from brickfield.loading.storage_layout import LevelLayout
from brickfield.model import pack_keys
from brickfield.model.requests import ChunkState
from brickfield.sources import open_source
from brickfield.testing.loading import ask

MIB = 1 << 20


@pytest.fixture
def one_large_chunk(tmp_path):
    """An array of one uncompressed chunk of 3 GiB (a sparse file)."""
    shape = [3072, 1024, 1024]
    meta = {"zarr_format": 2, "shape": shape, "chunks": shape, "dtype": "|u1"}
    meta |= {"compressor": None, "filters": None, "fill_value": 0, "order": "C"}
    (tmp_path / ".zarray").write_text(json.dumps(meta))
    with (tmp_path / "0.0.0").open("wb") as file:
        file.truncate(3 << 30)
    source = open_source(tmp_path)
    yield source
    source.close()


def test_a_chunk_beyond_the_budget_fails_with_the_budget_it_needs(one_large_chunk):
    """Three times 3 GiB: stored, decoded, and the copy that is handed on."""
    manager = ChunkManager(one_large_chunk, ram_budget=256 * MIB)
    request = ask(pack_keys(0, np.array([[0, 0, 0]])), visual_id="view")
    manager.request_chunks(request, "view")
    manager.wait("view")
    (chunk,) = manager.take_ready("view")
    manager.close()
    assert chunk.state is ChunkState.FAILED
    assert "9 GiB" in chunk.failure.reason or "may be taken" in chunk.failure.reason


def test_a_box_of_such_a_chunk_is_an_error(one_large_chunk):
    layout = LevelLayout.of(one_large_chunk.info.pyramid, 0)
    with pytest.raises(ChunkReadError, match="smaller chunks"):
        read_box(
            one_large_chunk,
            layout,
            ((0, 0, 0), (4, 4, 4)),
            (),
            budget_bytes=256 * MIB,
        )


def test_the_cache_is_smaller_while_a_large_chunk_is_read(one_large_chunk):
    """Reading takes 6 GiB; 128 MiB of them are allowed beyond the budget."""
    cache = ChunkCache(8 << 30)
    scheduler = Scheduler(one_large_chunk.info.pyramid, cache)
    scheduler.due.append((0, 0))
    scheduler.is_open = lambda _: True
    needs = Needs(scheduler.layouts[0], (), [0], set())
    needs.join("a chunk", {})
    scheduler.needing = lambda _: [needs]
    read = scheduler.next_job()
    assert cache.reserved_bytes == (6 << 30) - 128 * MIB
    scheduler.end_read(read)
    assert cache.reserved_bytes == 0
