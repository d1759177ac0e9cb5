"""Images of one kind in several places of the world, planned as one.

A plan costs a few hundred calls of numpy whatever it looks at, so fifty small layers
would cost as much as fifty large ones. Layers that differ by their place alone (the
tiles of a grid, the channels of one microscope with a shift each) are therefore one
layer of several *sites* while they are planned: the same arrays hold the chunks of all
of them.

A chunk is named by one number: site, level and place in the level's grid. With one
site that is the chunk key itself. With more, indices take as few bits as the grid
needs, so that thousands of sites fit.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from brickfield.model import INDEX_BITS
from brickfield.planning.grid import Ints

_LEVEL_BITS = 4
_MOST_BITS = 62
MOST_SITES = 256
"""Images that are planned as one layer; more are several layers."""


@dataclass(frozen=True, slots=True)
class NodeCode:
    """How chunks of several sites are named.

    The *head* of a name is site and level, ``site << 4 | level``.

    Attributes
    ----------
    n_sites : int
    index_bits : int
        Of an index along one axis.
    """

    n_sites: int = 1
    index_bits: int = INDEX_BITS

    @classmethod
    def of(cls, shapes: Ints, n_sites: int) -> NodeCode:
        """Choose the names of several sites' chunks.

        Parameters
        ----------
        shapes : ndarray, shape (n_levels, 3), int64
            Chunks along every axis.
        n_sites : int
        """
        return cls(n_sites, max(1, int(shapes.max() - 1).bit_length()))

    @property
    def is_possible(self) -> bool:
        """Whether all names fit a 64-bit integer."""
        n_bits = (self.n_sites - 1).bit_length()
        return n_bits + _LEVEL_BITS + 3 * self.index_bits <= _MOST_BITS

    @property
    def heads_of_level(self) -> Ints:
        """Head of level 0 of every site, shape (n_sites,)."""
        return np.arange(self.n_sites) << _LEVEL_BITS

    def heads(self, names: Ints) -> Ints:
        """Return the heads of names."""
        return names >> 3 * self.index_bits

    def pack(self, heads: int | Ints, indices: Ints) -> Ints:
        """Return the names of chunks.

        Parameters
        ----------
        heads : int or ndarray, shape (n,), int64
        indices : ndarray, shape (3, n), int64
            Grid indices (z, y, x).
        """
        z, y, x = indices
        n = self.index_bits
        return np.asarray(((heads << n | z) << n | y) << n | x)

    def unpack(self, names: Ints) -> tuple[Ints, Ints]:
        """Return heads, shape (n,), and grid indices (z, y, x), shape (3, n)."""
        n, mask = self.index_bits, (1 << self.index_bits) - 1
        indices = np.empty((3, len(names)), dtype=np.int64)
        for axis, shift in enumerate((2 * n, n, 0)):
            np.right_shift(names, shift, out=indices[axis])
        indices &= mask
        return self.heads(names), indices

    def names_of(self, site: int, keys: Ints) -> Ints:
        """Return the names of a site's chunks, by chunk keys."""
        if self.n_sites == 1:
            return keys
        heads, indices = NodeCode().unpack(keys)
        return self.pack(heads + (site << _LEVEL_BITS), indices)

    def keys_of(self, names: Ints) -> Ints:
        """Return the chunk keys of names."""
        if self.n_sites == 1:
            return names
        heads, indices = self.unpack(names)
        return NodeCode().pack(levels_of(heads), indices)

    def split(self, names: Ints) -> list[int]:
        """Return where the names of each site end, among ascending ones."""
        if self.n_sites == 1:
            return [len(names)]
        first = np.arange(1, self.n_sites) << (_LEVEL_BITS + 3 * self.index_bits)
        return [*names.searchsorted(first).tolist(), len(names)]


def levels_of(heads: Ints) -> Ints:
    """Return the levels of heads."""
    return heads & ((1 << _LEVEL_BITS) - 1)


def sites_of(heads: Ints) -> Ints:
    """Return the sites of heads."""
    return heads >> _LEVEL_BITS
