"""Options of overlays are frozen values that refuse what cannot be drawn."""

import dataclasses

import pytest

from brickfield.errors import OptionError
from brickfield.rendering.overlays.options import EXPORTED, NAMES, TITLES, OverlayState


def test_all_overlays_are_known_by_name_and_off():
    state = OverlayState()
    assert set(NAMES) == {
        "scale_bar", "axes", "bounding_box", "tiles", "colorbar", "marker", "text",
    }  # fmt: skip
    assert not any(state.options(name).visible for name in NAMES)
    assert not state.is_visible
    assert set(EXPORTED) < set(NAMES) == set(TITLES)


def test_a_change_gives_another_state_and_leaves_the_old_one():
    old = OverlayState()
    new = old.with_options("scale_bar", visible=True, font_size=20)
    assert new.scale_bar.visible
    assert new.scale_bar.font_size == 20.0
    assert new.is_visible
    assert old == OverlayState()
    assert new.axes is old.axes
    with pytest.raises(dataclasses.FrozenInstanceError):
        new.scale_bar.visible = False


def test_an_unknown_overlay_is_told_which_there_are():
    with pytest.raises(OptionError, match=r"scale_bar, axes, .*found 'scalebar'"):
        OverlayState().options("scalebar")
    with pytest.raises(OptionError, match="colorbar"):
        OverlayState().with_options("legend", visible=True)


def test_an_unknown_option_is_told_which_there_are():
    with pytest.raises(OptionError, match=r"visible, corner, .*found 'colour'"):
        OverlayState().with_options("scale_bar", colour="red")


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("scale_bar", {"visible": 1}),
        ("scale_bar", {"visible": "yes"}),
        ("scale_bar", {"font_size": 0}),
        ("scale_bar", {"font_size": float("nan")}),
        ("scale_bar", {"font_size": "big"}),
        ("scale_bar", {"font_size": True}),
        ("scale_bar", {"corner": "middle"}),
        ("scale_bar", {"corner": 3}),
        ("scale_bar", {"color": "no such colour"}),
        ("scale_bar", {"color": (1, 2)}),
        ("scale_bar", {"color": (0, 0, 256)}),
        ("scale_bar", {"color": None}),
        ("scale_bar", {"unit": None}),
        ("bounding_box", {"hidden_opacity": 1.5}),
        ("colorbar", {"layer": -1}),
        ("colorbar", {"channel": 1.5}),
        ("marker", {"position": (1, 2)}),
        ("marker", {"position": (1, 2, float("inf"))}),
        ("marker", {"position": "here"}),
        ("text", {"text": 12}),
        ("text", {"text": "x" * 3000}),
    ],
)
def test_a_value_that_cannot_be_used_is_refused_in_a_sentence(name, options):
    (option,) = options
    with pytest.raises(OptionError, match=f"expected {option} to be .*; found"):
        OverlayState().with_options(name, **options)


@pytest.mark.parametrize(
    ("value", "kept"),
    [
        ("auto", "auto"),
        (" white ", (255, 255, 255)),
        ("#ff8000", (255, 128, 0)),
        ([1, 2, 3], (1, 2, 3)),
    ],
)
def test_a_colour_is_kept_as_numbers(value, kept):
    assert OverlayState().with_options("text", color=value).text.color == kept


def test_values_are_kept_as_plain_numbers():
    import numpy as np

    state = OverlayState().with_options("marker", position=np.array([1, 2, 3]))
    assert state.marker.position == (1.0, 2.0, 3.0)
    state = state.with_options("colorbar", layer=np.int64(2))
    assert type(state.colorbar.layer) is int
    assert hash(state) == hash(state.with_options("colorbar", layer=2))


@pytest.mark.parametrize(
    ("chosen", "shown"),
    [
        ("axes", {"axes"}),
        (["axes", "scale_bar"], {"axes", "scale_bar"}),
        ((), set()),
        ({"text": {"text": "hello"}, "axes": {}}, {"text", "axes"}),
        ({"axes": {"visible": False}}, set()),
    ],
)
def test_a_state_is_made_from_what_is_easy_to_type(chosen, shown):
    state = OverlayState.of(chosen)
    assert {name for name in NAMES if state.options(name).visible} == shown
    assert OverlayState.of(state) is state


def test_names_alone_offer_what_needs_no_content():
    with pytest.raises(OptionError, match="bounding_box, tiles, colorbar;"):
        OverlayState.of(["text"])
