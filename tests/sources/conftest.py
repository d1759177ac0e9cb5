"""Fixtures for readers of stores."""

import contextlib
import os
import shutil
import tempfile
from itertools import product
from math import ceil
from pathlib import Path

import numpy as np
import pytest

NOBODY = 65534


class NobodysFolder(type(Path())):
    """A folder that an unprivileged user can reach."""

    @contextlib.contextmanager
    def identity(self):
        """Be that user for a while: a superuser may read everything."""
        if os.geteuid() != 0:
            yield
            return
        os.seteuid(NOBODY)
        try:
            yield
        finally:
            os.seteuid(0)


@pytest.fixture
def as_nobody():
    """A folder, and a way to lose the right to read everything."""
    folder = tempfile.mkdtemp(prefix="brickfield-nobody-")
    Path(folder).chmod(0o755)
    yield NobodysFolder(folder)
    shutil.rmtree(folder)


def _read_level(source, level):
    about = source.info.pyramid.levels[level]
    chunk = about.storage_chunk_shape
    whole = np.full(about.shape, about.fill_value, about.dtype)
    grid = [range(ceil(n / c)) for n, c in zip(about.shape, chunk, strict=True)]
    for index in product(*grid):
        known = source.missing_chunks(level, np.array([index]))
        read = source.read_storage_chunk(level, index)
        assert source.storage_key(level, index)
        if known is not None:
            assert bool(known[0]) == (read.data is None)
        if read.data is None:
            assert read.stored_bytes == 0
            continue
        low = [i * c for i, c in zip(index, chunk, strict=True)]
        size = [min(c, n - a) for a, c, n in zip(low, chunk, about.shape, strict=True)]
        assert read.data.shape == tuple(size)
        assert read.data.dtype == about.dtype
        assert read.data.dtype.isnative
        assert read.data.flags.c_contiguous
        stored = source.stored_bytes(level, index)
        assert stored is None or stored == read.stored_bytes
        whole[tuple(slice(a, a + s) for a, s in zip(low, size, strict=True))] = (
            read.data
        )
    return whole


@pytest.fixture
def read_level():
    """Read a level whole: every storage chunk once, each checked by the protocol."""
    return _read_level
