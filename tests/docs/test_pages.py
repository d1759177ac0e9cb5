"""What the pages tell a reader to type works as it stands.

Python blocks of a page run one after the other, commands of brickfield in one
process, both in a folder with the files that the pages speak of. Pages whose Python
speaks of napari's viewer run where windows open: tests/plugin/test_pages.py.
"""

import importlib.util
import os
import re
import shlex
from pathlib import Path

import pytest
from typer.testing import CliRunner

from brickfield.cli.app import app
from brickfield.testing.http_server import FaultServer

SPEC = importlib.util.spec_from_file_location(
    "pages", Path(__file__).with_name("pages.py")
)
pages = importlib.util.module_from_spec(SPEC)
SPEC.loader.exec_module(pages)
SERVER = "http://127.0.0.1:8000"
IMAGES = re.compile(r"!\[[^]]*\]\(([^)]+)\)")
LINKS = re.compile(r"(?<!!)\[[^]]*\]\(([^)]+)\)")
REPOSITORY = re.compile(
    r"https://(?:raw\.githubusercontent|github)\.com/napari-brickfield/napari-brickfield"
    r"/(?:blob/)?main/(.*)"
)
"""Addresses of our own files: indexes of packages show no relative ones."""
CODE_PATH = re.compile(
    r"`((?:src|tests|docs|tools|plugin|qt|viewer|gpu)/[\w/.]+\.\w+)`"
)
SMALL = ("--size", "200x150")
WINDOWS = ("demo", "view")
"""Commands that open windows; their own tests run them."""


def commands(path: Path) -> list[list[str]]:
    """Return the words of every line that begins with brickfield."""
    found = []
    for body in pages.blocks(path, "sh"):
        for line in body.replace("\\\n", " ").splitlines():
            words = shlex.split(line, comments=True)
            if words[:1] == ["brickfield"] and "…" not in words:
                found.append(words[1:])
    return found


def has_plain_python(path: Path) -> bool:
    return bool(pages.blocks(path, "python")) and not pages.needs_window(path)


def having(make):
    return [pytest.param(p, id=p.stem) for p in pages.PAGES if make(p)]


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """A folder with data.ome.zarr and stack.h5."""
    return pages.write_data(tmp_path_factory.mktemp("pages"))


@pytest.fixture
def there(place, tmp_path, monkeypatch):
    """The same, as the current folder, with room for what a page writes."""
    for path in place.iterdir():
        (tmp_path / path.name).symlink_to(path)
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.gpu
@pytest.mark.slow
@pytest.mark.parametrize("path", having(has_plain_python))
def test_the_python_of_a_page_runs(path, adapter, there, capsys):
    pages.run_python(path, {})


@pytest.mark.gpu
@pytest.mark.slow
@pytest.mark.parametrize("path", having(commands))
def test_the_commands_of_a_page_work(path, adapter, place, there):
    with FaultServer(place) as server:
        for words in commands(path):
            # In place of the port that a reader uses.
            words = [w.replace(SERVER, server.url) for w in words]
            if words[0] in WINDOWS or words[-2:] == ["data.ome.zarr", "data.ome.zarr"]:
                continue  # computes for long, or would change the data
            if words[0] == "render" and "--size" not in words:
                words += SMALL  # a picture in software takes as long as it has pixels
            result = CliRunner().invoke(app, words, catch_exceptions=False)
            assert result.exit_code == 0, (words, result.output)


@pytest.mark.parametrize("path", having(lambda p: IMAGES.search(p.read_text("utf-8"))))
def test_the_pictures_of_a_page_are_there_and_small(path):
    for name in IMAGES.findall(path.read_text(encoding="utf-8")):
        ours = REPOSITORY.fullmatch(name)
        picture = pages.ROOT / ours[1] if ours else path.parent / name
        picture = Path(os.path.normpath(picture))
        assert picture.is_file(), name
        assert picture.stat().st_size <= 300 * 1024


def test_the_front_page_has_no_relative_address():
    """The package index and the napari hub show it outside of the repository."""
    text = (pages.ROOT / "README.md").read_text(encoding="utf-8")
    for address in IMAGES.findall(text) + LINKS.findall(text):
        assert address.startswith("https://"), address
        if ours := REPOSITORY.fullmatch(address):
            assert (pages.ROOT / ours[1]).is_file(), address


@pytest.mark.parametrize(
    "page", ["CONTRIBUTING.md", "docs/explanation/architecture.md"]
)
def test_the_files_that_a_contributor_is_sent_to_exist(page):
    text = (pages.ROOT / page).read_text(encoding="utf-8")
    named = [name for name in CODE_PATH.findall(text) if "NAME" not in name]
    assert named
    for name in named:
        inside = pages.ROOT / "src" / "brickfield" / name
        assert (pages.ROOT / name).exists() or inside.exists(), name
