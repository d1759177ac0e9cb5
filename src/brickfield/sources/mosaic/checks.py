"""What is refused of the tiles of a mosaic before anything of them is read."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from brickfield.errors import BrickfieldError, OptionError
from brickfield.model import AffineTransform, Finding
from brickfield.sources.mosaic.table import matrices_of
from brickfield.sources.mosaic.tile import Tile, TilePlace
from brickfield.sources.protocol import ChunkSource

_MOST_SINGULAR = 1e12
MOST_TRIED = 16
"""Tiles that are opened to find one that can be: beyond, nothing of them is there."""


def first_open(tiles: Sequence[Tile]) -> tuple[ChunkSource, list[Finding]]:
    """Open the first tile that can be opened; tell which ones before it cannot.

    Parameters
    ----------
    tiles : sequence of Tile

    Returns
    -------
    source : ChunkSource
    findings : list of Finding

    Raises
    ------
    BrickfieldError
        Of the first tile, if none of the first ones can be opened.
    """
    found: list[Finding] = []
    errors: list[BrickfieldError] = []
    for tile in tiles[:MOST_TRIED]:
        try:
            return tile.source, found
        except BrickfieldError as error:
            text = f"{error}; left {tile.name!r} out where it is needed"
            found.append(Finding("error", "tile-left-out", tile.name, text))
            errors.append(error)
    raise errors[0]


def check_matrix(name: str, matrix: AffineTransform) -> None:
    """Refuse a matrix that maps a volume onto a plane, or that holds no numbers.

    Parameters
    ----------
    name : str
        Of the tile, for messages.
    matrix : AffineTransform

    Raises
    ------
    OptionError
    """
    linear = matrix.matrix[:3]
    size = np.linalg.norm(linear[:, :3], axis=0)
    usable = np.isfinite(linear).all() and size.all()
    if not usable or np.linalg.cond(linear[:, :3] / size) > _MOST_SINGULAR:
        msg = (
            f"expected a matrix for {name!r} that can be inverted; found"
            f" {matrix.rows!r:.120}"
        )
        raise OptionError(msg)


def check_tiles(tiles: Sequence[Tile]) -> None:
    """Refuse no tiles, two of one name, and matrices that cannot be inverted.

    Parameters
    ----------
    tiles : sequence of Tile

    Raises
    ------
    OptionError
    """
    if not tiles:
        msg = "expected at least one tile; found none"
        raise OptionError(msg)
    names = [t.name for t in tiles]
    if len(set(names)) < len(names):
        twice = next(n for n in names if names.count(n) > 1)
        msg = f"expected tiles of different names; found {twice!r} twice"
        raise OptionError(msg)
    _check_matrices([t.place for t in tiles])


def _check_matrices(places: Sequence[TilePlace]) -> None:
    """Refuse the first matrix that cannot be inverted; all are looked at together."""
    linear = matrices_of(places)[:, :, :3]
    size = np.linalg.norm(linear, axis=1, keepdims=True)
    sound = np.isfinite(matrices_of(places)).all(axis=(1, 2))
    sound &= (size > 0).all(axis=(1, 2))
    if sound.all():
        sound &= np.linalg.cond(linear / size) <= _MOST_SINGULAR
    for at in np.flatnonzero(~sound).tolist():
        check_matrix(places[at].name, places[at].matrix)
