"""What lies under the cursor, in one line, with the name of whose it is."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest

from brickfield.model import AffineTransform, PickInfo
from brickfield.sources import from_arrays
from brickfield.store import ChunkedImageStore
from brickfield.viewer.live.under_cursor import (
    is_forgotten,
    port_of,
    read_again,
    readout,
)


def picked(port, value, level=0):
    # As the render thread has it: another object of the same store and selections.
    drawn = SimpleNamespace(store=port.data.store, selections=port.data.selections)
    place = (12.41, 80.14, 33.02)
    return PickInfo(drawn, place, (0.0, 0.0, 0.0), level, (0, 0, 0), (value,))


def labels_of(shape):
    return ChunkedImageStore(from_arrays(np.zeros(shape, np.int32), is_labels=True))


@pytest.fixture
def image(memory_scene):
    levels = [np.zeros((20, 20, 20), np.uint16), np.zeros((10, 10, 10), np.uint16)]
    return memory_scene.add(levels, "nuclei")


def test_value_place_and_level_of_the_only_layer(memory_scene, image):
    texts = readout(picked(image, np.uint16(1024), 1), memory_scene.layers, "µm")
    assert texts == (
        "1024 at (z 12.4, y 80.1, x 33.0 µm) · 1/2 resolution",
        "1024 at (z 12.4, y 80.1, x 33.0 µm)",
        "1024 · 12.4, 80.1, 33.0",
    )


def test_every_visible_layer_is_read_at_the_place(memory_scene, image):
    labels = memory_scene.add(labels_of((20, 20, 20)), "cells")
    other = picked(image, np.uint16(1024))
    info = replace(picked(labels, np.int32(12)), others=(other,))
    texts = readout(info, memory_scene.layers)
    assert texts == (
        "nuclei 1024, cells label 12 at (z 12.4, y 80.1, x 33.0) · full resolution",
        "nuclei 1024, cells label 12 at (z 12.4, y 80.1, x 33.0)",
        "nuclei 1024, cells label 12 · 12.4, 80.1, 33.0",
        "nuclei 1024, cells label 12",
        "cells: label 12 at (z 12.4, y 80.1, x 33.0) · full resolution",
        "label 12 at (z 12.4, y 80.1, x 33.0) · full resolution",
        "label 12 at (z 12.4, y 80.1, x 33.0)",
        "label 12 · 12.4, 80.1, 33.0",
    )
    labels.visible = False
    text = readout(picked(image, np.uint16(3)), memory_scene.layers)[0]
    assert text.startswith("3 at")


def test_places_have_as_many_digits_as_voxels_deserve(memory_scene):
    port = memory_scene.add(
        np.zeros((20, 20, 20), np.uint8),
        world=AffineTransform.from_scale((0.1, 1.0, 20.0)),
    )
    text = readout(picked(port, np.uint8(3)), memory_scene.layers)[0]
    assert text == "3 at (z 12.41, y 80.1, x 33) · full resolution"


def test_flat_data_have_no_z(memory_scene):
    port = memory_scene.add(np.zeros((1, 20, 20), np.uint8))
    texts = readout(picked(port, np.uint8(3)), memory_scene.layers, "µm")
    assert texts == (
        "3 at (y 80.1, x 33.0 µm) · full resolution",
        "3 at (y 80.1, x 33.0 µm)",
        "3 · 80.1, 33.0",
    )


def test_layers_of_one_store_are_told_apart_by_their_selections(memory_scene):
    series = np.zeros((2, 8, 8, 8), np.uint8)
    one = memory_scene.add(series, "one")
    two = memory_scene.add(one.data.store, "two")
    two.data.selections = [(1,)]
    assert port_of(picked(one, 1), memory_scene.layers) is one
    assert port_of(picked(two, 1), memory_scene.layers) is two


def test_a_layer_that_is_gone_says_nothing(memory_scene, image):
    info = picked(image, 1)
    memory_scene.remove(image)
    assert readout(info, memory_scene.layers) == ()


def test_what_cannot_be_read_again_is_not_loaded(memory_scene, image):
    info = replace(picked(image, None), voxel=(99, 0, 0), forgotten=((),))
    assert is_forgotten(info)
    found = read_again(info)
    assert found.values == (None,)
    assert not is_forgotten(found)
    assert readout(found, memory_scene.layers)[0].startswith("not loaded")


def test_other_layers_are_read_again_too(memory_scene, image):
    labels = memory_scene.add(labels_of((20, 20, 20)), "cells")
    other = replace(picked(image, None), forgotten=((),))
    info = replace(picked(labels, np.int32(12)), others=(other,))
    assert is_forgotten(info)
    found = read_again(info)
    assert (found.values, found.others[0].values) == ((12,), (0,))
