"""A scene moves with the data beside it, and a failed write loses nothing."""

import json

import pytest

from brickfield.errors import (
    SceneStateError,
    StoreAccessError,
    StoreNotFoundError,
    StoreWriteError,
)
from brickfield.scene.document import SceneLayer, SceneSource, SceneState
from brickfield.scene.file import read_scene, relative_to, resolved, write_scene


def scene(*uris):
    layers = [SceneLayer(name=u, source=SceneSource(uri=u, channel=1)) for u in uris]
    return SceneState(layers=(*layers, SceneLayer(name="m", source="memory")))


def uris(state):
    return [x.source.uri for x in state.layers if x.source != "memory"]


def test_places_near_the_folder_become_relative_and_others_stay(tmp_path):
    folder = tmp_path / "a" / "b"
    near = [folder / "d.zarr", tmp_path / "a" / "e.ims", folder / "x" / "f.h5"]
    far = ["/elsewhere/g.zarr", "https://host/h.zarr", "s3://bucket/i.zarr"]
    state = relative_to(scene(*map(str, near), *far), folder)
    assert uris(state) == ["d.zarr", "../e.ims", "x/f.h5", *far]
    assert state.layers[0].source.channel == 1


def test_made_relative_and_resolved_again_is_as_before(tmp_path):
    state = scene(str(tmp_path / "d.zarr"), "precomputed://https://h/x", "/z.zarr")
    assert resolved(relative_to(state, tmp_path), tmp_path) == state


def test_a_scene_moves_with_its_data(tmp_path):
    (tmp_path / "one").mkdir()
    write_scene(scene(str(tmp_path / "one" / "d.zarr")), tmp_path / "one" / "s.json")
    (tmp_path / "one").rename(tmp_path / "two")
    state = read_scene(tmp_path / "two" / "s.json")
    assert uris(state) == [str(tmp_path / "two" / "d.zarr")]


def test_a_fault_names_the_file(tmp_path):
    with pytest.raises(StoreNotFoundError, match=r"none\.json; found nothing"):
        read_scene(tmp_path / "none.json")
    with pytest.raises(StoreAccessError, match="folder"):
        read_scene(tmp_path)
    (tmp_path / "bad.json").write_text('{"version": 1, "lod": 3}')
    with pytest.raises(SceneStateError, match=r"bad\.json: lod: expected an object"):
        read_scene(tmp_path / "bad.json")


def test_a_failed_write_keeps_what_was_there(tmp_path):
    with pytest.raises(StoreWriteError, match="No such file"):
        write_scene(scene(), tmp_path / "no" / "s.json")
    (tmp_path / "s.json").mkdir()
    with pytest.raises(StoreWriteError, match="directory"):
        write_scene(scene(), tmp_path / "s.json")
    assert [p.name for p in tmp_path.iterdir()] == ["s.json"]


def test_a_scene_cannot_let_its_data_lead_elsewhere(tmp_path):
    """Only the user can: a document that asks for it is refused."""
    document = json.loads(scene("d.h5").to_json())
    document["layers"][0]["source"]["follow_links"] = True
    (tmp_path / "s.json").write_text(json.dumps(document))
    with pytest.raises(SceneStateError, match="follow_links"):
        read_scene(tmp_path / "s.json")
