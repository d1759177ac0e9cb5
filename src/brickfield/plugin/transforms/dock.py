"""The dock *Transforms*: layers turned and shifted by a matrix, and baked when asked.

Invariant: for looking nothing is computed: the dock's sliders write the affine of napari
layers, whatever their size. Voxels are made by *Bake* alone, beside the window, into a
new folder; what that takes is told before. Main thread only.
"""

from __future__ import annotations

import weakref
from contextlib import suppress
from pathlib import Path
from typing import Any

from qtpy.QtCore import Qt, QTimer
from qtpy.QtWidgets import QFileDialog, QWidget

from brickfield.blockwise import format_bytes
from brickfield.errors import BrickfieldError, OptionError
from brickfield.model.secrets import hide_secrets
from brickfield.model.units import counted, duration
from brickfield.plugin.docking.make_fast import pyramid_data, target_for
from brickfield.plugin.docking.settling import DockPlace
from brickfield.plugin.layers.describe import LayerData
from brickfield.plugin.layers.holding import watch
from brickfield.plugin.layers.make import store_behind
from brickfield.plugin.layers.registry import plain
from brickfield.plugin.saving import N_WORKERS
from brickfield.plugin.settings import settings
from brickfield.plugin.transforms import turned_layers as turned
from brickfield.qt import RunningTask, task_board
from brickfield.qt.transforms import TransformsPanel, Turn
from brickfield.transforms import BakeOptions, BakeOutlook, BakeResult, bake, look_ahead
from brickfield.viewer.receipts import DOT

PAUSE_MS = 300
"""After the last change, until it is found out what baking takes."""


