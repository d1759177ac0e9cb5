"""What the tests of the GPU storey share."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path

import pytest


def _load(name: str):
    """Load a helper module beside this file (tests are no package)."""
    full = f"brickfield_tests_gpu_{name}"
    if full not in sys.modules:
        spec = importlib.util.spec_from_file_location(
            full, Path(__file__).with_name(f"{name}.py")
        )
        module = importlib.util.module_from_spec(spec)
        sys.modules[full] = module
        spec.loader.exec_module(module)
    return sys.modules[full]


@pytest.fixture(scope="session")
def harness(adapter):
    """The module that draws arrays (needs the adapter)."""
    return _load("harness")


@pytest.fixture(scope="session")
def raycaster():
    """The plain numpy ray caster."""
    return _load("raycaster")


@pytest.fixture
def stages(harness):
    """Makes stages and closes them after the test."""
    made = []

    def make(*args, **options):
        stage = harness.stage_of(*args, **options)
        made.append(stage)
        return stage

    make.keep = lambda stage: made.append(stage) or stage
    yield make
    for stage in made:
        stage.close()
