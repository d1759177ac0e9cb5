"""The scene document of a viewer: what is put back is what was taken."""

from __future__ import annotations

import json

import numpy as np
import pytest
from napari.components import ViewerModel
from napari.layers import Layer

import brickfield as bf
from brickfield.errors import SceneStateError, StoreNotFoundError
from brickfield.plugin.layers.make import open_layers
from brickfield.plugin.sample import huge
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
    yield viewer
    # A failure's traceback may keep the viewer for long; its stores end here.
    viewer.layers.clear()


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


def test_what_is_computed_is_in_memory_for_a_scene():
    viewer = ViewerModel()
    for data in huge():
        viewer.add_layer(Layer.create(*data))
    state = bf.get_state(viewer)
    assert [layer.source for layer in state.layers] == ["memory"]
    bf.set_state(viewer, state)
    assert len(viewer.layers) == 1


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
    from brickfield.plugin.layers.registry import scene_of

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


# -- all or nothing ---------------------------------------------------------------


def with_field(state, place, value):
    """Return the plain document with one field of the first layer changed."""
    plain = state.to_dict()
    plain["layers"][0] |= {"name": "renamed", "opacity": 0.25, "gamma": 2.0}
    target = plain
    *parts, last = place
    for part in parts:
        target = target[part]
    target[last] = value
    return plain


BAD = [
    pytest.param(("layers", 1, "blending"), "overlay", id="blending"),
    pytest.param(("layers", 1, "interpolation"), "smooth", id="interpolation"),
    pytest.param(("layers", 1, "interpolation"), "custom", id="interpolation custom"),
    pytest.param(("layers", 1, "colormap"), "nonsense", id="colormap"),
    pytest.param(
        ("layers", 1, "colormap"),
        [[0.2, 0, 0, 0, 1], [0.8, 1, 1, 1, 1]],
        id="colormap stops",
    ),
    pytest.param(("layers", 1, "mode"), "iso_categorical", id="mode of labels"),
    pytest.param(("layers", 2, "mode"), "mip", id="mode of an image"),
    pytest.param(("layers", 1, "kind"), "labels", id="kind"),
    pytest.param(("layers", 1, "transform"), np.eye(4).tolist(), id="axes"),
    pytest.param(
        ("layers", 1, "transform"),
        np.diag([1, 1e308, 1e308, 1e308, 1]).tolist(),
        id="overflow",
    ),
    pytest.param(("layers", 1, "source"), {"uri": "gone.zarr"}, id="source"),
    pytest.param(("layers", 1, "source"), {"uri": "bad\0name"}, id="NUL in a path"),
    pytest.param(("layers", 2, "selected_label"), 300, id="label number"),
    pytest.param(("layers", 2, "name"), "nowhere", id="memory"),
    pytest.param(("lod", "forced_level"), 10**30, id="level"),
    pytest.param(
        ("views", "cameras"),
        {"3D": {"position": [1e308, 0, 0], "target": [-1e308, 0, 0]}},
        id="camera",
    ),
    pytest.param(("version",), [], id="version"),
]


def as_it_is(viewer):
    """All that a document tells, and the layers themselves."""
    return (
        bf.get_state(viewer).to_json(),
        [id(layer) for layer in viewer.layers],
        tuple(viewer.dims.point),
        viewer.layers.selection.active,
    )


@pytest.mark.parametrize(("place", "value"), BAD)
def test_a_document_with_a_bad_field_changes_nothing(viewer, place, value):
    before = as_it_is(viewer)
    with pytest.raises(SceneStateError) as caught:
        bf.set_state(viewer, with_field(bf.get_state(viewer), place, value))
    assert as_it_is(viewer) == before
    named = next((p for p in reversed(place) if isinstance(p, str)), "")
    assert named in str(caught.value) or "layers[" in str(caught.value)


def test_what_fails_midway_is_undone(viewer, stored, monkeypatch):
    """Layers came, went, were renamed and restyled before the failure."""
    extra = viewer.add_image(np.zeros((16, 24, 32), np.uint8), name="mine")
    state = bf.get_state(viewer)
    plain = state.to_dict()
    first, second, cells, mine = plain["layers"]
    first["name"], second["name"] = second["name"], first["name"]
    first["gamma"], second["opacity"] = 3.0, 0.125
    first["transform"] = np.diag([1, 5, 5, 5, 1]).tolist()
    plain["layers"] = [
        mine,
        second,
        cells,
        {**first, "source": {**first["source"], "channel": 0}},
    ]
    viewer.layers.remove(first_layer := viewer.layers[1])
    viewer.layers.selection.active = extra
    before = as_it_is(viewer)

    def fail(_event):
        msg = "a listener of somebody else fails"
        raise ZeroDivisionError(msg)

    viewer.layers[0].events.gamma.connect(fail)
    with pytest.raises(SceneStateError, match="somebody else"):
        bf.set_state(viewer, plain)
    viewer.layers[0].events.gamma.disconnect(fail)
    assert as_it_is(viewer) == before
    assert first_layer not in viewer.layers


def test_layers_can_exchange_their_names(viewer):
    plain = bf.get_state(viewer).to_dict()
    first, second = plain["layers"][:2]
    first["name"], second["name"] = second["name"], first["name"]
    bf.set_state(viewer, plain)
    assert [layer.name for layer in viewer.layers][:2] == [
        first["name"],
        second["name"],
    ]


def test_a_changed_copy_of_a_document_is_checked_again(viewer):
    state = bf.get_state(viewer)
    bad = state.layers[0].model_copy(update={"opacity": 7.0})
    before = as_it_is(viewer)
    with pytest.raises(SceneStateError, match="opacity"):
        bf.set_state(viewer, state.model_copy(update={"layers": (bad,)}))
    assert as_it_is(viewer) == before


@pytest.mark.parametrize("value", [None, 3, "{", b"\xff", [], {"version": 1e400}])
def test_what_is_no_document_is_refused_in_a_sentence(viewer, value):
    with pytest.raises(SceneStateError, match="expected"):
        bf.set_state(viewer, value)


def test_with_a_window_a_failure_leaves_dock_and_cameras(
    adapter, stored, make_napari_viewer
):
    """What napari's canvas and our views show is put back as well."""
    viewer = make_napari_viewer()
    layers = bf.open_volume(stored, viewer)
    view = bf.view_of(viewer)
    plain = bf.get_state(viewer).to_dict()
    before = as_it_is(viewer)
    plain["views"]["layout"] = "2x2"
    plain["layers"][0]["gamma"] = 3.0
    plain["layers"][1]["transform"] = np.diag([1, 2, 2, 2, 1]).tolist()

    def fail(_event):
        layers[1].events.scale.disconnect(fail)
        msg = "a listener of somebody else fails"
        raise ZeroDivisionError(msg)

    layers[1].events.scale.connect(fail)
    with pytest.raises(SceneStateError, match="somebody else"):
        bf.set_state(viewer, plain)
    assert as_it_is(viewer) == before
    assert bf.views_of(viewer) == [view]
