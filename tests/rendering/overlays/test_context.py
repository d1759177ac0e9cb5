"""Overlays are given the size of a pixel and the look of layers as they are drawn."""

import numpy as np
import pytest

from brickfield.model import Axis, CameraState
from brickfield.model.appearance import Appearance, ChannelAppearance
from brickfield.rendering.overlays.context import (
    OverlayContext,
    layer_frame,
    luminance,
    unit_of,
)
from brickfield.rendering.volume_view import world_corners
from brickfield.store import ChunkedLayer, open_store


def test_a_pixel_is_as_wide_as_the_orthographic_picture_says():
    camera = CameraState(
        (-9, 0, 0), (0, 0, 0), (0, -1, 0), (800, 400), orthographic=True, height=100
    )
    # Twice as many physical pixels: a logical one is still half a unit.
    context = OverlayContext(size=(400, 200), pixel_ratio=2)
    assert context.pixel_width(camera) == pytest.approx(0.5)


def test_in_perspective_a_pixel_is_measured_at_the_target():
    camera = CameraState((-10, 0, 0), (0, 0, 0), (0, -1, 0), (400, 200), fov=90)
    # At distance 10, 90 degrees see 20 units of height, 40 of width.
    assert OverlayContext(size=(400, 200)).pixel_width(camera) == pytest.approx(0.1)


def test_pixels_that_are_not_square_are_measured_across():
    camera = CameraState(
        (-9, 0, 0), (0, 0, 0), (0, -1, 0), (100, 100), orthographic=True,
        height=10, aspect=3.0,
    )  # fmt: skip
    assert OverlayContext(size=(100, 100)).pixel_width(camera) == pytest.approx(0.3)


@pytest.mark.parametrize(
    ("background", "is_bright"),
    [
        ((0, 0, 0), False),
        ((1, 1, 1), True),
        ((0.3, 0.3, 0.3), False),
        ((0, 1, 0), True),
    ],
)
def test_ink_is_chosen_by_light(background, is_bright):
    assert OverlayContext(size=(1, 1), background=background).is_bright == is_bright
    assert luminance((1, 1, 1)) == pytest.approx(1)


def test_a_layer_is_described_by_its_look_and_names():
    data = np.zeros((2, 8, 8, 8), np.uint8)
    looks = tuple(ChannelAppearance(contrast=(0.0, v)) for v in (10.0, 20.0))
    with open_store(data, axes="czyx") as store:
        layer = ChunkedLayer(
            store, appearance=Appearance(channels=looks), selections=[(0,), (1,)]
        )
        frame = layer_frame(layer, world_corners(layer))
        assert [s.contrast[1] for s in frame.scales] == [10, 20]
        assert all(s.name for s in frame.scales)
        assert not frame.is_surface
        layer.appearance = Appearance(channels=looks, mode="iso")
        assert layer_frame(layer, world_corners(layer)).is_surface


def test_labels_have_no_colour_scale_and_hide_what_is_behind():
    with open_store(np.zeros((8, 8, 8), np.uint8)) as store:
        layer = ChunkedLayer(store, Appearance(is_labels=True))
        frame = layer_frame(layer, world_corners(layer))
    assert frame.scales == ()
    assert frame.is_surface


def test_the_unit_is_the_first_that_is_known():
    axes = [Axis(n, "space", "micrometer") for n in "zyx"]
    data = np.zeros((8, 8, 8), np.uint8)
    with open_store(data) as plain, open_store(data, axes=axes) as named:
        a, b = ChunkedLayer(plain), ChunkedLayer(named)
        assert unit_of([a]) is None
        assert unit_of([a, b]) == "micrometer"
    assert unit_of([]) is None
