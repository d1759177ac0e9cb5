"""Rules of the whole house, read off its files."""

import ast
import re
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
SOURCES = sorted((ROOT / "src").rglob("*.py"))
MODULES = [pytest.param(path, id=str(path.relative_to(ROOT))) for path in SOURCES]
HEAVY = {"dask", "h5py", "napari", "pygfx", "qtpy", "scipy", "tensorstore", "wgpu"}
HEAVY |= {"PyQt6", "PySide6", "rendercanvas", "superqt", "tifffile", "zarr"}


def tracked_files() -> list[Path]:
    names = []
    if git := shutil.which("git"):
        command = [git, "ls-files", "-z"]
        listed = subprocess.run(command, cwd=ROOT, capture_output=True, check=False)
        names = listed.stdout.decode().split("\0")
    found = [ROOT / name for name in names if name] or [
        *(ROOT / "src").rglob("*"),
        *(ROOT / "tests").rglob("*"),
        *(ROOT / "docs").rglob("*"),
    ]
    return [path for path in found if path.is_file()]


def imported_by(statement: str) -> set[str]:
    """Top-level packages that a fresh interpreter has loaded after `statement`."""
    code = f"{statement}\nimport sys\nprint(*sorted({{m.split('.')[0] for m in sys.modules}}))"
    run = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    return set(run.stdout.split())


@pytest.mark.parametrize("path", MODULES)
def test_a_module_is_at_most_500_lines_long(path):
    assert len(path.read_text(encoding="utf-8").splitlines()) <= 500


@pytest.mark.parametrize("path", MODULES)
def test_a_module_begins_with_what_it_is(path):
    tree = ast.parse(path.read_text(encoding="utf-8"))
    assert ast.get_docstring(tree), "a module needs a docstring"


@pytest.mark.parametrize("path", MODULES)
def test_a_function_is_at_most_40_lines_long_without_its_docstring(path):
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            continue
        # From the first statement: the signature of a command may be long.
        body = node.body[1:] if ast.get_docstring(node) else node.body
        lines = body[-1].end_lineno - body[0].lineno + 1 if body else 0
        assert lines <= 40, f"{node.name} has {lines} lines"


def test_no_tracked_file_names_a_folder_of_somebodys_machine():
    pattern = re.compile(
        r"(^|[^A-Za-z0-9_.])/" + r"(work|farm|root|home/[a-z]+|Users/[A-Za-z]+)/"
    )
    for path in tracked_files():
        try:
            text = path.read_text(encoding="utf-8")
        except UnicodeDecodeError:
            continue
        assert not pattern.search(text), path


def test_importing_brickfield_is_light():
    assert not imported_by("import brickfield") & HEAVY


def test_every_public_name_exists():
    import brickfield

    for name in brickfield.__all__:
        assert getattr(brickfield, name) is not None
    assert set(brickfield.__all__) <= set(dir(brickfield))


def test_an_unknown_public_name_is_an_attribute_error():
    import brickfield

    with pytest.raises(AttributeError, match="nothing_like_this"):
        _ = brickfield.nothing_like_this


@pytest.mark.slow
def test_the_wheel_works_without_the_source_tree(tmp_path):
    """Shaders and the typing marker are in it, and it imports on its own."""
    subprocess.run(
        [
            sys.executable,
            "-m",
            "hatchling",
            "build",
            "-t",
            "wheel",
            "-d",
            str(tmp_path),
        ],
        cwd=ROOT,
        capture_output=True,
        check=True,
    )
    (wheel,) = tmp_path.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        names = set(archive.namelist())
        archive.extractall(tmp_path / "site")
    source = ROOT / "src"
    shaders = {str(p.relative_to(source)) for p in source.rglob("*.wgsl")}
    assert shaders
    assert shaders | {"brickfield/py.typed", "brickfield/plugin/napari.yaml"} <= names
    assert not any(name.startswith("tests") for name in names)
    run = subprocess.run(
        [sys.executable, "-c", "import brickfield; print(brickfield.__file__)"],
        cwd=tmp_path,
        env={"PYTHONPATH": str(tmp_path / "site")},
        capture_output=True,
        text=True,
        check=True,
    )
    assert Path(run.stdout.strip()).is_relative_to(tmp_path / "site")
