"""``brickfield view`` refuses what it cannot open in one sentence, before a window opens."""

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


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        pytest.param(["brickfield://1/9/AAAA"], "whole", id="damaged"),
        pytest.param(["brickfield://1/9/AAAA", "a.zarr"], "alone", id="not alone"),
        pytest.param(["brickfield://1/9/AAAA", "--well", "A1"], "--well", id="a part"),
    ],
)
def test_a_link_that_cannot_be_opened_is_one_sentence(command, arguments, said):
    """Also where there is no screen: the link is read first."""
    ended = command("view", *arguments)
    assert ended.status == 2
    assert said in ended.err
    assert "Traceback" not in ended.err


@pytest.mark.parametrize("place", ["", "none", "https://example.org/a.zarr"])
def test_only_local_images_can_be_followed(command, tmp_path, place):
    uri = place if "://" in place else tmp_path / place
    ended = command("view", uri, "--live")
    assert ended.status == 2
    assert "local folder" in ended.err
    assert "Traceback" not in ended.err
