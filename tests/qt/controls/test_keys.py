"""The table of keys says what the code does, in the window and in the docs."""

import re

import pytest
from qtpy.QtCore import Qt

from brickfield.qt.controls.keys import KEYS, as_html, as_markdown
from brickfield.qt.view import gestures
from brickfield.qt.view import gestures as slice_gestures

NAMES = {"PageUp": "Page Up", "PageDown": "Page Down", "Question": "?"}


def test_the_page_of_the_docs_is_this_table(project_root):
    page = project_root / "docs" / "reference" / "keys.md"
    assert page.read_text(encoding="utf-8") == as_markdown(), (
        "write brickfield.qt.controls.keys.as_markdown() to docs/reference/keys.md"
    )


@pytest.mark.parametrize(
    ("section", "handled"),
    [
        (0, [*gestures._PRESET_KEYS, *gestures._FLY_KEYS, Qt.Key.Key_F, Qt.Key.Key_P]),
        (1, [*slice_gestures._STEPS, Qt.Key.Key_F]),
        (2, list(gestures._FOR_THE_DOCK)),
    ],
)
def test_every_key_that_is_handled_is_in_the_table(section, handled):
    names = {key.name.removeprefix("Key_") for key in handled}
    written = set()
    for keys, _ in KEYS[section].rows:
        written |= {part.strip() for part in re.split("[,;]", keys)}
    assert {NAMES.get(name, name) for name in names} <= written


def test_the_window_has_every_row():
    html = as_html()
    for section in KEYS:
        for keys, what in section.rows:
            assert f"<b>{keys}</b>" in html
            assert what in html
