"""The dock *Sessions*: saving the whole window, and getting it back.

Invariant: nothing is read or written on the window's thread; what goes wrong is one
sentence in a notification, and the window is then as it was. Main thread only.
"""

from __future__ import annotations

import sys
import weakref
from collections.abc import Callable
from concurrent.futures import CancelledError, Future
from pathlib import Path
from typing import Any

from qtpy.QtCore import Qt
from qtpy.QtWidgets import QFileDialog, QMenu, QWidget

from brickfield.errors import StoreNotFoundError
from brickfield.plugin.layers.make import KEY
from brickfield.plugin.layers.registry import plain, scene_of
from brickfield.plugin.napari_names import has_window
from brickfield.plugin.saving import N_WORKERS
from brickfield.plugin.scenes.recent_scenes import recent_sessions, remember_session
from brickfield.plugin.scenes.scene_files import sources_in
from brickfield.plugin.scenes.scene_menu import open_from, tell
from brickfield.plugin.sessions.in_viewer import (
    OFFLINE,
    LoadedSession,
    contents_of,
    load,
    put,
)
from brickfield.plugin.settings import settings
from brickfield.plugin.window_thread import in_background
from brickfield.qt import (
    Background,
    RecentSession,
    RunningTask,
    SessionsPanel,
    import_beside,
    task_board,
)
from brickfield.scene import write_scene
from brickfield.sessions import (
    SessionOptions,
    Told,
    is_session,
    read_document,
    relink,
    write_session,
)
from brickfield.viewer.export import scene_of_png

SUFFIX = ".ome.zarr"
_BENCHMARK = "brickfield.plugin.docking.benchmark_dock"
_STORES = ("zarr.json", ".zattrs")


