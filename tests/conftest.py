"""What every test shares."""

from __future__ import annotations

import os
import random
import signal
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, settings

settings.register_profile("dev", deadline=None, max_examples=50)
# The same examples at every run, and no limit that a busy machine could break.
settings.register_profile(
    "ci",
    deadline=None,
    max_examples=50,
    derandomize=True,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "dev"))


@pytest.fixture(autouse=True)
def _seed():
    """Make numbers drawn without a generator of one's own repeatable."""
    random.seed(0)
    np.random.seed(0)  # noqa: NPY002


@pytest.fixture(scope="session", autouse=True)
def _ctrl_c():
    """Let Ctrl-C be heard: shells have it ignored by what runs in the background."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(scope="session")
def adapter():
    """The shared graphics device: without one a test fails, it never skips."""
    from brickfield.errors import AdapterError
    from brickfield.gpu import get_device

    try:
        return get_device()
    except AdapterError as error:
        pytest.fail(f"tests of the picture need a graphics adapter: {error}")


@pytest.fixture(scope="session")
def project_root() -> Path:
    """The folder of pyproject.toml."""
    return Path(__file__).parent.parent


@pytest.fixture(scope="session")
def real_data(project_root) -> Path:
    """Real files of others beside the project, which are no part of it."""
    folder = project_root.parent / "shared" / "data"
    if not folder.is_dir():
        pytest.skip("the folder ../shared/data with real files is not here")
    return folder


def pytest_collection_modifyitems(items):
    """Where windows open, napari's and Qt's warnings are theirs; ours are errors."""
    here = Path(__file__).parent
    for item in items:
        if here / "qt" in item.path.parents or here / "plugin" in item.path.parents:
            item.add_marker(pytest.mark.filterwarnings("error:::brickfield"))
