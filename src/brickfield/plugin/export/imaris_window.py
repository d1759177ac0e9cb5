"""Export to Imaris…: the window for the layers that are selected, and the work.

Invariant: layers are looked at on the window's thread alone; the export gets what they
consist of. The work stands on the board of tasks and goes on when its window is closed;
what came of it is told by napari then. Main thread only.
"""

from __future__ import annotations

import math
import re
import weakref
from collections.abc import Sequence
from itertools import product
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

from qtpy.QtCore import QObject, Qt

from brickfield.model.secrets import hide_secrets
from brickfield.plugin.export.imaris_writer import N_WORKERS, as_layer
from brickfield.plugin.layers.registry import plain, scene_of
from brickfield.plugin.napari_names import has_window, kind_of, main_window_of
from brickfield.qt import (
    Background,
    ImarisChoice,
    ImarisDialog,
    ImarisOffer,
    RunningTask,
    task_board,
)

if TYPE_CHECKING:
    import napari

    from brickfield.imaris import ImarisOutlook, ImarisResult

Box = tuple[Sequence[float], Sequence[float]]
_RGB = (("red", "#ff0000"), ("green", "#00ff00"), ("blue", "#0000ff"))
_exports: set[_Export] = set()
"""Keeps those that run, with or without their window."""


def export_to_imaris(viewer: napari.Viewer) -> None:
    """Let the user choose options for the selected layers, and write an Imaris file."""
    open_export(viewer)


def open_export(viewer: Any) -> ImarisDialog | None:
    """Open the window for the layers that are selected.

    Those of the same shape that are not are offered, too, but not chosen.

    Returns
    -------
    ImarisDialog or None
        None when there is no such layer, or no window.
    """
    from napari.utils.notifications import show_info

    viewer = plain(viewer)
    chosen = [
        layer
        for layer in viewer.layers
        if layer in viewer.layers.selection and kind_of(layer) in ("image", "labels")
    ]
    if not chosen or not has_window(viewer):
        show_info("Choose one or more layers of images or labels first")
        return None
    port = scene_of(viewer).port_of(chosen[0])
    made = _Export(viewer, chosen, None if port is None else port.clip_box)
    made.dialog.show()
    made.dialog.raise_()
    return made.dialog


class _Export(QObject):
    """The layers of one window, and the work for it."""

    def __init__(self, viewer: Any, layers: Sequence[Any], box: Box | None) -> None:
        super().__init__()
        _exports.add(self)
        self._viewer = weakref.ref(viewer)
        described = {
            layer: as_layer(*layer.as_layer_data_tuple())
            for layer in viewer.layers
            if kind_of(layer) in ("image", "labels")
        }
        self._shapes = _shapes(described[layers[0]])
        # Others of the same shape can be further channels.
        offered = [
            layer
            for layer, one in described.items()
            if layer in layers or _shapes(one) == self._shapes
        ]
        self._layers = [described[layer] for layer in offered]
        self._box = None if box is None else box_in_voxels(box, layers[0])
        n = len(self._shapes[0])
        self._now = int(viewer.dims.current_step[-n]) if n > 3 else 0
        self._background = Background()
        self._is_closed = self._is_running = False
        self.dialog = ImarisDialog(
            self._offer(offered, layers), self.look, main_window_of(viewer)
        )
        self.dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.dialog.destroyed.connect(self._on_closed)
        self.dialog.asked.connect(self.write)
        self.dialog.open_asked.connect(self._open)
        self.dialog.finished.connect(self._on_closed)

    def _offer(self, offered: Sequence[Any], chosen: Sequence[Any]) -> ImarisOffer:
        channels: list[tuple[str, str]] = []
        left_out: set[int] = set()
        for layer, described in zip(offered, self._layers, strict=True):
            start = len(channels)
            if getattr(described, "rgb", False):
                channels += [(f"{layer.name} {n}", color) for n, color in _RGB]
            else:
                channels.append((layer.name, _color(layer)))
            if layer not in chosen:
                left_out.update(range(start, len(channels)))
        shape = self._shapes[0]
        stem = re.sub(r"[^\w.-]+", "-", chosen[0].name).strip("-") or "image"
        path = getattr(chosen[0].source, "path", None)
        is_local = path is not None and "://" not in str(path)
        folder = Path(str(path)).absolute().parent if is_local else Path.home()
        return ImarisOffer(
            str(folder / f"{stem}.ims"),
            tuple(channels),
            shape[0] if len(shape) > 3 else 1,
            tuple(" × ".join(map(str, s[-3:])) for s in self._written_shapes()),
            self._box is not None,
            frozenset(left_out),
        )

    def _written_shapes(self) -> list[tuple[int, ...]]:
        """Return the shapes of all levels without the room round tiles of a mosaic."""
        room = getattr(self._layers[0].data[0], "without_room", lambda: None)()
        if room is None or not self._layers[0].multiscale:
            return self._shapes
        return [one.on_store(room.store).shape for one in self._layers[0].data]

    def _chosen(self, choice: ImarisChoice) -> tuple[list[Any], tuple[int, ...]]:
        """Return the layers with a chosen channel, and the channels' numbers in these."""
        layers: list[Any] = []
        channels: list[int] = []
        start = n_kept = 0
        for layer in self._layers:
            n = len(_RGB) if getattr(layer, "rgb", False) else 1
            own = [c - start for c in choice.channels if start <= c < start + n]
            start += n
            if own:
                layers.append(layer)
                channels += [n_kept + c for c in own]
                n_kept += n
        return layers, tuple(channels)

    def options(self, choice: ImarisChoice) -> dict[str, Any]:
        """Return what ``to_imaris`` is given for a choice."""
        times = range(choice.times[0], choice.times[1] + 1)
        if choice.region == "now":
            times = range(self._now, self._now + 1)
        region = None
        if choice.region == "box" and self._box is not None:
            region = voxels_of(self._box, self._shapes[0], self._shapes[choice.level])
        return {
            "channels": self._chosen(choice)[1],
            "time_points": tuple(times),
            "level": choice.level,
            "region": region,
            "dtype": choice.dtype,
            "compression": choice.compression,
            "shuffle": choice.shuffle,
            "overwrite": choice.overwrite,
            "workers": N_WORKERS,
        }

    def look(self, choice: ImarisChoice) -> ImarisOutlook:
        """Say what a choice takes; on any thread."""
        from brickfield.imaris import look_ahead

        return look_ahead(
            self._chosen(choice)[0], choice.target, **self.options(choice)
        )

    def write(self, choice: ImarisChoice) -> None:
        """Write what was chosen, beside the window."""
        options, (layers, _) = self.options(choice), self._chosen(choice)
        name = Path(choice.target).stem
        title = f"Writing {Path(choice.target).name}"
        begun: list[RunningTask] = []

        def job(running: RunningTask) -> ImarisResult:
            from brickfield.imaris import to_imaris

            return to_imaris(
                layers,
                choice.target,
                name=name,
                progress=running.tell,
                cancel=running.cancelled,
                **options,
            )

        self._is_running = True
        before = set(task_board().running)
        future = task_board().run(title, job, unit="blocks")
        begun = [r for r in task_board().running if r not in before]
        if begun:
            self.dialog.follow(begun[0])
        self._background.follow(
            future, lambda done, error: self._on_done(choice.target, done, error)
        )

    def _on_done(self, target: str, done: Any, error: BaseException | None) -> None:
        self._is_running = False
        problem = "" if error is None else hide_secrets(str(error))
        if error is None and not done.is_complete:
            problem = "Stopped: the same export goes on where it was"
        if not self._is_closed:
            self.dialog.tell("" if problem else target, problem)
            return
        from napari.utils.notifications import show_error, show_info

        tell = show_info if error is None else show_error
        tell(problem or f"Written and read back: {target}")
        self._end()

    def _open(self, path: str) -> None:
        viewer = self._viewer()
        if viewer is not None and has_window(viewer):
            from brickfield.plugin.names import PLUGIN

            viewer.open(path, plugin=PLUGIN)

    def _on_closed(self, _: object = None) -> None:
        self._is_closed = True
        if not self._is_running:
            self._end()

    def _end(self) -> None:
        self._background.close()
        _exports.discard(self)


