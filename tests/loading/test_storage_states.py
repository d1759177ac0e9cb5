"""Who waits for a storage chunk is searched once, until another chunk waits."""

import numpy as np
import pytest

from brickfield.loading.assembly import Assembly
from brickfield.loading.cache.chunk_cache import ChunkCache
from brickfield.loading.needs import Needs
from brickfield.loading.queue import READING, WAITING, RequestQueue
from brickfield.loading.scheduler import Scheduler
from brickfield.loading.storage_states import Siblings
from brickfield.model import ChunkId
from brickfield.testing import MemorySource
from brickfield.testing.loading import all_keys, ask, numbers

PLANE = (0, 0)


class Counted(Siblings):
    """Counts its searches."""

    n_searches = 0

    def _search(self, *place):
        self.n_searches += 1
        return super()._search(*place)


@pytest.fixture
def scheduler():
    """Give a scheduler with a layer of 4 × 4 chunks under planes, all requested."""
    source = MemorySource([numbers((4, 16, 16))], (1, 16, 16), chunk=(4, 4, 4))
    scheduler = Scheduler(source.info.pyramid, ChunkCache(1 << 20))
    scheduler._siblings = Counted(scheduler, scheduler._queue)
    with scheduler.lock:
        scheduler.replace("a", [RequestQueue("a", ask(all_keys(source), ()))])
        yield scheduler


def begin(scheduler, name):
    """File an assembly for a chunk."""
    layout = scheduler.layouts[0]
    chunk = ChunkId.from_key(name[1], name[0])
    needs = Needs(layout, (), layout.needs(chunk.index, ()), set())
    scheduler.assemblies.add(Assembly(layout, chunk, needs), 0)


def test_all_waiting_chunks_under_a_plane_are_siblings_until_they_are_begun(scheduler):
    names = scheduler._siblings.of(PLANE)
    assert len(names) == 16
    begin(scheduler, names[0])
    assert scheduler._siblings.of(PLANE) == names[1:]


def test_without_any_the_search_is_not_repeated(scheduler):
    for name in scheduler._siblings.of(PLANE):
        begin(scheduler, name)
    for z in range(4):
        assert not scheduler._siblings.of((0, scheduler.layouts[0].flat_of((z, 0, 0))))
    assert scheduler._siblings.n_searches == 2


def test_a_chunk_that_is_dropped_is_found_again(scheduler):
    names = scheduler._siblings.of(PLANE)
    for name in names:
        begin(scheduler, name)
    assert not scheduler._siblings.of(PLANE)
    scheduler.discard(scheduler.assemblies.get(names[3]))
    assert scheduler._siblings.of(PLANE) == [names[3]]


@pytest.mark.parametrize("way", ["one", "all", "replaced"])
def test_a_chunk_that_waits_again_is_found(scheduler, way):
    (queue,) = scheduler.queues()
    queue.state[:] = READING
    queue.state[0] = WAITING
    (name,) = scheduler._siblings.of(PLANE)
    begin(scheduler, name)
    assert not scheduler._siblings.of(PLANE)
    if way == "one":
        queue.set_state(5, WAITING)
    elif way == "all":
        queue.reset()
    else:
        keys = queue.keys
        again = ask(np.array(keys), ())
        scheduler.replace("a", [RequestQueue("a", again)])
    assert len(scheduler._siblings.of(PLANE)) == (1 if way == "one" else 15)
