"""``brickfield transform rotate`` and its neighbours, as a person runs them."""

import json

import numpy as np
import pytest
import zarr

from brickfield.sources import from_arrays
from brickfield.transforms import Move, bake


@pytest.fixture
def image(tmp_path):
    data = np.random.default_rng(0).integers(0, 255, (9, 9, 9), np.uint8)
    path = tmp_path / "source.zarr"
    bake(from_arrays(data, scale=(1, 1, 1)), path, Move())
    return path, data


def read(path):
    return zarr.open_group(path, mode="r")["0"][...]


def test_a_quarter_turn_is_about_y_by_default(command, image, tmp_path):
    path, data = image
    ended = command(
        "transform", "rotate", path, tmp_path / "a", "--degrees", 90, "--json"
    )
    assert ended.status == 0
    told = json.loads(ended.out)
    assert told["complete"]
    assert told["path"] == str(tmp_path / "a")
    assert told["blocks"] == {"total": 1, "written": 1, "resumed": 0}
    assert np.shape(told["matrix"]) == (4, 4)
    assert told["seconds"] > 0
    assert np.array_equal(read(tmp_path / "a"), np.rot90(data, 1, axes=(0, 2)))


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (
            ["shift", "--by", "0,2,-1"],
            lambda d: np.pad(d, ((0, 0), (2, 0), (0, 1)))[:, :9, 1:],
        ),
        (
            ["combine", "--degrees", "-90", "--axis", "z", "--by", "1,0,0"],
            lambda d: np.pad(np.rot90(d, -1, axes=(2, 1)), ((1, 0), (0, 0), (0, 0)))[
                :9
            ],
        ),
        (
            ["downsample", "--factor", "3"],
            lambda d: np.rint(d.reshape(3, 3, 3, 3, 3, 3).mean(axis=(1, 3, 5))),
        ),
        (["gaussian", "--sigma", "0"], lambda d: d),
        (
            ["rotate", "--degrees", "180", "--axis", "x", "--region", "2:5,:,8:9"],
            lambda d: np.rot90(d, 2, axes=(1, 0))[2:5, :, 8:9],
        ),
    ],
    ids=lambda a: a[0] if isinstance(a, list) else "",
)
def test_each_command_writes_what_numpy_makes(
    command, image, tmp_path, arguments, expected
):
    path, data = image
    ended = command("transform", arguments[0], path, tmp_path / "a", *arguments[1:])
    assert ended.status == 0, ended.err
    assert "complete" in ended.out
    assert np.array_equal(read(tmp_path / "a"), expected(data))


def test_a_matrix_comes_from_a_file(command, image, tmp_path):
    path, data = image
    matrix = np.eye(4)
    matrix[2, 3] = 1
    (tmp_path / "m.json").write_text(json.dumps(matrix.tolist()))
    how = ("--matrix", tmp_path / "m.json")
    assert command("transform", "affine", path, tmp_path / "a", *how).status == 0
    assert np.array_equal(read(tmp_path / "a")[..., 1:], data[..., :-1])


def test_a_dry_run_prints_where_voxels_of_a_stack_lie_and_writes_nothing(
    command, image, tmp_path
):
    """Plane 1 of a stack at 30 degrees and a step of 2 lies 1 behind plane 0."""
    how = ("--angle", 30, "--step", 2, "--json", "--dry-run")
    ended = command("transform", "deskew", image[0], tmp_path / "a", *how)
    matrix = np.array(json.loads(ended.out)["matrix"])
    assert matrix @ [1, 0, 0, 1] == pytest.approx([1, np.sqrt(3), 0, 1])
    assert matrix @ [0, 5, 7, 1] == pytest.approx([0, 5, 7, 1])
    assert not (tmp_path / "a").exists()


@pytest.mark.parametrize(
    "arguments",
    [
        ["rotate", "--degrees", "nan"],
        ["rotate", "--degrees", "5", "--axis", "w"],
        ["rotate", "--degrees", "5", "--centre", "1,2"],
        ["shift", "--by", "1,2"],
        ["shift", "--by", "1,2,x"],
        ["shift", "--by", "inf,0,0"],
        ["gaussian", "--sigma", "-1"],
        ["gaussian", "--sigma", "1,2"],
        ["downsample", "--factor", "0"],
        ["affine", "--matrix", "absent.json"],
        ["deskew", "--angle", "0", "--step", "1"],
        ["rotate", "--degrees", "5", "--order", "7"],
        ["rotate", "--degrees", "5", "--region", "9:12,:,:"],
        ["rotate", "--degrees", "5", "--level", "3"],
        ["rotate", "--degrees", "5", "--fill", "0.5"],
        ["rotate", "--degrees", "5", "--scheduler", "nowhere"],
    ],
    ids=" ".join,
)
def test_what_cannot_be_is_one_sentence_and_status_2(
    command, image, tmp_path, arguments
):
    ended = command("transform", arguments[0], image[0], tmp_path / "a", *arguments[1:])
    assert ended.status == 2
    assert ended.err.count("\n") == 1
    assert ended.err.startswith("brickfield: error: expected")
    assert not (tmp_path / "a").exists()


def test_a_source_that_is_not_there_is_named(command, tmp_path):
    ended = command(
        "transform", "shift", tmp_path / "no", tmp_path / "a", "--by", "0,0,0"
    )
    assert ended.status == 2
    assert "no" in ended.err


def test_blocks_that_cannot_be_read_are_told_with_status_3(command, image, tmp_path):
    path, _ = image
    (chunk,) = [p for p in (path / "0").rglob("0") if p.is_file()]
    chunk.write_bytes(b"broken")
    ended = command("transform", "shift", path, tmp_path / "a", "--by", "0,0,0")
    assert ended.status == 3
    assert "failed" in ended.out
    assert not (tmp_path / "a" / "zarr.json").exists()
