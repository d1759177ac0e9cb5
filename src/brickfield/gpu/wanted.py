"""What a plan names of the chunks of one layer, as sorted arrays.

Most of a plan is as the one before: only what differs shall cost anything. So a plan
is kept as one sorted array of *codes* for each plane, and two plans are compared by
whole-array operations. A code is a chunk key followed by two bits: whether the
chunk is a leaf that reaches the target error, and whether it is known to hold nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet

import numpy as np
from numpy.typing import NDArray

from brickfield.gpu.layout import cells_over
from brickfield.gpu.names import Name, is_in
from brickfield.gpu.page_table import PageTable
from brickfield.model import INDEX_BITS, Pyramid

Codes = NDArray[np.int64]
IS_TARGET = 1
IS_CONSTANT = 2
_BITS = 2
_LEVEL = 3 * INDEX_BITS
_SPARE = 1024
"""Chunks that may be remembered besides twice as many as are drawn."""

_NO_CODES: Codes = np.empty(0, dtype=np.int64)


def codes_of(
    keys: NDArray[np.int64],
    is_target: NDArray[np.bool_],
    constant: NDArray[np.int64] = _NO_CODES,
    *,
    extra: Sequence[int] = (),
) -> Codes:
    """Put what a plan names into one sorted array.

    Parameters
    ----------
    keys : ndarray, shape (n,), int64
        Chunk keys, each once.
    is_target : ndarray, shape (n,), bool
        Which of them are leaves that reach the target error.
    constant : ndarray, shape (m,), int64
        Keys of chunks that hold the fill value everywhere; none of `keys`.
    extra : sequence of int
        Keys that are wanted besides; those that are named already change nothing.

    Returns
    -------
    ndarray, shape (k,), int64
        Ascending by key, each key once.
    """
    parts = [keys << _BITS | is_target, constant << _BITS | IS_TARGET | IS_CONSTANT]
    if extra:
        more = np.unique(np.array(extra, dtype=np.int64))
        parts.append(more[~np.isin(more, np.concatenate([keys, constant]))] << _BITS)
    codes = np.concatenate(parts)
    # A stable sort merges parts that are in order already.
    codes.sort(kind="stable")
    return codes


def keys_of(codes: Codes) -> NDArray[np.int64]:
    """Return the chunk keys of codes, in their order."""
    return codes >> _BITS


class Wanted:
    """What a plan names, by plane.

    Parameters
    ----------
    by_plane : mapping of int to ndarray
        Codes, as of :func:`codes_of`; planes may share one array.
    """

    def __init__(self, by_plane: Mapping[int, Codes]) -> None:
        self.by_plane = dict(by_plane)

    @classmethod
    def of(cls, names: Mapping[Name, bool]) -> Wanted:
        """Make the arrays of named chunks; True for leaves that reach the target."""
        planes: dict[int, list[int]] = {}
        for (plane, key), is_target in names.items():
            planes.setdefault(plane, []).append(key << _BITS | is_target)
        return cls({p: np.array(sorted(codes)) for p, codes in planes.items()})

    def slots(self, n_levels: int) -> list[int]:
        """Count the chunks of every level that may need a slot."""
        need = np.zeros(n_levels, dtype=np.int64)
        for codes in self.by_plane.values():
            keys = keys_of(codes[codes & IS_CONSTANT == 0])
            need += np.bincount(keys >> _LEVEL, minlength=n_levels)
        return need.tolist()

    def changes(self, before: Wanted) -> tuple[dict[int, Codes], dict[int, Codes]]:
        """Compare with what was named before.

        Returns
        -------
        gone : dict of int to ndarray
            Plane to the keys that are no longer named.
        changed : dict of int to ndarray
            Plane to the codes that are new, or whose bits differ.
        """
        gone: dict[int, Codes] = {}
        changed: dict[int, Codes] = {}
        known: dict[tuple[int, int], tuple[Codes, Codes]] = {}
        for plane in self.by_plane.keys() | before.by_plane.keys():
            old = before.by_plane.get(plane, _NO_CODES)
            new = self.by_plane.get(plane, _NO_CODES)
            # Channels mostly share their arrays: they are compared once.
            pair = (id(old), id(new))
            if pair not in known:
                known[pair] = _difference(old, new)
            left, came = known[pair]
            gone |= {plane: left} if len(left) else {}
            changed |= {plane: came} if len(came) else {}
        return gone, changed


def _difference(old: Codes, new: Codes) -> tuple[Codes, Codes]:
    """Return the keys that left and the codes that came, both ascending."""
    both = np.concatenate([old, new])
    # A stable sort merges two ascending runs. What is in one of them alone differs.
    both.sort(kind="stable")
    is_twin = np.zeros(len(both) + 1, dtype=np.bool_)
    np.equal(both[1:], both[:-1], out=is_twin[1:-1])
    single = both[~(is_twin[1:] | is_twin[:-1])]
    is_new = is_in(new, single)
    came, left = single[is_new], single[~is_new]
    keys = keys_of(left)
    # Keys whose bits alone differ stay.
    return keys[~is_in(keys_of(came), keys)], came


class Overdrawn:
    """Drawn chunks that the plan does not name, and which of them were replaced.

    Each pair of such a chunk and a leaf over it is looked at once, when the later of
    the two came. Render thread only.

    Parameters
    ----------
    pyramid : Pyramid
    table : PageTable
        What is drawn.
    """

    def __init__(self, pyramid: Pyramid, table: PageTable) -> None:
        self._pyramid = pyramid
        self._table = table
        self.names: set[Name] = set()
        self._new: set[Name] = set()
        self._new_leaves: set[Name] = set()
        self._known: dict[int, _Beneath] = {}

    def add(self, name: Name, *, is_target: bool | None) -> None:
        """Note a chunk that is drawn from now on, or that is no longer named.

        Parameters
        ----------
        name : (plane, key)
        is_target : bool or None
            Whether the plan wants it as a leaf; None: it does not name it.
        """
        if is_target is None:
            self.names.add(name)
            self._new.add(name)
        elif is_target:
            self._new_leaves.add(name)

    def release(self, names: AbstractSet[Name]) -> None:
        """Note drawn chunks that the plan names no more."""
        self.names |= names
        self._new |= names

    def replaced(self, plan: Wanted, wanted: Mapping[Name, bool]) -> list[Name]:
        """Return chunks that lie below a drawn leaf and have nothing left to show.

        Parameters
        ----------
        plan : Wanted
        wanted : mapping of name to bool
            The same by name.
        """
        if not self._new and not self._new_leaves:
            return []
        new, self._new = self._new & self.names, set()
        # Most leaves have nothing drawn below them; the table knows which.
        leaves = {
            n
            for n in self._new_leaves
            if wanted.get(n, False) and self._table.has_finer(n)
        }
        self._new_leaves.clear()
        found: set[Name] = set()
        for plane in {p for p, _ in new}:
            keys = _keys_in(new, plane)
            codes = plan.by_plane.get(plane, _NO_CODES)
            # Nothing is finer than the finest level: what has most leaves is left out.
            codes = codes[codes.searchsorted(1 << (_LEVEL + _BITS)) :]
            targets = keys_of(codes[codes & IS_TARGET > 0])
            pairs = self._known_of(plane).add(keys, targets)
            found |= {(plane, k) for k, o in pairs if (plane, o) in self._table}
        for plane in {p for p, _ in leaves}:
            below = self._known_of(plane).below(_keys_in(leaves, plane))
            found |= {(plane, k) for k in below.tolist()}
        return list(found & self.names)

    def _known_of(self, plane: int) -> _Beneath:
        known = self._known.get(plane)
        if known is None:
            known = self._known[plane] = _Beneath(self._pyramid)
        elif len(known) > 2 * len(self.names) + _SPARE:
            # Those that are no longer drawn are left out now and then.
            known.keep(_keys_in(self.names, plane))
        return known

    def grow(self, pyramid: Pyramid) -> None:
        """Follow an image that has grown: other cells may lie over some chunks."""
        self._pyramid = pyramid
        for plane in self._known:
            known = self._known[plane] = _Beneath(pyramid)
            known.add(_keys_in(self.names, plane), _NO_CODES)

    def clear(self) -> None:
        """Forget everything: nothing is drawn."""
        self.names.clear()
        self._new.clear()
        self._new_leaves.clear()
        self._known.clear()


class _Beneath:
    """Chunks by the cells over their centres, which never change.

    Of each level these are found when a leaf of that level is first looked for: a plan
    has leaves of few levels.

    Parameters
    ----------
    pyramid : Pyramid
    """

    def __init__(self, pyramid: Pyramid) -> None:
        self._pyramid = pyramid
        self._n = 0
        self._keys = np.empty(_SPARE, dtype=np.int64)
        self._over = np.empty((pyramid.n_levels, _SPARE), dtype=np.int64)
        self._n_found = [0] * pyramid.n_levels

    def __len__(self) -> int:
        return self._n

    def add(self, keys: Codes, leaves: Codes) -> list[tuple[int, int]]:
        """Add chunks; return those with one of some leaves over them, and which.

        Parameters
        ----------
        keys : ndarray, shape (n,), int64
        leaves : ndarray, shape (m,), int64
            Ascending.
        """
        first, self._n = self._n, self._n + len(keys)
        if self._n > len(self._keys):
            # Twice as much at once: mostly a few come, and all would be copied.
            room = ((0, self._n),)
            self._keys = np.pad(self._keys[:first], room)
            self._over = np.pad(self._over[:, :first], ((0, 0), *room))
        self._keys[first : self._n] = keys
        over = self._over_at(_levels_of(leaves), first)
        rows, columns = np.nonzero(is_in(leaves, over))
        pairs = keys[columns].tolist(), over[rows, columns].tolist()
        return list(zip(*pairs, strict=True))

    def _over_at(self, levels: list[int], first: int = 0) -> Codes:
        """Return the cells of some levels over all chunks from `first` on, (m, n)."""
        n = min((self._n_found[level] for level in levels), default=self._n)
        if n < self._n:
            cells = cells_over(self._pyramid, self._keys[n : self._n], levels)
            self._over[levels, n : self._n] = cells
            for level in levels:
                self._n_found[level] = self._n
        return self._over[levels, first : self._n]

    def keep(self, keys: Codes) -> None:
        """Leave out all but some chunks (ascending keys)."""
        known, first = np.unique(self._keys[: self._n], return_index=True)
        rows = np.sort(first[is_in(keys, known)])
        self._n_found = [int(rows.searchsorted(n)) for n in self._n_found]
        self._n = len(rows)
        self._keys[: self._n] = self._keys[rows]
        self._over[:, : self._n] = self._over[:, rows]

    def below(self, leaves: Codes) -> Codes:
        """Return the chunks with one of some cells (ascending keys) over them."""
        over = self._over_at(_levels_of(leaves))
        return self._keys[: self._n][is_in(leaves, over).any(axis=0)]


def _levels_of(keys: Codes) -> list[int]:
    """List the levels of ascending keys."""
    levels: list[int] = []
    while len(keys):
        levels.append(int(keys[0]) >> _LEVEL)
        keys = keys[keys.searchsorted((levels[-1] + 1) << _LEVEL) :]
    return levels


def _keys_in(names: Iterable[Name], plane: int) -> NDArray[np.int64]:
    """Return the keys of one plane, ascending."""
    return np.array(sorted([key for p, key in names if p == plane]), dtype=np.int64)
