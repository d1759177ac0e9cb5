"""Links to a view, in a dock: two lines of its menu, and pasting in its pictures.

What the lines do stands above the docks, so it is run as napari's menus run it, by
its name.
"""

from __future__ import annotations

import weakref
from typing import Any

from qtpy.QtWidgets import QApplication

from brickfield.plugin.layers.registry import plain
from brickfield.plugin.names import run_command
from brickfield.qt import ViewDock
from brickfield.scene import MOST_BYTES, is_link


def clipboard_has_link() -> bool:
    """Whether the clipboard holds a link to a scene."""
    return is_link(clipboard_text())


def offer_links(viewer: Any, dock: ViewDock) -> None:
    """Add links to a dock's menu, and accept pasted ones.

    Parameters
    ----------
    viewer : napari.Viewer
    dock : ViewDock
    """
    whose = weakref.ref(plain(viewer))

    def copy() -> None:
        if (there := whose()) is not None:
            run_command("copy_link", there)

    def paste() -> None:
        if (there := whose()) is not None:
            run_command("paste_link", there)

    dock.toolbar.add_action(
        "copy_link",
        "Copy link to this view",
        "A text that opens the same data and view at somebody else's",
        copy,
    )
    dock.toolbar.add_action(
        "paste_link",
        "Open link from clipboard",
        "Show what the link in the clipboard shows (Ctrl+V in a picture)",
        paste,
    )
    shown = weakref.ref(dock)

    def watch() -> None:
        there = shown()
        for frame in there.frames.values() if there is not None else ():
            gestures = frame.picture.gestures
            gestures.can_paste, gestures.paste = clipboard_has_link, paste

    dock.views_changed.connect(watch)
    watch()


def clipboard_text() -> str:
    """Return the text in the clipboard, as far as a link may be long."""
    clipboard = QApplication.clipboard()
    text = "" if clipboard is None else clipboard.text()
    return text[: 2 * MOST_BYTES + 1]
