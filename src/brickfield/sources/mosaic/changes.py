"""How a mosaic differs from what its file says, as plain values, and back.

Invariant: a mosaic opened with what :func:`changes_of` gives has the same grid, to the
last bit, and every tile at the same place.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from brickfield.errors import OptionError
from brickfield.model import AffineTransform, Finding
from brickfield.sources.mosaic.grid import MosaicOptions
from brickfield.sources.mosaic.listing import open_mosaic_source
from brickfield.sources.mosaic.source import MosaicSource

_SLACK = 0.25
"""Share of a voxel by which a region is larger than the centres in it."""


def changes_of(source: MosaicSource, *, in_full: bool = False) -> dict[str, Any]:
    """Return how a mosaic differs from what its file says; nothing if it does not.

    Parameters
    ----------
    source : MosaicSource
    in_full : bool
        Whether it is said where there is no difference, too.

    Returns
    -------
    dict
        ``overlap``, ``order``, ``colour_by``; ``grid`` (``origin``, ``spacing``: z, y,
        x, world; ``shape``); ``moved``, matrices of shape (4, 4) by the name of the tile;
        ``hidden``, names. The grid says, too, whether it was asked for (``is_chosen``).
    """
    moved = {
        tile.name: tile.place.matrix.matrix.tolist()
        for tile in source.tiles
        if tile.place.matrix != tile.first
    }
    hidden = [t.name for t in source.tiles if not source.is_shown(t.name)]
    options, plain = source.options, MosaicOptions()
    of_file = (options.overlap, options.order, options.colour_by, options.spacing)
    is_plain = of_file == (plain.overlap, plain.order, plain.colour_by, plain.spacing)
    is_plain &= options.region is None and not (moved or hidden)
    if is_plain and not in_full:
        return {}
    grid = source.grid
    voxels = {
        "origin": grid.origins[0],
        "spacing": grid.spacings[0],
        "shape": grid.shapes[0],
    }
    chosen = {} if source.has_room else {"is_chosen": True}
    return {
        "overlap": options.overlap,
        "order": options.order,
        "colour_by": options.colour_by,
        "grid": voxels | chosen,
        "moved": moved,
        "hidden": hidden,
    }


def options_with(changes: Mapping[str, Any]) -> MosaicOptions:
    """Return what a mosaic is made with that has changes.

    Parameters
    ----------
    changes : mapping
        As :func:`changes_of` returns them.
    """
    grid = changes["grid"]
    origin, spacing = np.array(grid["origin"]), np.array(grid["spacing"])
    last = origin + (np.array(grid["shape"]) - 1) * spacing
    low, high = origin - _SLACK * spacing, last + _SLACK * spacing
    return MosaicOptions(
        overlap=changes.get("overlap", "max"),
        order=changes.get("order", 1),
        colour_by=changes.get("colour_by"),
        spacing=tuple(grid["spacing"]),
        region=(tuple(low.tolist()), tuple(high.tolist())),
        anchor=tuple(grid["origin"]),
        has_room=not grid.get("is_chosen", False),
    )


def open_changed(uri: str, changes: Mapping[str, Any], **reading: Any) -> MosaicSource:
    """Open all images of a store as one, the way it was changed.

    Tiles that the file no longer has are left out; a finding names them.

    Parameters
    ----------
    uri : str
    changes : mapping
        As :func:`changes_of` returns them.
    **reading
        How it is read: `treat_403_as_missing`, `follow_links`.

    Raises
    ------
    StoreNotFoundError, StoreFormatError, StoreAccessError, StoreUnreachableError
    OptionError
        If a tile cannot be where it is said to be.
    """
    source = open_mosaic_source(uri, options_with(changes), **reading)
    try:
        there = {tile.name for tile in source.tiles}
        for name, rows in changes.get("moved", {}).items():
            if name in there:
                source.move(name, _matrix(name, rows))
        for name in changes.get("hidden", ()):
            if name in there:
                source.show(name, is_shown=False)
    except BaseException:
        source.close()
        raise
    named = [*changes.get("moved", {}), *changes.get("hidden", ())]
    gone = [name for name in dict.fromkeys(named) if name not in there]
    if gone:
        text = (
            f"expected the images {', '.join(gone[:5])}, which were moved or hidden;"
            " found none of these names"
        )
        finding = Finding("warning", "tile-gone", "", text)
        findings = (*source.info.findings, finding)
        source.info = replace(source.info, findings=findings)
    return source


def _matrix(name: str, rows: Any) -> AffineTransform:
    matrix = np.array(rows, dtype=np.float64)
    if matrix.shape != (4, 4):
        msg = f"expected a matrix of 4 rows and columns for {name!r}; found {rows}"
        raise OptionError(msg)
    return AffineTransform.from_matrix(matrix)
