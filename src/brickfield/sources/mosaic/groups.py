"""Which channel of a mosaic each tile belongs to.

Mostly a tile has the channels of the mosaic. Where tiles of a project were taken in one
channel each, the channels of the mosaic are those of the project. And a mosaic may be
coloured: then its channels are groups of tiles, each with a colour, so that what two of
them show at one place mixes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from brickfield.errors import OptionError
from brickfield.model import Channel
from brickfield.sources.mosaic.table import boxes_of
from brickfield.sources.mosaic.tile import TilePlace

COLORS = (
    (255, 70, 70),
    (60, 220, 60),
    (80, 120, 255),
    (255, 210, 40),
    (240, 80, 240),
    (50, 220, 230),
)
"""Of groups of tiles: neighbours mix to something else."""
_MOST_COMPARED = 5000
"""Tiles among which neighbours are looked for."""


@dataclass(frozen=True)
class Grouping:
    """Channels of a mosaic.

    Attributes
    ----------
    channels : tuple of Channel
    own : ndarray, shape (n tiles, n channels), int16
        Channel of the tile that each channel of the mosaic is; -1 for none.
    """

    channels: tuple[Channel, ...]
    own: NDArray[np.int16]


def group(
    places: Sequence[TilePlace], channels: Sequence[Channel], colour_by: str | None
) -> Grouping | None:
    """Put tiles into channels.

    Parameters
    ----------
    places : sequence of TilePlace
    channels : sequence of Channel
        Of the first tile.
    colour_by : str or None
        ``"tile"``, or a kind of attribute that tiles have.

    Returns
    -------
    Grouping or None
        None where every tile has the channels of the first.

    Raises
    ------
    OptionError
        If no tile has such an attribute.
    """
    if colour_by is not None:
        return _coloured(places, colour_by)
    if all(p.channels is None for p in places):
        return None
    n = 1 + max(max(p.channels or (0,)) for p in places)
    own = np.full((len(places), n), -1, np.int16)
    names = [f"channel {i}" for i in range(n)]
    for i, place in enumerate(places):
        for inside, outside in enumerate(place.channels or (0,)):
            own[i, outside] = inside
            names[outside] = dict(place.attributes).get("channel", names[outside])
    known = [c for c in channels if len(channels) == n]
    made = known or [Channel(name) for name in names]
    return Grouping(tuple(made), own)


def _coloured(places: Sequence[TilePlace], colour_by: str) -> Grouping:
    if colour_by == "tile":
        numbers = _apart(places)
        names = [f"tiles {i + 1}" for i in range(numbers.max() + 1)]
    else:
        values = [dict(p.attributes).get(colour_by) for p in places]
        if all(v is None for v in values):
            kinds = {kind for p in places for kind, _ in p.attributes}
            known = ", ".join(["tile", *sorted(kinds - {"tile"})])
            msg = f"expected tiles to colour by {known}; found {colour_by!r}"
            raise OptionError(msg)
        order = list(dict.fromkeys(values))
        numbers = np.array([order.index(v) % len(COLORS) for v in values])
        names = [
            ", ".join(
                f"{colour_by} {v}" for v in order[i :: len(COLORS)] if v is not None
            )
            or f"no {colour_by}"
            for i in range(numbers.max() + 1)
        ]
    own = np.full((len(places), len(names)), -1, np.int16)
    own[np.arange(len(places)), numbers] = 0
    made = (Channel(n, c) for n, c in zip(names, COLORS, strict=False))
    return Grouping(tuple(made), own)


def _apart(places: Sequence[TilePlace]) -> NDArray[np.int64]:
    """Number tiles so that neighbours differ, as far as the colours go."""
    n, k = len(places), len(COLORS)
    if n > _MOST_COMPARED:
        return np.arange(n) % k
    boxes = boxes_of(places)
    numbers = np.full(n, -1)
    for i in range(n):
        meets = (boxes[:i, 0] < boxes[i, 1]) & (boxes[:i, 1] > boxes[i, 0])
        taken = np.bincount(numbers[:i][meets.all(axis=1)], minlength=k)
        numbers[i] = int(taken.argmin())
    return numbers
