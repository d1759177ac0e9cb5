"""Options of a picture, from what is easy to type."""

import math

import pytest

from brickfield.camera import FitCamera, OrthoCamera
from brickfield.errors import OptionError
from brickfield.model import Plane
from brickfield.viewer.export.options import RenderOptions, render_options


def test_the_defaults_are_those_of_the_command():
    o = render_options()
    assert o == RenderOptions()
    assert o.size == (800, 600)
    assert o.mode == "mip"
    assert o.camera == FitCamera()
    assert (o.quality, o.timeout, o.gamma) == (1.0, 60.0, 1.0)
    assert o.background == (0, 0, 0)


def test_none_means_the_default():
    assert render_options(level=None, contrast=None, gpu_budget=None) == RenderOptions()


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("size", [10, 20], (10, 20)),
        ("channel", 2, (2,)),
        ("channel", [0, 3], (0, 3)),
        ("contrast", (0, 255), ((0.0, 255.0),)),
        ("contrast", [(0, 1), (2, 3)], ((0.0, 1.0), (2.0, 3.0))),
        ("contrast", [[0, 1]], ((0.0, 1.0),)),
        ("colormap", "viridis", ("viridis",)),
        ("colormap", ["red", "green"], ("red", "green")),
        ("position", {"angle": 3}, (("angle", 3),)),
        ("clip", {"z": (0, None)}, (("z", 0.0, math.inf),)),
        ("slice", {"z": 3}, ("z", 3.0)),
        ("slice", ("y", 2.5), ("y", 2.5)),
        ("slice", "x=-4", ("x", -4.0)),
        ("plane", (1, 2, 3, 0, 0, 1), (1.0, 2.0, 3.0, 0.0, 0.0, 1.0)),
        ("plane", "1,2,3,0,0,1", (1.0, 2.0, 3.0, 0.0, 0.0, 1.0)),
        ("level", "auto", None),
        ("level", 2, 2),
        ("camera", "ortho:y", OrthoCamera("y")),
        ("gpu_budget", "1 MiB", 2**20),
        ("ram_budget", 12345, 12345),
        ("background", "white", (255, 255, 255)),
    ],
)
def test_friendly_values_become_plain_ones(name, value, expected):
    assert getattr(render_options(**{name: value}), name) == expected


@pytest.mark.parametrize(
    ("name", "value", "word"),
    [
        ("size", (0, 10), "size"),
        ("size", (10, 100_000), "size"),
        ("size", "big", "size"),
        ("mode", "mipp", "mip, minip"),
        ("contrast", (5, 5), "contrast"),
        ("contrast", (0, math.nan), "contrast"),
        ("contrast", 7, "contrast"),
        ("colormap", "nosuchmap", "colormap"),
        ("gamma", 0, "gamma"),
        ("quality", -1, "quality"),
        ("timeout", 0, "timeout"),
        ("level", -1, "level"),
        ("level", "fine", "level"),
        ("time", -1, "time"),
        ("channel", [1, 1], "once"),
        ("channel", -1, "channels"),
        ("position", {"a": -1}, "axis a"),
        ("clip", {"w": (0, 1)}, "clip"),
        ("clip", {"z": (1, 0)}, "clip"),
        ("clip", [("z", 0, 1), ("z", 0, 2)], "one clip"),
        ("slice", ("t", 1), "slice"),
        ("slice", ("z", math.nan), "slice"),
        ("slice", "z", "slice"),
        ("plane", (1, 2, 3), "plane"),
        ("plane", (1, 2, 3, 0, 0, 0), "normal"),
        ("interpolation", "cubic", "linear, nearest"),
        ("gpu_budget", "lots", "size such as"),
        ("background", "blackish", "colour"),
        ("iso_threshold", math.inf, "iso"),
        ("camera", "somewhere", "camera"),
        ("colour", "red", "option out of"),
    ],
)
def test_what_cannot_be_used_is_refused_by_name(name, value, word):
    with pytest.raises(OptionError, match=word):
        render_options(**{name: value})


def test_a_plane_is_given_x_first_and_a_slice_by_its_axis():
    flat = render_options(slice={"y": 7})
    assert flat.shown_plane == Plane((0.0, 7.0, 0.0), (0.0, 1.0, 0.0))
    oblique = render_options(plane=(1, 2, 3, 0, 3, 4))
    assert oblique.shown_plane == Plane((3.0, 2.0, 1.0), (0.8, 0.6, 0.0))
    assert render_options().shown_plane is None
    with pytest.raises(OptionError, match="one of slice and plane"):
        render_options(slice={"y": 7}, plane=(1, 2, 3, 0, 0, 1))


def test_overlays_are_chosen_by_name_or_with_their_options():
    assert not render_options().overlay.is_visible
    chosen = render_options(overlay=("scale_bar", "axes")).overlay
    assert chosen.scale_bar.visible
    assert chosen.axes.visible
    assert not chosen.colorbar.visible
    large = render_options(overlay={"scale_bar": {"font_size": 30}}).overlay
    assert large.scale_bar.visible
    assert large.scale_bar.font_size == 30
    with pytest.raises(OptionError, match="found 'compass'"):
        render_options(overlay="compass")
    with pytest.raises(OptionError, match="expected corner to be one of"):
        render_options(overlay={"axes": {"corner": "middle"}})


def test_light_and_depth_are_options_of_a_picture():
    plain = render_options().lighting
    assert (plain.light, plain.shading, plain.depth_colour) == (
        "headlight",
        False,
        False,
    )
    chosen = render_options(light="raking", shading=True, depth_colour=True).lighting
    assert (chosen.light, chosen.shading, chosen.depth_colour) == ("raking", True, True)
    with pytest.raises(OptionError, match="a light out of headlight, raking"):
        render_options(light="sun")
