"""The dock *Sessions*: saving the whole window, and getting it back.

Invariant: nothing is read or written on the window's thread; what goes wrong is one
sentence in a notification, and the window is then as it was. Main thread only.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from concurrent.futures import CancelledError, Future
from pathlib import Path
from typing import Any

from qtpy.QtCore import Qt
from qtpy.QtWidgets import QFileDialog, QMenu, QWidget

from brickfield.errors import BrickfieldError, OptionError
from brickfield.model.units import counted
from brickfield.plugin.docking.settling import DockPlace
from brickfield.plugin.layers.describe import KEY
from brickfield.plugin.layers.registry import scene_of
from brickfield.plugin.saving import N_WORKERS
from brickfield.plugin.scenes.recent_scenes import recent_sessions, remember_session
from brickfield.plugin.scenes.scene_files import sources_in
from brickfield.plugin.scenes.scene_menu import put_in_background, tell
from brickfield.plugin.sessions.in_viewer import (
    OFFLINE,
    LoadedSession,
    contents_of,
    load,
    put,
)
from brickfield.plugin.sessions.thumbnails import session_thumbnail
from brickfield.plugin.settings import settings
from brickfield.plugin.window_thread import in_background
from brickfield.qt import (
    RecentSession,
    RunningTask,
    SessionsPanel,
    import_beside,
    task_board,
)
from brickfield.sessions import (
    SaveControl,
    SessionDocument,
    SessionOptions,
    is_session,
    pack,
    read_document,
    relink_found,
    write_session,
)
from brickfield.viewer.export import scene_of_png

SUFFIX = ".ome.zarr"
_BENCHMARK = "brickfield.plugin.docking.benchmark_dock"


class SessionsDock(SessionsPanel):
    """The sessions of a napari viewer.

    Parameters
    ----------
    napari_viewer : napari.Viewer
    """

    def __init__(self, napari_viewer, parent: QWidget | None = None) -> None:  # type: ignore[no-untyped-def]  # noqa: ANN001
        super().__init__(parent)
        self._place = DockPlace(self, napari_viewer)
        self._session: Path | None = None
        self._of_session: SessionDocument | None = None
        self._version = "0.5"
        self.save_asked.connect(self._ask_where_to_save)
        self.load_asked.connect(self._ask_what_to_load)
        self.data_asked.connect(self._ask_for_data)
        self.find_asked.connect(self._ask_where_data_are)
        self.benchmark_asked.connect(self._open_benchmark)
        self.pack_asked.connect(self._ask_where_to_pack)
        self.recent_chosen.connect(lambda path: self.load_from(Path(path)))
        self.dropped.connect(lambda path: self.load_from(Path(path)))
        self._show_recent()

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
        viewer = self._place.viewer
        if viewer is None:
            return None
        try:
            contents = contents_of(viewer)
        except Exception as error:  # noqa: BLE001 - the window goes on
            tell(error)
            return None
        is_own = path == self._session
        options = SessionOptions(
            name=self.session_name or path.name.removesuffix(SUFFIX),
            description=self.note_text,
            mode=self.mode,
            # Layers that are open read on in what they were opened from.
            version=self._version if is_own else "0.5",
            workers=N_WORKERS,
            overwrite=overwrite,
        )
        before = self._of_session if is_own else None

        def write(running: RunningTask) -> Path:
            _expect_unchanged(path, before)
            control = SaveControl(running.tell, running.cancelled)
            return write_session(contents, path, options, control)

        future = task_board().run(f"Saving {options.name}", write, unit="blocks")
        self._place.background.follow(future, self._on_saved)
        return future

    def _on_saved(self, path: Path | None, error: BaseException | None) -> None:
        from napari.utils.notifications import show_info

        if isinstance(error, CancelledError):
            show_info("The session was not saved: what was there before stays")
        elif error is not None:
            tell(error)
        elif path is not None:
            self._take_session(path)
            show_info(f"The session is saved in {path.name}")

    def _take_session(self, path: Path) -> None:
        """Take a session that was saved or loaded for the one that is open here."""
        self._session = path
        try:
            self._of_session, self._version = read_document(path)
        except BrickfieldError:  # gone again already
            self._of_session = None
        self.pack.setEnabled(True)
        remember_session(path)
        self._show_recent()

    def _ask_where_to_save(self) -> None:
        name = self.session_name.replace("/", "-") or "session"
        self._ask_for_folder("Save session", name + SUFFIX, self.save_to)

    def _ask_for_folder(
        self, title: str, name: str, act: Callable[..., object]
    ) -> None:
        """Let the user choose where to write a session; call with ``overwrite``."""
        dialog = self._dialog(title)
        dialog.setAcceptMode(QFileDialog.AcceptMode.AcceptSave)
        dialog.setFileMode(QFileDialog.FileMode.AnyFile)
        dialog.setOption(QFileDialog.Option.DontUseNativeDialog)
        dialog.selectFile(name)

        def chosen(text: str) -> None:
            path = Path(text)
            if not path.name.endswith(".zarr"):
                path = path.with_name(path.name + SUFFIX)
            # The dialog has asked whether what is there shall be replaced.
            act(path, overwrite=is_session(path))

        dialog.fileSelected.connect(chosen)
        dialog.open()

    # -- packing -----------------------------------------------------------------

    def pack_to(self, path: Path, *, overwrite: bool = False) -> Future[Path] | None:
        """Write the open session, as it was saved, with every voxel.

        Parameters
        ----------
        path : Path
            Folder.
        overwrite : bool
            Replace a session that is there.
        """
        session = self._session
        if session is None:
            return None

        def write(running: RunningTask) -> Path:
            control = SaveControl(running.tell, running.cancelled)
            return pack(session, path, overwrite=overwrite, control=control)

        future = task_board().run(f"Packing {session.name}", write, unit="blocks")
        self._place.background.follow(future, self._on_packed)
        return future

    def _on_packed(self, path: Path | None, error: BaseException | None) -> None:
        from napari.utils.notifications import show_info

        if isinstance(error, CancelledError):
            show_info("The session was not packed: what was there before stays")
        elif error is not None:
            tell(error)
        elif path is not None:
            remember_session(path)
            self._show_recent()
            show_info(f"The session is packed in {path.name}: it needs nothing else")

    def _ask_where_to_pack(self) -> None:
        if self._session is not None:
            name = self._session.name.removesuffix(SUFFIX).removesuffix(".zarr")
            title = "Pack the session as it was saved last"
            self._ask_for_folder(title, f"{name} packed{SUFFIX}", self.pack_to)

    # -- loading -----------------------------------------------------------------

    def load_from(self, path: Path) -> None:
        """Open a session, or the scene of a picture, in the background."""
        viewer = self._place.viewer
        if viewer is None:
            return
        if path.suffix.lower() == ".png":
            put_in_background(viewer, lambda: scene_of_png(path), path.name)
            return
        settings()  # read on this thread, so that the other thread has them
        known = sources_in(viewer)
        future = task_board().run(
            f"Opening {path.name}", lambda _running: load(path, known), can_cancel=True
        )
        self._place.background.follow(future, self._on_loaded)

    def _on_loaded(
        self, session: LoadedSession | None, error: BaseException | None
    ) -> None:
        viewer = self._place.viewer
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
        about = session.document
        self.show_session(about.name, about.description, about.mode)
        self._show_offline(viewer)
        self._take_session(session.folder)
        for finding in findings:
            if finding["code"] != "offline":
                _warn(finding["message"])

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

        viewer = self._place.viewer
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
        """Look for the data of all offline layers in a folder; then reopen."""
        session = self._session
        if session is None:
            return

        def change() -> Path:
            relink_found(session, folder)
            return session

        def done(path: Path | None, error: BaseException | None) -> None:
            if error is not None or path is None:
                tell(error or FileNotFoundError(folder))
            else:
                self.load_from(path)

        in_background(change, done)

    def _ask_where_data_are(self) -> None:
        self._ask(True, "", self.find_in)

    def _show_offline(self, viewer: Any) -> None:
        places = _offline_places(viewer)
        names = [Path(place).name for place in dict.fromkeys(places)]
        self.show_offline(names, n_layers=len(places))

    # -- recent, benchmark -------------------------------------------------------

    def _show_recent(self) -> None:
        paths = recent_sessions()

        def done(
            lines: list[RecentSession] | None, _error: BaseException | None
        ) -> None:
            self.show_recent(lines or [])

        self._place.background.run(lambda: [_described(path) for path in paths], done)

    def _open_benchmark(self) -> None:
        if _BENCHMARK not in sys.modules:
            import_beside(_BENCHMARK)
        from brickfield.plugin.docking.benchmark_dock import subject_of
        from brickfield.qt.benchmark import PerformanceBenchmarkDialog

        found = subject_of(self._place.viewer)
        storage = None if found is None else found[1]
        dialog = PerformanceBenchmarkDialog(storage, self)
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.show()


def _offline_places(viewer: Any) -> list[str]:
    """List where the data of each offline layer were."""
    if viewer is None:
        return []
    told = [port.layer.metadata.get(KEY) for port in scene_of(viewer).layers]
    return [str(t[OFFLINE]) for t in told if isinstance(t, dict) and OFFLINE in t]


def _described(path: Path) -> RecentSession:
    try:
        document, _ = read_document(path)
    except Exception:  # noqa: BLE001 - of a list nothing is wrong
        return RecentSession(path, path.name, is_there=False)
    n = len(document.scene.layers) + len(document.annotations)
    layers = counted(n, "layer")
    when = document.created.replace("T", " ")[:16]
    text = f"{document.name or path.name} · {when} · {layers}"
    try:
        picture = session_thumbnail(path, document)
    except Exception:  # noqa: BLE001 - a line without a picture is better than none
        picture = None
    return RecentSession(path, text, picture=picture)


def _expect_unchanged(path: Path, before: SessionDocument | None) -> None:
    """Refuse to write over what somebody else saved since it was opened here."""
    if before is None or not is_session(path):
        return
    now, _ = read_document(path)
    if now.created != before.created:
        msg = (
            f"expected {path.name} as it was opened here; found that it was saved again"
            f" elsewhere at {now.created}: save under another name, or load it again"
        )
        raise OptionError(msg)


def _opened_array(path: Path) -> Any:
    if path.suffix.lower() != ".npy":
        return str(path)
    import numpy as np

    return np.load(path, mmap_mode="r", allow_pickle=False)


def _warn(text: str) -> None:
    from napari.utils.notifications import show_warning

    show_warning(text)
