"""The examples for napari run as they stand, and show what they say."""

from __future__ import annotations

import re
import runpy
from pathlib import Path

import napari
import pytest

from brickfield.sample import ensure_sample

FOLDER = Path(__file__).parents[2] / "examples" / "napari"
EXAMPLES = sorted(FOLDER.glob("*.py"))
pytestmark = [pytest.mark.gpu, pytest.mark.napari, pytest.mark.slow]


@pytest.fixture(scope="module")
def sample(tmp_path_factory):
    """A folder as the examples find it after `brickfield demo`."""
    return ensure_sample(tmp_path_factory.mktemp("examples") / ".demo").parent


@pytest.fixture
def run(adapter, sample, tmp_path, monkeypatch, capsys, make_napari_viewer):
    """Runs an example in a folder of its own; returns what it prints."""

    def run_it(name: str) -> str:
        monkeypatch.chdir(tmp_path)
        Path(".demo").symlink_to(sample)
        monkeypatch.setattr(napari, "Viewer", lambda: make_napari_viewer(show=True))
        runpy.run_path(str(FOLDER / f"{name}.py"), run_name="example")
        return capsys.readouterr().out

    return run_it


@pytest.mark.parametrize("path", [pytest.param(p, id=p.stem) for p in EXAMPLES])
def test_an_example_is_short_and_says_what_it_shows(path):
    lines = path.read_text(encoding="utf-8").splitlines()
    assert len(lines) <= 40
    assert lines[0].startswith('"""')


def test_a_volume_is_opened_and_its_surface_kept(run, tmp_path):
    assert "complete: True" in run("open_volume")
    assert (tmp_path / "surface.png").is_file()


def test_four_views_meet_in_a_point(run):
    printed = run("four_views")
    assert "['3D', 'xy', 'yz', 'xz']" in printed
    assert "cross-hair:" in printed


def test_spots_are_drawn_with_the_volume(run, tmp_path):
    run("spots")
    assert (tmp_path / "spots.png").is_file()


def test_a_scene_comes_back(run):
    printed = run("scene")
    assert "layers: ['sample: nuclei', 'sample: vessels']" in printed
    assert "mode: attenuated_mip" in printed


def test_what_moves_is_elsewhere_later(run):
    first, last = (int(n) for n in re.findall(r"brightest (\d+) %", run("time_series")))
    assert last > first + 10
