"""The menu of overlays: what is shown beside the data, in all views of a dock."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from qtpy.QtGui import QAction
from qtpy.QtWidgets import QInputDialog, QMenu, QWidget

from brickfield.rendering.overlays import NAMES, TITLES
from brickfield.viewer.live import LiveView, ScenePort

_SAID = {"marker": "position", "scale_bar": "unit", "colorbar": "title"}
"""Options that follow the scene, by overlay."""


class OverlaysMenu(QMenu):
    """Switches overlays on and off. Main thread only.

    Parameters
    ----------
    scene : ScenePort
        Gives the cross-hair.
    views : callable
        Returns the dock's views.
    """

    def __init__(
        self,
        scene: ScenePort,
        views: Callable[[], Sequence[LiveView]],
        parent: QWidget | None = None,
    ) -> None:
        super().__init__("Overlays", parent)
        self._scene = scene
        self._views = views
        self._chosen: dict[str, dict[str, Any]] = {}
        self._told: dict[str, Any] = {}
        self.dialog: QInputDialog | None = None
        self.setToolTipsVisible(True)
        self.by_name: dict[str, QAction] = {}
        for name in NAMES:
            title, what = TITLES[name]
            action = self.addAction(title)
            action.setCheckable(True)
            action.setToolTip(what)
            action.triggered.connect(self._switch(name))
            self.by_name[name] = action
        self.aboutToShow.connect(self.follow)
        scene.cross_hair_changed.connect(self.follow_scene)

    def follow(self) -> None:
        """Show the state of the views, whatever changed it."""
        views = self._views()
        for name, action in self.by_name.items():
            is_on = any(view.overlay_options(name).visible for view in views)
            action.setChecked(is_on)

    def dress(self, view: LiveView) -> None:
        """Show in a new view the overlays that are switched on for all."""
        for name, options in self._chosen.items():
            view.set_overlay_options(name, **options)
        self._explain(view, self._from_scene())

    def set_shown(self, name: str, *, is_shown: bool, **options: Any) -> None:
        """Show or hide an overlay in all views, also in later ones.

        Parameters
        ----------
        name : str
            Of the overlay.
        is_shown : bool
        **options
        """
        options["visible"] = is_shown
        self._chosen[name] = options
        for view in self._views():
            view.set_overlay_options(name, **options)
        self.by_name[name].setChecked(is_shown)
        self.follow_scene()

    # -- what overlays say of the scene ------------------------------------------

    def _from_scene(self) -> dict[str, Any]:
        """Return what the scene's owner knows better than the data."""
        scene = self._scene
        images = [p for p in scene.layers if p.visible and not p.is_labels]
        return {
            "marker": scene.cross_hair,
            "scale_bar": scene.unit,
            "colorbar": images[-1].name if images else "",
        }

    def follow_scene(self) -> None:
        """Update the texts from the scene, unless the user chose others."""
        fresh = self._from_scene()
        for view in self._views():
            self._explain(view, fresh)
        self._told = fresh

    def _explain(self, view: LiveView, fresh: dict[str, Any]) -> None:
        for name, option in _SAID.items():
            options: Any = view.overlay_options(name)
            is_ours = getattr(options, option) in (None, "", self._told.get(name))
            if options.visible and is_ours:
                view.set_overlay_options(name, **{option: fresh[name]})

    # -- actions of the user -----------------------------------------------------

    def _switch(self, name: str) -> Callable[[bool], None]:
        # PySide6 hands a partial no arguments, so this is a function.
        def switch(checked: bool) -> None:
            if name == "text" and checked:
                self._ask_for_text()
            else:
                self.set_shown(name, is_shown=checked)

        return switch

    def _ask_for_text(self) -> None:
        self.by_name["text"].setChecked(False)
        dialog = QInputDialog(self.parentWidget())
        dialog.setWindowTitle("Text in the picture")
        dialog.setLabelText("Text:")
        dialog.setTextValue(self._text_now())
        dialog.textValueSelected.connect(self._take_text)
        self.dialog = dialog
        dialog.open()

    def _text_now(self) -> str:
        views = self._views()
        found: Any = views[0].overlay_options("text") if views else None
        return str(found.text) if found is not None else ""

    def _take_text(self, text: str) -> None:
        self.set_shown("text", is_shown=bool(text.strip()), text=text.strip())

    def close_watch(self) -> None:
        """Stop following the cross-hair."""
        self._scene.cross_hair_changed.disconnect(self.follow_scene, missing_ok=True)
