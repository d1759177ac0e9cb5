"""``brickfield render SESSION``: the scene that was saved."""

import json

import numpy as np
import pytest
from PIL import Image

from brickfield.scene import SceneState
from brickfield.testing.zarr_stores import image_attributes, write_image

SHAPE = (12, 20, 28)
DATA = np.random.default_rng(1).integers(0, 256, (2, *SHAPE)).astype(np.uint8)


@pytest.fixture
def session(command, tmp_path):
    channels = [
        {"label": n, "color": c, "active": True, "window": {"min": 0, "max": 255, "start": 0, "end": 255}}
        for n, c in (("red", "FF0000"), ("green", "00FF00"))
    ]  # fmt: skip
    attributes = image_attributes("czyx", [(1, 1, 1, 1)], omero={"channels": channels})
    image = write_image(tmp_path / "a.ome.zarr", [DATA], attributes)
    path = tmp_path / "s.ome.zarr"
    assert command("session", "save", image, "-o", path).status == 0
    return path


def picture(path):
    return np.asarray(Image.open(path).convert("RGB")).astype(int)


@pytest.mark.gpu
def test_all_visible_layers_are_drawn_with_their_looks(command, session, tmp_path):
    out = tmp_path / "out.png"
    ended = command(
        "render", session, "-o", out, "--camera", "ortho:z", "--size", "28x20"
    )
    assert ended.status == 0, ended.err
    expected = DATA.max(axis=1)
    found = picture(out)
    assert np.abs(found[..., 0] - expected[0]).max() <= 1
    assert np.abs(found[..., 1] - expected[1]).max() <= 1
    assert found[..., 2].max() == 0


@pytest.mark.gpu
def test_a_picture_of_a_session_knows_its_scene(command, session, tmp_path):
    out = tmp_path / "out.png"
    command("render", session, "-o", out, "--size", "28x20")
    state = SceneState.from_json(Image.open(out).text["brickfield-scene"])
    assert [layer.name for layer in state.layers] == ["image: red", "image: green"]
    again = tmp_path / "again.ome.zarr"
    assert command("session", "save", out, "-o", again).status == 0
    assert command("session", "save", __file__, "-o", tmp_path / "x").status == 2


@pytest.mark.gpu
@pytest.mark.parametrize(
    "how",
    [
        ("--camera", "orbit:30,20", "--gamma", "1.4", "--contrast", "20,200"),
        ("--channel", "1", "--colormap", "viridis", "--clip", "y=3:"),
        (
            "--channel",
            "0",
            "--mode",
            "iso",
            "--iso-threshold",
            "120",
            "--light",
            "raking",
        ),
    ],
)
def test_a_picture_of_an_image_is_drawn_again_from_what_it_knows(
    command, session, tmp_path, how
):
    image, out = tmp_path / "a.ome.zarr", tmp_path / "out.png"
    assert command("render", image, "-o", out, "--size", "40x30", *how).status == 0
    saved, again = tmp_path / "from.ome.zarr", tmp_path / "again.png"
    assert command("session", "save", out, "-o", saved).status == 0
    assert command("render", saved, "-o", again, "--size", "40x30").status == 0
    assert np.abs(picture(again) - picture(out)).max() <= 1


@pytest.mark.gpu
def test_a_packed_session_is_the_same_picture(command, session, tmp_path):
    one, two, packed = tmp_path / "1.png", tmp_path / "2.png", tmp_path / "p.ome.zarr"
    assert command("session", "pack", session, packed).status == 0
    for path, out in ((session, one), (packed, two)):
        assert command("render", path, "-o", out, "--size", "64x48").status == 0
    np.testing.assert_array_equal(picture(one), picture(two))


@pytest.mark.gpu
def test_a_layer_that_is_gone_is_drawn_from_its_preview(command, session, tmp_path):
    out = tmp_path / "out.png"
    (tmp_path / "a.ome.zarr").rename(tmp_path / "b.ome.zarr")
    cost = tmp_path / "cost.json"
    where = ("--camera", "ortho:z", "--size", "28x20", "--receipt", cost)
    ended = command("render", session, "-o", out, *where)
    assert ended.status == 3
    assert picture(out).max() > 100
    assert json.loads(cost.read_text())["fidelity"] == "limited"
    assert Image.open(out).text["brickfield-fidelity"] == "limited"


@pytest.mark.parametrize(
    "given",
    [
        ("--slice", "z=3"),
        ("--mode", "mip"),
        ("--labels",),
        ("--image", "0"),
        ("--time", 0),
    ],
    ids=lambda given: given[0],
)
def test_an_option_that_a_session_answers_itself_is_refused(
    command, session, tmp_path, given
):
    ended = command("render", session, "-o", tmp_path / "out.png", *given)
    assert ended.status == 2
    assert f"found {given[0]}: draw the image itself" in ended.err
    assert not (tmp_path / "out.png").exists()


def test_a_session_opens_alone(command, session, tmp_path):
    ended = command("view", session, tmp_path / "a.ome.zarr")
    assert ended.status == 2
    assert "expected a session alone" in ended.err
