"""What the pages print in italics or bold stands in the window: menus, buttons, rows."""

import ast
import re
from functools import cache
from pathlib import Path

import pytest

import brickfield

ROOT = Path(__file__).parents[2]
PAGES = [*sorted((ROOT / "docs" / "guide").glob("*.md")), ROOT / "docs" / "start.md"]
NAPARI = {
    "file",
    "io utilities",
    "layers",
    "open sample",
    "plugins",
    "preferences",
    "remember this choice",
    "save selected layers",
    "show selected",
    "visualize",
}
"""Words of napari's own windows."""
PROSE = {
    "chunks of the source fit badly",
    "combined",
    "in it",
    "levels and chunks",
    "not in it",
    "show-levels",
    "the picture",
}
"""Terms and headings of pages, not words of a window."""
NAME = re.compile(r"(?<![*\w])\*{1,2}([^*\n]+(?:\n[^*\n]+)?)\*{1,2}(?![*\w])")
LONGEST = 60
"""Characters; longer texts are legends of pictures."""


def plain(text: str) -> str:
    """Return a name without what windows put before and behind it."""
    text = re.sub(r"\s+", " ", text.replace("&", "").replace("…", "")).strip()
    return text.rstrip(":").casefold()


def names_of(page: Path) -> list[str]:
    """Return the names that a page prints in italics or bold, menus one by one."""
    text = re.sub(r"```.*?```", "", page.read_text(encoding="utf-8"), flags=re.DOTALL)
    text = re.sub(r"`[^`]*`", "", text)
    found = [n for n in NAME.findall(text) if len(n) <= LONGEST and n[-1] != "."]
    return [plain(part) for name in found for part in re.split(r"\s>\s", name)]


@cache
def program_words() -> frozenset[str]:
    """Return every text of the program that may stand in a window."""
    package = Path(brickfield.__file__).parent
    found = set()
    for path in package.rglob("*.py"):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        documents = {id(node.value) for node in ast.walk(tree) if is_text(node)}
        found |= {
            node.value
            for node in ast.walk(tree)
            if isinstance(node, ast.Constant)
            and isinstance(node.value, str)
            and id(node) not in documents
        }
    manifest = (package / "plugin" / "napari.yaml").read_text(encoding="utf-8")
    found |= set(re.findall(r"(?:display_name|title): *(.+)", manifest))
    # napari's dialog of files puts the plugin's name before each type.
    found |= {f"Brickfield {n}" for n in re.findall(r"display_name: *(.+)", manifest)}
    return frozenset(plain(text.strip("\"'")) for text in found)


def is_text(node: ast.AST) -> bool:
    """Whether a statement is nothing but a text, as docstrings are."""
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_names_of_a_page_are_in_the_window(page):
    known = program_words() | NAPARI | PROSE
    assert [name for name in names_of(page) if name not in known] == []
