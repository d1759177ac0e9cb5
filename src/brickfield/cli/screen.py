"""Where windows open: what opens them, the screen, and a virtual one without it."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from importlib import import_module
from typing import Any

from brickfield.errors import MissingExtraError, OptionError

VIRTUAL = ("xvfb-run", "-a", "-s", "-screen 0 1600x1000x24")


def has_screen() -> bool:
    """Whether windows can be opened; other systems than Linux always have a screen."""
    if not sys.platform.startswith("linux"):
        return True
    return bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))


def expect_screen() -> None:
    """Refuse to go on without a screen, where Qt would end the process.

    Raises
    ------
    OptionError
    """
    if not has_screen():
        msg = (
            "expected a screen to open a window on; found neither DISPLAY nor"
            " WAYLAND_DISPLAY in the environment: log in with a desktop, put"
            ' "xvfb-run -a" before the command, or draw to a file with'
            ' "brickfield render"'
        )
        raise OptionError(msg)


def can_be_virtual() -> bool:
    """Whether a virtual screen can be had."""
    return shutil.which(VIRTUAL[0]) is not None


def on_virtual_screen(arguments: Sequence[str]) -> int:
    """Run ``brickfield …`` once more on a virtual screen; return its exit status."""
    env = {k: v for k, v in os.environ.items() if k != "QT_QPA_PLATFORM"}
    command = [*VIRTUAL, sys.executable, "-m", "brickfield.cli.main", *arguments]
    return subprocess.run(command, env=env, check=False).returncode  # noqa: S603


def window_module() -> Any:
    """Import what opens windows.

    Raises
    ------
    MissingExtraError
        Without napari or a Qt binding.
    """
    try:
        import_module("qtpy.QtWidgets")
        import_module("napari")
        return import_module("brickfield.plugin.window")
    except ImportError as error:
        msg = (
            f"expected napari and a Qt binding to open a window; found that {error}:"
            ' pip install "napari-brickfield[desktop]"'
        )
        raise MissingExtraError(msg) from error
