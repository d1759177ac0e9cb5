"""A person's first minute in a real window, in a process of its own."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

TOOL = Path(__file__).parents[2] / "tools" / "first_minute.py"
pytestmark = [pytest.mark.gpu, pytest.mark.napari, pytest.mark.slow]


@pytest.fixture(scope="module")
def minute(adapter, tmp_path_factory):
    """What the tool left: its end, its report and its pictures."""
    out = tmp_path_factory.mktemp("minute")
    command = [sys.executable, str(TOOL), "--short", "--out", str(out)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    (report,) = out.rglob("report.json")
    return done, json.loads(report.read_text(encoding="utf-8")), report.parent


def test_every_step_can_be_done_and_every_sentence_is_true(minute):
    done, report, _ = minute
    told = [
        s for step in report["steps"] for s in (*step["false"], step["failed"]) if s
    ]
    assert not told
    assert done.returncode == 0, done.stdout + done.stderr


def test_each_step_leaves_a_picture_and_how_late_the_window_was(minute):
    _, report, folder = minute
    steps = report["steps"]
    assert {"first picture", "clip box", "contrast", "open a scene"} <= {
        step["step"] for step in steps
    }
    assert all(step["late_ms"] >= 0 for step in steps)
    # The last step closes the window.
    assert len(list(folder.glob("*.png"))) >= len(steps) - 1
