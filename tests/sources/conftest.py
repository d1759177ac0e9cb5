"""Fixtures for readers of stores."""

import contextlib
import os
import shutil
import tempfile
from pathlib import Path

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
