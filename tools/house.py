"""Counts of the house: files in a folder, names of a face, imports past a face.

python tools/house.py
"""

from __future__ import annotations

import ast
from pathlib import Path

ROOT = Path(__file__).parent.parent
PACKAGE = ROOT / "src" / "brickfield"


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


def faces() -> dict[str, list[str]]:
    """Return the public names of every package that has a face."""
    found = {}
    for init in sorted(PACKAGE.rglob("__init__.py")):
        for node in ast.parse(init.read_text(encoding="utf-8")).body:
            if isinstance(node, ast.Assign) and any(
                isinstance(t, ast.Name) and t.id == "__all__" for t in node.targets
            ):
                folder = init.parent.relative_to(PACKAGE.parent)
                found[".".join(folder.parts)] = ast.literal_eval(node.value)
    return found


def deep_imports() -> list[str]:
    """List imports of what another package does not name in its face."""
    public, found = faces(), []
    for path in sorted(PACKAGE.rglob("*.py")):
        parts = path.relative_to(PACKAGE.parent).with_suffix("").parts
        if len(parts) < 3:
            continue  # the root itself, and what all stand on
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
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


def main() -> None:
    """Print everything."""
    for folder, n in rooms().items():
        print(f"{n:4d} files   {folder}")
    for face, names in faces().items():
        print(f"{len(names):4d} names   {face}")
    deep = deep_imports()
    print(f"{len(deep):4d} imports past a face", *deep, sep="\n     ")


if __name__ == "__main__":
    main()
