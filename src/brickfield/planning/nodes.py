"""Chunks of one layer under refinement, of all levels in the same arrays."""

from __future__ import annotations

import numpy as np

from brickfield.planning.grid import Bools, Floats, Ints
from brickfield.planning.sites import levels_of


class Nodes:
    """Visible cells of one layer.

    Attributes of one type are rows of one array, so that nodes are joined and chosen in
    three operations instead of eleven.

    Parameters
    ----------
    ints : ndarray, shape (4, n), int64
        Keys, owners, costs and heads.
    floats : ndarray, shape (3, n), float64
        Errors, nearness and ranks.
    flags : ndarray, shape (5, n), bool
        In the order of the attributes.

    Attributes
    ----------
    keys : ndarray, shape (n,), int64
        Chunk keys; of several sites their names, see :mod:`brickfield.planning.sites`.
    heads : ndarray, shape (n,), int64
        Site and level.
    owners : ndarray, shape (n,), int64
        Row of the chunk each came from; -1 for the base level.
    costs : ndarray, shape (n,), int64
        GPU bytes that replacing an expanded node by its children costs in addition.
    errors_px, nearness, ranks : ndarray, shape (n,), float64
    is_empty : ndarray, shape (n,), bool
        Known to hold nothing.
    is_wanting : ndarray, shape (n,), bool
        Its error is above the target of the policy.
    is_refined : ndarray, shape (n,), bool
        Accepted for replacement by its children.
    is_expanded : ndarray, shape (n,), bool
        Its children are among the rows.
    is_ranked : ndarray, shape (n,), bool
        Its refinement was entered into the ranking.
    """

    __slots__ = (
        "costs", "errors_px", "flags", "floats", "heads", "ints", "is_empty",
        "is_expanded", "is_ranked", "is_refined", "is_wanting", "keys", "nearness",
        "owners", "ranks",
    )  # fmt: skip

    keys: Ints
    owners: Ints
    costs: Ints
    heads: Ints
    errors_px: Floats
    nearness: Floats
    ranks: Floats
    is_empty: Bools
    is_wanting: Bools
    is_refined: Bools
    is_expanded: Bools
    is_ranked: Bools

    def __init__(self, ints: Ints, floats: Floats, flags: Bools) -> None:
        self.ints, self.floats, self.flags = ints, floats, flags
        self.keys, self.owners, self.costs, self.heads = ints
        self.errors_px, self.nearness, self.ranks = floats
        self.is_empty, self.is_wanting, self.is_refined = flags[:3]
        self.is_expanded, self.is_ranked = flags[3:]

    @classmethod
    def room(cls, n: int) -> Nodes:
        """Return n nodes whose numbers are not set yet and whose flags are False."""
        ints, floats = np.empty((4, n), dtype=np.int64), np.empty((3, n))
        return cls(ints, floats, np.zeros((5, n), dtype=np.bool_))

    def __len__(self) -> int:
        return len(self.keys)

    def between(self, first: int, end: int) -> Nodes:
        """Return some nodes in one piece, in the same memory."""
        rows = slice(first, end)
        return Nodes(self.ints[:, rows], self.floats[:, rows], self.flags[:, rows])

    @property
    def arrays(self) -> tuple[Ints, Floats, Bools]:
        """All that is known of the nodes."""
        return self.ints, self.floats, self.flags

    @property
    def levels(self) -> Ints:
        """Level of every node, shape (n,)."""
        return levels_of(self.heads)

    @property
    def is_present(self) -> Bools:
        """Which nodes are in the cover or above it, shape (n,)."""
        # Row -1 of a base chunk is a node of its own, whose flag does not count.
        return np.asarray(self.is_refined[self.owners] | (self.owners < 0))

    def take(self, rows: Ints | Bools) -> Nodes:
        """Return some of the nodes."""
        if rows.dtype == np.bool_:
            if rows.all():
                return self
            rows = rows.nonzero()[0]
        return Nodes(
            self.ints.take(rows, axis=1),
            self.floats.take(rows, axis=1),
            self.flags.take(rows, axis=1),
        )
