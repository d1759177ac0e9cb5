"""Counts of the house: files, faces, imports past a face, circles, docstrings.

python tools/house.py
"""

from __future__ import annotations

import ast
import re
import tomllib
from collections.abc import Iterator
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parent.parent
PACKAGE = ROOT / "src" / "brickfield"


@cache
def tree_of(path: Path) -> ast.Module:
    """Parse a module once, for all that look at it."""
    return ast.parse(path.read_text(encoding="utf-8"))


@cache
def nodes_of(path: Path) -> list[ast.AST]:
    """Return all nodes of a module, walked once."""
    return list(ast.walk(tree_of(path)))


def rooms() -> dict[str, int]:
    """Count the modules of every folder, its ``__init__`` aside."""
    folders = [PACKAGE, *(p for p in sorted(PACKAGE.rglob("*")) if p.is_dir())]
    return {
        str(folder.relative_to(PACKAGE.parent)): len(
            [p for p in folder.glob("*.py") if p.name != "__init__.py"]
        )
        for folder in folders
        if folder.name not in ("__pycache__", "wgsl")
    }


@cache
def faces() -> dict[str, list[str]]:
    """Return the public names of every package that has a face, and of module faces.

    A package names in ``__all__`` what others may use. So does a module that has a
    face of its own, for a package with more names than one face should have.
    """
    found = {}
    for path in sorted(PACKAGE.rglob("*.py")):
        names = _all_of(path)
        if names is not None:
            parts = path.relative_to(PACKAGE.parent).with_suffix("").parts
            found[".".join(p for p in parts if p != "__init__")] = names
    return found


def _all_of(path: Path) -> list[str] | None:
    # Looked for before it is parsed: few modules have one.
    if "__all__" not in path.read_text(encoding="utf-8"):
        return None
    for node in tree_of(path).body:
        if isinstance(node, ast.Assign) and any(
            isinstance(t, ast.Name) and t.id == "__all__" for t in node.targets
        ):
            names: list[str] = ast.literal_eval(node.value)
            return names
    return None


def deep_imports() -> list[str]:
    """List imports of what another package does not name in its face."""
    public, found = faces(), []
    for path in sorted(PACKAGE.rglob("*.py")):
        parts = path.relative_to(PACKAGE.parent).with_suffix("").parts
        if len(parts) < 3:
            continue  # the root itself, and what all stand on
        for node in nodes_of(path):
            for module, name in _imported(node):
                steps = module.split(".")
                if steps[0] != "brickfield" or len(steps) < 2 or steps[1] == parts[1]:
                    continue
                if (PACKAGE / steps[1]).is_dir() and name not in public.get(module, ()):
                    found.append(f"{'.'.join(parts)} -> {module}.{name}")
    return found


def _imported(node: ast.AST) -> list[tuple[str, str]]:
    if isinstance(node, ast.ImportFrom) and node.module:
        return [(node.module, a.name) for a in node.names]
    if isinstance(node, ast.Import):
        return [(a.name, "") for a in node.names]
    return []


def circles() -> list[str]:
    """List the imports that the contract of acyclic siblings excepts."""
    text = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    contracts = tomllib.loads(text)["tool"]["importlinter"]["contracts"]
    return [
        line
        for contract in contracts
        if contract["type"] == "acyclic_siblings"
        for line in contract.get("ignore_imports", ())
    ]


def version_holders() -> list[str]:
    """List the classes that hold the versions of a layer.

    The layer counts its changes and a snapshot tells the counts of a moment; a
    renderer compares snapshots. Whoever keeps a copy more can fall behind.
    """
    return [
        f"{'.'.join(path.relative_to(PACKAGE.parent).with_suffix('').parts)}.{node.name}"
        for path in sorted(PACKAGE.rglob("*.py"))
        for node in nodes_of(path)
        if isinstance(node, ast.ClassDef)
        and {"colormap", "colormap_version"} & _attributes(node)
        and {"geometry", "geometry_version"} & _attributes(node)
    ]


