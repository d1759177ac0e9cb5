"""Saving a scene again that a session holds loses nothing."""

import json
import shutil
from contextlib import closing

import numpy as np
import pytest
import yaozarrs
import zarr

from brickfield.errors import StoreNotFoundError, StoreWriteError
from brickfield.scene import SceneLayer, SceneSource
from brickfield.sessions import SessionContents, SessionManager, relink, relink_found
from brickfield.sources import from_arrays
from brickfield.writing import building

MINE = np.random.default_rng(8).integers(0, 99, (20, 30, 40)).astype(np.uint16)


def document(path):
    return json.loads((path / "zarr.json").read_text())["attributes"]["brickfield"][
        "session"
    ]


@pytest.fixture
def in_memory(scene):
    """The stored scene with a layer in memory first."""
    mine = SceneLayer(
        name="mine", source="memory", transform=np.diag([2.0, 1, 1, 1]).tolist()
    )
    layers = (mine, *scene.layers)
    return SessionContents(
        scene.model_copy(update={"layers": layers}), {0: from_arrays(MINE, name="mine")}
    )


def test_data_that_are_gone_stay_what_they_were(manager, scene, image, tmp_path):
    path = manager.save_session(scene, "s")
    before = document(path)
    hidden = image.rename(image.with_name("hidden"))
    for name in ("s", "elsewhere"):
        manager.save_session(manager.scene(path), name, overwrite=True)
        after = document(tmp_path / f"{name}.ome.zarr")
        assert after["scene"] == before["scene"]
        assert after["sources"] == before["sources"]
        assert after["images"] == before["images"]
        assert after["bounds"] == before["bounds"]
        yaozarrs.validate_zarr_store(str(tmp_path / f"{name}.ome.zarr"))
    hidden.rename(image)
    assert [one["status"] for one in manager.info(path)["layers"]] == ["ok", "ok"]
    assert manager.scene(path) == scene


def test_data_that_are_gone_are_still_found_beside_a_session_elsewhere(
    manager, scene, image, tmp_path
):
    path = manager.save_session(scene, "s")
    image.rename(image.with_name("hidden"))
    far = tmp_path / "far" / "away"
    again = SessionManager(far).save_session(manager.scene(path), "t")
    image.with_name("hidden").rename(image)
    assert document(again)["sources"][0]["relative"] == "../../../data/a.ome.zarr"
    assert manager.info(again)["layers"][0]["status"] == "ok"


def test_a_layer_that_was_moved_while_its_data_were_gone_lies_there_afterwards(
    manager, scene, image
):
    path = manager.save_session(scene, "s")
    image.rename(image.with_name("hidden"))
    shown = manager.scene(path)
    shift = np.array(shown.layers[0].transform)
    shift[:3, 3] += (5, 6, 7)
    moved = shown.layers[0].model_copy(
        update={"transform": tuple(map(tuple, shift.tolist()))}
    )
    manager.save_session(
        shown.model_copy(update={"layers": (moved, *shown.layers[1:])}),
        "s",
        overwrite=True,
    )
    image.with_name("hidden").rename(image)
    expected = np.array(scene.layers[0].transform)
    expected[:3, 3] += (5, 6, 7)
    np.testing.assert_allclose(
        manager.scene(path).layers[0].transform, expected, atol=1e-12
    )


def test_of_data_that_go_while_they_are_shown_the_preview_stays(
    manager, scene, image, data
):
    from brickfield.sources import open_source

    path = manager.save_session(scene, "s")
    with closing(open_source(str(image))) as source:
        image.rename(image.with_name("hidden"))
        shown = SessionContents(scene, {0: source, 1: source}, {0: 0, 1: 1})
        manager.save_session(shown, "s", overwrite=True)
    found = zarr.open_group(str(path / "1"), mode="r")["0"][:]
    np.testing.assert_array_equal(found, data[1, ::2, ::2, ::2])
    image.with_name("hidden").rename(image)
    assert manager.scene(path) == scene


@pytest.mark.parametrize("mode", ["reference", "embed"])
def test_voxels_that_only_a_session_has_go_into_the_next(
    manager, in_memory, tmp_path, mode
):
    path = manager.save_session(in_memory, "s")
    other = manager.save_session(manager.scene(path), "t", mode=mode)
    shutil.rmtree(path)
    assert manager.info(other)["layers"][0]["status"] == "embedded"
    found = zarr.open_group(str(other / "0"), mode="r")["0"][:]
    np.testing.assert_array_equal(found, MINE)
    yaozarrs.validate_zarr_store(str(other))


@pytest.mark.parametrize("version", ["0.4", "0.5"])
def test_a_session_is_written_over_itself_with_its_voxels(manager, in_memory, version):
    path = manager.save_session(in_memory, "s", "one")
    shown = manager.scene(path)
    turned = shown.model_copy(update={"layers": shown.layers[::-1]})
    manager.save_session(turned, "s", "two", overwrite=True, version=version)
    about = manager.info(path)
    assert about["description"] == "two"
    assert [one["status"] for one in about["layers"]] == ["ok", "ok", "embedded"]
    # What reads the image in a window reads the same voxels as before.
    assert about["layers"][2]["image"] == "0"
    found = zarr.open_group(str(path / "0"), mode="r")["0"][:]
    np.testing.assert_array_equal(found, MINE)
    yaozarrs.validate_zarr_store(str(path))
    assert manager.scene(path).layers[2].name == "mine"