def box_in_voxels(box: Box, layer: Any) -> Box:
    """Return the smallest box along a layer's own axes that holds a box of the world.

    Of a layer that lies straight it is that box itself; of one that is turned or
    sheared, by its affine or otherwise, it holds more than is shown.

    Parameters
    ----------
    box : (low, high)
        World coordinates (z, y, x).
    layer : napari.layers.Layer

    Returns
    -------
    (low, high)
        Indices of the finest level along the last three axes (or two), voxel centres
        are whole numbers.
    """
    n = min(3, layer.ndim)
    lead = (0.0,) * (layer.ndim - n)
    corners = [
        layer.world_to_data((*lead, *corner[-n:]))[-n:]
        for corner in product(*zip(*box, strict=True))
    ]
    ends = [(min(along), max(along)) for along in zip(*corners, strict=True)]
    return [low for low, _ in ends], [high for _, high in ends]


def voxels_of(
    box: Box, finest: Sequence[int], level: Sequence[int]
) -> list[tuple[int, int]]:
    """Return the voxels (z, y, x) of a level whose centres lie in a box.

    Parameters
    ----------
    box : (low, high)
        Indices of the finest level, along as many of its last axes.
    finest, level : sequence of int
        Shapes of the finest level and of the one that is asked for.
    """
    found = []
    n = min(3, len(level))
    for axis in range(-n, 0):
        # All levels lie over one extent, from half a voxel before the first centre.
        share = level[axis] / finest[axis]
        low, high = ((end[axis] + 0.5) * share - 0.5 for end in box)
        start = min(max(0, math.ceil(low - 1e-6)), level[axis] - 1)
        stop = max(start + 1, min(level[axis], math.floor(high + 1e-6) + 1))
        found.append((start, stop))
    return [(0, 1)] * (3 - n) + found


def _shapes(layer: SimpleNamespace) -> list[tuple[int, ...]]:
    levels = layer.data if layer.multiscale else [layer.data]
    last = -1 if getattr(layer, "rgb", False) else None
    return [tuple(int(n) for n in level.shape)[:last] for level in levels]


def _color(layer: Any) -> str:
    if kind_of(layer) == "labels":
        return "#808080"
    r, g, b = (round(float(v) * 255) for v in layer.colormap.colors[-1][:3])
    return f"#{r:02x}{g:02x}{b:02x}"
