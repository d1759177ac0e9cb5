"""Tiles that were moved, hidden or coloured come back, to the last bit."""

import json

import numpy as np
import pytest
from napari.components import ViewerModel

import brickfield as bf
from brickfield.errors import BrickfieldError
from brickfield.plugin.layers.make import open_layers
from brickfield.scene import SceneState
from brickfield.sessions import SessionManager
from brickfield.store import open_store
from brickfield.testing.zarr_stores import write_group, write_image
from brickfield.viewer.export import (
    SCENE_KEY,
    open_scene,
    render_options,
    render_picture,
    render_scene,
    scene_notes,
)

AXES = [{"name": a, "type": "space", "unit": "micrometer"} for a in "zyx"]
VOLUMES = np.random.default_rng(5).integers(1, 250, (3, 10, 12, 14)).astype("u1")
ODD = 0.1 + 0.2
"""A number whose last bits a short text would lose."""


def write_scene_of(folder, shifts):
    """Images of a scene, each shifted along x."""
    named = [
        {
            "type": "affine",
            "affine": np.column_stack([np.eye(3), [0, 0, x]]).tolist(),
            "input": {"path": f"tile_{i}", "name": "own"},
            "output": {"name": "world"},
        }
        for i, x in enumerate(shifts)
    ]
    world = {"name": "world", "axes": AXES}
    scene = {"coordinateSystems": [world], "coordinateTransformations": named}
    write_group(folder, {"ome": {"version": "0.6", "scene": scene}}, zarr_format=3)
    level = {"type": "identity", "input": {"path": "0"}, "output": {"name": "own"}}
    image = {
        "coordinateSystems": [{"name": "own", "axes": AXES}],
        "datasets": [{"path": "0", "coordinateTransformations": [level]}],
    }
    for i in range(len(shifts)):
        attributes = {"ome": {"version": "0.6", "multiscales": [image]}}
        write_image(folder / f"tile_{i}", [VOLUMES[i]], attributes, zarr_format=3)
    return folder


@pytest.fixture
def tiles(tmp_path):
    return write_scene_of(tmp_path / "s.zarr", (0, 10, 20))


def moved_viewer(tiles):
    """A viewer whose second tile is moved and turned, whose third is hidden."""
    viewer = ViewerModel()
    for layer in open_layers(str(tiles)):
        viewer.add_layer(layer)
    store = bf.store_of(viewer.layers[0])
    c, s = np.cos(0.1), np.sin(0.1)
    matrix = np.array(
        [[1, 0, 0, ODD], [0, c, -s, 0.7], [0, s, c, 10 + ODD], [0, 0, 0, 1]]
    )
    store.move("tile_1", matrix)
    store.show("tile_2", is_shown=False)
    store.set_overlap("mean")
    return viewer, store


def looks_of(store):
    return (
        [(name, matrix.tolist()) for name, _, matrix in store.tiles],
        [store.is_shown(name) for name, *_ in store.tiles],
        store.overlap,
        store.pyramid,
    )


def voxels_of(layer):
    return np.asarray(layer.data[0])


def test_moved_tiles_of_a_scene_document_come_back(tiles):
    viewer, store = moved_viewer(tiles)
    text = bf.get_state(viewer).to_json()
    other = ViewerModel()
    bf.set_state(other, SceneState.from_json(text))
    again = bf.store_of(other.layers[0])
    assert looks_of(again) == looks_of(store)
    assert np.array_equal(voxels_of(other.layers[0]), voxels_of(viewer.layers[0]))
    assert bf.get_state(other) == bf.get_state(viewer)


@pytest.mark.parametrize("mode", ["reference", "embed"])
def test_moved_tiles_of_a_session_come_back(tiles, tmp_path, mode):
    viewer, store = moved_viewer(tiles)
    shown, looks = voxels_of(viewer.layers[0]), looks_of(store)
    manager = SessionManager(tmp_path)
    place = manager.save_session(viewer, "moved", mode=mode)
    other = ViewerModel()
    assert manager.restore(other, place) == []
    assert np.array_equal(voxels_of(other.layers[0]), shown)
    if mode == "reference":
        assert looks_of(bf.store_of(other.layers[0])) == looks


def test_voxels_that_a_saved_scene_embeds_are_those_of_the_moved_tiles(tiles, tmp_path):
    viewer, _ = moved_viewer(tiles)
    shown, state = voxels_of(viewer.layers[0]), bf.get_state(viewer)
    place = SessionManager(tmp_path).save_session(state, "whole", mode="embed")
    assert np.array_equal(voxels_of(open_layers(str(place / "0"))[0]), shown)


def test_another_look_of_moved_tiles_comes_back(tiles):
    _, store = moved_viewer(tiles)
    with store.seen_as(colour_by="tile") as coloured:
        changes = json.loads(json.dumps(coloured.tile_changes))
        with open_store(str(tiles), tiles=changes) as again:
            assert looks_of(again) == looks_of(coloured)
            names = [channel.name for channel in again.channels]
            assert names == [channel.name for channel in coloured.channels]


def test_tiles_put_back_lie_where_the_file_has_them(tiles):
    _, store = moved_viewer(tiles)
    with open_store(str(tiles), tiles=store.tile_changes) as again:
        again.reset()
        assert [m[2, 3] for _, _, m in again.tiles] == [0, 10, 20]


def test_images_that_only_were_opened_as_one_come_back_as_one(tiles, tmp_path):
    for i in range(2):
        write_image(tmp_path / "c.zarr" / str(i), [VOLUMES[i]])
    layout = {"ome": {"version": "0.5", "bioformats2raw.layout": 3}}
    write_group(tmp_path / "c.zarr", layout, zarr_format=3)
    viewer = ViewerModel()
    for layer in open_layers(str(tmp_path / "c.zarr"), mosaic=True):
        viewer.add_layer(layer)
    other = ViewerModel()
    bf.set_state(other, SceneState.from_json(bf.get_state(viewer).to_json()))
    assert len(bf.store_of(other.layers[0]).tiles) == 2


def test_a_tile_that_is_gone_from_the_file_is_named(tiles):
    _, store = moved_viewer(tiles)
    changes = {**store.tile_changes, "hidden": ["tile_9"]}
    with open_store(str(tiles), tiles=changes) as again:
        (found,) = [f for f in again.findings if f.code == "tile-gone"]
    assert "tile_9" in found.text


def test_a_place_that_is_no_place_is_refused(tiles):
    _, store = moved_viewer(tiles)
    for rows in ([[1, 0], [0, 1]], np.zeros((4, 4)).tolist(), np.full((4, 4), np.nan)):
        changes = {**store.tile_changes, "moved": {"tile_0": rows}}
        with pytest.raises(BrickfieldError):
            open_store(str(tiles), tiles=changes)


def test_a_picture_knows_where_its_tiles_lie(tiles, adapter):
    _, store = moved_viewer(tiles)
    options = render_options(size=(64, 48))
    picture = render_picture(store, options)
    notes = scene_notes(picture, str(tiles), options, {"overlap": "mean"})
    with open_scene(SceneState.from_json(notes[SCENE_KEY])) as scene:
        assert looks_of(scene.stores[0])[:2] == looks_of(store)[:2]
        again = render_scene(scene, render_options(size=(64, 48)))
    assert np.array_equal(again.image, picture.image)
