"""The examples run as they stand, and show what they say."""

import re
import runpy
from pathlib import Path

import pytest

from brickfield.sample import ensure_sample

EXAMPLES = sorted((Path(__file__).parents[2] / "examples").glob("*.py"))
pytestmark = [pytest.mark.gpu, pytest.mark.slow]


@pytest.fixture(scope="session")
def sample(tmp_path_factory):
    """A folder as the examples find it after `brickfield demo`."""
    return ensure_sample(tmp_path_factory.mktemp("examples") / ".demo").parent


@pytest.fixture
def run(adapter, sample, tmp_path, monkeypatch, capsys):
    """Runs an example in a folder of its own; returns what it prints."""

    def run_it(name: str) -> str:
        monkeypatch.chdir(tmp_path)
        Path(".demo").symlink_to(sample)
        (path,) = (p for p in EXAMPLES if p.stem == name)
        runpy.run_path(str(path), run_name="__main__")
        return capsys.readouterr().out

    return run_it


@pytest.mark.parametrize("path", [pytest.param(p, id=p.stem) for p in EXAMPLES])
def test_an_example_is_short_and_says_what_it_shows(path):
    lines = path.read_text(encoding="utf-8").splitlines()
    assert len(lines) <= 40
    assert lines[0].startswith('"""')


def test_the_exact_projection_is_exact(run):
    assert run("exact_projection") == "largest difference: 0\n"


def test_a_small_budget_leaves_no_pixel_empty(run):
    assert run("small_budget").count(" 0% of the pixels empty") == 2


def test_an_array_of_ones_own_is_drawn_whole(run, tmp_path):
    assert "complete: True" in run("own_array")
    assert (tmp_path / "own_array.png").is_file()


def test_the_receipt_names_the_damaged_chunk(run):
    printed = run("receipt")
    assert "complete: False" in printed
    assert printed.count("failed: 1/c/") == 1


def test_chunks_of_an_own_source_are_computed_once(run):
    assert "none more than 1 time\n" in run("own_source")


def test_a_forced_level_is_drawn_alone(run):
    assert "{'level': 2}: {'2': 8} bricks" in run("forced_level")


def test_labels_have_colours(run, tmp_path):
    assert run("labels").startswith("60 objects")
    assert (tmp_path / "labels.png").is_file()


def test_a_time_seen_before_is_not_read_again(run):
    read = [
        int(n.replace(",", ""))
        for n in re.findall(r"([\d,]+) bytes", run("time_series"))
    ]
    assert read == [262_144] * 5 + [0]


def test_registered_tiles_become_one_picture(run, tmp_path):
    assert "3 tiles as one" in run("registered_tiles")
    assert (tmp_path / "tiles.png").is_file()
