"""What the pages tell a reader to type works as it stands.

Python blocks of a page run one after the other, commands of brickfield in one
process, both in a folder with the files that the pages speak of.
"""

import os
import re
import shlex
from pathlib import Path

import h5py
import numpy as np
import pytest
from typer.testing import CliRunner

from brickfield.cli.main import app
from brickfield.sample.store import write_sample
from brickfield.sample.tissue import Grid
from brickfield.testing.http_server import FaultServer

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
FENCE = re.compile(r"^```(\w+)\n(.*?)^```", re.MULTILINE | re.DOTALL)
SERVER = "http://127.0.0.1:8000"
IMAGES = re.compile(r"!\[[^]]*\]\(([^)]+)\)")


def blocks(path: Path, language: str) -> list[str]:
    text = path.read_text(encoding="utf-8")
    return [body for kind, body in FENCE.findall(text) if kind == language]


def commands(path: Path) -> list[list[str]]:
    """Return the words of every line that begins with brickfield."""
    found = []
    for body in blocks(path, "sh"):
        for line in body.replace("\\\n", " ").splitlines():
            words = shlex.split(line, comments=True)
            if words[:1] == ["brickfield"] and "…" not in words:
                found.append(words[1:])
    return found


def having(make):
    return [pytest.param(p, id=p.stem) for p in PAGES if make(p)]


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """A folder with data.ome.zarr and stack.h5."""
    folder = tmp_path_factory.mktemp("pages")
    write_sample(folder / "data.ome.zarr", Grid((48, 96, 96), (2.0, 1.0, 1.0)))
    with h5py.File(folder / "stack.h5", "w") as file:
        file["volume"] = np.arange(32**3, dtype=np.uint16).reshape(32, 32, 32)
    return folder


@pytest.fixture
def there(place, tmp_path, monkeypatch):
    """The same, as the current folder, with room for what a page writes."""
    for path in place.iterdir():
        (tmp_path / path.name).symlink_to(path)
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.gpu
@pytest.mark.slow
@pytest.mark.parametrize("path", having(lambda p: blocks(p, "python")))
def test_the_python_of_a_page_runs(path, adapter, there, capsys):
    names = {}
    for body in blocks(path, "python"):
        exec(compile(body, str(path), "exec"), names)


@pytest.mark.gpu
@pytest.mark.slow
@pytest.mark.parametrize("path", having(commands))
def test_the_commands_of_a_page_work(path, adapter, place, there):
    with FaultServer(place) as server:
        for words in commands(path):
            # In place of the port that a reader uses.
            words = [w.replace(SERVER, server.url) for w in words]
            if words[0] == "demo" or words[-2:] == ["data.ome.zarr", "data.ome.zarr"]:
                continue  # computes for long, or would change the data
            result = CliRunner().invoke(app, words, catch_exceptions=False)
            assert result.exit_code == 0, (words, result.output)


@pytest.mark.parametrize("path", having(lambda p: IMAGES.search(p.read_text("utf-8"))))
def test_the_pictures_of_a_page_are_there_and_small(path):
    for name in IMAGES.findall(path.read_text(encoding="utf-8")):
        picture = Path(os.path.normpath(path.parent / name))
        assert picture.is_file(), name
        assert picture.stat().st_size <= 300 * 1024
