"""``brickfield pyramid``: write a multiscale image, or the levels that one lacks."""

from __future__ import annotations

from typing import Annotated

import typer

from brickfield.cli.option_groups import takes_groups
from brickfield.cli.options import Opening
from brickfield.cli.progress import progress_bar
from brickfield.cli.writing import (
    AsJson,
    Run,
    SkipFailed,
    Version,
    tell_written,
)


@takes_groups
def pyramid(
    src: Annotated[str, typer.Argument(help="File, folder or URL of an image.")],
    dst: Annotated[
        str, typer.Argument(help="Folder to write; SRC itself to add its levels.")
    ],
    *,
    version: Version = None,
    factors: Annotated[
        str,
        typer.Option(help="auto, or Z,Y,X voxels joined into one of the next level."),
    ] = "auto",
    chunk_shape: Annotated[
        str, typer.Option("--chunks", help="Storage chunk Z,Y,X, voxels.")
    ] = "64",
    shard_shape: Annotated[
        str | None, typer.Option("--shards", help="Shard Z,Y,X, voxels; not in 0.4.")
    ] = None,
    compressor: Annotated[str, typer.Option(help="zstd, blosc or none.")] = "zstd",
    method: Annotated[
        str | None,
        typer.Option(help="mean or mode.", show_default="mode for labels, else mean"),
    ] = None,
    levels: Annotated[
        int | None,
        typer.Option(help="Levels in all.", show_default="until one chunk holds it"),
    ] = None,
    run: Run,
    skip_failed: SkipFailed = False,
    opening: Opening,
    as_json: AsJson = False,
) -> None:
    """Write a multiscale OME-Zarr image; after an interruption, go on with it."""
    from brickfield.pyramid import write_pyramid

    with progress_bar() as progress:
        result = write_pyramid(
            src,
            dst,
            version=version,
            factors=factors,
            chunk_shape=chunk_shape,
            shard_shape=shard_shape,
            compressor=compressor,
            method=method,  # type: ignore[arg-type]  # checked there
            levels=levels,
            skip_failed=skip_failed,
            opening=opening.keywords(),
            progress=progress,
            **run.keywords(),
        )
    tell_written(result.as_dict(), as_json=as_json)
