"""What the tests of loading share."""

from __future__ import annotations

import threading

import numpy as np
import pytest

from brickfield.loading.manager import ChunkManager
from brickfield.loading.retry import RetryRules
from brickfield.testing import MemorySource
from brickfield.testing.loading import numbers

SHORT = RetryRules((0.001, 0.002, 0.003))


@pytest.fixture
def manage():
    """Make managers that end with the test, and see that no thread is left."""
    before = set(threading.enumerate())
    made = []

    def make(source, **options):
        options.setdefault("ram_budget", 1 << 26)
        options.setdefault("retry", SHORT)
        if "cache" in options:
            del options["ram_budget"]
        made.append((ChunkManager(source, **options), source))
        return made[-1][0]

    yield make
    for manager, source in made:
        source.gate.set()
        manager.close()
    assert not set(threading.enumerate()) - before


@pytest.fixture
def volume():
    """128^3 voxels in 32^3 storage chunks, 64^3 chunks."""
    return MemorySource([numbers((128, 128, 128), np.uint32)], (32, 32, 32))
