"""The examples run as they stand."""

import runpy
from pathlib import Path

import pytest

EXAMPLES = sorted((Path(__file__).parents[2] / "examples").glob("*.py"))
pytestmark = [pytest.mark.gpu, pytest.mark.slow]


@pytest.mark.parametrize("path", [pytest.param(p, id=p.stem) for p in EXAMPLES])
def test_an_example_runs(path, adapter, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    runpy.run_path(str(path), run_name="__main__")
    assert capsys.readouterr().out


def test_the_exact_projection_is_exact(adapter, capsys):
    path = next(p for p in EXAMPLES if p.stem == "exact_projection")
    runpy.run_path(str(path), run_name="__main__")
    assert capsys.readouterr().out == "largest difference: 0\n"