def _attributes(node: ast.ClassDef) -> set[str]:
    """Return what a class declares or a method of it assigns to itself."""
    targets = [n.target for n in ast.walk(node) if isinstance(n, ast.AnnAssign)]
    for assignment in ast.walk(node):
        if isinstance(assignment, ast.Assign):
            targets += assignment.targets
    return {
        t.id if isinstance(t, ast.Name) else t.attr
        for t in targets
        if isinstance(t, ast.Name | ast.Attribute)
    }


def documented() -> tuple[int, int]:
    """Count public functions with two or more parameters, and those with Parameters.

    Functions and methods whose names, and whose classes' names, begin with no
    underscore; ``self`` and ``cls`` do not count. A class documents the parameters
    of its ``__init__``, so ``__init__`` is left out, and a command of the command
    line has a help text for each, shown by ``--help``, so commands are.
    """
    functions = [f for f in public_functions() if _n_parameters(f) >= 2]
    told = [f for f in functions if _has_section(f, "Parameters")]
    return len(functions), len(told)


def arrays() -> tuple[int, int]:
    """Count public functions that take or return arrays, and those that tell shapes."""
    functions = [f for f in public_functions() if "NDArray" in _annotations(f)]
    told = [f for f in functions if "shape" in (ast.get_docstring(f) or "")]
    return len(functions), len(told)


def raises() -> tuple[int, int]:
    """Count public functions that raise themselves, and those with Raises."""
    functions = [f for f in public_functions() if _raises(f)]
    told = [f for f in functions if _has_section(f, "Raises")]
    return len(functions), len(told)


@cache
def public_functions() -> list[ast.FunctionDef | ast.AsyncFunctionDef]:
    """Return every public function and method, setters and commands aside."""
    commands = set(_commands())
    return [
        node
        for path in sorted(PACKAGE.rglob("*.py"))
        for node in _public(tree_of(path).body)
        if not ("cli" in path.parts and node.name in commands)
        and not any(ast.unparse(d).endswith(".setter") for d in node.decorator_list)
    ]


def _commands() -> Iterator[str]:
    for path in sorted((PACKAGE / "cli").rglob("*.py")):
        text = path.read_text(encoding="utf-8")
        yield from re.findall(r"\.command\([^)]*\)\((?:\w+\.)*(\w+)\)", text)
        yield from re.findall(r"@\w+\.command\([^)]*\)\ndef (\w+)", text)


def _annotations(node: ast.FunctionDef | ast.AsyncFunctionDef) -> str:
    named = [*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs]
    found = [a.annotation for a in named] + [node.returns]
    return " ".join(ast.unparse(a) for a in found if a is not None)


def _has_section(node: ast.FunctionDef | ast.AsyncFunctionDef, name: str) -> bool:
    return f"{name}\n---" in (ast.get_docstring(node) or "")


