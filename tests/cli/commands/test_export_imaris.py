"""``brickfield export-imaris`` writes what was chosen, or nothing and one error."""

import json

import numpy as np
import pytest
from typer.testing import CliRunner

import brickfield as bf
from brickfield.cli.app import app

RNG = np.random.default_rng(1)


@pytest.fixture
def source(tmp_path):
    """A small Imaris file of two time points and three channels."""
    path = tmp_path / "source.ims"
    image = RNG.integers(0, 900, (2, 3, 8, 40, 50), np.uint16)
    bf.to_imaris(image, path, axes="tczyx", spacing=(2, 1, 1))
    return path, image


def run(*words):
    return CliRunner().invoke(app, ["export-imaris", *map(str, words)])


def test_what_is_chosen_is_written_and_told_as_json(source, tmp_path):
    path, image = source
    target = tmp_path / "out.ims"
    choice = ["--channel", 2, "--channel", 0, "--time", 1, "--region", "2:8,:20,:"]
    how = ["--chunks", "4,16,16", "--shuffle", "--verify", "--name", "mine"]
    done = run(path, target, *choice, *how, "--json")
    assert done.exit_code == 0, done.output
    told = json.loads(done.stdout)
    assert told["shape"] == [1, 2, 6, 20, 50]
    assert told["complete"]
    assert told["chunks_verified"] > 0
    opened = bf.open_store(target)
    assert opened.info.name == "mine"
    found = opened.read(0, None, (0, 0))
    np.testing.assert_array_equal(found, image[1, 2, 2:8, :20])


def test_the_result_is_told_in_words(source, tmp_path):
    done = run(source[0], tmp_path / "out.ims", "--bdv-xml")
    assert done.exit_code == 0
    assert "complete" in done.stdout
    assert (tmp_path / "out.xml").is_file()


def test_a_refusal_is_one_error_and_leaves_no_file(source, tmp_path):
    done = run(source[0], tmp_path / "out.ims", "--chunks", "0,1,1")
    assert done.exit_code != 0
    assert "Z,Y,X" in str(done.exception)
    assert not (tmp_path / "out.ims").exists()


def test_skipped_chunks_end_the_command_with_status_3(tmp_path):
    """One of two stored chunks is torn; the other is in the file."""
    zarr = pytest.importorskip("zarr")
    image = RNG.integers(1, 900, (8, 32, 64), np.uint16)
    stored = zarr.create_array(
        tmp_path / "a.zarr", shape=image.shape, chunks=(8, 32, 32), dtype="u2"
    )
    stored[:] = image
    (tmp_path / "a.zarr" / "c" / "0" / "0" / "1").write_bytes(b"torn")
    target = tmp_path / "out.ims"
    assert run(tmp_path / "a.zarr", target).exit_code not in (0, 3)
    assert not target.exists()
    done = run(tmp_path / "a.zarr", target, "--skip-failed", "--json")
    assert done.exit_code == 3, done.output
    assert len(json.loads(done.stdout)["failures"]) == 1
    found = bf.open_store(target).read(0, None, (0, 0))
    np.testing.assert_array_equal(found[..., :32], image[..., :32])
    assert not found[..., 32:].any()
