"""A saved session comes back the same, also after it or its data were moved."""

import json
import shutil
import threading
from concurrent.futures import CancelledError
from contextlib import closing

import numpy as np
import pytest
import yaozarrs
import zarr

from brickfield.errors import (
    OptionError,
    SceneSourceError,
    StoreFormatError,
    StoreNotFoundError,
)
from brickfield.scene import SceneCamera, SceneLayer, SceneState, SceneViews
from brickfield.sessions.relocate import pack, relink
from brickfield.sources import open_source


def first_array(folder, image):
    """Level 0 of an image, read by zarr-python."""
    return zarr.open_group(str(folder / image), mode="r")["0"]


def private(folder):
    return json.loads((folder / "zarr.json").read_text())["attributes"]["brickfield"]


@pytest.mark.parametrize("version", ["0.4", "0.5"])
@pytest.mark.parametrize("mode", ["reference", "embed"])
def test_every_session_is_a_valid_collection(manager, scene, mode, version):
    path = manager.save_session(scene, "s", mode=mode, version=version)
    assert path == manager.folder / "s.ome.zarr"
    yaozarrs.validate_zarr_store(str(path))
    assert manager.info(path)["ome_version"] == version


@pytest.mark.parametrize("version", ["0.4", "0.5"])
def test_embedded_voxels_are_those_of_the_source(manager, scene, version, data):
    path = manager.save_session(scene, "s", mode="embed", version=version)
    for channel in range(2):
        array = first_array(path, str(channel))
        assert array.chunks == (24, 30, 40)
        np.testing.assert_array_equal(array[:], data[channel])


def test_a_scene_comes_back_to_the_last_bit(manager, scene):
    odd = SceneCamera(position=(0.1, 1 / 3, 1e-17), target=(np.pi, 2.0, 3.0))
    scene = scene.model_copy(update={"views": SceneViews(cameras={"3D": odd})})
    path = manager.save_session(scene, "s")
    assert manager.scene(path) == scene


def test_a_preview_is_the_coarsest_level(manager, scene, data):
    path = manager.save_session(scene, "s")
    found = first_array(path, "1")[:]
    np.testing.assert_array_equal(found, data[1, ::2, ::2, ::2])


def test_info_has_the_fields_that_scripts_rely_on(manager, scene, image):
    path = manager.save_session(
        scene, "s", "day 3", reference_position=(1, 2.5, 3), title="embryo"
    )
    about = manager.info(path)
    assert (about["format"], about["schema"]) == ("brickfield session", 1)
    assert (about["name"], about["description"]) == ("embryo", "day 3")
    assert about["reference_position"] == [1, 2.5, 3]
    assert about["bounds"] == [[-1, -0.25, -0.25], [47, 14.75, 19.75]]
    assert about["created"].endswith("+00:00")
    assert about["layers"][1] == {
        "name": scene.layers[1].name,
        "kind": "image",
        "image": "1",
        "source": str(image),
        "status": "ok",
    }
    assert about["findings"] == []


def test_data_that_moved_with_the_session_are_found(manager, scene, tmp_path, image):
    manager.save_session(scene, "s")
    moved = tmp_path / "elsewhere"
    moved.mkdir()
    for name in ("s.ome.zarr", "data"):
        (tmp_path / name).rename(moved / name)
    about = manager.info(moved / "s.ome.zarr")
    assert [one["status"] for one in about["layers"]] == ["ok", "ok"]
    found = manager.scene(moved / "s.ome.zarr").layers[0].source
    assert found.uri == str(moved / "data" / "a.ome.zarr")


def test_a_layer_whose_data_are_gone_is_placed_by_its_preview(manager, scene, image):
    path = manager.save_session(scene, "s")
    image.rename(image.with_name("b.ome.zarr"))
    about = manager.info(path)
    assert [one["status"] for one in about["layers"]] == ["offline", "offline"]
    assert str(image) in about["findings"][0]["message"]
    layer = manager.scene(path).layers[0]
    assert layer.source.uri == str(path / "0")
    # Level 1 was stored without a shift: its voxel 0 lies on that of level 0.
    np.testing.assert_array_equal(layer.transform, np.diag([4.0, 1.0, 1.0, 1.0]))


