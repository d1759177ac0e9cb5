"""Places as people type them, choices within them, and the sentence for neither."""

from __future__ import annotations

import json
from urllib.parse import quote

import numpy as np
import pytest

import brickfield as bf
from brickfield.errors import OptionError, StoreFormatError
from brickfield.testing.http_server import FaultServer
from brickfield.testing.zarr_stores import image_attributes, write_group


@pytest.mark.parametrize("name", ["a b.zarr", "zäh.zarr", "a+b.zarr", "50%.zarr"])
def test_a_web_address_is_opened_quoted_and_not(tmp_path, new_image, name):
    """Browsers quote addresses, people do not: both mean the same store."""
    new_image(tmp_path / name, np.ones((8, 8, 8), np.uint8), n_levels=1)

    with FaultServer(tmp_path) as server:
        for typed in (quote(name), name, f"{quote(name)}/"):
            store = bf.open_store(f"{server.url}/{typed}")
            assert store.pyramid.levels[0].shape == (8, 8, 8)
            assert store.info.name == name
            store.close()


@pytest.mark.parametrize("name", ["a b.zarr", "zäh.zarr", "a#b.zarr"])
def test_a_folder_is_opened_as_path_and_as_address(tmp_path, new_image, name):
    """With and without a slash at the end."""
    folder = new_image(tmp_path / name, np.ones((8, 8, 8), np.uint8), n_levels=1)

    for typed in (folder, f"{folder}/", folder.as_uri()):
        store = bf.open_store(typed)
        assert store.info.name == name
        store.close()


def test_an_unreadable_store_is_told_with_its_file_and_field(tmp_path):
    """Also where the reader that finds out knows only the field."""
    write_group(tmp_path / "bare.zarr", image_attributes("zyx"))

    with pytest.raises(StoreFormatError) as told:
        bf.open_store(tmp_path / "bare.zarr")

    assert "bare.zarr" in str(told.value)
    assert "multiscales[0].datasets[0].path" in str(told.value)


@pytest.mark.parametrize(
    "choice", [{"series": 5}, {"series": "other"}, {"well": "Z/9"}, {"field": 3}]
)
def test_a_choice_that_a_store_does_not_offer_is_refused(image, choice):
    """Drawing the only image instead would be silently wrong."""
    (wanted,) = choice.values()

    with pytest.raises(OptionError, match=str(wanted)):
        bf.open_store(image, **choice)


def test_the_only_image_may_be_chosen_by_its_number(image):
    """Scripts that always say which series go on working."""
    store = bf.open_store(image, series=0)

    assert store.pyramid.n_levels == 2
    store.close()


@pytest.mark.gpu
def test_a_channel_may_be_named_as_a_position(adapter):
    """``position={"c": 2}`` is channel 2, and two that differ are refused."""
    data = np.stack([np.full((4, 8, 8), v, np.uint8) for v in (10, 100, 200)])
    store = bf.open_store(data, axes="czyx")
    options = {"camera": "ortho:z", "size": (8, 8), "contrast": (0, 255)}

    result = bf.render(store, position={"c": 2}, colormap="gray", **options)

    assert np.unique(result.image[..., 0]).tolist() == [200]
    with pytest.raises(OptionError):
        bf.render(store, position={"c": 2}, channel=1, **options)
    with pytest.raises(OptionError, match="0 to 2"):
        bf.render(store, position={"c": 3}, **options)


def test_wrong_usage_ends_with_2_and_one_sentence(command, image, tmp_path):
    """The sentence names what is known; there is never a traceback."""
    out = tmp_path / "a.png"
    for options, word in (
        (["--mode", "foo"], "attenuated_mip"),
        (["--level", "9"], "0 to 1"),
        (["--colormap", "nope"], "viridis"),
        (["--camera", "nope"], "ortho:z"),
        (["--series", "5"], "5"),
        (["--clip", "w=0:1"], "z, y or x"),
        (["--gpu-budget", "1KB"], "1000"),
    ):
        ended = command("render", image, "-o", out, *options)
        assert ended.status == 2
        assert word in ended.err
        assert len(ended.err.strip().splitlines()) == 1
        assert not out.exists()


def test_what_is_no_image_ends_with_2_and_one_sentence(command, tmp_path):
    """An empty folder, a text, nothing at all."""
    (tmp_path / "empty").mkdir()
    (tmp_path / "text.txt").write_text("no image")

    for name in ("empty", "text.txt", "nothing.zarr"):
        ended = command("info", tmp_path / name, "--json")
        assert ended.status == 2
        assert name in ended.err
        assert len(ended.err.strip().splitlines()) == 1


def test_a_picture_taken_too_early_is_written_and_told(command, image, tmp_path):
    """Exit status 3, and both files are there."""
    out, receipt = tmp_path / "a.png", tmp_path / "a.json"

    ended = command(
        "render", image, "-o", out, "--receipt", receipt, "--timeout", "0.000001"
    )

    assert ended.status == 3
    assert out.exists()
    assert json.loads(receipt.read_text())["complete"] is False
