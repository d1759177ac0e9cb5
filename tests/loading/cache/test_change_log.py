"""A reader learns of every change since its last look, or that it missed some."""

from brickfield.loading.cache.change_log import MOST_CHANGES, ChangeLog
from brickfield.model.changes import ChunkChange

CHANGE = ChunkChange(0, ((0, 4),) * 3, (), (0, 0, 0), (1, 1, 1))


def test_whoever_looks_is_told_what_came_since():
    log = ChangeLog()
    assert log.since(0) == (0, [])
    log.add(CHANGE)
    assert log.since(0) == (1, [CHANGE])
    assert log.since(1) == (1, [])


def test_who_has_not_looked_for_long_is_told_so():
    log = ChangeLog()
    for _ in range(MOST_CHANGES + 1):
        log.add(CHANGE)
    assert log.since(0) == (MOST_CHANGES + 1, None)
    assert len(log.since(1)[1]) == MOST_CHANGES
