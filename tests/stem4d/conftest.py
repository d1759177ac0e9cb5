"""A scan with something in it."""

import numpy as np
import pytest

from brickfield.testing.mib import write_hdr, write_mib


@pytest.fixture(scope="session")
def patterns():
    """Patterns, shape (6, 7, 12, 10), uint16."""
    return np.random.default_rng(11).integers(0, 4096, (6, 7, 12, 10)).astype(np.uint16)


@pytest.fixture(scope="session")
def scan(tmp_path_factory, patterns):
    """These patterns as a MIB file, with its description."""
    folder = tmp_path_factory.mktemp("scan")
    write_hdr(folder / "scan.hdr", ScanX=7, ScanY=6)
    return write_mib(folder / "scan.mib", patterns.reshape(-1, 12, 10))
