"""What the tests of this folder share."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import pytest

SOURCE_FILE = Path(__file__).with_name("grid_source.py")


@pytest.fixture(scope="session")
def grid_source():
    """The class of a source in memory; test folders are no packages."""
    spec = importlib.util.spec_from_file_location("grid_source", SOURCE_FILE)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.GridSource


@pytest.fixture(scope="session")
def source_folder():
    """Where a child process finds grid_source."""
    return SOURCE_FILE.parent
