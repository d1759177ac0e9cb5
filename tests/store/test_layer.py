"""A change of a layer bumps exactly the right version."""

from dataclasses import replace

import numpy as np
import pytest

from brickfield.errors import OptionError
from brickfield.model import AffineTransform
from brickfield.model.appearance import (
    Appearance,
    ChannelAppearance,
    Lighting,
    color_lut,
)
from brickfield.store.image_store import ChunkedImageStore
from brickfield.store.layer import ChunkedLayer, LayerSnapshot
from brickfield.testing import MemorySource
from brickfield.testing.loading import numbers


@pytest.fixture
def layer():
    array = numbers((3, 2, 4, 4, 4))
    source = MemorySource([array], (1, 1, 4, 4, 4), axes="tczyx")
    with ChunkedImageStore(source) as store:
        made = ChunkedLayer(store, Appearance())
        made.frames = []
        made.render_callbacks.append(lambda: made.frames.append(1))
        yield made


def versions(layer):
    return (
        layer.data_version.value,
        layer.colormap_version.value,
        layer.geometry_version.value,
    )


def look(layer, **changes):
    channel = replace(layer.appearance.channels[0], **changes)
    return replace(layer.appearance, channels=(channel,))


def test_a_fresh_layer_shows_the_first_of_everything_where_the_file_puts_it(layer):
    assert layer.selections == ((0, 0),)
    assert layer.world == AffineTransform.of_level(layer.store.pyramid.levels[0])
    assert layer.visible
    assert versions(layer) == (0, 0, 0)


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        pytest.param({"contrast": (0.0, 9.0)}, (0, 0, 0), id="contrast"),
        pytest.param({"gamma": 2.0}, (0, 0, 0), id="gamma"),
        pytest.param({"opacity": 0.5}, (0, 0, 0), id="opacity"),
        pytest.param({"lut": color_lut((255, 0, 0))}, (0, 1, 0), id="other colours"),
        pytest.param(
            {"lut": color_lut((255, 255, 255))}, (0, 0, 0), id="equal colours"
        ),
    ],
)
def test_a_change_of_a_channels_looks(layer, change, expected):
    layer.appearance = look(layer, **change)
    assert versions(layer) == expected
    assert layer.frames == [1]


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        pytest.param({"mode": "iso"}, (0, 0, 0), id="mode"),
        pytest.param({"interpolation": "nearest"}, (0, 0, 0), id="interpolation"),
        pytest.param({"is_labels": True}, (0, 0, 1), id="labels"),
    ],
)
def test_a_change_of_the_layers_looks(layer, change, expected):
    layer.appearance = replace(layer.appearance, **change)
    assert versions(layer) == expected
    assert layer.frames == [1]


def test_another_number_of_channels_needs_other_resources_only(layer):
    two = replace(
        layer.appearance,
        channels=(ChannelAppearance(), ChannelAppearance(lut=color_lut((9, 9, 9)))),
    )
    layer.show(two, [(0, 0), (0, 1)])
    assert versions(layer) == (0, 0, 1)
    assert layer.selections == ((0, 0), (0, 1))


def test_a_step_in_time_keeps_what_is_resident(layer):
    layer.selections = [(2, 0)]
    assert versions(layer) == (0, 0, 0)
    assert layer.selections == ((2, 0),)
    assert layer.frames == [1]


def test_a_move_or_hiding_asks_for_a_frame_alone(layer):
    layer.world = AffineTransform.from_scale((2.0, 1.0, 1.0))
    layer.visible = False
    assert versions(layer) == (0, 0, 0)
    assert layer.frames == [1, 1]


def test_refreshing_forgets_voxels(layer):
    assert layer.store.estimate_contrast((0, 0))[1] <= 63
    layer.store.source.arrays[0] = layer.store.source.arrays[0] + 1000
    layer.refresh()
    assert versions(layer) == (1, 0, 0)
    assert layer.frames == [1]
    assert layer.store.estimate_contrast((0, 0))[1] >= 1000


@pytest.mark.parametrize("selections", [[], [(0, 0), (0, 1)], [(9, 0)], [(0,)]])
def test_selections_that_do_not_fit_are_refused_and_change_nothing(layer, selections):
    with pytest.raises(OptionError, match="expected"):
        layer.selections = selections
    assert layer.selections == ((0, 0),)
    assert layer.frames == []


def test_without_an_appearance_contrast_is_estimated():
    array = np.full((4, 4, 4), 7, np.uint8)
    with ChunkedImageStore(MemorySource([array], (4, 4, 4))) as store:
        assert ChunkedLayer(store).appearance.channels[0].contrast == (0, 7)


def test_a_reload_of_the_store_bumps_the_data_of_every_layer_on_it(layer):
    other = ChunkedLayer(layer.store, Appearance())
    layer.store.reload()
    assert versions(layer) == versions(other) == (1, 0, 0)
    assert layer.frames == [1]


def test_a_snapshot_stays_what_the_layer_was(layer):
    before = LayerSnapshot.of(layer)
    layer.appearance = look(layer, lut=color_lut((255, 0, 0)))
    layer.selections = [(1, 1)]
    layer.visible = False
    layer.refresh()
    after = LayerSnapshot.of(layer)
    assert (before.versions, after.versions) == ((0, 0, 0), (1, 1, 0))
    assert (before.selections, after.selections) == (((0, 0),), ((1, 1),))
    assert (before.visible, after.visible) == (True, False)
    assert before.appearance is not after.appearance
    assert before.layer is after.layer is layer


def test_what_a_view_decides_of_a_look_leaves_the_layers_own_as_it_is(layer):
    own = LayerSnapshot.of(layer)
    assert own.lit(Lighting(), show_levels=False) is own
    shaded = own.lit(Lighting(shading=True), show_levels=True)
    assert shaded.appearance.lighting.shading
    assert shaded.appearance.show_levels
    assert not layer.appearance.lighting.shading
    assert not layer.appearance.show_levels
    assert shaded.versions is own.versions
