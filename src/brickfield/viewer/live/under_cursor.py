"""What lies under the cursor, and in one line as long as there is room."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import Future
from contextlib import suppress
from dataclasses import replace
from functools import cache
from typing import Any

import numpy as np
from psygnal import Signal

from brickfield.camera import set_centre
from brickfield.errors import BrickfieldError
from brickfield.loading import AsynchronousDataSlicer
from brickfield.model import PickInfo, Vec3
from brickfield.model.units import coordinates
from brickfield.viewer.live.framing import Framing, are_flat
from brickfield.viewer.live.ports import LayerPort
from brickfield.viewer.live.render_client import RenderClient
from brickfield.viewer.receipts import text_status as words
from brickfield.viewer.receipts.level_names import LevelNames


class Cursor:
    """Finds out what is under a pixel of a view; the last question is answered.

    Main thread only.

    Parameters
    ----------
    client : RenderClient
    framing : Framing
        Of the same view.

    Attributes
    ----------
    picked : psygnal.SignalInstance
        Emits a PickInfo, or None beside every volume, for the last hovered pixel.
    """

    picked = Signal(object)

    def __init__(self, client: RenderClient, framing: Framing) -> None:
        self._client, self._framing = client, framing
        self._hover: tuple[float, float] | None = None
        self._is_picking = self._is_reading = False

    def hover(self, at: tuple[float, float] | None) -> None:
        """Request what is under a pixel (logical); answered by :attr:`picked`.

        Only while nothing moves; of several questions the last is answered.
        """
        self._hover = at
        if at is None:
            self.picked.emit(None)
        elif not self._is_picking and self._client.report.image is not None:
            self._is_picking = True
            future = self._client.ask(lambda drawer: drawer.pick(*at))
            future.add_done_callback(
                lambda done: self._client.deliver(lambda: self._picked(at, done))
            )

    def _picked(self, at: tuple[float, float], done: Future[Any]) -> None:
        self._is_picking = False
        if self._client.is_closed or self._hover is None:
            return
        if self._hover != at:
            self.hover(self._hover)
        elif done.exception() is None:
            info = done.result()
            self.picked.emit(info)
            if info is not None and is_forgotten(info) and not self._is_reading:
                self._is_reading = True
                _reader().submit(
                    read_again,
                    info,
                    callback=lambda read: self._client.deliver(
                        lambda: self._read(at, read)
                    ),
                )

    def _read(self, at: tuple[float, float], done: Future[Any]) -> None:
        """Take values that had to be read again."""
        self._is_reading = False
        if self._client.is_closed or self._hover is None:
            return
        if self._hover != at:
            self.hover(self._hover)
        elif not done.cancelled() and done.exception() is None:
            self.picked.emit(done.result())

    def pick(self, x: float, y: float) -> Future[Any]:
        """Find out what is under a pixel.

        Parameters
        ----------
        x : float
            Column, logical pixels.
        y : float
            Row, logical pixels.
        """
        return self._client.ask(lambda drawer: drawer.pick(x, y))

    def set_centre_at(self, x: float, y: float) -> None:
        """Make what is under a pixel the centre of rotation.

        Parameters
        ----------
        x : float
            Column, logical pixels.
        y : float
            Row, logical pixels.
        """

        def centre(done: Future[Any]) -> None:
            info = None if done.exception() else done.result()
            if info is not None and not self._client.is_closed:
                self._client.deliver(lambda: self._centre_on(info.world))

        self.pick(x, y).add_done_callback(centre)

    def _centre_on(self, point: Vec3) -> None:
        if self._framing.camera is not None and not self._client.is_closed:
            self._framing.move_to(set_centre(self._framing.camera, point))


@cache
def _reader() -> AsynchronousDataSlicer:
    """Return the thread that reads values under the cursor again."""
    return AsynchronousDataSlicer(1, name="brickfield-hover")


def readout(
    info: PickInfo, ports: Sequence[LayerPort], unit: str = ""
) -> tuple[str, ...]:
    """Say value, place and resolution, the same in shorter and shorter forms.

    Parameters
    ----------
    info : PickInfo
    ports : sequence of LayerPort
        All layers; they are named when several can be seen.
    unit : str
        Of world coordinates.

    Returns
    -------
    tuple of str
        For example ``nuclei 1024, cells label 12 at (z 1.0, y 2.0, x 3.0 µm) · full
        resolution``: every visible layer that reaches there, then with less and less
        of the place, at last the picked layer alone, ``label 12 · 1.0, 2.0, 3.0``.
        Flat data have no z. Empty when the layer is gone.
    """
    port = port_of(info, ports)
    if port is None:
        return ()
    axes = "yx" if are_flat(p.data for p in ports) else "zyx"
    voxel_size = _voxel_size(port, info.level)
    place = coordinates(info.world, unit, voxel_size=voxel_size, axes=axes)
    numbers = ", ".join(part.split()[1] for part in place.strip("()").split(", "))
    level = LevelNames.of([port.data.store.pyramid]).resolution(info.level)
    head = _value(info, port)
    texts = (
        f"{head} at {place}{words.DOT}{level}",
        f"{head} at {place}",
        f"{head}{words.DOT}{numbers}",
    )
    is_alone = sum(other.visible for other in ports) < 2
    if is_alone:
        return texts
    named = _named(info, ports)
    return (
        f"{named} at {place}{words.DOT}{level}",
        f"{named} at {place}",
        f"{named}{words.DOT}{numbers}",
        named,
        f"{port.name}: {texts[0]}",
        *texts,
    )


def _named(info: PickInfo, ports: Sequence[LayerPort]) -> str:
    """Say the value of every layer at a place, in the order of the layer list."""
    found = [(port_of(one, ports), one) for one in (info, *info.others)]
    known = [(port, one) for port, one in found if port is not None]
    known.sort(key=lambda pair: list(ports).index(pair[0]))
    return ", ".join(f"{port.name} {_value(one, port)}" for port, one in known)


def _value(info: PickInfo, port: LayerPort) -> str:
    if info.forgotten and all(value is None for value in info.values):
        return "reading…"
    return words.value_of(info.values, is_labels=port.is_labels)


def is_forgotten(info: PickInfo) -> bool:
    """Whether the picture shows values that are no longer in memory."""
    return any(one.forgotten for one in (info, *info.others))


def read_again(info: PickInfo) -> PickInfo:
    """Read the values that are no longer in memory; waits for the storage.

    Parameters
    ----------
    info : PickInfo

    Returns
    -------
    PickInfo
        With None for what cannot be read.
    """
    others = tuple(map(read_again, info.others))
    if not info.forgotten:
        return replace(info, others=others)
    z, y, x = info.voxel
    box = ((z, y, x), (z + 1, y + 1, x + 1))
    store, values = info.layer.store, list(info.values)
    for i, selection in enumerate(info.forgotten):
        if selection is not None:
            with suppress(BrickfieldError):
                values[i] = store.read(info.level, box, selection)[0, 0, 0]
    return replace(info, values=tuple(values), forgotten=(), others=others)


def port_of(info: PickInfo, ports: Sequence[LayerPort]) -> LayerPort | None:
    """Return the port of the layer that was picked.

    The picture was drawn of a copy: the same store and the same selections say
    whose it is, and of two that share both, the last is on top.

    Parameters
    ----------
    info : PickInfo
    ports : sequence of LayerPort
        Lowest first.
    """
    for port in reversed(ports):
        layer = port.data
        if (
            port.visible
            and layer.store is info.layer.store
            and tuple(layer.selections) == tuple(info.layer.selections)
        ):
            return port
    return None


def _voxel_size(port: LayerPort, level: int) -> Vec3:
    """Extent of a level's voxel along the world's axes."""
    per_level_0 = np.abs(port.data.world.matrix[:3, :3])
    size = per_level_0 @ port.data.store.pyramid.downscale[level]
    z, y, x = (float(v) for v in size)
    return (z, y, x)
