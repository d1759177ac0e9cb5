"""The registrations of all views of a project, as arrays.

A project may have 100,000 views: whatever is asked of every matrix is asked of all of
them at once.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from brickfield.model import AffineTransform, Vec3

F64 = NDArray[np.float64]
Bools = NDArray[np.bool_]
View = tuple[int, int]
_ZYX = [2, 1, 0, 3]
_MOST_SINGULAR = 1e12
_NUMBERS = 12


@dataclass(frozen=True)
class ViewMaps:
    """From voxel index to world, of every view that has a registration.

    Attributes
    ----------
    rows : dict of (time, setup) to int
        Where a view stands in `matrices`.
    matrices : ndarray, shape (n, 4, 4)
        On columns (z, y, x, 1); not-a-number where the file has no 12 numbers.
    """

    rows: dict[View, int]
    matrices: F64

    @classmethod
    def of(cls, views: Iterable[tuple[View, Sequence[str]]]) -> ViewMaps:
        """Compose the maps of all views.

        Parameters
        ----------
        views : iterable of ((time, setup), sequence of str)
            With the texts of a view's affine maps on (x, y, z), the last one applied
            first. Of a view that is listed twice the last entry counts.
        """
        rows: dict[View, int] = {}
        numbers: list[list[float]] = []
        owners: list[list[int]] = []
        for i, (view, texts) in enumerate(views):
            rows[view] = i
            owners += [[] for _ in texts[len(owners) :]]
            for owner in owners[: len(texts)]:
                owner.append(i)
            numbers += map(_twelve, texts)
        n = 1 + max(rows.values(), default=-1)
        whole = np.broadcast_to(np.eye(4), (n, 4, 4)).copy()
        parts = np.zeros((len(numbers), 4, 4))
        parts[:, :3] = np.array(numbers).reshape(-1, 3, 4)
        parts[:, 3, 3] = 1.0
        # Where the parts of a view begin, and then one part further for each depth.
        counts = np.bincount(np.concatenate([[], *owners]).astype(int), minlength=n)
        begins = np.cumsum(counts) - counts
        for depth, listed in enumerate(owners):
            at = np.array(listed)
            with np.errstate(over="ignore", invalid="ignore"):
                whole[at] = whole[at] @ parts[begins[at] + depth]
        return cls(rows, whole[:, _ZYX][:, :, _ZYX])

    @cached_property
    def is_singular(self) -> Bools:
        """Whether each matrix maps onto a plane or has numbers that are none, shape (n,)."""
        result: Bools = np.logical_not(np.isfinite(self.matrices).all(axis=(1, 2)))
        linear = self.matrices[:, :3, :3]
        with np.errstate(over="ignore", invalid="ignore"):
            size = np.linalg.norm(linear, axis=1)
        result |= ~(np.isfinite(size).all(axis=1) & size.all(axis=1))
        rest = np.flatnonzero(~result)
        result[rest] = np.linalg.cond(linear[rest] / size[rest, None]) > _MOST_SINGULAR
        return result

    @cached_property
    def _sizes(self) -> F64:
        """Voxel sizes (z, y, x), shape (n, 3)."""
        with np.errstate(over="ignore", invalid="ignore"):
            result: F64 = np.linalg.norm(self.matrices[:, :3, :3], axis=1)
        return result

    @cached_property
    def _is_box(self) -> Bools:
        """Whether each matrix only stretches and shifts, shape (n,)."""
        size = self._sizes
        boxes = np.zeros((len(size), 3, 3))
        boxes[:, range(3), range(3)] = size
        slack = 1e-9 * size.max(axis=1, initial=0.0)[:, None, None] + 1e-5 * boxes
        near = np.abs(self.matrices[:, :3, :3] - boxes) <= slack
        result: Bools = near.all(axis=(1, 2))
        return result

    def usable(self) -> dict[View, AffineTransform]:
        """Return the maps of all views whose registrations can be inverted."""
        singular = self.is_singular.tolist()
        listed = self.matrices[:, :3].tolist()
        return {
            view: _affine(listed[row])
            for view, row in self.rows.items()
            if not singular[row]
        }

    def firsts(self, times: Sequence[int]) -> dict[int, int | None]:
        """Return the row of each setup's first usable map; None where none is usable.

        Parameters
        ----------
        times : sequence of int
            In order; maps of other times do not count.
        """
        ranks = {time: i for i, time in enumerate(times)}
        singular = self.is_singular.tolist()
        found: dict[int, int | None] = {}
        best: dict[int, int] = {}
        for (time, setup), row in self.rows.items():
            rank = ranks.get(time)
            if rank is None:
                continue
            found.setdefault(setup, None)
            if not singular[row] and rank < best.get(setup, len(times)):
                best[setup], found[setup] = rank, row
        return found

    def parted(self, row: int) -> tuple[Vec3, Vec3, AffineTransform | None]:
        """Part a map into voxel size, translation and the rest, all (z, y, x).

        Parameters
        ----------
        row : int
        """
        z, y, x = self._sizes[row].tolist()
        matrix = self.matrices[row]
        if self._is_box[row]:
            at_z, at_y, at_x = matrix[:3, 3].tolist()
            return (z, y, x), (at_z, at_y, at_x), None
        rest = matrix[:3].copy()
        rest[:, :3] /= self._sizes[row]
        return (z, y, x), (0.0, 0.0, 0.0), _affine(rest.tolist())

    def moving(self) -> frozenset[int]:
        """Return the setups whose registrations differ from time to time."""
        first: dict[int, int] = {}
        setups, ones, others = [], [], []
        for (_, setup), row in self.rows.items():
            known = first.setdefault(setup, row)
            if known != row:
                setups.append(setup)
                ones.append(known)
                others.append(row)
        one, other = self.matrices[ones], self.matrices[others]
        is_far = ~np.asarray(np.isclose(other, one)).all(axis=(1, 2))
        return frozenset(setups[i] for i in np.flatnonzero(is_far).tolist())


def _affine(rows: list[list[float]]) -> AffineTransform:
    (a, b, c, d), (e, f, g, h), (i, j, k, m) = rows
    return AffineTransform(((a, b, c, d), (e, f, g, h), (i, j, k, m)))


def _twelve(text: str) -> list[float]:
    """Read the numbers of a map; not-a-number where the text holds no twelve."""
    try:
        values = [float(v) for v in text.split()]
    except ValueError:
        values = []
    return values if len(values) == _NUMBERS else [np.nan] * _NUMBERS
