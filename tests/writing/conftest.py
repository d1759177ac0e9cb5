"""What the tests of this folder share."""

from __future__ import annotations

import hashlib
import importlib.util
from pathlib import Path

import pytest

LAYOUTS = Path(__file__).with_name("layouts.py")


def module_of_layouts():
    """Load the neighbour; test folders are no packages."""
    spec = importlib.util.spec_from_file_location("layouts", LAYOUTS)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="session")
def layouts():
    """The functions that write sources."""
    return module_of_layouts()


@pytest.fixture
def checksums():
    """Map every file below a folder, and every link, to what it holds."""

    def taken(folder):
        found = {}
        for path in sorted(folder.rglob("*")):
            if path.is_symlink():
                found[path] = str(path.readlink())
            elif path.is_file():
                found[path] = hashlib.sha256(path.read_bytes()).hexdigest()
        return found

    return taken


def pytest_generate_tests(metafunc):
    """Run a test once for each layout."""
    if "layout" in metafunc.fixturenames:
        functions = module_of_layouts().LAYOUTS
        metafunc.parametrize("layout", functions, ids=[f.__name__ for f in functions])
