"""``brickfield pyramid`` writes what ``info`` understands, and replaces nothing unasked."""

import json

import h5py
import numpy as np
import pytest
import zarr


@pytest.fixture
def stack(tmp_path):
    data = np.random.default_rng(3).integers(0, 4096, (40, 130, 150), dtype=np.uint16)
    with h5py.File(tmp_path / "stack.h5", "w") as file:
        file.create_dataset("data", data=data, chunks=(16, 32, 32))
    return tmp_path / "stack.h5", data


def test_a_stack_becomes_a_pyramid_that_info_understands(command, stack, tmp_path):
    source, data = stack
    target = tmp_path / "stack.ome.zarr"
    ended = command("pyramid", source, target, "--factors", "2", "--json")
    assert ended.status == 0
    assert json.loads(ended.out)["complete"] is True
    about = json.loads(command("info", target, "--json").out)
    assert [level["shape"] for level in about["levels"]][:2] == [
        [40, 130, 150],
        [20, 65, 75],
    ]
    assert (zarr.open_array(target / "0", mode="r")[...] == data).all()


def test_the_summary_is_printed_for_people(command, stack, tmp_path):
    ended = command("pyramid", stack[0], tmp_path / "p.ome.zarr")
    assert ended.status == 0
    assert "complete" in ended.out
    assert "40 × 130 × 150" in ended.out


def test_a_target_in_the_way_is_refused(command, stack, tmp_path):
    (tmp_path / "taken").mkdir()
    (tmp_path / "taken" / "file").write_text("mine")
    ended = command("pyramid", stack[0], tmp_path / "taken")
    assert ended.status == 2
    assert ended.err.count("\n") == 1
    assert (tmp_path / "taken" / "file").read_text() == "mine"


@pytest.mark.parametrize(
    "option", [("--factors", "1"), ("--method", "median"), ("--version", "0.3")]
)
def test_options_that_cannot_be_used_are_refused(command, stack, tmp_path, option):
    ended = command("pyramid", stack[0], tmp_path / "p.ome.zarr", *option)
    assert ended.status == 2
    assert "expected" in ended.err


def test_a_given_scale_is_that_of_the_written_levels(command, image, tmp_path):
    ended = command("pyramid", image, tmp_path / "out.zarr", "--scale", "8,4,2")
    assert ended.status == 0
    about = json.loads(command("info", tmp_path / "out.zarr", "--json").out)
    assert about["levels"][0]["voxel_size"] == [8, 4, 2]
