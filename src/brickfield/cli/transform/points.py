"""``brickfield transform points``: points from one coordinate system to another."""

from __future__ import annotations

import json
from math import isfinite
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from brickfield.cli.output import print_json, results
from brickfield.errors import OptionError, StoreNotFoundError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    F64 = NDArray[np.float64]


def points(
    uri: Annotated[
        str, typer.Argument(metavar="URI", help="An OME-Zarr 0.6 scene or image.")
    ],
    source: Annotated[
        str,
        typer.Argument(metavar="SRC", help="Coordinate system: NAME or PATH/NAME."),
    ],
    target: Annotated[
        str,
        typer.Argument(metavar="DST", help="Coordinate system: NAME or PATH/NAME."),
    ],
    listed: Annotated[
        str,
        typer.Argument(
            metavar="POINTS.json", help="A list of lists, in SRC's axis order."
        ),
    ],
    *,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print the result as JSON.")
    ] = False,
) -> None:
    """Map points by the shortest path of transformations between two systems."""
    from brickfield.cli.output import complain
    from brickfield.sources.ome_zarr import open_graph

    graph = open_graph(uri)
    start, end = graph.find(source), graph.find(target)
    given = _points(listed, len(start.axes), start.full_name)
    mapped = graph.map_points(given, start, end).tolist()
    if graph.is_ambiguous(start.key, end.key):
        complain(
            f"warning: paths of the same length from {source!r} to {target!r} lead to"
            " different places; took the one that is listed first"
        )
    if as_json:
        print_json({"points": mapped})
        return
    results().print(f"[bold]{', '.join(end.axes)}[/]")
    for point in mapped:
        results().print("  ".join(f"{value:.9g}" for value in point))


def _points(text: str, n_axes: int, system: str) -> F64:
    """Read a list of points, shape (n, n_axes), from a file."""
    import numpy as np

    value = _document(text)
    if isinstance(value, dict) and "points" in value:
        value = value["points"]
    fits = isinstance(value, list) and all(
        isinstance(point, list)
        and len(point) == n_axes
        and all(_is_number(v) for v in point)
        for point in value
    )
    if not fits:
        msg = (
            f"expected a list of points with {n_axes} numbers each, the axes of"
            f" {system!r}; found {json.dumps(value):.80}"
        )
        raise OptionError(msg)
    return np.array(value, dtype=np.float64).reshape(-1, n_axes)


def _is_number(value: Any) -> bool:
    is_one = isinstance(value, int | float) and not isinstance(value, bool)
    return bool(is_one and isfinite(value))


def _document(text: str) -> Any:
    try:
        return json.loads(Path(text).read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        msg = f"expected a file of points at {text}; found nothing there"
        raise StoreNotFoundError(msg) from error
    except OSError as error:
        msg = f"expected a readable file of points at {text}; found: {error.strerror}"
        raise OptionError(msg) from error
    except ValueError as error:
        msg = f"expected JSON in {text}; found a text that is no JSON: {error}"
        raise OptionError(msg) from error
