"""Tiles of a mosaic moved, turned, left out and taken back by hand.

Invariant: where tiles lie and which are shown is the store's alone. What is done here is
a step of the scene's history, which undo and redo carry out on the same store. Main
thread only.
"""

from __future__ import annotations

import weakref
from collections.abc import Iterable, Mapping
from itertools import product
from math import cos, radians, sin

import numpy as np
from numpy.typing import NDArray

from brickfield.model import AffineTransform, CameraState, Vec3
from brickfield.store import MosaicStore
from brickfield.viewer.controls.tile_colours import (
    colour_tiles,
    look_in,
    ways_to_colour,
)
from brickfield.viewer.live import LayerPort, ScenePort, history_of

F64 = NDArray[np.float64]
AXES = ("z", "y", "x")
BOX_EDGES = tuple(
    (a, b) for a, b in product(range(8), repeat=2) if a < b and (a ^ b).bit_count() == 1
)
"""Pairs of corners of a box that an edge joins."""


class MosaicTiles:
    """The tiles of one mosaic, as a hand moves them.

    Parameters
    ----------
    store : MosaicStore
        Held weakly.
    scene : ScenePort
        Whose history takes the steps; held weakly.

    Attributes
    ----------
    places : mapping of str to AffineTransform
        Writing it moves the tiles that it names.
    shown : mapping of str to bool
        Writing it takes in or leaves out the tiles that it names.
    """

    def __init__(self, store: MosaicStore, scene: ScenePort) -> None:
        self._store = weakref.ref(store)
        self._scene = weakref.ref(scene)

    @property
    def store(self) -> MosaicStore:
        """The mosaic.

        Raises
        ------
        ReferenceError
            If it is gone.
        """
        store = self._store()
        if store is None:
            msg = "expected a mosaic; found that it is gone"
            raise ReferenceError(msg)
        return store

    @property
    def is_closed(self) -> bool:
        """Whether there is nothing to move any more."""
        store = self._store()
        return store is None or store.is_closed

    @property
    def names(self) -> list[str]:
        """Of all tiles, in their order."""
        return [place.name for place in self.store.places]

    # What history writes back.

    @property
    def places(self) -> Mapping[str, AffineTransform]:
        """Where each tile lies: voxel index of level 0 to world."""
        return {place.name: place.matrix for place in self.store.places}

    @places.setter
    def places(self, value: Mapping[str, AffineTransform]) -> None:
        self.store.put(value)

    @property
    def shown(self) -> Mapping[str, bool]:
        """Which tiles are part of the mosaic."""
        return {name: self.store.is_shown(name) for name in self.names}

    @shown.setter
    def shown(self, value: Mapping[str, bool]) -> None:
        for state in (True, False):
            self.store.show(
                *(n for n, is_on in value.items() if is_on is state), is_shown=state
            )

    # -- colours -----------------------------------------------------------------

    @property
    def ways_to_colour(self) -> list[str]:
        """By what the tiles can be told apart: each, or an attribute that differs."""
        return ways_to_colour(self.store)

    @property
    def colour_by(self) -> str | None:
        """By what they are coloured in the scene; None where they are as they are.

        Setting it shows layers in colours in place of the mosaic, or takes them back.
        An attribute that no tile has raises OptionError.
        """
        scene = self._scene()
        look = None if scene is None else look_in(scene, self.store)
        return None if look is None else look.colour_by

    @colour_by.setter
    def colour_by(self, value: str | None) -> None:
        scene = self._scene()
        if scene is not None:
            colour_tiles(scene, self.store, value)

    # -- acts --------------------------------------------------------------------

    def move(
        self, places: Mapping[str, AffineTransform], *, is_going_on: bool = False
    ) -> None:
        """Put tiles elsewhere, as a step that can be undone.

        Parameters
        ----------
        places : mapping of str to AffineTransform
        is_going_on : bool
            Whether it is a part of a drag.

        Raises
        ------
        OptionError
            If one of them cannot be there; then none has moved.
        """
        before = {name: self.store.place_of(name).matrix for name in places}
        if before == dict(places):
            return
        self.store.put(places)
        self._record("places", before, dict(places), is_going_on=is_going_on)

    def shift(self, names: Iterable[str], by: Vec3) -> None:
        """Shift tiles.

        Parameters
        ----------
        names : iterable of str
        by : tuple of float
            World units (z, y, x).

        Raises
        ------
        OptionError
            If one of them cannot be there; then none has moved.
        """
        self.move(shifted({n: self.store.place_of(n).matrix for n in names}, by))

    def drag(
        self, begun: Mapping[str, AffineTransform], by: Vec3, layer: LayerPort
    ) -> None:
        """Shift tiles from where they were when a drag began.

        Parameters
        ----------
        begun : mapping of str to AffineTransform
            Where they were.
        by : tuple of float
            World units of the scene (z, y, x).
        layer : LayerPort
            That shows the mosaic.

        Raises
        ------
        OptionError
            If the mosaic would get too large to be drawn; then none has moved.
        """
        if not begun:
            return
        back = to_layer_world(layer).inverse.matrix[:3, :3]
        z, y, x = (back @ by).tolist()
        self.move(shifted(begun, (z, y, x)), is_going_on=True)

    def shift_of(self, name: str) -> Vec3:
        """Return how far the middle of a tile is from where the file has it, world."""
        place = self.store.place_of(name)
        middle = (np.array(place.shape) - 1) / 2
        first = AffineTransform.from_matrix(self.store.first_matrix(name))
        z, y, x = (place.matrix.apply(middle) - first.apply(middle)).tolist()
        return (z, y, x)

    def turn(self, names: Iterable[str], axis: str, degrees: float) -> None:
        """Turn tiles together, about the middle of the box round them.

        Parameters
        ----------
        names : iterable of str
        axis : {"z", "y", "x"}
            Of the world. About z +x goes to +y, about x +y to +z, about y +z to +x.
        degrees : float

        Raises
        ------
        OptionError
            If one of them cannot be there; then none has moved.
        """
        places = {n: self.store.place_of(n) for n in names}
        if not places:
            return
        boxes = np.array([place.box() for place in places.values()])
        middle = (boxes[:, 0].min(axis=0) + boxes[:, 1].max(axis=0)) / 2
        turn = turned_about(middle, axis, degrees)
        self.move({n: turn @ place.matrix for n, place in places.items()})

    def reset(self, names: Iterable[str]) -> None:
        """Put tiles back where the file has them."""
        first = {n: self.store.first_matrix(n) for n in names}
        self.move({n: AffineTransform.from_matrix(m) for n, m in first.items()})

    def show(self, names: Iterable[str], *, is_shown: bool) -> None:
        """Take tiles into the mosaic, or leave them out."""
        self._show(dict.fromkeys(names, is_shown))

    def solo(self, names: Iterable[str]) -> None:
        """Show these tiles alone."""
        alone = set(names)
        self._show({name: name in alone for name in self.names})

    def _show(self, wanted: Mapping[str, bool]) -> None:
        changed = {n: v for n, v in wanted.items() if self.store.is_shown(n) != v}
        if changed:
            self.shown = changed
            before = {name: not value for name, value in changed.items()}
            self._record("shown", before, changed, is_going_on=False)

    def _record(
        self, name: str, before: object, after: object, *, is_going_on: bool
    ) -> None:
        scene = self._scene()
        if scene is not None:
            history = history_of(scene)
            history.record(self, name, before, after, is_going_on=is_going_on)


