"""``brickfield view``."""

import sys

import pytest

pytestmark = [
    pytest.mark.skipif(
        not sys.platform.startswith("linux"),
        reason="other systems always have a screen",
    ),
    # What napari's own imports warn of.
    pytest.mark.filterwarnings("ignore"),
]


def test_without_a_screen_it_says_what_to_do(command, tmp_path, monkeypatch):
    monkeypatch.delenv("DISPLAY", raising=False)
    monkeypatch.delenv("WAYLAND_DISPLAY", raising=False)
    ended = command("view", tmp_path)
    assert ended.status == 2
    assert "xvfb-run" in ended.err
    assert "Traceback" not in ended.err


def test_an_unknown_layout_is_refused_before_anything_opens(command, tmp_path):
    ended = command("view", tmp_path, "--layout", "3x3")
    assert ended.status == 2
    assert "2x2" in ended.err
