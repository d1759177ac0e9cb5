"""Ctrl-C is status 130 and silence, whenever it comes."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time

import pytest

pytestmark = pytest.mark.skipif(os.name != "posix", reason="needs signals")


def ended(code, *args):
    """Run a script that interrupts itself; return status and what it printed."""
    run = subprocess.run(
        [sys.executable, "-c", code, *map(str, args)],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    return run.returncode, run.stdout, run.stderr


def script(before, *args):
    return (
        f"{before}\nimport sys\nsys.argv = {['brickfield', *map(str, args)]!r}\n"
        "from brickfield.cli.main import main\nmain()"
    )


IMPORTED = """
import os, signal, sys, importlib.abc
class Finder(importlib.abc.MetaPathFinder):
    def find_spec(self, name, path, target=None):
        if name == "{name}":
            os.kill(os.getpid(), signal.SIGINT)
sys.meta_path.insert(0, Finder())
"""


@pytest.mark.parametrize(
    "name",
    [
        "brickfield.cli.app",
        "typer",
        "brickfield.cli.commands.info",
        "brickfield.sources.open",
        "numpy._core._multiarray_umath",
        "rich.console",
    ],
)
def test_an_interruption_while_a_module_is_imported(name, image):
    """Also where a library turns it into an error of its own."""
    code = script(IMPORTED.format(name=name), "info", image)
    assert ended(code) == (130, "", "")


CALLED = """
import brickfield.sources.open as module
import os, signal
real = module.open_source
def wrapped(*args, **kwargs):
    {what}
    return real(*args, **kwargs)
module.open_source = wrapped
"""
KILL = "os.kill(os.getpid(), signal.SIGINT)"
SWALLOWED = {
    "plainly": KILL,
    "lost in a destructor": (
        "X = type('X', (), {'__del__': lambda s: " + KILL + "}); x = X(); del x"
    ),
    "turned into another error": (
        "\n    try: "
        + KILL
        + "\n    except BaseException as e: raise ValueError from e"
    ),
    "ignored": "\n    try: " + KILL + "\n    except BaseException: pass",
}


@pytest.mark.parametrize("how", SWALLOWED)
def test_an_interruption_of_the_work(how, image):
    before = CALLED.replace("{what}", SWALLOWED[how])
    status, _, err = ended(script(before, "info", image))
    assert (status, err) == (130, "")


def test_an_interruption_while_the_process_ends(image):
    registered = f"import atexit; atexit.register(lambda: {KILL})"
    before = CALLED.replace("{what}", registered)
    status, out, err = ended(script(before, "info", image))
    assert (status, err) == (130, "")
    assert "image.ome.zarr" in out


@pytest.mark.parametrize("command", ["info", "render", "pyramid", "demo", "bench"])
@pytest.mark.parametrize("delay", [0.0, 0.15])
def test_every_command_is_interrupted_from_outside(command, delay, tmp_path):
    """The signal comes after the entry point was reached, at two moments."""
    more = {"render": ["-o", "o.png"], "pyramid": ["out.zarr"], "demo": [], "bench": []}
    args = [command, *(["gone.zarr"] if command not in ("demo", "bench") else [])]
    code = script(
        "import brickfield.cli.interrupts as i, time\nreal = i.leave_at_once\n"
        "def told():\n    real()\n    print('ready', flush=True)\n"
        "    i.leave_at_once = real\n    time.sleep(0.05)\ni.leave_at_once = told",
        *args,
        *more.get(command, []),
    )
    with subprocess.Popen(
        [sys.executable, "-c", code],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=tmp_path,
    ) as process:
        assert process.stdout.readline() == "ready\n"
        time.sleep(delay)
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=60)
    if process.returncode == 2:
        pytest.skip("it had ended before")
    assert (process.returncode, err) == (130, "")