def test_relinked_data_are_found_and_nothing_else_changes(manager, scene, image):
    path = manager.save_session(scene, "s")
    before = private(path)["session"]
    elsewhere = image.parent.with_name("other")
    image.parent.rename(elsewhere)
    assert relink(path, str(image.parent), str(elsewhere)) == 2
    after = private(path)["session"]
    assert [one["status"] for one in manager.info(path)["layers"]] == ["ok", "ok"]
    for name in before.keys() - {"sources", "scene"}:
        assert after[name] == before[name]
    with pytest.raises(OptionError, match="below"):
        relink(path, "/nowhere/at/all", "/there")


def test_changed_data_are_told(manager, scene, image):
    path = manager.save_session(scene, "s")
    chunk = next(p for p in image.rglob("0/0/0/0/0"))
    chunk.write_bytes(chunk.read_bytes() + b"more")
    about = manager.info(path)
    assert about["layers"][0]["status"] == "changed"
    assert "bytes" in about["findings"][0]["message"]
    assert manager.scene(path).layers[0].source.uri == str(image)


def test_a_packed_session_needs_nothing_else(manager, scene, tmp_path, image, data):
    path = manager.save_session(scene, "s", "note")
    packed = pack(path, tmp_path / "packed.ome.zarr")
    yaozarrs.validate_zarr_store(str(packed))
    shutil.rmtree(image)
    shutil.rmtree(path)
    moved = packed.rename(tmp_path / "handed on")
    about = manager.info(moved)
    assert (about["mode"], about["description"]) == ("embed", "note")
    assert [one["status"] for one in about["layers"]] == ["embedded"] * 2
    for layer, voxels in zip(manager.scene(moved).layers, data, strict=True):
        with closing(open_source(layer.source.uri)) as source:
            found = source.read_storage_chunk(0, (0, 0, 0)).data
        np.testing.assert_array_equal(found, voxels)
    assert str(image) not in (moved / "zarr.json").read_text().partition("origins")[0]


def test_a_session_with_data_that_are_gone_cannot_be_packed(manager, scene, image):
    path = manager.save_session(scene, "s")
    shutil.rmtree(image)
    with pytest.raises(StoreNotFoundError, match="relink"):
        pack(path, manager.folder / "p.ome.zarr")
    assert not (manager.folder / "p.ome.zarr").exists()


def test_a_session_without_images_is_one_all_the_same(manager):
    path = manager.save_session(SceneState(), "s")
    yaozarrs.validate_zarr_store(str(path))
    assert manager.info(path)["layers"] == []
    assert manager.scene(path) == SceneState()


# -- bad input ---------------------------------------------------------------------


def test_nothing_is_replaced_that_is_no_store(manager, scene):
    folder = manager.folder / "mine.ome.zarr"
    folder.mkdir()
    (folder / "thesis.txt").write_text("all of it")
    for overwrite in (False, True):
        with pytest.raises(OptionError, match=r"mine\.ome\.zarr"):
            manager.save_session(scene, "mine", overwrite=overwrite)
    assert (folder / "thesis.txt").read_text() == "all of it"


def test_a_session_is_never_written_over_its_source(manager, scene, image):
    before = sorted(image.rglob("*"))
    with pytest.raises(OptionError, match="source"):
        manager.save_session(scene, image, mode="embed", overwrite=True)
    assert sorted(image.rglob("*")) == before


def test_a_session_is_never_written_into_its_source(manager, scene, image):
    before = sorted(image.rglob("*"))
    with pytest.raises(OptionError, match="source"):
        manager.save_session(scene, image / "inside.ome.zarr")
    assert sorted(image.rglob("*")) == before


@pytest.mark.parametrize("position", [(1, 2), (1, 2, np.nan), "abc", (1, 2, np.inf)])
def test_a_reference_position_is_three_finite_numbers(manager, scene, position):
    with pytest.raises(OptionError, match="three finite numbers"):
        manager.save_session(scene, "s", reference_position=position)


