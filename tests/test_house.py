"""Rules of the whole house, read off its files."""

import ast
import functools
import importlib
import importlib.util
import re
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
SOURCES = sorted((ROOT / "src").rglob("*.py"))
HEAVY = {"dask", "h5py", "napari", "pygfx", "qtpy", "scipy", "tensorstore", "wgpu"}
HEAVY |= {"PyQt6", "PySide6", "rendercanvas", "superqt", "tifffile", "zarr"}


@functools.cache
def _house():
    spec = importlib.util.spec_from_file_location("house", ROOT / "tools" / "house.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


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


def test_a_module_is_at_most_500_lines_long():
    lines = {p: len(p.read_text(encoding="utf-8").splitlines()) for p in SOURCES}
    assert not {str(path): n for path, n in lines.items() if n > 500}


def test_a_module_begins_with_what_it_is():
    trees = {path: _house().tree_of(path) for path in SOURCES}
    assert not [str(p) for p, tree in trees.items() if not ast.get_docstring(tree)]


def test_a_function_is_at_most_40_lines_long_without_its_docstring():
    long = [
        f"{path}: {node.name} has {n} lines"
        for path in SOURCES
        for node in _house().nodes_of(path)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and (n := n_body_lines(node)) > 40
    ]
    assert not long


def n_body_lines(node):
    """Lines from the first statement: the signature of a command may be long."""
    body = node.body[1:] if ast.get_docstring(node) else node.body
    return body[-1].end_lineno - body[0].lineno + 1 if body else 0


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


def _sentences(path: Path) -> list[tuple[int, str]]:
    """Return the line and the text of each string that is no docstring."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    nodes = list(ast.walk(tree))
    docs = {id(n.value) for n in nodes if isinstance(n, ast.Expr)}
    return [
        (n.lineno, n.value)
        for n in nodes
        if isinstance(n, ast.Constant)
        and isinstance(n.value, str)
        and id(n) not in docs
    ]


def test_no_sentence_that_a_person_reads_has_raw_markup():
    """Windows and terminals show a backtick as it is: commands stand in quotes."""
    documents = {"qt/controls/keys.py", "scene/link.py"}  # Markdown; characters to cut
    found = [
        f"{path}:{line}"
        for path in SOURCES
        if str(path.relative_to(ROOT / "src" / "brickfield")) not in documents
        for line, text in _sentences(path)
        if "`" in text
    ]
    assert not found


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
    icons = {str(p.relative_to(source)) for p in source.rglob("*.svg")}
    assert shaders
    assert icons
    assert (
        shaders | icons | {"brickfield/py.typed", "brickfield/plugin/napari.yaml"}
        <= names
    )
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


FACES = _house().faces()
PACKAGES = {f for f in FACES if (ROOT / "src" / Path(*f.split("."))).is_dir()}

LEAST_TOLD = {"documented": 0.95, "arrays": 0.95, "raises": 0.95, "comments": 0.009}
"""Least shares that are told, by the function of tools/house.py: to become more."""


@pytest.mark.parametrize("what", LEAST_TOLD)
def test_parameters_shapes_errors_and_reasons_are_told(what):
    n, told = getattr(_house(), what)()
    assert told / n >= LEAST_TOLD[what], f"{told} of {n}"


LEAST_REASONS = 0.03
"""Least share of comments where the code is hard; docstrings say what, these why."""


@pytest.mark.parametrize("what", _house().HARD)
def test_hard_code_tells_its_reasons(what):
    assert _house().reasons()[what] >= LEAST_REASONS


@pytest.mark.parametrize(("what", "patterns"), _house().HARD.items())
def test_what_is_named_as_hard_code_exists(what, patterns):
    folder = ROOT / "src" / "brickfield"
    assert all(list(folder.glob(pattern)) for pattern in patterns), what


def test_a_folder_shows_at_most_14_files():
    for folder, n in _house().rooms().items():
        assert n <= 14, folder


def test_a_face_has_at_most_30_names():
    for face, names in FACES.items():
        assert len(names) <= 30, face


def test_no_package_imports_the_inside_of_another():
    assert not _house().deep_imports()


def test_modules_side_by_side_import_each_other_without_exceptions():
    assert not _house().circles()


def test_the_versions_of_a_layer_are_kept_in_two_places_alone():
    """The layer counts; a snapshot tells. A third copy could fall behind both."""
    assert _house().version_holders() == [
        "brickfield.store.layer.ChunkedLayer",
        "brickfield.store.layer.LayerVersions",
    ]


def test_no_part_of_a_live_view_inherits_from_another():
    live = ROOT / "src" / "brickfield" / "viewer" / "live"
    classes = [
        node
        for path in live.rglob("*.py")
        for node in _house().nodes_of(path)
        if isinstance(node, ast.ClassDef)
    ]
    names = {node.name for node in classes} - {"Subject"}
    assert not [c.name for c in classes if names & {ast.unparse(b) for b in c.bases}]


@pytest.mark.parametrize("face", sorted(set(FACES) - {"brickfield"}))
def test_every_name_of_a_face_exists(face):
    if face.split(".")[1] in ("qt", "plugin"):
        pytest.importorskip("qtpy")
    module = importlib.import_module(face)
    for name in module.__all__:
        assert getattr(module, name) is not None
    assert set(module.__all__) >= set(getattr(module, "_HOME", ()))


def test_the_reference_names_every_face():
    """python tools/faces.py > docs/reference/packages.md"""
    page = (ROOT / "docs" / "reference" / "packages.md").read_text(encoding="utf-8")
    sections = re.findall(
        r"^## `([\w.]+)`\n(.*?)(?=^## |\Z)", page, re.MULTILINE | re.DOTALL
    )
    named = {
        face: re.findall(r"^\| `(\w+)` ", rows, re.MULTILINE) for face, rows in sections
    }
    assert named == FACES


def test_an_unknown_name_of_a_face_is_an_attribute_error():
    import brickfield.model

    with pytest.raises(AttributeError, match="nothing_like_this"):
        _ = brickfield.model.nothing_like_this


# The face of gpu settles how wgpu looks for devices, before anybody asks.
@pytest.mark.parametrize("face", sorted(PACKAGES - {"brickfield", "brickfield.gpu"}))
def test_importing_a_face_is_light(face):
    assert not imported_by(f"import {face}") & HEAVY


def test_names_that_the_documentation_had_work_with_a_warning():
    code = (
        "import warnings, sys\n"
        "warnings.simplefilter('error')\n"
        "from brickfield._moved import MOVED\n"
        "from importlib import import_module\n"
        "for old, new in MOVED.items():\n"
        "    if old.startswith('plugin'):\n"
        "        continue\n"
        "    with warnings.catch_warnings(record=True) as told:\n"
        "        warnings.simplefilter('always')\n"
        "        old_module = import_module('brickfield.' + old)\n"
        "    assert [w.category for w in told if 'brickfield' in str(w.message)] == [DeprecationWarning], old\n"
        "    assert old_module is import_module('brickfield.' + new), old\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
