"""The 4D-STEM dock joined to napari: its pictures are layers, its detectors are shapes.

Invariant: what the user moves in a layer goes to the dock's session, and what the
dock sets goes to the layer, never back again. All layers are ordinary ones, named
``NAME scan``, ``NAME pattern`` and so on; a removed one comes back with the next
picture of its kind. The scan lies top left, with the pattern on its right and the
virtual image below, each as high as the scan is long. Main thread only.
"""

from __future__ import annotations

import weakref
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from qtpy.QtCore import QTimer

from brickfield.plugin.docking.settling import SharedHeight
from brickfield.plugin.docking.stem_pictures import (
    contrast,
    cursor_size,
    ground_of,
    lying_on,
    named_after,
    overlap,
    path_of,
    put_layer,
    region_of,
    set_contrast,
    shows_patterns,
)
from brickfield.plugin.docking.turns import Turns
from brickfield.plugin.layers.make import load_for_shapes
from brickfield.plugin.layers.registry import plain
from brickfield.qt import (
    COM,
    FFT,
    PATTERN,
    SCAN,
    VIRTUAL,
    StemDock,
    detector_of,
    outlines,
)
from brickfield.stem4d import Detector, Mask, ScanViewer

CURSOR, DETECTOR, REGION, MASK = "cursor", "detector", "region", "mask"
PLACES = {SCAN: (0, 0), PATTERN: (0, 1), VIRTUAL: (1, 0), FFT: (1, 1), COM: (0, 2)}
"""Row and column of each picture."""
LIES_ON = {CURSOR: SCAN, REGION: SCAN, DETECTOR: PATTERN, MASK: PATTERN}
KEPT = (SCAN, PATTERN, VIRTUAL, CURSOR, REGION, DETECTOR)
"""Layers that the next scan uses again."""
PAINTED_MS = 150
"""Time that a brush rests before its pixels are counted."""
COLORMAPS = {PATTERN: "inferno", FFT: "viridis"}
HAND, ON_PATTERN = "#f0b429", "#35e0ff"  # the latter is seen on all of inferno


