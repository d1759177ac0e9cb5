"""Write the page of the reference that names what every package offers to others.

python tools/faces.py > docs/reference/packages.md
"""

from __future__ import annotations

import ast
import re
from functools import cache
from pathlib import Path

import house

HEAD = """\
# Packages

What each package of `brickfield` offers to the others: its face, the names in its `__all__`. A module with an
`__all__` of its own is such a face, too. What a user of the library needs is in [Python](python.md); this page is for
those who work on it. How the packages stand on each other is in [Architecture](../explanation/architecture.md).
"""
_SHORT = 120
"""Characters of a value that is shown where nothing is told of a name."""
_NAMED = re.compile(r'^    "(\w+)",(?:  # (.*))?$', re.MULTILINE)


def page() -> str:
    """Return the page: a section for each face, a row for each name."""
    return "\n".join([HEAD, *(_section(face) for face in house.faces())])


def _section(face: str) -> str:
    path = _path_of(face)
    title = (ast.get_docstring(house.tree_of(path)) or "").splitlines()[0]
    told = dict(_NAMED.findall(path.read_text(encoding="utf-8")))
    rows = [
        f"| `{name}` | {_plain(told.get(name) or _told_at_home(path, name))} |"
        for name in house.faces()[face]
    ]
    head = f"## `{face}`\n\n{_plain(title)}\n\n| name | |\n|---|---|\n"
    return head + "\n".join(rows) + "\n"


def _path_of(module: str) -> Path:
    place = house.PACKAGE.parent.joinpath(*module.split("."))
    return place / "__init__.py" if place.is_dir() else place.with_suffix(".py")


def _told_at_home(path: Path, name: str) -> str:
    """Return what is told of a name where it is defined; a short value else."""
    found = _definitions(path)
    if name in found:
        return found[name]
    for node in house.nodes_of(path):
        if not isinstance(node, ast.ImportFrom) or not node.module:
            continue
        if any((alias.asname or alias.name) == name for alias in node.names):
            return _told_at_home(_path_of(node.module), name)
    return ""


@cache
def _definitions(path: Path) -> dict[str, str]:
    """Return the first sentence of what a module tells of its own names."""
    found = {}
    body = house.tree_of(path).body
    for node, after in zip(body, [*body[1:], None], strict=True):
        if isinstance(node, ast.ClassDef | ast.FunctionDef):
            found[node.name] = _first(ast.get_docstring(node) or "")
        elif isinstance(node, ast.Assign | ast.AnnAssign):
            target = node.targets[0] if isinstance(node, ast.Assign) else node.target
            if not isinstance(target, ast.Name) or node.value is None:
                continue
            if isinstance(after, ast.Expr) and isinstance(after.value, ast.Constant):
                found[target.id] = _first(str(after.value.value))
            elif len(value := ast.unparse(node.value)) <= _SHORT:
                found[target.id] = f"`{value}`"
    return found


def _first(docstring: str) -> str:
    return " ".join(docstring.split("\n\n")[0].split())


def _plain(text: str) -> str:
    """Return a docstring's sentence as Markdown in a cell of a table."""
    text = re.sub(r":\w+:`~?([^`]+)`", r"`\1`", text).replace("``", "`")
    return text.replace("|", r"\|")


if __name__ == "__main__":
    print(page(), end="")
