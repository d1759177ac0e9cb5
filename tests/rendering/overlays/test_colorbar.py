"""A colour bar shows the colours that the layer is drawn with."""

from dataclasses import replace

import numpy as np
import pytest

from brickfield.model.appearance import Appearance, ChannelAppearance, color_lut
from brickfield.rendering.overlays.colorbar import bar_colors, chosen_scales, shortened
from brickfield.rendering.overlays.context import ColorScale, LayerFrame, OverlayContext
from brickfield.rendering.overlays.options import ColorbarOptions
from brickfield.viewer import lut


def frame(*names, visible=True) -> LayerFrame:
    scales = tuple(ColorScale(lut("gray"), (0, 1), name=name) for name in names)
    return LayerFrame(np.zeros((8, 3)), None, visible, False, scales)


def names_of(options, *layers):
    context = OverlayContext(size=(100, 100), layers=layers)
    return [scale.name for scale in chosen_scales(options, context)]


def test_the_last_visible_image_is_shown_unless_one_is_chosen():
    layers = (frame("a"), frame("b"), frame("c", visible=False), frame())
    assert names_of(ColorbarOptions(), *layers) == ["b"]
    assert names_of(ColorbarOptions(layer=0), *layers) == ["a"]
    assert names_of(ColorbarOptions(layer=2), *layers) == [], "hidden"
    assert names_of(ColorbarOptions(layer=3), *layers) == [], "labels"
    assert names_of(ColorbarOptions(layer=9), *layers) == []


def test_all_channels_of_a_layer_are_shown_or_one():
    many = frame("a", "b", "c", "d", "e")
    assert names_of(ColorbarOptions(), many) == ["a", "b", "c", "d"]
    assert names_of(ColorbarOptions(channel=4), many) == ["e"]
    assert names_of(ColorbarOptions(channel=5), many) == []


def test_colours_follow_gamma_and_lie_on_the_background():
    table = color_lut((200, 100, 0))
    squared = bar_colors(ColorScale(table, (0, 1), gamma=2.0), (0, 0, 0))
    assert squared[0].tolist() == [0, 0, 0, 255]
    assert squared[255].tolist() == [200, 100, 0, 255]
    assert squared[128, 0] == pytest.approx(200 * (128 / 255) ** 2, abs=1)
    clear = table.copy()
    clear[:, 3] = 0
    over = bar_colors(ColorScale(clear, (0, 1)), (1.0, 0.0, 0.0))
    assert (over == [255, 0, 0, 255]).all()


def colored(image) -> tuple[np.ndarray, int]:
    """The bar's colours from top to bottom, and its column."""
    rgb = image[..., :3].astype(int)
    is_colored = np.ptp(rgb, axis=-1) > 40
    column = int(np.argmax(is_colored.sum(axis=0)))
    rows = np.flatnonzero(is_colored[:, column])
    return rgb[rows.min() : rows.max() + 1, column], column


@pytest.mark.parametrize("pixel_ratio", [1.0, 2.0])
def test_the_bar_runs_through_the_table_from_below(dark, seen, pixel_ratio):
    viridis = ChannelAppearance(contrast=(0.0, 255.0), lut=lut("viridis"))
    view = seen(dark, (300, 160), pixel_ratio=pixel_ratio)
    view.layers[0].appearance = Appearance(channels=(viridis,))
    view.wait_until_complete(30)
    view.overlays.set_options("colorbar", visible=True, length=60, corner="top_left")
    # The volume has a colour, too, but begins at column 70.
    bar, _ = colored(view.image()[:, : round(60 * pixel_ratio)])
    n = len(bar)
    assert n == pytest.approx(60 * pixel_ratio, abs=1)
    at = (np.arange(n)[::-1] + 0.5) / n * 256
    expected = lut("viridis")[at.astype(int), :3].astype(int)
    assert np.abs(bar - expected).max() <= 8


def test_a_new_colormap_is_shown_in_the_same_texture(dark, seen):
    view = seen(dark, (300, 120))
    view.overlays.set_options("colorbar", visible=True)
    (layer,) = view.layers

    def show(rgb):
        (look,) = layer.appearance.channels
        look = replace(look, lut=color_lut(rgb))
        layer.appearance = replace(layer.appearance, channels=(look,))
        view.update()
        return colored(view.image())[0].max(axis=0)

    assert show((255, 0, 0)).tolist() == pytest.approx([254, 0, 0], abs=2)
    (bar,) = view.overlays._overlays["colorbar"]._bars
    texture = bar._texture
    assert show((0, 0, 255)).tolist() == pytest.approx([0, 0, 254], abs=2)
    assert view.overlays._overlays["colorbar"]._bars[0]._texture is texture


def test_labels_have_no_bar(dark, seen, changed):
    view = seen(dark, (160, 100))
    view.layers[0].appearance = Appearance(is_labels=True, interpolation="nearest")
    view.wait_until_complete(30)
    view.overlays.set_options("colorbar", visible=True)
    assert not changed(view).any()


def test_several_bars_stay_in_a_small_picture(seen):
    from brickfield.store import ChunkedLayer, open_store

    data = np.zeros((2, 20, 20, 20), np.uint8)
    with open_store(data, axes="czyx") as store:
        view = seen(store, (300, 160))
        looks = tuple(
            ChannelAppearance(contrast=(0.0, 9.0), lut=color_lut(rgb))
            for rgb in ((255, 0, 0), (0, 0, 255))
        )
        layer = ChunkedLayer(
            store, appearance=Appearance(channels=looks), selections=[(0,), (1,)]
        )
        view.set_layers([layer])
        view.wait_until_complete(30)
        view.overlays.set_options("colorbar", visible=True)
        image = view.image()[:, 200:].astype(int)
        red = np.nonzero((image[..., 0] > 200) & (image[..., 2] < 50))[0]
        blue = np.nonzero((image[..., 2] > 200) & (image[..., 0] < 50))[0]
        assert red.max() < blue.min(), "the first channel is above the second"
        assert blue.max() < 150


def test_a_long_name_is_cut_to_a_third_of_the_picture_and_hides_no_data(
    seen, changed, store
):
    view = seen(store, (300, 160))
    view.overlays.set_options("colorbar", visible=True, title="a name " * 9)
    touched = changed(view)
    _, columns = np.nonzero(touched)
    assert columns.min() > 300 * 0.55
    below = np.nonzero(touched[40:])[1]
    assert below.min() > 300 - 70, "beside the bar the volume is as it was"


def test_names_are_cut_with_a_sign():
    assert shortened("DAPI", 12, 400) == "DAPI"
    cut = shortened("a very long name of a channel", 12, 100)
    assert cut == "a very…"
    assert shortened("two\nlines", 12, 400) == "two"
