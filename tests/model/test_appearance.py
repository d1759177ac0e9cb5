"""An appearance is right or refused: nothing that is drawn has to check it again."""

import numpy as np
import pytest

from brickfield.errors import OptionError
from brickfield.model.appearance import (
    MAX_CHANNELS,
    Appearance,
    ChannelAppearance,
    Lighting,
)

GREY = ChannelAppearance()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"mode": "wave"}, "a mode out of"),
        ({"blending": "stir"}, "a blending out of"),
        ({"channels": ()}, f"1 to {MAX_CHANNELS} channels"),
        ({"channels": (GREY,) * (MAX_CHANNELS + 1)}, "choose some with --channel"),
        ({"label_colors": np.zeros((4, 3), np.uint8)}, "colours of labels"),
        ({"label_colors": np.zeros((1, 4), np.uint8)}, "n at least 2"),
        ({"label_colors": np.zeros((4, 4), np.float32)}, "float32"),
    ],
)
def test_what_cannot_be_drawn_is_refused_in_one_sentence(options, message):
    with pytest.raises(OptionError, match=message):
        Appearance(**{"channels": (GREY,), **options})


def test_an_unknown_light_is_refused():
    with pytest.raises(OptionError, match="a light out of"):
        Lighting(light="moon")


@pytest.mark.parametrize(
    ("lighting", "mode", "is_labels", "program"),
    [
        (Lighting(shading=True), "translucent", False, "shaded"),
        (Lighting(shading=True), "translucent", True, ""),
        (Lighting(shading=True), "mip", False, ""),
        (Lighting(depth_colour=True), "mip", False, "depth"),
        (Lighting(depth_colour=True), "iso", False, "depth"),
        (Lighting(depth_colour=True), "average", False, ""),
        (Lighting(depth_colour=True), "mip", True, ""),
        (Lighting(), "translucent", False, ""),
    ],
)
def test_shading_and_depth_change_the_program_of_their_modes_alone(
    lighting, mode, is_labels, program
):
    assert lighting.program_of(mode, is_labels=is_labels) == program


def test_slices_may_be_sampled_in_another_way_than_volumes():
    look = Appearance(
        channels=(GREY,), interpolation="linear", slice_interpolation="nearest"
    )
    assert look.interpolation_in(is_slice=True) == "nearest"
    assert look.interpolation_in(is_slice=False) == "linear"
    assert Appearance(channels=(GREY,)).interpolation_in(is_slice=True) == "linear"