class TransformsDock(TransformsPanel):
    """Turns, shifts and bakes the images of a napari viewer.

    Parameters
    ----------
    napari_viewer : napari.Viewer
    """

    def __init__(self, napari_viewer, parent: QWidget | None = None) -> None:  # type: ignore[no-untyped-def]  # noqa: ANN001
        super().__init__(parent)
        self._place = DockPlace(self, napari_viewer)
        viewer: Any = plain(napari_viewer)
        self._listed: list[weakref.ref[Any]] = []
        self._layer: weakref.ref[Any] | None = None
        self._asked = 0
        self._is_adding = False
        self._pause = QTimer(self)
        self._pause.setSingleShot(True)
        self._pause.setInterval(PAUSE_MS)
        self._pause.timeout.connect(self._look)
        self.layer_chosen.connect(self._choose_layer)
        self.turned.connect(self._turn_layers)
        self.reset_asked.connect(self._reset_layers)
        self.target_edited.connect(lambda _: self._soon())
        self.folder_asked.connect(self._ask_folder)
        self.bake_asked.connect(self.bake_to)
        events = viewer.layers.events
        events.inserted.connect(self._list)
        events.removed.connect(self._list)
        viewer.layers.selection.events.active.connect(self._list)
        self.destroyed.connect(lambda: _disconnect(viewer, self._list))
        self._list()

    @property
    def layer(self) -> Any:
        """The layer that is turned; None without one."""
        viewer = self._place.viewer
        layer = None if self._layer is None else self._layer()
        return layer if viewer is not None and layer in viewer.layers else None

    # -- layers ------------------------------------------------------------------

    def _list(self, _event: object = None) -> None:
        viewer = self._place.viewer
        if viewer is None or self._is_adding:
            return
        layers = [x for x in viewer.layers if turned.can_turn(x)]
        active = viewer.layers.selection.active
        before = self.layer
        chosen = active if active in layers else before
        if chosen not in layers:
            chosen = layers[-1] if layers else None
        self._listed = [weakref.ref(x) for x in layers]
        with suppress(RuntimeError):  # Qt's half is gone already
            at = -1 if chosen is None else layers.index(chosen)
            self.show_layers([x.name for x in layers], at)
            self._follow(chosen)
            if chosen is not None:
                self._show(chosen, is_other=chosen is not before)

    def _follow(self, layer: Any) -> None:
        """Follow moves of the layer from elsewhere."""
        before = None if self._layer is None else self._layer()
        if before is layer:
            return
        if before is not None:
            with suppress(ValueError, TypeError, RuntimeError):
                before.events.affine.disconnect(self._on_affine)
        self._layer = None if layer is None else weakref.ref(layer)
        if layer is not None:
            layer.events.affine.connect(self._on_affine)

    def _on_affine(self, _event: object = None) -> None:
        layer = self.layer
        if layer is not None and turned.turn_of(layer) != self.turn:
            with suppress(RuntimeError):  # Qt's half is gone already
                self._show(layer, is_other=False)

    def _choose_layer(self, index: int) -> None:
        viewer, layer = self._place.viewer, self._listed[index]()
        if viewer is not None and layer in viewer.layers:
            viewer.layers.selection.active = layer

    def _show(self, layer: Any, *, is_other: bool) -> None:
        turn, before = turned.turn_of(layer), self.turn
        self.show_turn(
            turn,
            turned.middle_of(layer),
            turned.unit_of(layer),
            turned.missing_axes(layer),
            turned.usual_deskew(layer),
        )
        if is_other:
            self.show_target(self._target(layer))
        if is_other or turn != before:
            self._soon()

    def _target(self, layer: Any) -> str:
        store = store_behind(layer)
        if store is None or store.address is None:
            name = "".join(c if c.isalnum() else "-" for c in str(layer.name))
            return str(Path.home() / f"{name}-turned.ome.zarr")
        name = hide_secrets(store.address).rstrip("/").rpartition("/")[2]
        place = target_for(store.address, name, "")
        stem = place.removesuffix(".ome.zarr").removesuffix("-pyramid")
        return f"{stem}-turned.ome.zarr"

    # -- turning -----------------------------------------------------------------

    def _turn_layers(self, turn: Turn) -> None:
        viewer, layer = self._place.viewer, self.layer
        if viewer is None or layer is None:
            return
        try:
            for one in turned.layers_like(viewer, layer):
                turned.set_turn(one, turn)
        except OptionError as error:
            self.show_outlook(str(error), False)
            return
        self._soon()

    def _reset_layers(self) -> None:
        viewer, layer = self._place.viewer, self.layer
        if viewer is None or layer is None:
            return
        for one in turned.layers_like(viewer, layer):
            turned.reset(one)
        self._show(layer, is_other=False)

    # -- what baking takes -------------------------------------------------------

    def _soon(self) -> None:
        self._asked += 1
        self.show_outlook("", False)
        self._pause.start()

    def _options(self) -> BakeOptions:
        return BakeOptions(fit=self.fits.isChecked())

    def _look(self) -> None:
        layer, place, asked = self.layer, self.place, self._asked
        if layer is None:
            return
        if not place:
            self.show_outlook("Name a new folder to write to", False)
            return
        try:
            recipe = turned.recipe_of(layer, self.turn)
            source = turned.source_of(layer)
        except BrickfieldError as error:
            self.show_outlook(str(error), False)
            return
        options = self._options()
        self.show_outlook("Looking at what it takes…", False)

        def done(outlook: BakeOutlook | None, error: BaseException | None) -> None:
            if asked != self._asked:
                return
            if error is not None or outlook is None:
                self.show_outlook(hide_secrets(str(error)), False)
            else:
                text = outlook.refusal or foretold(outlook)
                self.show_outlook(text, not outlook.refusal)

        self._place.background.run(
            lambda: look_ahead(source, place, recipe, options), done
        )

    # -- baking ------------------------------------------------------------------

    def bake_to(self, target: str) -> None:
        """Write the image as it lies now, beside the window, and then show it.

        Parameters
        ----------
        target : str
            New folder.
        """
        layer = self.layer
        if layer is None:
            return
        try:
            recipe = turned.recipe_of(layer, self.turn)
            source = turned.source_of(layer)
        except BrickfieldError as error:
            self.show_outlook(str(error), False)
            return
        options = BakeOptions(fit=self.fits.isChecked(), workers=N_WORKERS)
        settings()  # read on this thread, so that the other thread has them

        def job(running: RunningTask) -> tuple[BakeResult, list[LayerData]]:
            result = bake(
                source,
                target,
                recipe,
                options,
                progress=running.tell,
                cancel=running.cancelled,
            )
            return result, pyramid_data(target) if result.is_complete else []

        # A look that is still to come must not speak over what baking tells.
        self._pause.stop()
        self._asked += 1
        self.show_outlook("Baking; you can go on working", False)
        title = f"Baking {Path(target).name}"
        future = task_board().run(title, job, unit="blocks")
        self._place.background.follow(future, self._on_baked)

    def _on_baked(self, found: Any, error: BaseException | None) -> None:
        if error is not None:
            self.show_outlook(hide_secrets(str(error)), True)
            return
        result, data = found
        if not data:
            n = len(result.failures)
            what = f"{counted(n, 'block')} could not be made" if n else "Stopped"
            self.show_outlook(f"{what}; Bake goes on where it stopped", True)
            return
        viewer = self._place.viewer
        if viewer is not None:
            self._is_adding = True
            try:
                _add(viewer, data)
            finally:
                self._is_adding = False
            self._list()
        self.show_outlook(f"Written and opened: {Path(result.path).name}", False)

    def _ask_folder(self) -> None:
        before = Path(self.place or "turned.ome.zarr")
        dialog = QFileDialog(self, "Folder for the turned image", str(before.parent))
        dialog.setFileMode(QFileDialog.FileMode.Directory)
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)

        def chosen(folder: str) -> None:
            self.show_target(str(Path(folder, before.name)))
            self._soon()

        dialog.fileSelected.connect(chosen)
        dialog.open()


def _add(viewer: Any, found: list[LayerData]) -> None:
    """Add what was baked; the layer that was turned stays the active one."""
    from napari.layers import Layer

    watch(viewer.layers)
    active = viewer.layers.selection.active
    for levels, look, kind in found:
        look["name"] = f"{look['name']} turned"
        viewer.add_layer(Layer.create(levels, look, kind))
    viewer.layers.selection.active = active


def _disconnect(viewer: Any, listener: Any) -> None:
    for signal in (
        viewer.layers.events.inserted,
        viewer.layers.events.removed,
        viewer.layers.selection.events.active,
    ):
        with suppress(ValueError, TypeError, RuntimeError):
            signal.disconnect(listener)


def foretold(outlook: BakeOutlook) -> str:
    """Return a text with what baking takes."""
    about = "" if outlook.seconds < 1 else "about "
    parts = [
        f"at most {format_bytes(outlook.n_bytes)}",
        about + duration(outlook.seconds),
        f"free there {format_bytes(outlook.free_bytes)}",
    ]
    text = DOT.join(parts)
    if outlook.is_resumed:
        text = f"An earlier run stopped there; this goes on with it. In all {text}"
    return text
