"""Sessions of a napari viewer: everything in it saved, and put back."""

import json

import numpy as np
import pytest
import yaozarrs
from napari.components import ViewerModel
from napari.layers import Layer

import brickfield as bf
from brickfield.errors import BrickfieldError
from brickfield.plugin.layers.make import open_layers
from brickfield.plugin.napari_names import camera_of, overlays_of
from brickfield.plugin.reader import get_reader
from brickfield.sessions import SessionManager
from brickfield.testing.zarr_stores import write_image

RNG = np.random.default_rng(3)
VERTICES = RNG.random((6, 3)) * 20
OTHERS = [
    (RNG.random((5, 3)), {"name": "spots", "size": 3, "features": {"n": np.arange(5)}}, "points"),
    ([RNG.random((4, 2)), RNG.random((3, 2))], {"name": "drawn", "shape_type": ["rectangle", "path"]}, "shapes"),
    (np.array([[0, 0, 1, 2, 3], [0, 1, 1, 2, 4], [1, 0, 5, 5, 5.0]]), {"name": "paths", "graph": {}}, "tracks"),
    (RNG.random((4, 2, 3)), {"name": "arrows"}, "vectors"),
    ((VERTICES, np.array([[0, 1, 2], [3, 4, 5]]), np.arange(6.0)), {"name": "skin"}, "surface"),
    (RNG.integers(0, 255, (8, 9, 3), np.uint8), {"name": "photo", "rgb": True}, "image"),
]  # fmt: skip


@pytest.fixture
def stored(tmp_path):
    data = RNG.integers(0, 255, (2, 16, 24, 32), dtype=np.uint8)
    folder = tmp_path / "a.ome.zarr"
    return write_image(folder, [data, data[..., ::2, ::2]])


@pytest.fixture
def manager(tmp_path):
    return SessionManager(tmp_path)


def filled(stored):
    """A viewer with two stored layers, one in memory, and layers of every kind."""
    viewer = ViewerModel()
    for layer in open_layers(str(stored)):
        viewer.add_layer(layer)
    mine = RNG.integers(0, 999, (7, 8, 9)).astype(np.uint16)
    viewer.add_image(mine, name="mine", scale=(2, 1, 1), colormap="magma")
    viewer.add_labels(mine % 5, name="cells")
    for data, details, kind in OTHERS:
        viewer.add_layer(Layer.create(data, dict(details), kind))
    viewer.layers.move(4, 0)
    return viewer


@pytest.mark.parametrize("version", ["0.4", "0.5"])
@pytest.mark.parametrize("mode", ["reference", "embed"])
def test_everything_in_a_viewer_comes_back(stored, manager, mode, version):
    viewer = filled(stored)
    viewer.layers["mine"].gamma = 0.4
    path = manager.save_session(viewer, "s", mode=mode, version=version)
    yaozarrs.validate_zarr_store(str(path))
    other = ViewerModel()
    assert manager.restore(other, path) == []
    assert [n.name for n in other.layers] == [n.name for n in viewer.layers]
    before, after = bf.get_state(viewer), bf.get_state(other)
    for one, two in zip(before.layers, after.layers, strict=True):
        assert two.model_copy(update={"source": one.source}) == one
    for one in viewer.layers:
        two = other.layers[one.name]
        first = one.data[0] if one.multiscale else one.data
        second = two.data[0] if two.multiscale else two.data
        if one.name == "drawn":
            for a, b in zip(first, second, strict=True):
                np.testing.assert_array_equal(a, b)
        elif one.name == "skin":
            for a, b in zip(one.data, two.data, strict=True):
                np.testing.assert_array_equal(a, b)
        else:
            np.testing.assert_array_equal(np.asarray(first), np.asarray(second))
    assert list(other.layers["spots"].features["n"]) == [0, 1, 2, 3, 4]


def test_a_session_that_is_opened_twice_is_there_once(stored, manager):
    viewer = filled(stored)
    path = manager.save_session(viewer, "s")
    other = ViewerModel()
    for _ in range(2):
        manager.restore(other, path)
    assert [n.name for n in other.layers] == [n.name for n in viewer.layers]


def test_a_layer_whose_data_are_gone_is_shown_by_its_preview(stored, manager):
    viewer = filled(stored)
    path = manager.save_session(viewer, "s")
    stored.rename(stored.with_name("b.ome.zarr"))
    other = ViewerModel()
    findings = manager.restore(other, path)
    assert [f["code"] for f in findings] == ["offline", "offline"]
    name = viewer.layers[1].name
    assert other.layers[name].extent.world[1][-1] == pytest.approx(31, abs=1)
    again = manager.save_session(other, "t", mode="embed")
    assert [f["code"] for f in manager.restore(ViewerModel(), again)] == ["offline"] * 2
    stored.with_name("b.ome.zarr").rename(stored)
    assert manager.restore(other, again) == []
    before, after = bf.get_state(viewer), bf.get_state(other)
    for one, two in zip(before.layers, after.layers, strict=True):
        assert two.model_copy(update={"source": one.source}) == one