class StemLayers:
    """The layers of one scan in a viewer.

    Parameters
    ----------
    viewer : napari.Viewer
    dock : StemDock
    """

    def __init__(self, viewer: Any, dock: StemDock) -> None:
        self._viewer, self._dock = weakref.ref(viewer), weakref.ref(dock)
        self._session = dock.session
        self._layers: dict[str, Any] = {}
        self._former: set[str] = set()
        self._is_following = False
        self._drawn: Detector | None = None
        self._painted: NDArray[np.bool_] | None = None
        self._new: dict[str, tuple[NDArray[Any], bool]] = {}
        self.turns = Turns()
        self._paint_timer = QTimer()
        self._paint_timer.setSingleShot(True)
        self._paint_timer.setInterval(PAINTED_MS)
        self._paint_timer.timeout.connect(self._take_painted)
        self._session.opened.connect(self._opened)
        self._session.pictured.connect(self._show)
        self._session.cursor_moved.connect(self._move_cursor)
        dock.detector_chosen.connect(self._draw_detector)
        dock.layer_wanted.connect(self.open_layer)
        viewer.dims.events.current_step.connect(self._follow_dims)

    def open_layer(self) -> None:
        """Open the scan that the selected layer shows, and hide that layer."""
        viewer, dock = self._viewer(), self._dock()
        if viewer is None or dock is None:
            return
        layer = viewer.layers.selection.active
        path = path_of(layer)
        if path is None:
            dock.problem("Select a layer that was opened from a scan, or use Open….")
            return
        layer.visible = False
        self._session.open(path)

    def adopt(self, name: str) -> None:
        """Remove the pictures of a scan that a session had, since new ones come.

        Parameters
        ----------
        name : str
            Of the scan.
        """
        viewer = self._viewer()
        if viewer is None:
            return
        roles = (*PLACES, CURSOR, DETECTOR, REGION)
        for layer in named_after(viewer.layers, name, roles):
            if layer not in self._layers.values():
                viewer.layers.remove(layer)

    # -- from the session to layers ------------------------------------------------

    def _opened(self, _scan: ScanViewer) -> None:
        """Let layers of the former scan be used for this one, as its pictures come.

        To remove all of them and add others takes napari a second, in one turn.
        """
        viewer = self._viewer()
        self._new.clear()
        self.turns.clear()
        self._former = {role for role in KEPT if self._layer(role) is not None}
        for role in set(self._layers) - self._former:
            layer = self._layers.pop(role)
            if viewer is not None and layer in viewer.layers:
                viewer.layers.remove(layer)

    def _limits(self, image: NDArray[Any], is_whole: bool) -> tuple[float, float]:
        return contrast(image, is_part=not is_whole or self._session.is_following)

    def _renew(self, role: str, image: NDArray[Any], is_whole: bool) -> None:
        """Give a layer of the former scan to this one; what lies on it follows."""
        self._former.discard(role)
        layer, viewer = self._layers[role], self._viewer()
        layer.data = image
        set_contrast(layer, self._limits(image, is_whole))
        place = self._place(role, image.shape)
        self._put(role, place)
        for one in (CURSOR, REGION, DETECTOR):
            if LIES_ON[one] == role and self._layer(one) is not None:
                self.turns.add(partial(self._renew_hand, one, place, image.shape))
        if role == PATTERN:
            self.turns.add(self._draw_chosen)
        if viewer is not None:
            self.turns.add(viewer.reset_view)

    def _put(self, role: str, place: Mapping[str, Any]) -> None:
        """Name a layer after this scan, and lay it where its picture is."""
        layer = self._layer(role)
        if layer is not None and self._session.viewer is not None:
            put_layer(layer, f"{self._session.name} {role}", place)
        self._former.discard(role)

    def _renew_hand(
        self, role: str, place: Mapping[str, Any], shape: tuple[int, ...]
    ) -> None:
        """Fit what lies on a picture to one of another size; forget the region."""
        layer, viewer = self._layer(role), self._viewer()
        if layer is None or viewer is None:
            return
        self._put(role, place)
        with self._following():
            if role == REGION and len(layer.data):
                layer.data = []
            if role == CURSOR:
                layer.data = np.array([self._session.cursor], np.float64)
                layer.size = cursor_size(shape)
                viewer.layers.selection.active = layer

    def _show(self, role: str, image: NDArray[Any], is_whole: bool) -> None:
        viewer = self._viewer()
        if viewer is None:
            return
        image = np.nan_to_num(np.asarray(image))
        layer = self._layer(role)
        if layer is None or role in self._former:
            if role not in self._new:
                self.turns.add(partial(self._bring, role))
            self._new[role] = image, is_whole
            return
        limits, former = self._limits(image, is_whole), layer.contrast_limits
        layer.data = image
        if role in (VIRTUAL, FFT, COM) or not is_whole or not overlap(former, limits):
            set_contrast(layer, limits)

    def _bring(self, role: str) -> None:
        """Show the first picture of its kind of this scan, in a turn of its own."""
        image, is_whole = self._new.pop(role)
        if self._session.viewer is None:
            return
        if self._layer(role) is not None:
            self._renew(role, image, is_whole)
        else:
            self._add_picture(role, image, is_whole)

    def _add_picture(self, role: str, image: NDArray[Any], is_whole: bool) -> None:
        """Add the layer of a picture; what lies on it follows, one layer per turn."""
        viewer = self._viewer()
        if viewer is None:
            return
        self._layers[role] = layer = viewer.add_image(
            image,
            name=f"{self._session.name} {role}",
            colormap=COLORMAPS.get(role, "gray"),
            contrast_limits=self._limits(image, is_whole),
            **self._place(role, image.shape),
        )
        if role == SCAN:
            layer.mouse_drag_callbacks.append(self._drag_cursor)
            self.turns.add(self._add_cursor)
            self.turns.add(self._add_region)
        if role == PATTERN:
            self.turns.add(self._draw_chosen)
        viewer.reset_view()
        if role == VIRTUAL and self._layer(CURSOR) is not None:
            viewer.layers.selection.active = self._layers[CURSOR]

    def _layer(self, role: str) -> Any:
        viewer, layer = self._viewer(), self._layers.get(role)
        return layer if viewer is not None and layer in viewer.layers else None

    def _place(self, role: str, shape: tuple[int, ...]) -> dict[str, Any]:
        scan, viewer = self._session.viewer, self._viewer()
        assert scan is not None
        ground = ground_of(() if viewer is None else viewer.layers, scan.path)
        return ground.place(PLACES[role], shape, tuple(scan.shape[:2]))

    def _add_cursor(self) -> None:
        viewer, scan = self._viewer(), self._layer(SCAN)
        if scan is None or viewer is None:
            return
        layer = viewer.add_points(
            [self._session.cursor],
            name=f"{self._session.name} {CURSOR}",
            symbol="cross",
            size=cursor_size(scan.data.shape),
            face_color=HAND,
            border_width=0,
            **lying_on(scan),
        )
        layer.mouse_drag_callbacks.append(self._drag_cursor)
        layer.events.data.connect(self._cursor_dragged)
        self._layers[CURSOR] = layer

    def _add_region(self) -> None:
        viewer, scan = self._viewer(), self._layer(SCAN)
        if scan is None or viewer is None:
            return
        layer = self._add_shapes(REGION, scan)
        layer.events.data.connect(self._region_changed)
        if self._layer(CURSOR) is not None:
            viewer.layers.selection.active = self._layers[CURSOR]

    def _add_shapes(self, role: str, below: Any) -> Any:
        viewer: Any = self._viewer()
        self._layers[role] = layer = viewer.add_shapes(
            ndim=2,
            name=f"{self._session.name} {role}",
            face_color="transparent",
            edge_color=ON_PATTERN if role == DETECTOR else HAND,
            edge_width=max(max(below.data.shape) / 90, 0.05),
            **lying_on(below),
        )
        return layer

    def _move_cursor(self, y: int, x: int) -> None:
        layer = self._layer(CURSOR)
        if layer is not None and not self._is_following:
            with self._following():
                layer.data = np.array([[y, x]], np.float64)

    def _draw_chosen(self) -> None:
        if self._session.detector is not None:
            self._draw_detector(self._session.detector)

    def _draw_detector(self, detector: Detector) -> None:
        if self._layer(PATTERN) is None or PATTERN in self._new:
            return  # drawn as soon as there is a pattern of this scan
        self._show_mask(detector if isinstance(detector, Mask) else None)
        layer = self._layer(DETECTOR)
        with self._following():
            if layer is None:
                layer = self._add_shapes(DETECTOR, self._layers[PATTERN])
                layer.events.data.connect(self._detector_moved)
                layer.mouse_drag_callbacks.append(self._drag_detector)
            self._drawn, drawn = detector, outlines(detector)
            layer.data = []
            for kind, corners in drawn:
                layer.add([corners], shape_type=kind)
            layer.face_color = "transparent"
            layer.mode = "select"

    def _show_mask(self, mask: Mask | None) -> None:
        """Lay a mask over the pattern as labels to paint on; hide it if there is none."""
        layer, viewer = self._layer(MASK), self._viewer()
        if mask is None or viewer is None:
            self._painted = None
            if layer is not None:
                layer.visible = False
            return
        below = self._layers[PATTERN]
        self._painted = mask.mask(below.data.shape) != 0
        labels = self._painted.astype(np.uint8)
        with self._following():
            if layer is None:
                layer = viewer.add_labels(
                    labels,
                    name=f"{self._session.name} {MASK}",
                    opacity=0.5,
                    **lying_on(below),
                )
                layer.brush_size = max(2, max(labels.shape) // 16)
                # A stroke, an undone one, and another array: all of them are looked at.
                for event in (layer.events.paint, layer.events.set_data):
                    event.connect(self._mask_touched)
                self._layers[MASK] = layer
            else:
                layer.data = labels
            layer.visible = True
        viewer.layers.selection.active = layer
        layer.mode = "paint"

    def _mask_touched(self, _event: Any = None) -> None:
        """Wait until the brush rests: every stroke touches a mask many times."""
        if not self._is_following and self._painted is not None:
            self._paint_timer.start()

    def _take_painted(self) -> None:
        """Make a detector of the pixels that are painted, if they are others."""
        layer, dock = self._layer(MASK), self._dock()
        if layer is None or dock is None or self._painted is None:
            return
        painted = np.asarray(layer.data) != 0
        if np.array_equal(painted, self._painted):
            return
        self._painted = painted
        if not painted.any():
            dock.problem("Paint the pixels that count in the mask's layer.")
            return
        dock.set_detector(Mask.of(painted))

    @contextmanager
    def _following(self) -> Iterator[None]:
        before, self._is_following = self._is_following, True
        try:
            yield
        finally:
            self._is_following = before

    # -- from layers to the session ------------------------------------------------

    def _drag_cursor(self, _layer: Any, event: Any) -> Iterator[None]:
        """Move the cursor with a drag that begins on the scan."""
        while True:
            scan = self._layer(SCAN)
            if scan is None or event.type == "mouse_release":
                return
            at = np.asarray(scan.world_to_data(event.position))[-2:]
            is_on_it = all(
                -0.5 <= a < n - 0.5 for a, n in zip(at, scan.data.shape, strict=True)
            )
            if event.type == "mouse_press" and not is_on_it:
                return
            self._session.set_cursor(*(float(a) for a in at))
            event.handled = True
            yield

    def _cursor_dragged(self, _event: Any = None) -> None:
        layer = self._layer(CURSOR)
        if layer is None or self._is_following or not len(layer.data):
            return
        with self._following():
            self._session.set_cursor(*(float(v) for v in layer.data[-1][-2:]))

    def _drag_detector(self, _layer: Any, event: Any) -> Iterator[None]:
        """Follow a drag while it goes on: napari tells of it at its end alone."""
        yield
        while event.type == "mouse_move":
            self._detector_moved()
            yield

    def _region_changed(self, _event: Any = None) -> None:
        layer, scan = self._layer(REGION), self._session.viewer
        if layer is None or scan is None or self._is_following:
            return
        self._session.set_region(region_of(layer.data, scan.shape[:2]))

    def _detector_moved(self, event: Any = None) -> None:
        layer, dock = self._layer(DETECTOR), self._dock()
        if layer is None or dock is None or self._is_following:
            return
        old = self._session.detector
        kind = old.kind if old is not None else "disc"
        # Compared with what was drawn, not with what a drag came to meanwhile.
        found = detector_of(kind, layer.data, self._drawn)
        if found is None:
            return
        if found != old:
            dock.set_detector(found)
        # The other circle of a ring goes along when the hand rests.
        action = str(getattr(event, "action", "")).lower()
        if found != self._drawn and action.endswith("changed"):
            self._draw_detector(found)

    def _follow_dims(self, _event: Any = None) -> None:
        """Let the sliders of the scan's own layer move the cursor."""
        viewer, scan = self._viewer(), self._session.viewer
        if viewer is None or scan is None or viewer.dims.ndim != 4:
            return
        four = [x for x in viewer.layers if x.ndim == 4]
        if any(path_of(x) == scan.path and shows_patterns(x) for x in four):
            self._session.set_cursor(*viewer.dims.current_step[:2])


_docks: weakref.WeakKeyDictionary[Any, weakref.WeakSet[Stem4DDock]] = (
    weakref.WeakKeyDictionary()
)
TITLE = "4D-STEM"


def stem_docks_of(viewer: Any) -> list[Stem4DDock]:
    """Return the 4D-STEM docks of a viewer that are open."""
    return [d for d in _docks.get(plain(viewer), ()) if not d.session.is_closed]


def open_stem_dock(viewer: Any) -> Stem4DDock:
    """Return the 4D-STEM dock of a viewer with a window, opening one if needed."""
    dock = next(iter(stem_docks_of(viewer)), None)
    if dock is None:
        dock = Stem4DDock(plain(viewer))
        viewer.window.add_dock_widget(dock, name=TITLE)
    return dock


class Stem4DDock(StemDock):
    """The 4D-STEM dock of a napari viewer.

    Parameters
    ----------
    napari_viewer : napari.Viewer
    """

    def __init__(self, napari_viewer) -> None:  # type: ignore[no-untyped-def]  # noqa: ANN001
        super().__init__()
        SharedHeight(self)
        viewer = plain(napari_viewer)
        _docks.setdefault(viewer, weakref.WeakSet()).add(self)
        self.layers = StemLayers(viewer, self)
        # napari loads scipy, pandas and units (a second and a half) with its first ones.
        self.session.prepare = load_for_shapes
        self._saved: dict[str, Any] = {}
        # After the dock's own listener, which sets what is usual.
        self.session.opened.connect(self._put_hands)
        active = viewer.layers.selection.active
        if active is not None and active.ndim == 4 and path_of(active) is not None:
            self.layers.open_layer()

    @property
    def is_settled(self) -> bool:
        """Whether nothing is computed and every layer is there."""
        return not self.session.is_busy and self.layers.turns.is_done

    def scan_state(self) -> dict[str, Any]:
        """Return the scan, its cursor, detector and region as plain values."""
        return self.saved_state()

    def put_scan_state(self, saved: Mapping[str, Any]) -> None:
        """Open a scan as it was saved; its cursor, detector and region follow.

        Parameters
        ----------
        saved : mapping
            As :meth:`scan_state` gives it, after JSON.
        """
        self._saved = dict(saved)
        self.layers.adopt(Path(saved["path"]).stem)
        given = saved.get("options") or {}
        options = {k: tuple(v) if isinstance(v, list) else v for k, v in given.items()}
        self.session.open(saved["path"], **options)

    def _put_hands(self, viewer: ScanViewer) -> None:
        saved, self._saved = self._saved, {}
        if saved.get("path") != str(viewer.path.absolute()):
            return
        detector = self.put_hands(saved)
        self.log.setChecked(self.session.is_log)
        if detector is not None:
            self._wants_detector = False
            self._choose_detector(detector)
