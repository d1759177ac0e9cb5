"""What every test shares."""

from __future__ import annotations

import gc
import os
import random
import shutil
import signal
import subprocess
import sys
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


@pytest.fixture(autouse=True)
def _mouse():
    """Let go of the mouse: Qt's double click in a test leaves the button pressed."""
    yield
    widgets = sys.modules.get("qtpy.QtWidgets")
    if widgets is None or widgets.QApplication.instance() is None:
        return
    if widgets.QApplication.mouseButtons().value:
        from qtpy.QtCore import Qt
        from qtpy.QtGui import QWindow
        from qtpy.QtTest import QTest

        QTest.mouseRelease(QWindow(), Qt.MouseButton.LeftButton)


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
        device = get_device()
    except AdapterError as error:
        pytest.fail(f"tests of the picture need a graphics adapter: {error}")
    # A view that closes has the programs of its pictures forgotten. Compiling them anew
    # for each test would take a quarter of the time of all.
    with pytest.MonkeyPatch.context() as patch:
        for cache in program_caches():
            patch.setattr(cache, "clear", lambda: None)
        yield device


@pytest.fixture
def forgetful(adapter):
    """Have programs forgotten as outside of tests, for what counts things on the device."""
    for cache in program_caches():
        cache.__dict__.pop("clear", None)
        cache.clear()
    yield
    for cache in program_caches():
        cache.clear()
        cache.clear = lambda: None


def program_caches():
    """Return where pygfx keeps what it compiled, and what belongs to it."""
    from pygfx.renderers.wgpu.engine.utils import gpu_caches

    names = ("pipelines", "layouts", "full_quad_objects")
    return [getattr(gpu_caches, name) for name in names]


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


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node):
    """Give each worker of pytest-xdist a virtual screen of its own.

    On a shared screen the windows of one worker would take the focus and cover the
    windows of the other. Only where tools/screen.sh has made the screen: a real one
    is left as it is.
    """
    if os.environ.get("BRICKFIELD_SCREEN") != "virtual" or not shutil.which("Xvfb"):
        return
    reading, writing = os.pipe()
    command = ["Xvfb", "-displayfd", str(writing), "-screen", "0", "1600x1000x24"]
    command += ["-nolisten", "tcp"]
    node.screen = subprocess.Popen(
        command, pass_fds=[writing], stderr=subprocess.DEVNULL
    )
    os.close(writing)
    with os.fdopen(reading) as answer:  # the number, once the screen takes windows
        node.workerinput["display"] = f":{answer.readline().strip()}"


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node):
    """Close the screen of a worker that has ended, by itself or by a crash."""
    if screen := getattr(node, "screen", None):
        screen.terminate()
        screen.wait()


def pytest_configure(config):
    """In a worker, open windows on the screen that was made for it."""
    if display := getattr(config, "workerinput", {}).get("display"):
        os.environ["DISPLAY"] = display


@pytest.hookimpl(wrapper=True)
def pytest_collection():
    """Import without collecting garbage: modules are none, and they are many."""
    gc.disable()
    try:
        return (yield)
    finally:
        gc.enable()
        keep_for_good()


MANY = 50
"""So many new modules, or tests, leave enough objects to be worth a collection."""
_n_modules = _n_tests = 0


def keep_for_good():
    """Keep what was imported and collected out of every later collection of garbage.

    napari collects for each viewer and for each layer that is removed, and each time
    would look at hundreds of thousands of objects that stay until the end.
    """
    global _n_modules, _n_tests
    gc.collect()
    gc.freeze()
    _n_modules, _n_tests = len(sys.modules), 0


@pytest.hookimpl(wrapper=True)
def pytest_runtest_teardown():
    """Keep what tests leave: modules such as napari's window, and caches that grow."""
    global _n_tests
    result = yield
    _n_tests += 1
    if len(sys.modules) > _n_modules + MANY or _n_tests > MANY:
        keep_for_good()
    return result


def pytest_collection_modifyitems(items):
    """Where windows open, napari's and Qt's warnings are theirs; ours are errors."""
    here = Path(__file__).parent
    for item in items:
        if here / "qt" in item.path.parents or here / "plugin" in item.path.parents:
            item.add_marker(pytest.mark.filterwarnings("error:::brickfield"))
