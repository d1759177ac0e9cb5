"""``brickfield info`` reports everything about an image and loads no heavy library."""

import json
import subprocess
import sys

import numpy as np
import pytest

from brickfield.testing.zarr_stores import write_plate


def test_json_says_everything_of_an_image(command, image):
    ended = command("info", image, "--json")
    assert ended.status == 0
    about = json.loads(ended.out)
    assert "OME-Zarr 0.5" in about["format"]
    assert about["dtype"] == "uint8"
    assert about["is_labels"] is False
    assert [(a["name"], a["type"], a["unit"]) for a in about["axes"]] == [
        (name, "space", "micrometer") for name in "zyx"
    ]
    fine, coarse = about["levels"]
    assert fine["shape"] == [32, 48, 40]
    assert fine["chunk_shape"] == [16, 16, 16]
    assert fine["voxel_size"] == [2.0, 0.5, 0.5]
    assert fine["translation"] == [0.0, 0.0, 0.0]
    assert fine["bytes"] == 32 * 48 * 40
    assert coarse["level"] == 1
    assert coarse["shape"] == [16, 24, 20]
    assert coarse["voxel_size"] == [4.0, 1.0, 1.0]
    assert coarse["translation"] == [1.0, 0.25, 0.25]
    (channel,) = about["channels"]
    assert channel == {
        "name": "dye",
        "color": "#ff8000",
        "window": [10.0, 200.0],
        "active": True,
    }
    assert about["labels"] == about["wells"] == []
    assert about["bytes"]["nominal"] == 32 * 48 * 40 + 16 * 24 * 20


def test_stored_bytes_are_those_of_the_chunks_on_disk(command, image):
    about = json.loads(command("info", image, "--json").out)
    chunks = [p for p in image.rglob("c/*/*/*") if p.is_file()]
    assert about["bytes"]["stored"] == sum(p.stat().st_size for p in chunks)


def test_the_table_is_readable(command, image):
    ended = command("info", image)
    assert ended.status == 0
    for text in ("32 × 48 × 40", "16 × 16 × 16", "2, 0.5, 0.5", "dye", "micrometer"):
        assert text in ended.out


def test_what_is_odd_is_told(command, tmp_path):
    import h5py

    with h5py.File(tmp_path / "a.h5", "w") as file:
        file["data"] = np.zeros((4, 5, 6), np.uint16)
    about = json.loads(command("info", tmp_path / "a.h5", "--json").out)
    assert about["levels"][0]["shape"] == [4, 5, 6]
    assert all(f["text"] and f["code"] for f in about["findings"])


def test_info_loads_neither_graphics_nor_dask(image):
    code = (
        "import sys; from brickfield.cli.main import run\n"
        f"sys.argv = ['brickfield', 'info', {str(image)!r}]\n"
        "try:\n    run()\n"
        "except SystemExit as leaving:\n    assert not leaving.code\n"
        "print('loaded', *sorted({m.split('.')[0] for m in sys.modules}))"
    )
    run = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    loaded = set(run.stdout.split("loaded ")[1].split())
    assert not loaded & {"pygfx", "wgpu", "rendercanvas", "dask", "scipy", "napari"}


def test_images_are_listed_with_the_names_that_open_them(command, tmp_path):
    root = write_plate(tmp_path / "p.zarr", ("A/1", "A/2"), 1)
    images = json.loads(command("info", root, "--json").out)["images"]
    field = {"kind": "field", "shape": [8, 8], "axes": ["y", "x"]}
    assert images == [{"name": "A/1/0", **field}, {"name": "A/2/0", **field}]
    for image in images:
        ended = command("info", root, "--image", image["name"], "--json")
        about = json.loads(ended.out)
        assert about["levels"][0]["path"].startswith(image["name"])
    assert "A/2/0" in command("info", root).out


def test_an_image_that_is_not_there_is_one_sentence(command, tmp_path):
    root = write_plate(tmp_path / "p.zarr", ("A/1", "A/2"), 1)
    ended = command("info", root, "--image", "B/1")
    assert ended.status == 2
    assert "expected an image out of A/1, A/2; found B/1" in " ".join(ended.err.split())


def test_scale_and_axes_stand_in_for_what_is_stored(command, image):
    ended = command("info", image, "--scale", "3,2,1", "--axes", "xyz", "--json")
    about = json.loads(ended.out)
    assert "".join(a["name"] for a in about["axes"]) == "xyz"
    # Numbers are for the axes of the image in their order.
    assert about["levels"][0]["voxel_size"] == [3, 2, 1]
    assert about["levels"][1]["voxel_size"] == [6, 4, 2]


@pytest.mark.parametrize("name", ["info", "render", "view", "pyramid"])
def test_every_command_that_opens_takes_scale_and_axes(command, name):
    shown = command(name, "--help").out
    assert "--scale" in shown
    assert "--axes" in shown
