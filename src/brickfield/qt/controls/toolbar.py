"""The row of controls above the pictures.

Invariant: a control shows the state of the views and layers, whatever changed it,
and keeps no value of its own. What does not fit in the row is in the menu at its
end. Main thread only.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any
from weakref import WeakMethod

from qtpy.QtCore import QSize, Qt, Signal
from qtpy.QtGui import QAction, QActionGroup
from qtpy.QtWidgets import QMenu, QToolButton, QVBoxLayout, QWidget

from brickfield.camera import toggle_projection
from brickfield.errors import BrickfieldError
from brickfield.qt.controls.layout_buttons import LayoutButtons
from brickfield.qt.controls.modes import ModeCombo
from brickfield.qt.controls.overflow import OverflowRow
from brickfield.qt.controls.overlays_menu import OverlaysMenu
from brickfield.qt.controls.snapshot import Snapshots
from brickfield.qt.host import DockHost
from brickfield.qt.port_watch import PortWatch
from brickfield.qt.theme import Theme, button_sheet
from brickfield.qt.view.gestures import STYLES
from brickfield.qt.view.view_frame import ViewFrame
from brickfield.viewer.live import LiveView, are_flat, history_of

if TYPE_CHECKING:
    from brickfield.qt.controls.help import HelpWindow
    from brickfield.qt.movie.bar import MovieBar

ICON = QSize(18, 18)
_RELOAD = "Read the data again, because they changed on disk"
_STYLE_WORDS = {
    "orbit": ("Orbit", "Dragging turns the volume round its upright axis"),
    "trackball": ("Trackball", "Dragging rolls the volume freely"),
    "fly": ("Fly", "Dragging looks round; W A S D, E and Q move"),
}


class DockToolbar(QWidget):
    """Mode, fit, views, clipping, overlays, pictures, movies, and a menu.

    Parameters
    ----------
    dock : DockHost

    Attributes
    ----------
    clip_toggled : Signal
        Emits whether the clip box is to be worked on (bool).
    key_pressed : Signal
        Emits keys (int) that are for none of the controls here.
    mode : ModeCombo
    layouts : LayoutButtons
    overlays : OverlaysMenu
    snapshots : Snapshots
    movies : MovieBar or None
        Made when it is shown first.
    by_name : dict of str to QAction
        Every action, for scripts, tests and other parts of the dock: ``fit``,
        ``clip``, ``overlays``, ``camera``, ``record``, ``projection``, ``levels``,
        ``reload``, ``help``, the styles of navigation, and what :meth:`add_toggle`
        added.
    """

    clip_toggled = Signal(bool)
    key_pressed = Signal(int)

    def __init__(self, dock: DockHost) -> None:
        super().__init__(dock)
        self._dock = dock
        self._style = "orbit"
        self.help: HelpWindow | None = None
        self.movies: MovieBar | None = None
        self.by_name: dict[str, QAction] = {}
        self._history = history_of(dock.scene)
        self._history.changed.connect(self._show_history)
        self._theme = Theme(self, button_sheet)
        self._make_actions()
        self._action("reload", "Reload", _RELOAD).triggered.connect(self._reload)
        self._make_row()
        self._make_menu()
        self.snapshots = Snapshots(dock, self.pictures)
        self._ports = PortWatch(dock.scene, self._on_port)
        for ending in (self._ports.close, self.overlays.close_watch):
            dock.call_when_closed(_weakly(ending))
        self._show_mode()
        self._show_depth()
        self._show_history()

    # -- what there is -----------------------------------------------------------

    def _action(
        self, name: str, text: str, hint: str, *, icon: str = "", key: str = ""
    ) -> QAction:
        action = QAction(text, self)
        action.setToolTip(f"{hint} ({key})" if key else hint)
        if icon:
            self._theme.set_icon(action, icon)
        self.by_name[name] = action
        return action

    def _toggle(self, name: str, text: str, hint: str, **options: Any) -> QAction:
        action = self._action(name, text, hint, **options)
        action.setCheckable(True)
        # An icon would stand where menus show whether it is checked.
        action.setIconVisibleInMenu(False)
        return action

    def _make_actions(self) -> None:
        fit = self._action(
            "fit",
            "Fit",
            "Show everything; again: only what can be seen",
            icon="fit",
            key="F",
        )
        fit.triggered.connect(self._fit)
        clip = self._toggle("clip", "Clip box", "Cut away", icon="clip", key="C")
        clip.toggled.connect(self.clip_toggled)
        self._action(
            "overlays", "Overlays", "What is shown beside the data", icon="overlays"
        )
        self._make_other_actions()
        self._action("camera", "Picture", "Save or copy the picture", icon="camera")
        record = self._toggle("record", "Movie", "Make a movie", icon="record")
        record.toggled.connect(self._show_movies)
        flat = self._toggle(
            "projection",
            "Parallel projection",
            "Things far away are as large as near ones",
            icon="parallel",
            key="P",
        )
        flat.triggered.connect(self._toggle_projection)
        levels = self._toggle(
            "levels",
            "Colour by resolution",
            "Colours tell how fine the data are that are shown where",
            icon="levels",
        )
        levels.triggered.connect(self._show_levels)
        self._styles = QActionGroup(self)
        for name in STYLES:
            style = self._toggle(name, *_STYLE_WORDS[name], icon=name)
            style.setChecked(name == self._style)
            style.setActionGroup(self._styles)
            style.triggered.connect(partial(self.set_style, name))

    def _make_other_actions(self) -> None:
        keys = self._action(
            "help", "Keys and mouse", "What keys and mouse do", icon="help", key="?"
        )
        keys.triggered.connect(self._show_help)
        for name, what in (
            ("undo", "Take back"),
            ("redo", "Do again"),
        ):
            action = self._action(
                name,
                name.capitalize(),
                f"{what} the last change of camera, plane, clip box, contrast or curve",
                icon=name,
                key="Ctrl+Z" if name == "undo" else "Ctrl+Shift+Z",
            )
            action.triggered.connect(getattr(self._history, name))

    def _button(self, name: str, menu: QMenu | None = None) -> QToolButton:
        button = QToolButton(self)
        button.setDefaultAction(self.by_name[name])
        button.setIconSize(ICON)
        button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        if menu is not None:
            button.setMenu(menu)
            button.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        return button

    def _make_row(self) -> None:
        dock = self._dock
        self.more = QToolButton(self)
        self.more.setIconSize(ICON)
        self.more.setToolTip("More")
        self._theme.set_icon(self.more, "more")
        self.row = OverflowRow(self.more, self)
        self.mode = ModeCombo(self.row)
        self.mode.chosen.connect(self._choose_mode)
        self.layouts = LayoutButtons(self.row)
        self.layouts.chosen.connect(dock.set_layout)
        for name, icon in (("plane", "plane"), ("3D+plane", "volume_plane")):
            oblique = self.layouts.actions_by_name[name]
            self._theme.set_icon(oblique, icon)
            oblique.setIconVisibleInMenu(False)
            self.by_name[name] = oblique
        self.overlays = OverlaysMenu(dock.scene, lambda: dock.views, self)
        self.pictures = QMenu("Picture", self)
        self.pictures.setToolTipsVisible(True)
        self.row.add(self.mode)
        self.row.add(self._button("fit"), rank=1)
        self.row.add(self.layouts, stand_in=self.layouts.compact)
        # The compact choice of views has them, too: the first to be left out.
        self.row.add(self._button("plane"), rank=8)
        self.row.add(self._button("3D+plane"), rank=9)
        self.row.add(self._button("clip"), rank=2)
        self.row.add(self._button("overlays", self.overlays), rank=3)
        self.row.add(self._button("camera", self.pictures), rank=4)
        self.row.add(self._button("undo"), rank=6)
        self.row.add(self._button("redo"), rank=7)
        self.row.add(self._button("record"), rank=5)
        box = QVBoxLayout(self)
        box.setContentsMargins(0, 0, 0, 0)
        box.addWidget(self.row)

    def _make_menu(self) -> None:
        self.menu = QMenu(self)
        self.menu.setToolTipsVisible(True)
        self.menu.aboutToShow.connect(self._fill_menu)
        self.more.setMenu(self.menu)
        self.more.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        self._toggles: list[QAction] = []
        self._added: list[QAction] = []
        self._fill_menu()

    def _fill_menu(self) -> None:
        menu = self.menu
        menu.clear()
        for widget in self.row.left_out:
            if isinstance(widget, QToolButton) and widget.menu() is not None:
                menu.addMenu(widget.menu())
            elif isinstance(widget, QToolButton):
                menu.addAction(widget.defaultAction())
        menu.addSeparator()
        menu.addActions(self._styles.actions())
        menu.addSeparator()
        menu.addAction(self.by_name["projection"])
        menu.addActions(self._toggles)
        menu.addAction(self.by_name["levels"])
        menu.addSeparator()
        menu.addActions(self._added)
        menu.addSeparator()
        menu.addAction(self.by_name["reload"])
        menu.addAction(self.by_name["help"])

    def add_toggle(
        self, name: str, text: str, tooltip: str, on_toggled: Callable[[bool], object]
    ) -> QAction:
        """Add a switch to the menu.

        Parameters
        ----------
        name : str
            For :attr:`by_name`.
        text, tooltip : str
        on_toggled : callable
            Called with whether it is on, when the user or a script switched it.

        Returns
        -------
        QAction
            Checkable; ``setChecked`` shows what is so.
        """
        action = self._toggle(name, text, tooltip)
        action.toggled.connect(on_toggled)
        self._toggles.append(action)
        return action

    def add_action(
        self, name: str, text: str, tooltip: str, on_triggered: Callable[[], object]
    ) -> QAction:
        """Add an action to the menu.

        Parameters
        ----------
        name : str
            For :attr:`by_name`.
        text, tooltip : str
        on_triggered : callable
            Called when it is chosen.
        """
        action = self._action(name, text, tooltip)
        action.triggered.connect(lambda _=False: on_triggered())
        self._added.append(action)
        return action

    # -- the dock ----------------------------------------------------------------

    def watch(self, frame: ViewFrame) -> None:
        """Act on this view too."""
        view = frame.view
        frame.picture.gestures.style = self._style
        frame.picture.gestures.key_pressed.connect(self._on_key)
        frame.picture.gestures.key_refused.connect(self._refuse_key)
        self.overlays.dress(view)
        view.show_levels = self.by_name["levels"].isChecked()
        view.camera_changed.connect(self._show_projection)
        view.options_changed.connect(self._show_options)

    def follow_layout(self, name: str) -> None:
        """Show which layout there is."""
        self.layouts.show_layout(name)
        self._show_mode()
        self._show_projection()

    def _on_key(self, key: int) -> None:
        if key == Qt.Key.Key_C:
            self.by_name["clip"].toggle()
        elif key == Qt.Key.Key_Question:
            self.by_name["help"].trigger()
        else:
            self.key_pressed.emit(key)

    def _refuse_key(self, text: str) -> None:
        self._dock.status.say(f"{text} does nothing in this picture; ? lists the keys")

    def _volume_views(self) -> Sequence[LiveView]:
        return [view for view in self._dock.views if view.slice is None]

    # -- actions of the user -----------------------------------------------------

    def _choose_mode(self, mode: str) -> None:
        self._dock.main_view.mode = mode

    def _show_help(self) -> None:
        # What few people open costs nothing before they do.
        from brickfield.qt.controls.help import HelpWindow

        if self.help is None:
            self.help = HelpWindow(self)
        self.help.bring_up()

    def _show_movies(self, shown: bool) -> None:
        from brickfield.qt.movie.bar import MovieBar

        if self.movies is None and shown:
            self.movies = MovieBar(self._dock, self.snapshots.marks)
            self.movies.recording_changed.connect(self._show_recording)
            body = self._dock.body
            body.insertWidget(body.indexOf(self._dock.status), self.movies)
        if self.movies is not None:
            self.movies.setVisible(shown)

    def _show_recording(self, is_recording: bool) -> None:
        """Show whether a movie is being recorded."""
        name = "recording" if is_recording else "record"
        self._theme.set_icon(self.by_name["record"], name)

    def _fit(self) -> None:
        for view in self._dock.views:
            view.framing.fit_again()

    def set_style(self, style: str, *_: object) -> None:
        """Choose how dragging turns; one of :data:`brickfield.qt.view.gestures.STYLES`."""
        self._style = style
        self.by_name[style].setChecked(True)
        for frame in self._dock.frames.values():
            frame.picture.gestures.style = style

    def _toggle_projection(self) -> None:
        for view in self._volume_views():
            if view.camera is not None:
                view.move_to(toggle_projection(view.camera))
        self._show_projection()

    def _show_levels(self, checked: bool) -> None:
        for view in self._dock.views:
            view.show_levels = checked

    def _reload(self) -> None:
        """Read the data of all layers again; a store that several show, once."""
        stores = dict.fromkeys(port.data.store for port in self._dock.scene.layers)
        for store in stores:
            try:
                store.reload()
            except BrickfieldError as error:
                self._dock.status.say(str(error))

    # -- what is so --------------------------------------------------------------

    def _on_port(self, name: str) -> None:
        if name in ("mode", "layers", "active"):
            self._show_mode()
        if name in ("layers", "data"):
            self._show_depth()
        if name in ("name", "visible", "layers"):
            self.overlays.follow_scene()

    def _show_depth(self) -> None:
        ports = self._dock.scene.layers
        self.layouts.show_depth(is_flat=are_flat(port.data for port in ports))

    def _show_mode(self) -> None:
        images = [port for port in self._dock.scene.layers if not port.is_labels]
        views = self._dock.views
        mode = self._dock.main_view.mode if images and views else None
        has_volume = not views or any(view.slice is None for view in views)
        self.mode.show_mode(mode, has_volume=has_volume)

    def _show_history(self) -> None:
        self.by_name["undo"].setEnabled(self._history.can_undo)
        self.by_name["redo"].setEnabled(self._history.can_redo)

    def _show_projection(self) -> None:
        cameras = [v.camera for v in self._volume_views() if v.camera is not None]
        action = self.by_name["projection"]
        action.setEnabled(bool(cameras))
        action.setChecked(any(camera.orthographic for camera in cameras))

    def _show_options(self) -> None:
        is_on = any(view.show_levels for view in self._dock.views)
        self.by_name["levels"].setChecked(is_on)
        self.overlays.follow_scene()


def _weakly(method: Callable[[], object]) -> Callable[[], object]:
    """Return a function that calls a method of something that may be gone."""
    there = WeakMethod(method)

    def call() -> object:
        found = there()
        return None if found is None else found()

    return call
