"""Chunks by name: what is drawn or resident, and what a plan names.

A camera change compares thousands of names, but a few of them differ, and fewer are
drawn. So all that is compared is ascending arrays of chunk keys, by plane, and a name,
a pair of plane and key, is made only for a chunk that something is done with. Render
thread only.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Collection, Iterable, Iterator, Mapping
from collections.abc import Set as AbstractSet
from itertools import repeat
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from brickfield.model import ChunkKey

Name = tuple[int, ChunkKey]
"""Plane (which selection of the non-spatial axes) and chunk key."""
Keys = NDArray[np.int64]
T = TypeVar("T")
_BITS = 2
_NO_KEYS: Keys = np.empty(0, dtype=np.int64)


def is_in(values: Keys, wanted: Keys) -> NDArray[np.bool_]:
    """Tell which of `wanted` (any shape) are among `values` (ascending)."""
    if not len(values):
        return np.zeros(wanted.shape, dtype=np.bool_)
    at = np.searchsorted(values, wanted)
    at[at == len(values)] = 0
    return np.asarray(values[at] == wanted)


def named_among(names: Collection[Name], plane: int, keys: Keys) -> list[Name]:
    """List those of a few names that are of one plane and of many keys.

    Parameters
    ----------
    names : collection of Name
    plane : int
    keys : ndarray, shape (n,), int64
        Ascending.
    """
    own = [name for name in names if name[0] == plane]
    if not own:
        return []
    is_there = is_in(keys, np.array([key for _, key in own], dtype=np.int64))
    return [own[row] for row in np.flatnonzero(is_there).tolist()]


class NameSet(AbstractSet[Name]):
    """A set of names that come and go one by one, and are looked up by thousands.

    Parameters
    ----------
    names : iterable of Name, optional
    """

    __slots__ = ("_arrays", "_changed", "_names")

    def __init__(self, names: Iterable[Name] = ()) -> None:
        self._names: set[Name] = set()
        self._arrays: dict[int, Keys] = {}
        # Of each plane, since its array was made: what is in the set now came.
        self._changed: dict[int, list[ChunkKey]] = {}
        for name in names:
            self.add(name)

    @classmethod
    def _from_iterable(cls, it: Iterable[T]) -> set[T]:
        # Of `&`, `|` and `-`: what comes out is compared with sets.
        return set(it)

    def __contains__(self, name: object) -> bool:
        return name in self._names

    def __iter__(self) -> Iterator[Name]:
        return iter(self._names)

    def __len__(self) -> int:
        return len(self._names)

    def add(self, name: Name) -> None:
        """Take a chunk in."""
        self._names.add(name)
        self._note(name)

    def discard(self, name: Name) -> None:
        """Take a chunk out, if it is there."""
        self._names.discard(name)
        self._note(name)

    def _note(self, name: Name) -> None:
        changed = self._changed.get(name[0])
        if changed is None:
            changed = self._changed[name[0]] = []
        changed.append(name[1])

    def clear(self) -> None:
        """Take everything out."""
        self._names.clear()
        self._changed.clear()
        self._arrays.clear()

    def array(self, plane: int) -> Keys:
        """Return the keys of one plane, ascending, shape (n,), int64."""
        if self._changed:
            self.settle()
        return self._arrays.get(plane, _NO_KEYS)

    def settle(self) -> None:
        """Bring the arrays up to date, which is done when one is asked for at the latest."""
        for plane, keys in self._changed.items():
            changed = np.array(sorted(set(keys)), dtype=np.int64)
            names = zip(repeat(plane), changed.tolist())
            is_here = [name in self._names for name in names]
            old = self._arrays.get(plane, _NO_KEYS)
            both = np.concatenate([old[~is_in(changed, old)], changed[is_here]])
            # A stable sort merges two ascending runs.
            both.sort(kind="stable")
            self._arrays[plane] = both
        self._changed.clear()


class _Plane:
    """What is named of one plane: codes, which of them are missing, and keys to look in."""

    __slots__ = ("codes", "is_missing", "keys", "listed")

    def __init__(self, codes: Keys) -> None:
        self.codes = codes
        self.keys = codes >> _BITS
        self.is_missing = np.zeros(len(codes), dtype=np.bool_)
        self.listed: list[ChunkKey] | None = None

    def row_of(self, key: ChunkKey) -> int:
        """Find one chunk; -1 if it is not named."""
        if self.listed is None:
            # Single ones are found in a list many times as fast as in an array.
            self.listed = self.keys.tolist()
        row = bisect_left(self.listed, key)
        return row if row < len(self.listed) and self.listed[row] == key else -1

    def carry(self, old: _Plane, gone: Keys, changed: Keys) -> None:
        """Take over what was missing, of the chunks that were named before.

        Parameters
        ----------
        old : _Plane
        gone : ndarray, shape (n,), int64
            Keys that are no longer named, ascending.
        changed : ndarray, shape (m,), int64
            Keys that are new, among others, ascending.
        """
        stays = np.ones(len(old.codes), dtype=np.bool_)
        stays[old.keys.searchsorted(gone)] = False
        was_here = np.ones(len(self.codes), dtype=np.bool_)
        new = changed[~is_in(old.keys, changed)]
        was_here[self.keys.searchsorted(new)] = False
        self.is_missing[was_here] = old.is_missing[stays]


class WantedNames(Mapping[Name, bool]):
    """What a plan names, and which of it is missing; True for leaves at the target.

    A chunk that is not named is never missing.
    """

    __slots__ = ("_planes",)

    def __init__(self) -> None:
        self._planes: dict[int, _Plane] = {}

    def _find(self, name: Name) -> tuple[_Plane, int] | None:
        plane = self._planes.get(name[0])
        row = -1 if plane is None else plane.row_of(name[1])
        return None if plane is None or row < 0 else (plane, row)

    def __getitem__(self, name: Name) -> bool:
        found = self._find(name)
        if found is None:
            raise KeyError(name)
        return bool(found[0].codes[found[1]] & 1)

    def __contains__(self, name: Any) -> bool:
        plane = self._planes.get(name[0])
        return plane is not None and plane.row_of(name[1]) >= 0

    def __iter__(self) -> Iterator[Name]:
        for plane, named in self._planes.items():
            yield from zip(repeat(plane), named.keys.tolist())

    def __len__(self) -> int:
        return sum(len(named.codes) for named in self._planes.values())

    def replace(
        self,
        by_plane: Mapping[int, Keys],
        gone: Mapping[int, Keys],
        changed: Mapping[int, Keys],
    ) -> None:
        """Name other chunks; what stays named is missing as it was, the others are not.

        Parameters
        ----------
        by_plane : mapping of int to ndarray
            Codes of each plane (see :mod:`brickfield.gpu.wanted`), ascending.
        gone : mapping of int to ndarray
            Keys that are no longer named, by plane.
        changed : mapping of int to ndarray
            Codes that are new or have other bits, by plane.
        """
        before, self._planes = self._planes, {}
        for plane, codes in by_plane.items():
            named = self._planes[plane] = _Plane(codes)
            came = changed.get(plane, _NO_KEYS) >> _BITS
            if plane in before:
                named.carry(before[plane], gone.get(plane, _NO_KEYS), came)

    def set_missing(self, name: Name, *, is_missing: bool) -> None:
        """Note whether a chunk is missing; nothing happens if it is not named.

        Parameters
        ----------
        name : Name
        is_missing : bool
        """
        found = self._find(name)
        if found is not None:
            found[0].is_missing[found[1]] = is_missing

    def set_all_missing(self, plane: int, keys: Keys, *, is_missing: bool) -> None:
        """Note whether named chunks of one plane are missing.

        Parameters
        ----------
        plane : int
        keys : ndarray, shape (n,), int64
        is_missing : bool
        """
        if len(keys):
            named = self._planes[plane]
            named.is_missing[named.keys.searchsorted(keys)] = is_missing

    def missing_of(self, plane: int) -> Keys:
        """Return the keys of one plane that are missing, ascending, shape (n,)."""
        named = self._planes.get(plane)
        return _NO_KEYS if named is None else named.keys[named.is_missing]

    def is_missing(self, name: Name) -> bool:
        """Tell whether a chunk is named and missing."""
        found = self._find(name)
        return found is not None and bool(found[0].is_missing[found[1]])

    @property
    def n_missing(self) -> int:
        """How many of the chunks are missing."""
        planes = self._planes.values()
        return sum(int(np.count_nonzero(named.is_missing)) for named in planes)

    @property
    def planes(self) -> list[int]:
        """The planes of which something is named."""
        return list(self._planes)

    def clear(self) -> None:
        """Name nothing."""
        self._planes.clear()


class MissingNames(AbstractSet[Name]):
    """The missing chunks of what a plan names, as they are now and later.

    Parameters
    ----------
    wanted : WantedNames
    """

    __slots__ = ("_wanted",)

    def __init__(self, wanted: WantedNames) -> None:
        self._wanted = wanted

    @classmethod
    def _from_iterable(cls, it: Iterable[T]) -> set[T]:
        return set(it)

    def __contains__(self, name: Any) -> bool:
        return self._wanted.is_missing(name)

    def __iter__(self) -> Iterator[Name]:
        for plane in self._wanted.planes:
            yield from zip(repeat(plane), self.array(plane).tolist())

    def __len__(self) -> int:
        return self._wanted.n_missing

    def array(self, plane: int) -> Keys:
        """Return the keys of one plane, ascending, shape (n,), int64."""
        return self._wanted.missing_of(plane)
