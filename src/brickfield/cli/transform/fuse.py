"""``brickfield fuse``: many images written as one."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from brickfield.cli.option_groups import takes_groups
from brickfield.cli.options import Denied, Follow, trust
from brickfield.cli.progress import progress_bar
from brickfield.cli.transform.options import parse_zyx
from brickfield.cli.writing import (
    AsJson,
    Run,
    tell_written,
)
from brickfield.errors import OptionError


@takes_groups
def fuse(
    uri: Annotated[
        str,
        typer.Argument(
            metavar="URI",
            help="An OME-Zarr 0.6 scene, a BigDataViewer project or a collection.",
        ),
    ],
    dst: Annotated[
        str, typer.Argument(metavar="DST.ome.zarr", help="Folder to write.")
    ],
    *,
    overlap: Annotated[
        str,
        typer.Option(metavar="max|mean|feather|first", help="Where images overlap."),
    ] = "feather",
    spacing: Annotated[
        str | None,
        typer.Option(
            metavar="Z,Y,X",
            help="World units a voxel.",
            show_default="that of the finest image",
        ),
    ] = None,
    region: Annotated[
        str | None,
        typer.Option(
            metavar="Z0:Z1,Y0:Y1,X0:X1",
            help="What to write, world units.",
            show_default="all images",
        ),
    ] = None,
    level: Annotated[
        int, typer.Option(metavar="N", help="Voxels 2**N times as large.", min=0)
    ] = 0,
    order: Annotated[
        int, typer.Option(metavar="0|1", help="Nearest voxel, or linear between.")
    ] = 1,
    run: Run,
    denied: Denied = False,
    follow: Follow = False,
    as_json: AsJson = False,
) -> None:
    """Write all images of a scene as one OME-Zarr image; go on with an interrupted run."""
    from brickfield.pyramid import write_pyramid

    made_with = {
        "overlap": overlap,
        "order": order,
        "spacing": None
        if spacing is None
        else tuple(parse_zyx("--spacing", spacing, True)),
        "region": None if region is None else _region(region),
    }
    reading = trust(denied, follow)
    if level:
        made_with["spacing"] = _coarser(uri, made_with, level, reading)
    with progress_bar() as progress:
        result = write_pyramid(
            uri,
            dst,
            opening=reading | {"mosaic": tuple(made_with.items())},
            progress=progress,
            **run.keywords(),
        )
    tell_written(result.as_dict(), as_json=as_json)


def _coarser(
    uri: str, made_with: dict[str, Any], level: int, reading: dict[str, Any]
) -> tuple[float, ...]:
    """Return the voxel size of a coarser level of the mosaic."""
    from brickfield.sources import open_source

    source = open_source(uri, mosaic=made_with, **reading)
    levels = source.info.pyramid.levels
    source.close()
    if level >= len(levels):
        msg = f"expected a level from 0 to {len(levels) - 1}; found {level}"
        raise OptionError(msg)
    return levels[level].voxel_size_zyx


def _region(text: str) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Read Z0:Z1,Y0:Y1,X0:X1 as two corners."""
    try:
        ends = [tuple(float(v) for v in part.split(":")) for part in text.split(",")]
    except ValueError:
        ends = []
    if [len(e) for e in ends] != [2, 2, 2]:
        msg = f"expected --region as Z0:Z1,Y0:Y1,X0:X1; found {text!r}"
        raise OptionError(msg)
    return tuple(e[0] for e in ends), tuple(e[1] for e in ends)
