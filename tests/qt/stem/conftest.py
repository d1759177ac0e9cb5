"""A small scan in a file, and the patience to wait for a session."""

import h5py
import numpy as np
import pytest


@pytest.fixture
def patterns():
    """Patterns of a 6 × 5 scan, uint16, 16 × 12 pixels."""
    return np.random.default_rng(3).integers(0, 900, (6, 5, 16, 12), np.uint16)


@pytest.fixture
def scan_file(tmp_path, patterns):
    """A file with :func:`patterns`."""
    path = tmp_path / "scan.emd"
    with h5py.File(path, "w") as file:
        group = file.create_group("version_1/data/datacubes/datacube_000")
        file["version_1"].attrs["emd_group_type"] = 2
        group.attrs["emd_group_type"] = 1
        group["data"] = patterns
    return path


@pytest.fixture
def settle(qtbot):
    """Wait until a session has nothing to do."""

    def wait(session):
        qtbot.waitUntil(lambda: not session.is_busy, timeout=30_000)

    return wait
