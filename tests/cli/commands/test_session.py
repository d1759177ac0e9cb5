"""``brickfield session`` saves, describes and loads, and reports lost data by its status."""

import json

import numpy as np
import pytest

from brickfield.scene import read_scene
from brickfield.testing.zarr_stores import write_image

DATA = np.random.default_rng(1).integers(0, 999, (16, 24, 32)).astype(np.uint16)


@pytest.fixture
def image(tmp_path):
    return write_image(tmp_path / "a.ome.zarr", [DATA])


def test_an_image_is_saved_described_and_loaded_as_a_scene(command, image, tmp_path):
    session, scene = tmp_path / "s.ome.zarr", tmp_path / "scene.json"
    said = command(
        "session", "save", image, "-o", session, "--description", "d", "--json"
    )
    assert (said.status, said.err) == (0, "")
    told = json.loads(command("session", "info", session, "--json").out)
    assert (told["mode"], told["description"]) == ("reference", "d")
    assert told["layers"][0]["status"] == "ok"
    assert command("session", "load", session, "--scene", scene).status == 0
    assert read_scene(scene).layers[0].source.uri == str(image)
    again = tmp_path / "t.ome.zarr"
    assert command("session", "save", scene, "-o", again, "--embed").status == 0
    told = json.loads(command("session", "info", again, "--json").out)
    assert told["layers"][0]["status"] == "embedded"


def test_a_session_with_data_that_are_gone_ends_with_3(command, image, tmp_path):
    session, scene = tmp_path / "s.ome.zarr", tmp_path / "scene.json"
    command("session", "save", image, "-o", session)
    image.rename(tmp_path / "b.ome.zarr")
    assert command("session", "info", session).status == 0
    ended = command("session", "load", session, "--scene", scene)
    assert ended.status == 3
    assert str(image) in ended.err
    moved = command("session", "relink", session, image, tmp_path / "b.ome.zarr")
    assert moved.status == 0
    assert command("session", "load", session, "--scene", scene).status == 0
    packed = tmp_path / "p.ome.zarr"
    assert command("session", "pack", session, packed).status == 0
    told = json.loads(command("session", "info", packed, "--json").out)
    assert told["mode"] == "embed"


def test_a_session_is_saved_again_with_all_that_it_holds(command, image, tmp_path):
    session, again = tmp_path / "s.ome.zarr", tmp_path / "t.ome.zarr"
    two = write_image(tmp_path / "b.ome.zarr", [DATA])
    command("session", "save", image, two, "-o", session, "--name", "n")
    said = command(
        "session", "save", session, "-o", again, "--description", "d", "--json"
    )
    told = json.loads(said.out)
    assert (told["name"], told["description"]) == ("n", "d")
    assert [one["source"] for one in told["layers"]] == [str(image), str(two)]
    beside = command("session", "save", session, image, "-o", tmp_path / "u.ome.zarr")
    assert beside.status == 2
    assert "expected one session, or images" in beside.err


@pytest.mark.parametrize(
    ("words", "options", "name"),
    [
        (("export-imaris",), (), "o.ims"),
        (("pyramid",), (), "o.ome.zarr"),
        (("transform", "shift"), ("--by", "1,1,1"), "o.ome.zarr"),
        (("fuse",), (), "o.ome.zarr"),
    ],
    ids=["imaris", "pyramid", "transform", "fuse"],
)
def test_nothing_is_written_from_the_preview_of_data_that_lie_elsewhere(
    command, image, tmp_path, words, options, name
):
    session, target = tmp_path / "s.ome.zarr", tmp_path / name
    command("session", "save", image, "-o", session)
    said = command(*words, session, target, *options)
    assert said.status == 2
    assert f"a coarse preview of {image}" in said.err
    assert not target.exists()
    found = json.loads(command("info", session, "--json").out)["findings"]
    assert [one["code"] for one in found] == ["session-preview"]


@pytest.mark.parametrize(
    "arguments",
    [
        ("save", "nothing.zarr", "-o", "s"),
        ("save", "IMAGE", "-o", "s", "--version", "0.3"),
        ("save", "IMAGE", "-o", "s", "--version", "0.4", "--shards", "64"),
        ("save", "IMAGE", "-o", "s", "--reference-position", "1,2"),
        ("save", "IMAGE", "-o", "s", "--chunks", "0"),
        ("save", "IMAGE", "-o", "IMAGE", "--overwrite"),
        ("save", "IMAGE", "scene.json", "-o", "s"),
        ("info", "IMAGE"),
        ("load", "nothing"),
        ("pack", "IMAGE", "p"),
        ("relink", "IMAGE", "a", "b"),
    ],
)
def test_what_cannot_be_done_is_told_in_one_sentence(
    command, image, tmp_path, monkeypatch, arguments
):
    monkeypatch.chdir(tmp_path)
    given = [str(image) if a == "IMAGE" else a for a in arguments]
    ended = command("session", *given)
    assert ended.status == 2
    assert ended.err.startswith("brickfield: error: expected")
    assert ended.err.count("\n") == 1
    assert sorted(p.name for p in tmp_path.iterdir()) == ["a.ome.zarr"]
