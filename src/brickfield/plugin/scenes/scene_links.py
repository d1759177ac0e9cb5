"""Links to a view: made, copied, and taken from the clipboard.

A link (:mod:`brickfield.scene.link`) is read, and its data are opened, in the
background; it opens whole or not at all. napari fills in the arguments of commands
from their annotations, which name its own types.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from qtpy.QtWidgets import QApplication

from brickfield.errors import BrickfieldError
from brickfield.plugin.docking.links import clipboard_text
from brickfield.plugin.layers.notifications import say
from brickfield.plugin.scenes.scene_document import get_state
from brickfield.plugin.scenes.scene_menu import put_in_background, tell
from brickfield.scene import Link, link_of, state_of_link

if TYPE_CHECKING:
    import napari


def link(viewer: Any) -> str:
    """Return a link to what a viewer shows, which can be sent to others.

    ``brickfield view LINK`` opens it, and so does pasting it in a picture of the dock.

    Parameters
    ----------
    viewer : napari.Viewer

    Returns
    -------
    str
        ``brickfield://…``, one line. Layers in memory and layers whose address gives
        access (a password, a token) are not in it; a notification names them.

    Raises
    ------
    OptionError
        If no layer can be in a link.
    """
    made = link_of(get_state(viewer))
    _tell_left_out(made)
    return made.text


def copy_link(viewer: napari.Viewer) -> None:
    """Copy a link to this view to the clipboard."""
    try:
        made = link_of(get_state(viewer))
    except BrickfieldError as error:
        tell(error)
        return
    clipboard = QApplication.clipboard()
    assert clipboard is not None
    clipboard.setText(made.text)
    say(viewer, "The link to this view is in the clipboard")
    _tell_left_out(made)


def paste_link(viewer: napari.Viewer) -> None:
    """Open the link that is in the clipboard, in the background."""
    text = clipboard_text()
    put_in_background(viewer, lambda: state_of_link(text), "a link")


def _tell_left_out(made: Link) -> None:
    from napari.utils.notifications import show_warning

    if made.left_out:
        show_warning(f"Not in the link: {'; '.join(made.left_out)}")
