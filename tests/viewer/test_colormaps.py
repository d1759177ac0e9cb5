"""Every known colormap name gives an opaque table, and others are refused."""

import subprocess
import sys

import numpy as np
import pytest

from brickfield.errors import OptionError
from brickfield.viewer.colormaps import (
    CHANNEL_COLORS,
    COMMON,
    channel_color,
    color,
    lut,
)


@pytest.mark.parametrize("name", COMMON)
def test_every_common_name_gives_an_opaque_table(name):
    table = lut(name)
    assert table.shape == (256, 4)
    assert table.dtype == np.uint8
    assert (table[:, 3] == 255).all()


def test_gray_is_the_identity():
    assert (lut("gray")[:, :3] == np.arange(256)[:, None]).all()


@pytest.mark.parametrize(
    ("name", "last"),
    [("red", (255, 0, 0)), ("cyan", (0, 255, 255)), ("#ff8000", (255, 128, 0))],
)
def test_a_colour_gives_the_ramp_from_black_to_it(name, last):
    table = lut(name)
    assert tuple(table[0, :3]) == (0, 0, 0)
    assert tuple(table[255, :3]) == last


def test_viridis_is_the_published_table():
    assert tuple(lut("viridis")[0, :3]) == (68, 1, 84)
    assert tuple(lut("viridis")[255, :3]) == (253, 231, 37)


def test_a_table_cannot_be_changed_by_one_of_its_users():
    with pytest.raises(ValueError, match="read-only"):
        lut("magma")[0] = 0


def test_an_unknown_name_is_refused_with_names_that_are_known():
    with pytest.raises(OptionError, match=r"viridis.*found 'virids'.*did you mean"):
        lut("virids")


@pytest.mark.parametrize(
    ("value", "expected"),
    [("black", (0, 0, 0)), ("#102030", (16, 32, 48)), ((1, 2, 3), (1, 2, 3))],
)
def test_colours_are_understood(value, expected):
    assert color(value) == expected


@pytest.mark.parametrize("value", ["", "blackish", (1, 2), (0, 0, 256)])
def test_what_is_no_colour_is_refused(value):
    with pytest.raises(OptionError, match="expected a colour"):
        color(value)


def test_default_channel_colours_differ_in_lightness_or_hue_for_red_green_blindness():
    """Told apart along blue-yellow and lightness, which such eyes keep."""
    rgb = np.array(CHANNEL_COLORS, dtype=float) / 255
    lightness = rgb @ [0.2126, 0.7152, 0.0722]
    blue_yellow = rgb[:, 2] - rgb[:, :2].mean(axis=1)
    kept = np.stack([lightness, blue_yellow], axis=1)
    distance = np.linalg.norm(kept[:, None] - kept[None], axis=2)
    assert distance[np.triu_indices(len(rgb), 1)].min() > 0.05


def test_channel_colours_repeat_when_they_run_out():
    assert channel_color(len(CHANNEL_COLORS)) == channel_color(0)


def test_a_grey_picture_on_black_imports_no_tables_of_others():
    code = (
        "import sys; from brickfield.viewer.colormaps import color, lut\n"
        "color('black'), color('white'), lut('gray')\n"
        "print('cmap' in sys.modules)"
    )
    run = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert run.stdout.split() == ["False"]