def test_an_older_session_is_replaced_when_asked(manager, scene):
    manager.save_session(scene, "s", "one")
    with pytest.raises(OptionError, match="overwrite"):
        manager.save_session(scene, "s", "two")
    path = manager.save_session(scene, "s", "two", overwrite=True)
    assert manager.info(path)["description"] == "two"


def test_a_cancelled_save_leaves_what_was(manager, scene):
    path = manager.save_session(scene, "s", "one")
    cancel = threading.Event()
    cancel.set()
    with pytest.raises(CancelledError):
        manager.save_session(
            scene, "s", "two", mode="embed", overwrite=True, cancel=cancel
        )
    assert manager.info(path)["description"] == "one"
    assert [p.name for p in manager.folder.iterdir() if "unfinished" in p.name] == []


def test_a_scene_whose_data_are_gone_cannot_be_saved(manager, scene, image):
    shutil.rmtree(image)
    with pytest.raises(SceneSourceError, match=r"layers\[0\]"):
        manager.save_session(scene, "s")


def test_voxels_in_memory_need_the_viewer_that_has_them(manager):
    scene = SceneState(layers=(SceneLayer(name="mine", source="memory"),))
    with pytest.raises(OptionError, match="'mine'"):
        manager.save_session(scene, "s")


@pytest.mark.parametrize("name", ["", "  ", ".", "a\0b", "x" * 300])
def test_a_name_that_no_folder_can_have_is_refused(manager, name):
    with pytest.raises(OptionError):
        manager.save_session(SceneState(), name)


@pytest.mark.parametrize("thing", [None, 3, [], {"layers": []}])
def test_what_is_no_scene_is_refused(manager, thing):
    with pytest.raises(OptionError, match="expected a napari viewer"):
        manager.save_session(thing, "s")


@pytest.mark.parametrize(
    "spoil",
    [
        lambda text: text[: len(text) // 2],
        lambda text: "",
        lambda text: "[1, 2]",
        lambda text: "[" * 100_000,
        lambda text: text.replace('"schema": 1', '"schema": 2'),
        lambda text: text.replace('"schema": 1', '"schema": "x"'),
        lambda text: text.replace('"session"', '"other"'),
        lambda text: text.replace('"mode": "reference"', '"mode": "sometimes"'),
        lambda text: text.replace('"image": "0"', '"image": "../../etc"'),
        lambda text: text.replace('"absolute": "/', '"absolute": "", "was": "/'),
    ],
)
def test_metadata_that_are_none_are_told_in_one_sentence(manager, scene, spoil):
    path = manager.save_session(scene, "s")
    file = path / "zarr.json"
    file.write_text(spoil(file.read_text()))
    with pytest.raises(StoreFormatError, match="expected") as error:
        manager.info(path)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    "strange", [{}, {"tree": "x", "files": "y"}, {"tree": {"files": "a"}}]
)
def test_a_fingerprint_of_another_kind_stops_nobody(manager, scene, strange):
    path = manager.save_session(scene, "s")
    whole = json.loads((path / "zarr.json").read_text())
    for source in whole["attributes"]["brickfield"]["session"]["sources"]:
        source["fingerprint"] = strange
    (path / "zarr.json").write_text(json.dumps(whole))
    assert {one["status"] for one in manager.info(path)["layers"]} <= {"ok", "changed"}


def test_a_folder_that_is_no_session_is_told(manager, image, tmp_path):
    with pytest.raises(StoreFormatError, match="expected a session in"):
        manager.info(image)
    with pytest.raises(StoreNotFoundError):
        manager.info(tmp_path / "nothing")


def test_a_preview_that_is_gone_too_does_not_stop_the_rest(manager, scene, image):
    path = manager.save_session(scene, "s", mode="embed")
    shutil.rmtree(path / "0")
    about = manager.info(path)
    assert [one["status"] for one in about["layers"]] == ["offline", "embedded"]