def test_a_packed_session_keeps_its_voxels_and_their_origin_when_saved_over(
    manager, scene, image
):
    path = manager.save_session(scene, "p", mode="embed")
    origins = document(path)["origins"]
    shutil.rmtree(image)
    manager.save_session(manager.scene(path), "p", overwrite=True)
    assert document(path)["origins"] == origins
    assert [one["status"] for one in manager.info(path)["layers"]] == ["embedded"] * 2


def test_a_packed_session_saved_elsewhere_by_reference_refers_to_its_voxels(
    manager, scene, image
):
    packed = manager.save_session(scene, "p", mode="embed")
    shutil.rmtree(image)
    other = manager.save_session(manager.scene(packed), "q", mode="reference")
    about = manager.info(other)["layers"]
    assert [one["status"] for one in about] == ["ok", "ok"]
    assert [one["source"] for one in about] == [str(packed / i) for i in "01"]
    yaozarrs.validate_zarr_store(str(other))


def test_a_layer_shown_twice_is_there_twice(manager, in_memory):
    path = manager.save_session(in_memory, "s")
    shown = manager.scene(path)
    twice = shown.layers[0].model_copy(update={"name": "copy"})
    manager.save_session(
        shown.model_copy(update={"layers": (*shown.layers, twice)}), "s", overwrite=True
    )
    about = manager.info(path)
    assert [one["image"] for one in about["layers"]] == ["0", "1", "2", "3"]
    found = zarr.open_group(str(path / "3"), mode="r")["0"][:]
    np.testing.assert_array_equal(found, MINE)


def test_what_a_later_program_noted_stays_through_relinking_and_packing(
    manager, scene, image, tmp_path
):
    from brickfield.sessions import pack

    path = manager.save_session(scene, "s")
    file = path / "zarr.json"
    whole = json.loads(file.read_text())
    private = whole["attributes"]["brickfield"]["session"]
    private["mood"] = {"of the day": [1, "fine", None]}
    private["channels"][1]["laser"] = 488
    file.write_text(json.dumps(whole))
    image.parent.rename(tmp_path / "other")
    relink(path, str(image.parent), str(tmp_path / "other"))
    packed = pack(path, tmp_path / "p.ome.zarr")
    for one in (path, packed):
        assert document(one)["mood"] == {"of the day": [1, "fine", None]}
        assert document(one)["channels"][1]["laser"] == 488


def test_what_another_run_is_writing_is_not_written_as_well(manager, scene, image):
    path = manager.save_session(scene, "s", "one")
    with building(path, overwrite=True) as unfinished:
        with pytest.raises(StoreWriteError, match="another window or command"):
            manager.save_session(scene, "s", "two", overwrite=True)
        with pytest.raises(StoreWriteError, match="another window or command"):
            relink(path, str(image.parent), "/elsewhere")
        assert manager.info(path)["description"] == "one"
        (unfinished / "zarr.json").write_text((path / "zarr.json").read_text())
        shutil.copytree(path / "0", unfinished / "0")


@pytest.mark.parametrize("choice", ["folder", "above", "data"])
def test_all_that_moved_is_found_by_one_choice(manager, image, tmp_path, scene, choice):
    second = image.parent.parent / "more" / "deep" / "b.ome.zarr"
    shutil.copytree(image, second)
    both = tuple(
        layer.model_copy(update={"source": SceneSource(uri=str(place), channel=0)})
        for layer, place in zip(scene.layers, (image, second), strict=True)
    )
    path = manager.save_session(scene.model_copy(update={"layers": both}), "s")
    new = tmp_path / "new" / tmp_path.name
    new.mkdir(parents=True)
    image.parent.rename(new / "data")
    (tmp_path / "more").rename(new / "more")
    chosen = {"folder": new, "above": new.parent, "data": new / "data" / "a.ome.zarr"}[
        choice
    ]
    n = 1 if choice == "data" else 2
    assert relink_found(path, chosen) == n
    status = [one["status"] for one in manager.info(path)["layers"]]
    assert status == ["ok"] * n + ["offline"] * (2 - n)


def test_what_has_another_name_now_is_found_when_it_is_all_that_is_gone(
    manager, scene, image
):
    path = manager.save_session(scene, "s")
    renamed = image.rename(image.with_name("renamed.zarr"))
    assert relink_found(path, renamed) == 1
    assert [one["status"] for one in manager.info(path)["layers"]] == ["ok", "ok"]


def test_what_has_another_name_is_known_by_its_content(manager, scene, image, tmp_path):
    path = manager.save_session(scene, "s")
    new = tmp_path / "new"
    image.parent.rename(new)
    shutil.copytree(new / image.name, new / "b.zarr")
    shutil.rmtree(new / image.name)
    (new / "a.txt").write_text("not an image")
    assert relink_found(path, new) == 1
    assert manager.scene(path).layers[0].source.uri == str(new / "b.zarr")


def test_a_folder_of_other_images_is_not_taken_for_the_data(
    manager, scene, image, tmp_path
):
    path = manager.save_session(scene, "s")
    shutil.copytree(image, tmp_path / "others" / "c.zarr")
    chunk = next(p for p in (tmp_path / "others").rglob("0/0/0/0/0"))
    chunk.write_bytes(chunk.read_bytes() + b"more")
    shutil.rmtree(image)
    with pytest.raises(StoreNotFoundError, match=r"a\.ome\.zarr"):
        relink_found(path, tmp_path / "others")


def test_a_place_that_holds_nothing_of_it_is_told(manager, scene, image, tmp_path):
    path = manager.save_session(scene, "s")
    image.rename(image.with_name("hidden"))
    (tmp_path / "empty").mkdir()
    with pytest.raises(StoreNotFoundError, match=r"a\.ome\.zarr"):
        relink_found(path, tmp_path / "empty")
