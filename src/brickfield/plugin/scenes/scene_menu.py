"""File > IO Utilities > Brickfield: scenes saved, opened, and opened again.

Invariant: nothing here holds the window up. Dialogs stand beside the event loop;
files are read and written, and data are opened, on a thread of their own. Opening
is all or nothing; what goes wrong is one sentence in a notification.

napari fills in the arguments from their annotations, which name its own types.
"""

from __future__ import annotations

import logging
import weakref
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from qtpy.QtCore import Qt
from qtpy.QtGui import QAction, QCursor
from qtpy.QtWidgets import QFileDialog, QMenu

from brickfield.errors import BrickfieldError
from brickfield.model.secrets import hide_secrets
from brickfield.plugin.layers.describe import LayerData
from brickfield.plugin.layers.notifications import say
from brickfield.plugin.layers.registry import plain
from brickfield.plugin.napari_names import has_window, main_window_of
from brickfield.plugin.scenes.recent_scenes import recent_scenes, remember
from brickfield.plugin.scenes.scene_document import get_state
from brickfield.plugin.scenes.scene_files import (
    open_sources,
    open_what_lacks,
    put_opened,
    sources_in,
    write_document,
)
from brickfield.plugin.settings import settings
from brickfield.plugin.window_thread import in_background
from brickfield.scene import SceneState, read_scene

if TYPE_CHECKING:
    import napari

logger = logging.getLogger(__name__)
_T = TypeVar("_T")
KIND = "Scene document (*.json)"
_folders: list[str] = []


# -- commands ----------------------------------------------------------------------


def save_scene_as(viewer: napari.Viewer) -> None:
    """Let the user choose a file, and save the scene there."""
    dialog = _dialog(viewer, "Save scene")
    dialog.setAcceptMode(QFileDialog.AcceptMode.AcceptSave)
    dialog.setDefaultSuffix("json")
    dialog.selectFile("scene.json")
    whose = weakref.ref(plain(viewer))
    dialog.fileSelected.connect(lambda name: _with(whose, name, save_to))
    dialog.open()


def open_scene(viewer: napari.Viewer) -> None:
    """Let the user choose a scene document, and open it."""
    dialog = _dialog(viewer, "Open scene")
    dialog.setFileMode(QFileDialog.FileMode.ExistingFile)
    whose = weakref.ref(plain(viewer))
    dialog.fileSelected.connect(lambda name: _with(whose, name, open_from))
    dialog.open()


def show_recent_scenes(viewer: napari.Viewer) -> None:
    """Show a menu of the scenes that were opened or saved last."""
    menu = recent_menu(viewer)
    menu.popup(QCursor.pos())


def recent_menu(viewer: Any) -> QMenu:
    """Make the menu of recent scenes; it goes when it is closed.

    A scene that is not there any more is shown as such, and cannot be chosen.
    """
    whose = weakref.ref(plain(viewer))
    menu = QMenu(main_window_of(plain(viewer)))
    menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
    menu.setToolTipsVisible(True)
    paths = recent_scenes()
    actions = []
    for path in paths:
        action = menu.addAction(hide_secrets(path.name).replace("&", "&&"))
        action.setToolTip(hide_secrets(str(path)))
        action.triggered.connect(
            lambda _=False, p=path: _with(whose, str(p), open_from)
        )
        actions.append(action)
    if not paths:
        menu.addAction("No scene was opened or saved yet").setEnabled(False)
    # A folder of the network may take its time to answer.
    in_background(lambda: [p.is_file() for p in paths], partial(_mark_absent, actions))
    return menu


def _mark_absent(
    actions: list[QAction], found: list[bool] | None, _error: BaseException | None
) -> None:
    for action, is_there in zip(actions, found or (), strict=False):
        try:
            if not is_there:
                action.setText(f"{action.text()} (not there any more)")
                action.setEnabled(False)
        except RuntimeError:  # the menu was closed meanwhile
            return


# -- what they do ------------------------------------------------------------------


def save_to(viewer: Any, path: Path) -> None:
    """Save the scene of a viewer to a file, in the background.

    Parameters
    ----------
    viewer : napari.Viewer
    path : Path
    """
    state, sources = get_state(viewer), open_sources(viewer)

    def done(_result: Any, error: BaseException | None) -> None:
        if error is None:
            remember(path)
            say(viewer, f"The scene is saved in {path.name}")
        else:
            tell(error)

    in_background(lambda: write_document(state, path, sources), done)


def open_from(viewer: Any, path: Path) -> None:
    """Open a scene document in a viewer, in the background.

    Parameters
    ----------
    viewer : napari.Viewer
    path : Path
    """
    put_in_background(
        viewer, lambda: read_scene(path), path.name, lambda: remember(path)
    )


def put_in_background(
    viewer: Any,
    read: Callable[[], SceneState],
    what: str,
    on_success: Callable[[], object] = lambda: None,
) -> None:
    """Put a scene back that is read, and whose data are opened, in the background.

    Parameters
    ----------
    viewer : napari.Viewer
    read : callable
        Returns the document; called on another thread.
    what : str
        Its name, for people.
    on_success : callable
    """
    known = sources_in(viewer)

    def prepare() -> tuple[SceneState, list[LayerData]]:
        state = read()
        return state, open_what_lacks(state, known)

    show_when_ready(
        viewer,
        prepare,
        lambda there, ready: put_opened(there, *ready),
        what,
        on_success,
    )


def show_when_ready(
    viewer: Any,
    prepare: Callable[[], _T],
    show: Callable[[Any, _T], object],
    what: str,
    on_success: Callable[[], object] = lambda: None,
) -> None:
    """Prepare something in the background, and show it if the viewer is still there.

    Parameters
    ----------
    viewer : napari.Viewer
    prepare : callable
        Called on another thread.
    show : callable
        Takes the viewer and what was prepared; called on this thread.
    what : str
        For people.
    on_success : callable
    """
    from napari.utils import progress

    settings()  # read on this thread, so that the other thread has them
    whose = weakref.ref(plain(viewer))
    bar = progress(total=0, desc=f"Opening {what}")

    def done(result: Any, error: BaseException | None) -> None:
        bar.close()
        there = whose()
        if there is None or not has_window(there):
            return
        try:
            if error is not None:
                raise error
            show(there, result)
        except Exception as problem:  # noqa: BLE001 - the window goes on
            tell(problem)
        else:
            on_success()

    in_background(prepare, done)


def tell(error: BaseException) -> None:
    """Notify the user in one sentence of what went wrong."""
    from napari.utils.notifications import show_error

    if not isinstance(error, BrickfieldError):
        logger.error("a scene could not be saved or opened", exc_info=error)
    show_error(hide_secrets(str(error) or type(error).__name__))


# -- dialogs -----------------------------------------------------------------------


def _dialog(viewer: Any, title: str) -> QFileDialog:
    folder = _folders[-1] if _folders else ""
    dialog = QFileDialog(main_window_of(plain(viewer)), title, folder, KIND)
    dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
    return dialog


def _with(
    whose: Callable[[], Any], name: str, act: Callable[[Any, Path], object]
) -> None:
    """Act on a file that was chosen, if its viewer is still there."""
    viewer, path = whose(), Path(name)
    _folders[:] = [str(path.parent)]
    if viewer is not None and has_window(viewer):
        act(viewer, path)
