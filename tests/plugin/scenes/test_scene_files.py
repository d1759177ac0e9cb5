"""Scenes in files: saved, opened again, all or nothing."""

from __future__ import annotations

import json

import numpy as np
import pytest
from napari.components import ViewerModel

import brickfield as bf
from brickfield.errors import OptionError, SceneStateError, StoreNotFoundError
from brickfield.plugin.layers.make import open_layers
from brickfield.plugin.layers.registry import scene_of
from brickfield.plugin.scenes import recent_scenes
from brickfield.plugin.scenes.scene_files import open_what_lacks, put_opened, sources_in
from brickfield.testing.zarr_stores import write_image


@pytest.fixture
def stored(tmp_path):
    """Two channels, two levels, as OME-Zarr."""
    rng = np.random.default_rng(2)
    data = rng.integers(0, 255, (2, 16, 24, 32), dtype=np.uint8)
    levels = [data, data[..., ::2, ::2]]
    return str(write_image(tmp_path / "a.ome.zarr", levels))


@pytest.fixture
def viewer(stored):
    viewer = ViewerModel()
    for layer in open_layers(stored):
        viewer.add_layer(layer)
    return viewer


@pytest.fixture(autouse=True)
def no_recent_scenes():
    recent_scenes.forget_all()
    yield
    recent_scenes.forget_all()


def test_a_saved_scene_opens_again_with_its_looks(viewer, tmp_path):
    first, second = viewer.layers
    first.gamma, second.visible = 0.5, False
    bf.save_scene(viewer, tmp_path / "scene.json")
    other = ViewerModel()
    bf.load_scene(other, tmp_path / "scene.json")
    assert bf.get_state(other).layers == bf.get_state(viewer).layers


def test_data_beside_the_scene_are_named_relative_to_it(viewer, tmp_path):
    bf.save_scene(viewer, tmp_path / "scene.json")
    plain = json.loads((tmp_path / "scene.json").read_text())
    assert {layer["source"]["uri"] for layer in plain["layers"]} == {"a.ome.zarr"}


def test_an_older_scene_is_replaced_and_nothing_else_is(viewer, tmp_path):
    bf.save_scene(viewer, tmp_path / "scene.json")
    bf.save_scene(viewer, tmp_path / "scene.json")
    other = tmp_path / "notes.json"
    other.write_text('{"mine": 1}')
    with pytest.raises(OptionError, match=r"notes\.json"):
        bf.save_scene(viewer, other)
    assert other.read_text() == '{"mine": 1}'


def test_a_file_of_the_data_is_never_replaced(viewer, stored, tmp_path):
    target = tmp_path / "a.ome.zarr" / "scene.json"
    with pytest.raises(OptionError):
        bf.save_scene(viewer, target)
    assert not target.exists()


def test_a_scene_that_is_not_there_is_named_and_nothing_changes(viewer, tmp_path):
    before = bf.get_state(viewer)
    with pytest.raises(StoreNotFoundError, match=r"gone\.json"):
        bf.load_scene(viewer, tmp_path / "gone.json")
    assert bf.get_state(viewer) == before


def test_a_scene_whose_data_are_gone_changes_nothing(viewer, tmp_path):
    bf.save_scene(viewer, tmp_path / "scene.json")
    text = (tmp_path / "scene.json").read_text().replace("a.ome", "b.ome")
    (tmp_path / "scene.json").write_text(text)
    before = bf.get_state(viewer)
    with pytest.raises(StoreNotFoundError, match=r"b\.ome\.zarr"):
        bf.load_scene(viewer, tmp_path / "scene.json")
    assert bf.get_state(viewer) == before
    assert recent_scenes.recent_scenes() == [tmp_path / "scene.json"]


