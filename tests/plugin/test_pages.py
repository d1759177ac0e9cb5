"""What the pages tell a reader to type in napari's console works as it stands."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import pytest

import brickfield as bf

WHERE = Path(__file__).parents[1] / "docs" / "pages.py"
SPEC = importlib.util.spec_from_file_location("pages", WHERE)
pages = importlib.util.module_from_spec(SPEC)
SPEC.loader.exec_module(pages)
pytestmark = [pytest.mark.gpu, pytest.mark.napari, pytest.mark.slow]


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """A folder with data.ome.zarr and stack.h5."""
    return pages.write_data(tmp_path_factory.mktemp("pages"))


@pytest.mark.parametrize(
    "path", [pytest.param(p, id=p.stem) for p in pages.PAGES if pages.needs_window(p)]
)
def test_the_python_of_a_page_runs_in_napari(
    path, adapter, place, tmp_path, monkeypatch, make_napari_viewer, qtbot
):
    for file in place.iterdir():
        (tmp_path / file.name).symlink_to(file)
    monkeypatch.chdir(tmp_path)
    viewer = make_napari_viewer(show=True, strict_qt="raise")
    pages.run_python(path, {"viewer": viewer})
    views = bf.views_of(viewer)
    qtbot.waitUntil(lambda: all(v.is_settled for v in views), timeout=60_000)