class SessionsDock(SessionsPanel):
    """The sessions of a napari viewer.

    Parameters
    ----------
    napari_viewer : napari.Viewer
    """

    def __init__(self, napari_viewer, parent: QWidget | None = None) -> None:  # type: ignore[no-untyped-def]  # noqa: ANN001
        super().__init__(parent)
        viewer: Any = plain(napari_viewer)
        self._viewer = weakref.ref(viewer)
        self._session: Path | None = None
        self._background = Background()
        # napari deletes docks without closing them.
        self.destroyed.connect(self._background.close)
        self.save_asked.connect(self._ask_where_to_save)
        self.load_asked.connect(self._ask_what_to_load)
        self.data_asked.connect(self._ask_for_data)
        self.find_asked.connect(self._ask_where_data_are)
        self.benchmark_asked.connect(self._open_benchmark)
        self.recent_chosen.connect(lambda path: self.load_from(Path(path)))
        self._show_recent()

    def _there(self) -> Any:
        viewer = self._viewer()
        return viewer if viewer is not None and has_window(viewer) else None

    # -- saving ------------------------------------------------------------------

    def save_to(self, path: Path, *, overwrite: bool = False) -> Future[Path] | None:
        """Save everything in the window; return what tells the end.

        Parameters
        ----------
        path : Path
            Folder.
        overwrite : bool
            Replace a session that is there.
        """
        viewer = self._there()
        if viewer is None:
            return None
        try:
            contents = contents_of(viewer)
        except Exception as error:  # noqa: BLE001 - the window goes on
            tell(error)
            return None
        options = SessionOptions(
            name=self.session_name or path.name.removesuffix(SUFFIX),
            description=self.note_text,
            mode=self.mode,
            workers=N_WORKERS,
            overwrite=overwrite,
        )

        def write(running: RunningTask) -> Path:
            told = Told(running.tell, running.cancelled)
            return write_session(contents, path, options, told)

        future = task_board().run(f"Saving {options.name}", write, unit="blocks")
        self._background.follow(future, self._on_saved)
        return future

    def _on_saved(self, path: Path | None, error: BaseException | None) -> None:
        from napari.utils.notifications import show_info

        if isinstance(error, CancelledError):
            show_info("The session was not saved: what was there before stays")
        elif error is not None:
            tell(error)
        elif path is not None:
            self._session = path
            remember_session(path)
            self._show_recent()
            show_info(f"The session is saved in {path.name}")

    def _ask_where_to_save(self) -> None:
        name = self.session_name.replace("/", "-") or "session"
        dialog = self._dialog("Save session")
        dialog.setAcceptMode(QFileDialog.AcceptMode.AcceptSave)
        dialog.setFileMode(QFileDialog.FileMode.AnyFile)
        dialog.setOption(QFileDialog.Option.DontUseNativeDialog)
        dialog.selectFile(name + SUFFIX)
        dialog.fileSelected.connect(self._save_chosen)
        dialog.open()

    def _save_chosen(self, name: str) -> None:
        path = Path(name)
        if not path.name.endswith(".zarr"):
            path = path.with_name(path.name + SUFFIX)
        # The dialog has asked whether what is there shall be replaced.
        self.save_to(path, overwrite=is_session(path))

    # -- loading -----------------------------------------------------------------

    def load_from(self, path: Path) -> None:
        """Open a session, or the scene of a picture, in the background."""
        viewer = self._there()
        if viewer is None:
            return
        if path.suffix.lower() == ".png":
            self._load_picture(viewer, path)
            return
        settings()  # read on this thread, so that the other thread has them
        known = sources_in(viewer)
        future = task_board().run(
            f"Opening {path.name}", lambda _running: load(path, known), can_cancel=True
        )
        self._background.follow(future, self._on_loaded)

    def _on_loaded(
        self, session: LoadedSession | None, error: BaseException | None
    ) -> None:
        viewer = self._there()
        if viewer is None:
            return
        try:
            if error is not None:
                raise error
            assert session is not None
            findings = put(viewer, session)
        except Exception as problem:  # noqa: BLE001 - the window goes on
            tell(problem)
            return
        self._session = session.folder
        self.show_session(session.document.name, session.document.description)
        self._show_offline(viewer)
        remember_session(session.folder)
        self._show_recent()
        for finding in findings:
            if finding["code"] != "offline":
                _warn(finding["message"])

    def _load_picture(self, viewer: Any, path: Path) -> None:
        import tempfile

        def scene_file() -> Path:
            folder = Path(tempfile.mkdtemp(prefix="brickfield-"))
            write_scene(scene_of_png(path), folder / "scene.json")
            return folder / "scene.json"

        def done(file: Path | None, error: BaseException | None) -> None:
            if error is not None or file is None:
                tell(error or FileNotFoundError(path))
            else:
                open_from(viewer, file)

        in_background(scene_file, done)

    def _ask_what_to_load(self) -> None:
        self._choose(
            self.load,
            (("Session folder…", True, ""), ("Picture…", False, "Pictures (*.png)")),
            self.load_from,
        )

    def _choose(
        self,
        button: QWidget,
        kinds: tuple[tuple[str, bool, str], ...],
        act: Callable[[Path], object],
    ) -> None:
        """Show a menu: a folder or a file; then let the user choose it."""
        menu = QMenu(button)
        for text, is_folder, pattern in kinds:
            action = menu.addAction(text)
            action.triggered.connect(
                lambda _=False, f=is_folder, p=pattern: self._ask(f, p, act)
            )
        menu.popup(button.mapToGlobal(button.rect().bottomLeft()))

    def _ask(
        self, is_folder: bool, pattern: str, act: Callable[[Path], object]
    ) -> None:
        dialog = self._dialog("Open", pattern)
        modes = QFileDialog.FileMode
        dialog.setFileMode(modes.Directory if is_folder else modes.ExistingFile)
        dialog.fileSelected.connect(lambda name: act(Path(name)))
        dialog.open()

    def _dialog(self, title: str, pattern: str = "") -> QFileDialog:
        from qtpy.QtCore import Qt

        dialog = QFileDialog(self, title, "", pattern)
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        return dialog

    # -- other data --------------------------------------------------------------

    def load_data(self, path: Path) -> None:
        """Open .zarr, .tif or .npy data."""
        from brickfield.plugin.views import open_volume

        viewer = self._there()
        if viewer is None:
            return
        try:
            open_volume(_opened_array(path), viewer)
        except Exception as error:  # noqa: BLE001 - the window goes on
            tell(error)

    def _ask_for_data(self) -> None:
        pattern = "Volumes (*.tif *.tiff *.npy)"
        kinds = (("Folder (.zarr)…", True, ""), ("File (.tif, .npy)…", False, pattern))
        self._choose(self.test_data, kinds, self.load_data)

    # -- what is offline ---------------------------------------------------------

    def find_in(self, folder: Path) -> None:
        """Look for the data of an offline layer in a folder; then reopen.

        All other data that lay below the same folder are looked for there, too.
        """
        session = self._session
        if session is None:
            return

        gone = _offline_places(self._there())

        def change() -> Path:
            for place in map(Path, gone):
                inside = folder / place.name
                if inside.exists():
                    relink(session, str(place.parent), str(folder))
                elif folder.name == place.name:
                    relink(session, str(place.parent), str(folder.parent))
                elif any(
                    (folder / name).is_file() for name in _STORES
                ):  # under another name
                    relink(session, str(place), str(folder))
                else:
                    continue
                return session
            names = ", ".join(Path(place).name for place in gone)
            msg = f"expected {names} in {folder}; found none of them"
            raise StoreNotFoundError(msg)

        def done(path: Path | None, error: BaseException | None) -> None:
            if error is not None or path is None:
                tell(error or FileNotFoundError(folder))
            else:
                self.load_from(path)

        in_background(change, done)

    def _ask_where_data_are(self) -> None:
        self._ask(True, "", self.find_in)

    def _show_offline(self, viewer: Any) -> None:
        self.show_offline([Path(p).name for p in _offline_places(viewer)])

    # -- recent, benchmark -------------------------------------------------------

    def _show_recent(self) -> None:
        paths = recent_sessions()

        def done(
            lines: list[RecentSession] | None, _error: BaseException | None
        ) -> None:
            self.show_recent(lines or [])

        self._background.run(lambda: [_described(path) for path in paths], done)

    def _open_benchmark(self) -> None:
        if _BENCHMARK not in sys.modules:
            import_beside(_BENCHMARK)
        from brickfield.plugin.docking.benchmark_dock import subject_of
        from brickfield.qt.benchmark import PerformanceBenchmarkDialog

        found = subject_of(self._there())
        storage = None if found is None else found[1]
        dialog = PerformanceBenchmarkDialog(storage, self)
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.show()


def _offline_places(viewer: Any) -> list[str]:
    """List where the data of offline layers were, each once."""
    if viewer is None:
        return []
    told = [port.layer.metadata.get(KEY) for port in scene_of(viewer).layers]
    places = [str(t[OFFLINE]) for t in told if isinstance(t, dict) and OFFLINE in t]
    return list(dict.fromkeys(places))


def _described(path: Path) -> RecentSession:
    try:
        document, _ = read_document(path)
    except Exception:  # noqa: BLE001 - of a list nothing is wrong
        return RecentSession(path, path.name, is_there=False)
    n = len(document.scene.layers) + len(document.annotations)
    layers = "1 layer" if n == 1 else f"{n} layers"
    when = document.created.replace("T", " ")[:16]
    return RecentSession(path, f"{document.name or path.name} · {when} · {layers}")


def _opened_array(path: Path) -> Any:
    if path.suffix.lower() != ".npy":
        return str(path)
    import numpy as np

    return np.load(path, mmap_mode="r", allow_pickle=False)


def _warn(text: str) -> None:
    from napari.utils.notifications import show_warning

    show_warning(text)