def test_a_session_that_was_opened_is_saved_over_itself(stored, manager):
    viewer = filled(stored)
    path = manager.save_session(viewer, "s")
    other = ViewerModel()
    manager.restore(other, path)
    mine = np.asarray(other.layers["mine"].data[0])
    other.layers.move(0, 5)
    other.add_points(np.zeros((2, 3)), name="new")
    manager.save_session(other, "s", overwrite=True)
    # The window that was open reads on as before.
    np.testing.assert_array_equal(np.asarray(other.layers["mine"].data[0]), mine)
    third = ViewerModel()
    assert manager.restore(third, path) == []
    assert [n.name for n in third.layers] == [n.name for n in other.layers]
    for name in ("mine", "cells"):
        one, two = (np.asarray(v.layers[name].data[0]) for v in (other, third))
        np.testing.assert_array_equal(one, two)


def test_what_a_program_noted_stays_when_a_window_saves_again(stored, manager):
    path = manager.save_session(filled(stored), "s", reference_position=(1.0, 2.0, 3.0))
    file = path / "zarr.json"
    whole = json.loads(file.read_text())
    private = whole["attributes"]["brickfield"]["session"]
    private["mood"] = "fine"
    private["channels"][1] |= {"id": 7, "laser": 488}
    file.write_text(json.dumps(whole))
    other = ViewerModel()
    manager.restore(other, path)
    again = manager.private(manager.save_session(other, "t"))
    assert again["mood"] == "fine"
    assert again["reference_position"] == [1.0, 2.0, 3.0]
    name = private["channels"][1]["name"]
    found = next(one for one in again["channels"] if one["name"] == name)
    assert (found["id"], found["laser"]) == (7, 488)
    numbers = [one["id"] for one in again["channels"]]
    assert len(set(numbers)) == len(numbers)


def test_napari_s_own_canvas_comes_back(stored, manager):
    viewer = filled(stored)
    viewer.dims.ndisplay = 3
    camera_of(viewer).angles, camera_of(viewer).zoom = (10, 20, 30), 2.5
    overlays_of(viewer)["scale_bar"].visible = True
    viewer.layers.selection = {viewer.layers["mine"]}
    path = manager.save_session(viewer, "s")
    other = ViewerModel()
    manager.restore(other, path)
    assert other.dims.ndisplay == 3
    np.testing.assert_allclose(camera_of(other).angles, (10, 20, 30))
    assert camera_of(other).zoom == pytest.approx(2.5)
    assert overlays_of(other)["scale_bar"].visible
    assert [n.name for n in other.layers.selection] == ["mine"]


def test_what_cannot_be_put_back_leaves_the_viewer_as_it_was(stored, manager):
    path = manager.save_session(filled(stored), "s")
    file = next((path / "annotations").rglob("a0")) / "zarr.json"
    file.write_text("{")
    other = ViewerModel()
    other.add_points(np.zeros((1, 2)), name="own")
    with pytest.raises(BrickfieldError):
        manager.restore(other, path)
    assert [n.name for n in other.layers] == ["own"]


def test_the_reader_opens_a_session_as_the_session_it_is(stored, manager, monkeypatch):
    viewer = filled(stored)
    path = manager.save_session(viewer, "s")
    other = ViewerModel()
    monkeypatch.setattr("napari.current_viewer", lambda: other)
    reader = get_reader(str(path))
    assert reader is not None
    assert reader(str(path)) == [(None,)]
    assert [n.name for n in other.layers] == [n.name for n in viewer.layers]


def test_the_picture_after_is_the_one_before(seen, stored, manager, tmp_path):
    for layer in open_layers(str(stored)):
        seen.viewer.add_layer(layer)
    seen.viewer.layers[1].colormap = "magma"
    seen.viewer.layers[1].blending = "additive"
    seen.look()
    before = seen.picture()
    assert len(np.unique(before)) > 20
    path = manager.save_session(seen.viewer, "s")
    packed = manager.save_session(seen.viewer, "p", mode="embed")
    away = tmp_path / "away"
    away.mkdir()
    moved = path.rename(away / path.name)
    for session in (moved, packed):
        seen.viewer.layers.clear()
        assert manager.restore(seen.viewer, session) == []
        seen.look()
        np.testing.assert_array_equal(seen.picture(), before)
