"""``brickfield pyramid``: write a multiscale image, or the levels that one lacks."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from brickfield.cli.options import (
    Axes,
    Denied,
    Follow,
    Image,
    Scale,
    chosen_image,
    corrections,
)
from brickfield.cli.output import INCOMPLETE, print_json, results
from brickfield.cli.progress import progress_bar


def pyramid(
    src: Annotated[str, typer.Argument(help="File, folder or URL of an image.")],
    dst: Annotated[
        str, typer.Argument(help="Folder to write; SRC itself to add its levels.")
    ],
    *,
    version: Annotated[
        str | None, typer.Option(help="Of OME-Zarr: 0.5 or 0.4.", show_default="0.5")
    ] = None,
    factors: Annotated[
        str,
        typer.Option(help="auto, or Z,Y,X voxels joined into one of the next level."),
    ] = "auto",
    chunk_shape: Annotated[
        str, typer.Option("--chunks", help="Storage chunk Z,Y,X, voxels.")
    ] = "64",
    shard_shape: Annotated[
        str | None, typer.Option("--shards", help="Shard Z,Y,X, voxels; 0.5 only.")
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
    budget: Annotated[str, typer.Option(help="Memory for the work.")] = "1 GiB",
    workers: Annotated[
        int | None, typer.Option(help="Threads.", show_default="one a core")
    ] = None,
    scheduler: Annotated[
        str | None, typer.Option(help="Address of a dask scheduler.")
    ] = None,
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Replace what is in the way.")
    ] = False,
    restart: Annotated[
        bool, typer.Option("--restart", help="Do not go on with an interrupted run.")
    ] = False,
    skip_failed: Annotated[
        bool,
        typer.Option("--skip-failed", help="Finish even where data cannot be read."),
    ] = False,
    image: Image = None,
    denied: Denied = False,
    follow: Follow = False,
    scale: Scale = None,
    axes: Axes = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the result.")] = False,
) -> None:
    """Write a multiscale OME-Zarr image; after an interruption, go on with it."""
    from brickfield.pyramid import write_pyramid

    reading = chosen_image(None, None, None, None, denied, follow, image)
    reading |= corrections(scale, axes)
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
            scheduler=scheduler,
            budget=budget,
            workers=workers,
            overwrite=overwrite,
            resume=not restart,
            skip_failed=skip_failed,
            opening=reading,
            progress=progress,
        )
    written = result.as_dict()
    if as_json:
        print_json(written)
    else:
        print_written(written)
    if not written["complete"]:
        raise typer.Exit(INCOMPLETE)


def print_written(written: dict[str, Any]) -> None:
    """Print what was written, for people.

    Parameters
    ----------
    written : dict
        :meth:`brickfield.pyramid.PyramidResult.as_dict`.
    """
    from rich.markup import escape

    from brickfield.blockwise import format_bytes

    console = results()
    state = "complete" if written["complete"] else "incomplete"
    console.print(f"[bold]{escape(written['path'])}[/bold] {state}", soft_wrap=True)
    for level in written["levels"]:
        shape = " × ".join(map(str, level["shape"]))  # for people
        console.print(f"  level    {escape(level['path'])}: {shape}", soft_wrap=True)
    blocks = written["blocks"]
    console.print(
        f"  blocks   {blocks['written']} written, {blocks['resumed']} from before,"
        f" of {blocks['total']}"
    )
    console.print(
        f"  bytes    {format_bytes(written['bytes_written'])} before compression,"
        f" {written['seconds']:.1f} s"
    )
    for note in written["notes"]:
        console.print(f"  note     {escape(note)}", soft_wrap=True)
    for failure in written["failures"][:10]:
        place = f"level {failure['level']}, block {failure['block']}"
        console.print(
            f"  failed   {escape(place)}: {escape(failure['reason'])}", soft_wrap=True
        )
