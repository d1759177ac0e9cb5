"""The scene document of a viewer: what is put back is what was taken."""

from __future__ import annotations

import json

import numpy as np
import pytest
from napari.components import ViewerModel

import brickfield as bf
from brickfield.errors import SceneStateError, StoreNotFoundError
from brickfield.plugin.layers import open_layers
from brickfield.testing.zarr_stores import write_image


@pytest.fixture
def stored(tmp_path):
    """Two channels, three time points, two levels, as OME-Zarr."""
    rng = np.random.default_rng(2)
    data = rng.integers(0, 255, (3, 2, 16, 24, 32), dtype=np.uint8)
    return str(write_image(tmp_path / "a.ome.zarr", [data, data[..., ::2, ::2]]))


@pytest.fixture
def viewer(stored):
    """The store's two layers, one turned, one cut, and labels in memory."""
    viewer = ViewerModel()
    for layer in open_layers(stored):
        viewer.add_layer(layer)
    first, second = viewer.layers
    first.colormap = "magenta"
    first.affine = np.diag([1, 1, 2, 0.5, 1])
    first.gamma = 0.7
    second.rendering = "iso"
    second.visible = False
    second.experimental_clipping_planes = [{"position": (3, 4, 5), "normal": (1, 2, 3)}]
    labels = viewer.add_labels(np.zeros((16, 24, 32), np.uint8), name="cells")
    labels.selected_label = 4
    labels.show_selected_label = True
    viewer.dims.current_step = (2, 3, 4, 5)
    return viewer


def test_putting_back_what_was_taken_changes_nothing(viewer):
    state = bf.get_state(viewer)
    bf.set_state(viewer, state)
    assert bf.get_state(viewer).to_json() == state.to_json()


def test_another_viewer_becomes_the_same(viewer):
    state = bf.get_state(viewer)
    other = ViewerModel()
    other.add_labels(np.ones((16, 24, 32), np.uint8), name="cells")
    bf.set_state(other, state.to_json())
    again = bf.get_state(other)
    assert again.layers == state.layers
    assert again.exploration == state.exploration


def test_the_document_is_plain_json_with_a_version(viewer):
    plain = json.loads(bf.get_state(viewer).to_json())
    assert plain["version"] == 1
    assert [layer["name"] for layer in plain["layers"]][-1] == "cells"
    assert plain["layers"][-1]["source"] == "memory"
    assert plain["exploration"]["time"] == 2
    bf.set_state(viewer, plain)


def test_layers_of_other_sources_go_and_those_in_memory_stay(viewer, stored):
    state = bf.get_state(viewer)
    only_first = state.model_copy(update={"layers": state.layers[:1]})
    bf.set_state(viewer, only_first)
    assert [layer.name for layer in viewer.layers] == [state.layers[0].name, "cells"]


def test_a_layer_in_memory_that_is_not_here_is_named_and_nothing_changes(viewer):
    state = bf.get_state(viewer)
    other = ViewerModel()
    other.add_image(np.zeros((4, 4, 4)), name="mine")
    with pytest.raises(SceneStateError, match="cells"):
        bf.set_state(other, state)
    assert [layer.name for layer in other.layers] == ["mine"]


def test_a_source_that_is_gone_is_named_and_nothing_changes(viewer, stored, tmp_path):
    state = bf.get_state(viewer)
    text = state.to_json().replace("a.ome.zarr", "gone.ome.zarr")
    before = bf.get_state(viewer)
    with pytest.raises(StoreNotFoundError, match=r"gone\.ome\.zarr"):
        bf.set_state(viewer, text)
    assert bf.get_state(viewer) == before


def test_an_opacity_curve_and_own_colours_come_back(viewer):
    from brickfield.plugin.registry import scene_of

    port = scene_of(viewer).layers[0]
    port.opacity_curve = ((0.0, 0.0), (0.5, 0.2), (1.0, 1.0))
    viewer.layers[1].colormap = np.array([[0, 0, 0, 1], [0.2, 0.4, 0.6, 1]])
    state = bf.get_state(viewer)
    other = ViewerModel()
    other.add_labels(np.ones((16, 24, 32), np.uint8), name="cells")
    bf.set_state(other, state)
    for mine, theirs in zip(viewer.layers, other.layers, strict=True):
        if mine.name != "cells":
            at = np.linspace(0, 1, 64)
            np.testing.assert_allclose(
                theirs.colormap.map(at), mine.colormap.map(at), atol=2 / 255
            )
