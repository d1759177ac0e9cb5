"""Coordinate systems and the transformations that lead from one to another.

Systems are the nodes of a graph and transformations its edges, each of which may be
gone both ways where it can be inverted. A system is known by the path of the image
that it belongs to, inside the store, and its name.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import ArrayLike

from brickfield.errors import OptionError, StoreFormatError
from brickfield.sources.coordinates import affine_map
from brickfield.sources.coordinates.affine_map import F64
from brickfield.sources.coordinates.parse import Ways

Key = tuple[str, str]
"""Path of an image inside the store (empty for the root) and name of the system."""
_EQUAL = 1e-6
_MOST_PATHS = 16


@dataclass(frozen=True)
class CoordinateSystem:
    """A named set of axes.

    Attributes
    ----------
    path : str
        Of the image that it belongs to, inside the store; empty for the root.
    name : str
    axes : tuple of str
        In the order of coordinates.
    kinds : tuple of str
        ``"space"``, ``"time"``, ``"channel"`` or others, one for each axis.
    is_array : bool
        Whether it is that of the indices of a stored array.
    """

    path: str
    name: str
    axes: tuple[str, ...]
    kinds: tuple[str, ...] = ()
    is_array: bool = False

    @property
    def key(self) -> Key:
        """What the graph knows it by."""
        return self.path, self.name

    @property
    def full_name(self) -> str:
        """Path and name with a slash between them; the name alone at the root."""
        return f"{self.path}/{self.name}" if self.path else self.name


@dataclass(frozen=True)
class Edge:
    """A transformation between two systems.

    Attributes
    ----------
    source, target : tuple of (str, str)
    ways : Ways or None
        None where it cannot be expressed by a matrix.
    problem : str
        The sentence that says why `ways` is None.
    where : str
        Place in the metadata.
    """

    source: Key
    target: Key
    ways: Ways | None
    problem: str = ""
    where: str = ""


@dataclass
class CoordinateGraph:
    """All coordinate systems of a store. One thread.

    Attributes
    ----------
    systems : dict of (str, str) to CoordinateSystem
        In the order in which the file lists them.
    edges : list of Edge
    """

    systems: dict[Key, CoordinateSystem] = field(default_factory=dict)
    edges: list[Edge] = field(default_factory=list)

    def find(self, name: str) -> CoordinateSystem:
        """Find the system that the user names.

        Parameters
        ----------
        name : str
            ``NAME`` for a system of the root or one whose name no other has, else
            ``PATH/NAME``.

        Raises
        ------
        OptionError
            If there is none, or more than one.
        """
        if ("", name) in self.systems:
            return self.systems["", name]
        found = [s for s in self.systems.values() if s.full_name == name]
        found = found or [s for s in self.systems.values() if s.name == name]
        names = [s.full_name for s in found or self.systems.values()]
        listed = ", ".join(names[:20]) + (" and others" if len(names) > 20 else "")
        if not found:
            msg = (
                f"expected one of the coordinate systems {listed or '(there are none)'};"
                f" found {name!r}"
            )
            raise OptionError(msg)
        if len(found) > 1:
            msg = f"expected the name of one coordinate system out of {listed}; found {name!r}"
            raise OptionError(msg)
        return found[0]

    def between(self, source: Key, target: Key) -> F64:
        """Return the map from one system to another, along the shortest path.

        Of paths of one length the one goes first whose transformations are listed
        first.

        Parameters
        ----------
        source : Key
            Key of a system.
        target : Key
            Key of a system.

        Returns
        -------
        ndarray, shape (m, n + 1)
            From the n axes of `source` to the m axes of `target`.

        Raises
        ------
        StoreFormatError
            If no path of usable transformations leads there.
        """
        paths = self._shortest(source, target)
        if paths:
            return self._along(source, paths[0])
        start, end = self._name(source), self._name(target)
        if problem := self._in_the_way(source, target):
            msg = (
                f"expected a usable transformation from {start!r} to {end!r}; {problem}"
            )
            raise StoreFormatError(msg)
        msg = (
            f"expected transformations that lead from {start!r} to {end!r}; found no path"
            " between them that can be followed in this direction"
        )
        raise StoreFormatError(msg)

    def all_to(self, target: Key) -> dict[Key, F64]:
        """Return the maps to one system from every system that leads there.

        The same as :meth:`between` for each, in one walk through the graph.

        Returns
        -------
        dict of (str, str) to ndarray, shape (m, n + 1)
        """
        into: dict[Key, list[tuple[Key, F64]]] = {}
        for source, steps in self._steps().items():
            for there, matrix in steps:
                into.setdefault(there, []).append((source, matrix))
        found = {target: affine_map.identity(len(self.systems[target].axes))}
        waiting = deque([target])
        while waiting:
            here = waiting.popleft()
            for source, matrix in into.get(here, ()):
                if source not in found:
                    found[source] = affine_map.then(matrix, found[here])
                    waiting.append(source)
        return found

    def map_points(
        self, points: ArrayLike, source: CoordinateSystem, target: CoordinateSystem
    ) -> F64:
        """Map points from one system to another.

        Parameters
        ----------
        points : array-like, shape (..., n)
            In the axis order of `source`.
        source, target : CoordinateSystem

        Returns
        -------
        ndarray, shape (..., m), float64
            In the axis order of `target`.

        Raises
        ------
        StoreFormatError
            If no path of usable transformations leads there.
        """
        return affine_map.apply(self.between(source.key, target.key), points)

    def has_path(self, source: Key, target: Key) -> bool:
        """Whether usable transformations lead from one system to another.

        Parameters
        ----------
        source : Key
            Key of a system.
        target : Key
            Key of a system.
        """
        return bool(self._shortest(source, target))

    def is_ambiguous(self, source: Key, target: Key) -> bool:
        """Whether paths of the shortest length lead to different places.

        Parameters
        ----------
        source : Key
            Key of a system.
        target : Key
            Key of a system.
        """
        paths = self._shortest(source, target)
        if len(paths) < 2:
            return False
        first, *others = (self._along(source, path) for path in paths)
        slack = _EQUAL * max(1.0, float(np.abs(first).max()))
        return any(np.abs(first - other).max() > slack for other in others)

    def _shortest(self, source: Key, target: Key) -> list[tuple[F64, ...]]:
        """Return the maps of the paths of the shortest length, at most 16."""
        steps = self._steps()
        distance = {source: 0}
        before: dict[Key, list[tuple[Key, F64]]] = {source: []}
        waiting = deque([source])
        while waiting:
            here = waiting.popleft()
            for there, matrix in steps.get(here, ()):
                if there not in distance:
                    distance[there] = distance[here] + 1
                    before[there] = []
                    waiting.append(there)
                if distance[there] == distance[here] + 1:
                    before[there].append((here, matrix))
        if target not in distance:
            return []
        return _paths_back(source, target, before)

    def _along(self, source: Key, path: Sequence[F64]) -> F64:
        result = affine_map.identity(len(self.systems[source].axes))
        for matrix in path:
            result = affine_map.then(result, matrix)
        return result

    def _steps(self) -> dict[Key, list[tuple[Key, F64]]]:
        """Return where each system leads, both ways, in the order of the edges."""
        steps: dict[Key, list[tuple[Key, F64]]] = {}
        for edge in self.edges:
            if edge.ways is None:
                continue
            forward, backward = edge.ways.forward, edge.ways.backward
            steps.setdefault(edge.source, []).append((edge.target, forward))
            if backward is not None:
                steps.setdefault(edge.target, []).append((edge.source, backward))
        return steps

    def _in_the_way(self, source: Key, target: Key) -> str:
        """Return why a transformation without which there is no path is unusable."""
        steps: dict[Key, list[tuple[Key, str]]] = {}
        for edge in self.edges:
            steps.setdefault(edge.source, []).append((edge.target, edge.problem))
            steps.setdefault(edge.target, []).append((edge.source, edge.problem))
        reached = {source}
        waiting = deque([(source, "")])
        while waiting:
            here, problem = waiting.popleft()
            if here == target:
                return problem
            for there, own in steps.get(here, ()):
                if there not in reached:
                    reached.add(there)
                    waiting.append((there, problem or own))
        return ""

    def _name(self, key: Key) -> str:
        return self.systems[key].full_name if key in self.systems else "/".join(key)


def _paths_back(
    source: Key, target: Key, before: dict[Key, list[tuple[Key, F64]]]
) -> list[tuple[F64, ...]]:
    """Walk back from the end; every step that is listed leads to the start."""
    found: list[tuple[F64, ...]] = []
    open_ends: list[tuple[Key, tuple[F64, ...]]] = [(target, ())]
    while open_ends and len(found) < _MOST_PATHS:
        here, after = open_ends.pop()
        if here == source:
            found.append(after)
            continue
        open_ends += [(key, (m, *after)) for key, m in reversed(before[here])]
    return found