def _raises(node: ast.AST) -> bool:
    """Tell whether a function raises a named error, not counting nested functions."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.FunctionDef | ast.Lambda | ast.ClassDef):
            continue
        if isinstance(child, ast.Raise) and child.exc is not None:
            made = child.exc.func if isinstance(child.exc, ast.Call) else child.exc
            name = ast.unparse(made).rpartition(".")[2]
            if name[0].isupper() and name != "NotImplementedError":
                return True
        if _raises(child):
            return True
    return False


def _public(body: list[ast.stmt]) -> list[ast.FunctionDef | ast.AsyncFunctionDef]:
    found: list[ast.FunctionDef | ast.AsyncFunctionDef] = []
    for node in body:
        if getattr(node, "name", "_").startswith("_"):
            continue
        if isinstance(node, ast.ClassDef):
            found += _public(node.body)
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            found.append(node)
    return found


def _n_parameters(node: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    named = [*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs]
    return len([a for a in named if a.arg not in ("self", "cls")])


def comments() -> tuple[int, int]:
    """Count all lines, and those that are a comment alone (linters' marks aside)."""
    paths = sorted(PACKAGE.rglob("*.py"))
    return (
        sum(len(path.read_text(encoding="utf-8").splitlines()) for path in paths),
        sum(map(n_comment_lines, paths)),
    )


def n_comment_lines(path: Path) -> int:
    """Count the lines of a module that are a comment alone, linters' marks aside."""
    marks = ("# noqa", "# type:", "# --", "# fmt")
    texts = {
        line
        for node in nodes_of(path)
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
        for line in range(node.lineno, (node.end_lineno or 0) + 1)
    }
    lines = path.read_text(encoding="utf-8").splitlines()
    return sum(
        line.lstrip().startswith("#")
        and not line.lstrip().startswith(marks)
        and number not in texts
        for number, line in enumerate(lines, 1)
    )


HARD = {
    "reader": ["loading/reader.py"],
    "scheduler": ["loading/scheduler.py", "loading/queue.py"],
    "assembly": ["loading/assembly.py"],
    "cache": ["loading/cache/chunk_cache.py"],
    "page table": ["gpu/page_table.py"],
    "brick sets": ["gpu/brick_set.py", "gpu/brick_texels.py", "gpu/level_texture.py"],
    "borders": ["gpu/texels/*.py"],
    "shader": ["gpu/wgsl/*.wgsl"],
    "drawer": ["viewer/live/drawing/drawer.py", "viewer/live/drawing/prefetch.py"],
    "render thread": ["rendering/thread.py"],
    "lazy slicing": ["plugin/slicing/lazy.py", "plugin/slicing/progressive_slice.py"],
    "HDF5 handles": ["sources/hdf5/handles.py"],
    "placed OME-Zarr": ["sources/ome_zarr/placing.py"],
    "BigDataViewer": ["sources/bdv/image.py", "sources/bdv/views.py"],
    "Imaris cascade": ["imaris/cascade.py", "imaris/passes.py"],
    "committed file": ["imaris/output/committed_file.py"],
    "streaming writer": ["streaming/buffer/*.py"],
    "passes over scans": ["stem4d/passes.py"],
}
"""Where the code is hard, by what it is: races, orders, traps of formats, costs."""


@cache
def reasons() -> dict[str, float]:
    """Return the share of lines that are a comment alone, where the code is hard."""
    return {name: _share_of_comments(patterns) for name, patterns in HARD.items()}


def _share_of_comments(patterns: list[str]) -> float:
    paths = [p for pattern in patterns for p in sorted(PACKAGE.glob(pattern))]
    texts = [p.read_text(encoding="utf-8") for p in paths]
    found = [
        n_comment_lines(path)
        if path.suffix == ".py"
        else len(re.findall(r"^\s*//", text, re.MULTILINE))
        for path, text in zip(paths, texts, strict=True)
    ]
    return sum(found) / max(1, sum(len(text.splitlines()) for text in texts))


def main() -> None:
    """Print everything."""
    for folder, n in rooms().items():
        print(f"{n:4d} files   {folder}")
    for face, names in faces().items():
        print(f"{len(names):4d} names   {face}")
    deep = deep_imports()
    print(f"{len(deep):4d} imports past a face", *deep, sep="\n     ")
    print(f"{len(circles()):4d} imports excepted from the order of siblings")
    print(f"{len(version_holders()):4d} classes hold the versions of a layer")
    n, told = documented()
    print(f"{told:4d} of {n} public functions of two or more parameters tell them")
    n, told = arrays()
    print(f"{told:4d} of {n} public functions with arrays tell their shapes")
    n, told = raises()
    print(f"{told:4d} of {n} public functions that raise tell what")
    n, told = comments()
    print(f"{told:4d} of {n} lines are comments ({told / n:.1%})")
    for name, share in reasons().items():
        print(f"{share:7.1%} of the lines are comments: {name}")


if __name__ == "__main__":
    main()
