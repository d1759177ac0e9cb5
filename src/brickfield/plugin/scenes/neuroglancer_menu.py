"""Neuroglancer's state through the clipboard, from napari's File menu.

Data are opened in the background; what is left out is told in one notification.
napari fills in the arguments from their annotations, which name its own types.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from qtpy.QtWidgets import QApplication

from brickfield.plugin.layers.notifications import say
from brickfield.plugin.scenes.neuroglancer import open_for, show_read, to_neuroglancer
from brickfield.plugin.scenes.scene_files import sources_in
from brickfield.plugin.scenes.scene_menu import show_when_ready
from brickfield.viewer.neuroglancer import read_neuroglancer, state_in_text

if TYPE_CHECKING:
    import napari

_TOLD = 6
"""Most omissions that are named; of further ones the number is shown."""


def copy_state(viewer: napari.Viewer) -> None:
    """Copy what is shown as a state for Neuroglancer."""
    state = to_neuroglancer(viewer)
    clipboard = QApplication.clipboard()
    assert clipboard is not None
    clipboard.setText(json.dumps(state, indent=1))
    say(viewer, "The state for Neuroglancer is in the clipboard")
    _tell(state.left_out)


def paste_state(viewer: napari.Viewer) -> None:
    """Show the Neuroglancer state that is in the clipboard, in the background."""
    clipboard = QApplication.clipboard()
    text = "" if clipboard is None else clipboard.text()
    known = sources_in(viewer)

    def prepare() -> Any:
        read = read_neuroglancer(state_in_text(text))
        return read, open_for(read[0], known)

    show_when_ready(
        viewer,
        prepare,
        lambda there, ready: _tell(show_read(there, *ready)),
        "a Neuroglancer state",
    )


def _tell(left_out: Sequence[str]) -> None:
    from napari.utils.notifications import show_warning

    if left_out:
        more = len(left_out) - _TOLD
        end = f"; and {more} more" if more > 0 else ""
        show_warning(f"Left out: {'; '.join(left_out[:_TOLD])}{end}")