def shifted(
    places: Mapping[str, AffineTransform], by: Vec3
) -> dict[str, AffineTransform]:
    """Return places shifted by world units (z, y, x).

    Parameters
    ----------
    places : mapping of str to AffineTransform
    by : tuple of float
    """
    shift = AffineTransform.from_scale((1.0, 1.0, 1.0), by)
    return {name: shift @ matrix for name, matrix in places.items()}


def turned_about(middle: F64, axis: str, degrees: float) -> AffineTransform:
    """Return a turn about an axis of the world through a point.

    Parameters
    ----------
    middle : ndarray, shape (3,)
        World (z, y, x).
    axis : {"z", "y", "x"}
    degrees : float
    """
    c, s = cos(radians(degrees)), sin(radians(degrees))
    first, second = {"z": (2, 1), "x": (1, 0), "y": (0, 2)}[axis]
    matrix = np.eye(4)
    matrix[first, first] = matrix[second, second] = c
    matrix[second, first], matrix[first, second] = s, -s
    matrix[:3, 3] = middle - matrix[:3, :3] @ middle
    return AffineTransform.from_matrix(matrix)


def mosaic_of(layer: LayerPort) -> MosaicStore | None:
    """Return the mosaic that a layer shows; None for any other image."""
    store = layer.data.store
    return store if isinstance(store, MosaicStore) else None


def to_layer_world(layer: LayerPort) -> AffineTransform:
    """Return what leads from the world of a mosaic to that of the scene."""
    data = layer.data
    return data.world @ data.store.info.world.inverse


def corners_of_tile(layer: LayerPort, name: str) -> F64:
    """Return the corners of a tile, shape (8, 3), (z, y, x), world of the scene.

    Parameters
    ----------
    layer : LayerPort
        Of a mosaic.
    name : str
    """
    store = mosaic_of(layer)
    assert store is not None
    place = store.place_of(name)
    edges = [(-0.5, n - 0.5) for n in place.shape]
    whole = to_layer_world(layer) @ place.matrix
    return whole.apply(np.array(list(product(*edges))))


def gone_in_picture(
    camera: CameraState, point: F64, move_px: tuple[float, float]
) -> Vec3:
    """Return the way of the world that a drag in the plane of the picture is.

    Parameters
    ----------
    camera : CameraState
    point : ndarray, shape (3,)
        What is dragged, world (z, y, x).
    move_px : tuple of float
        Columns and rows, pixels of the camera.
    """
    clip = camera.world_to_clip @ np.append(point, 1.0)
    width, height = camera.viewport
    goal = clip.copy()
    goal[0] += 2 * move_px[0] / width * clip[3]
    goal[1] -= 2 * move_px[1] / height * clip[3]
    there = np.linalg.solve(camera.world_to_clip, goal)
    z, y, x = (there[:3] / there[3] - point).tolist()
    return (z, y, x)