def test_the_interpolation_of_slices_is_saved_and_put_back(viewer, tmp_path):
    viewer.layers[0].interpolation2d = "cubic"
    viewer.layers[1].interpolation2d = "linear"
    bf.save_scene(viewer, tmp_path / "scene.json")
    other = ViewerModel()
    bf.load_scene(other, tmp_path / "scene.json")
    assert [str(n.interpolation2d) for n in other.layers] == ["cubic", "linear"]


def test_a_document_without_the_interpolation_of_slices_leaves_it(viewer):
    plain = bf.get_state(viewer).to_dict()
    for layer in plain["layers"]:
        del layer["slice_interpolation"]
    viewer.layers[0].interpolation2d = "linear"
    bf.set_state(viewer, plain)
    assert str(viewer.layers[0].interpolation2d) == "linear"


def test_an_unknown_interpolation_of_slices_changes_nothing(viewer):
    plain = bf.get_state(viewer).to_dict()
    plain["layers"][1]["slice_interpolation"] = "smooth"
    with pytest.raises(SceneStateError, match="slice_interpolation"):
        bf.set_state(viewer, plain)
    assert str(viewer.layers[1].interpolation2d) == "nearest"


def test_data_opened_beforehand_become_the_layers(viewer, stored):
    """What a menu opens in the background is what is shown in the end."""
    state = bf.get_state(viewer)
    other = ViewerModel()
    data = open_what_lacks(state, sources_in(other))
    assert [one[1]["metadata"]["brickfield"]["channel"] for one in data] == [0, 1]
    put_opened(other, state, data)
    assert [layer.data[0] for layer in other.layers] == [one[0][0] for one in data]
    assert bf.get_state(other).layers == state.layers


def test_what_is_open_is_not_opened_again(viewer):
    state = bf.get_state(viewer)
    assert open_what_lacks(state, sources_in(viewer)) == []
    only_first = sources_in(viewer)[:1]
    assert len(open_what_lacks(state, only_first)) == 2


def test_of_data_opened_beforehand_only_the_wanted_stay_open(viewer):
    state = bf.get_state(viewer)
    only_first = state.model_copy(update={"layers": state.layers[:1]})
    other = ViewerModel()
    put_opened(other, only_first, open_what_lacks(only_first, []))
    assert len(other.layers) == 1
    assert len(scene_of(other).layers) == 1


# -- recent scenes -----------------------------------------------------------------


def test_the_last_scene_is_first_and_each_is_there_once(tmp_path):
    for name in ("a", "b", "a"):
        recent_scenes.remember(tmp_path / f"{name}.json")
    assert [p.stem for p in recent_scenes.recent_scenes()] == ["a", "b"]


def test_at_most_ten_scenes_are_remembered(tmp_path):
    for i in range(12):
        recent_scenes.remember(tmp_path / f"{i}.json")
    assert [p.stem for p in recent_scenes.recent_scenes()] == [
        str(i) for i in range(11, 1, -1)
    ]


def test_a_name_with_a_secret_is_not_remembered(tmp_path):
    recent_scenes.remember(tmp_path / "a?token=SECRET1")
    assert recent_scenes.recent_scenes() == []


@pytest.fixture
def kept(tmp_path, monkeypatch):
    """napari's settings in a folder, as a person has them."""
    from napari.settings import get_settings

    monkeypatch.setattr(get_settings(), "config_path", tmp_path / "settings.yaml")
    return tmp_path / "brickfield_recent_scenes.json"


def test_recent_scenes_are_kept_beside_the_settings_of_napari(kept, tmp_path):
    recent_scenes.remember(tmp_path / "a.json")
    assert json.loads(kept.read_text()) == [str(tmp_path / "a.json")]
    assert recent_scenes.recent_scenes() == [tmp_path / "a.json"]


@pytest.mark.parametrize("text", ["", "{", "3", '{"a": 1}', "[1, null]", "\udc80"])
def test_a_damaged_list_is_an_empty_one(kept, text):
    kept.write_bytes(text.encode(errors="surrogateescape"))
    assert recent_scenes.recent_scenes() == []
