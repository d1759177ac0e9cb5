"""Where tiles lie, read from users and written to new files."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from os import PathLike
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from brickfield.errors import OptionError, StoreWriteError
from brickfield.model import AffineTransform
from brickfield.sources import ChunkSource
from brickfield.sources.io import local_path
from brickfield.sources.mosaic import TilePlace
from brickfield.writing import building, check_output, write_text


def save_transforms(
    path: str | PathLike[str],
    places: Sequence[TilePlace],
    first: Mapping[str, AffineTransform],
    *,
    source: ChunkSource,
    document: str | None,
) -> Path:
    """Write where tiles lie to a new file.

    Parameters
    ----------
    path : str or Path
        Its end says what is written: ``.json``, ``.xml`` or ``.zarr``.
    places : sequence of TilePlace
        As they are now.
    first : mapping of str to AffineTransform
        Where each was when the mosaic was opened.
    source : ChunkSource
        The mosaic, into which nothing is written.
    document : str or None
        The BigDataViewer project that the tiles are of.

    Raises
    ------
    OptionError
        If the end of the name is another, the file would lie in a source, or ``.xml``
        or ``.zarr`` is asked of tiles that are of no such project or scene.
    StoreWriteError
        If there is a file already, or it cannot be written.
    """
    target = Path(path).absolute()
    end = target.suffix.lower()
    if end == ".json":
        text = json.dumps(_as_json(places), indent=2)
    elif end == ".xml":
        text = _as_project(places, document, target)
    elif end == ".zarr":
        text = _as_scene(places, first, source.info.uri, target)
    else:
        msg = (
            f"expected a name that ends in .json, .xml or .zarr; found {target.name!r}"
        )
        raise OptionError(msg)
    if os.path.lexists(target):
        msg = f"expected a new file at {target}; found one that is there: name another"
        raise StoreWriteError(msg)
    check_output(target, [source], option="save_transforms")
    if end == ".zarr":
        with building(target, sources=[source]) as folder:
            write_text(folder / "zarr.json", text)
    else:
        write_text(target, text)
    return target


def _as_json(places: Sequence[TilePlace]) -> dict[str, Any]:
    return {
        "axes": ["z", "y", "x"],
        "tiles": [
            {
                "name": place.name,
                "matrix": place.matrix.matrix.tolist(),
                "shape": list(place.shape),
                "time": place.time,
            }
            for place in places
        ],
    }


def _as_scene(
    places: Sequence[TilePlace],
    first: Mapping[str, AffineTransform],
    uri: str,
    target: Path,
) -> str:
    from brickfield.sources.ome_zarr import moved_scene

    if "://" in uri or not local_path(uri).is_dir():
        msg = (
            "expected tiles of an OME-Zarr scene on this disk to write as .zarr; found"
            " others: save .json"
        )
        raise OptionError(msg)
    folder = local_path(uri).absolute()
    if folder.parent != target.parent:
        msg = (
            f"expected a place beside {folder}, whose images the new scene names;"
            f" found {target}"
        )
        raise OptionError(msg)
    moves = {p.name: p.matrix @ first[p.name].inverse for p in places}

    def path_of(path: str) -> str:
        # That of a scene which was itself saved beside its images leads there.
        return path if path.startswith("../") else f"../{folder.name}/{path}"

    return json.dumps(moved_scene(uri, moves, path_of), indent=2)


def _as_project(places: Sequence[TilePlace], document: str | None, target: Path) -> str:
    from brickfield.sources.bdv import with_registrations

    if document is None:
        msg = (
            "expected tiles of a BigDataViewer project to write as .xml; found others:"
            " save .json"
        )
        raise OptionError(msg)
    matrices = {(p.name, p.time): p.matrix for p in places}
    folder = os.path.relpath(local_path(document).absolute().parent, target.parent)
    return with_registrations(document, matrices, folder)


def matrix_of(name: str, value: ArrayLike) -> AffineTransform:
    """Read the matrix of a tile as a user gives it.

    Parameters
    ----------
    name : str
        Of the tile, for messages.
    value : array-like, shape (4, 4) or (3, 4)
        Columns (z, y, x, 1).

    Raises
    ------
    OptionError
        If it is no such matrix.
    """
    try:
        matrix = np.asarray(value, dtype=np.float64)
    except (TypeError, ValueError) as error:
        msg = f"expected a matrix of numbers for {name!r}; found {value!r:.80}"
        raise OptionError(msg) from error
    is_last_usual = matrix.shape != (4, 4) or (matrix[3] == [0, 0, 0, 1]).all()
    if matrix.shape not in ((4, 4), (3, 4)) or not is_last_usual:
        msg = f"expected a 4 × 4 matrix (z, y, x, 1) for {name!r}; found {value!r:.80}"
        raise OptionError(msg)
    return AffineTransform.from_matrix(matrix)
