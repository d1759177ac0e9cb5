"""``brickfield stem convert``: a scan as an EMD file."""

from __future__ import annotations

from typing import Annotated

import typer

from brickfield.cli.option_groups import takes_groups
from brickfield.cli.output import INCOMPLETE, print_json, results
from brickfield.cli.progress import progress_bar
from brickfield.cli.stem.options import AsJSON, parse_region
from brickfield.cli.stem.reading import Reading
from brickfield.cli.writing import Restart


@takes_groups
def convert(
    src: Annotated[str, typer.Argument(metavar="SRC", help="File of a scan.")],
    dst: Annotated[str, typer.Argument(metavar="DST.emd", help="File to write.")],
    *,
    compression: Annotated[str, typer.Option(help="none, gzip or lz4.")] = "none",
    no_overviews: Annotated[
        bool, typer.Option("--no-overviews", help="Store no overviews beside it.")
    ] = False,
    region: Annotated[
        str | None, typer.Option(metavar="Y0:Y1,X0:X1", help="Part of the scan.")
    ] = None,
    n_binned: Annotated[
        int | None, typer.Option("--bin", metavar="N", help="Sum N x N pixels.")
    ] = None,
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Replace a file that is there.")
    ] = False,
    restart: Restart = False,
    reading: Reading,
    as_json: AsJSON = False,
) -> None:
    """Write a scan as an EMD file; after an interruption, go on with it."""
    from brickfield.blockwise import format_bytes
    from brickfield.stem4d import ConvertOptions
    from brickfield.stem4d import convert_scan as write

    with progress_bar("converting", "bytes") as progress:
        found = write(
            src,
            dst,
            compression,
            not no_overviews,
            n_binned,
            parse_region(region, "--region"),
            progress,
            options=ConvertOptions(
                reading.opening(),
                reading.budget,
                scheduler=reading.scheduler,
                cache=reading.cache,
                overwrite=overwrite,
                restart=restart,
            ),
        )
    if as_json:
        print_json(found.as_dict())
    else:
        shape_text = " × ".join(map(str, found.shape))  # for people
        results().print(
            f"{found.path} {shape_text} {found.dtype}, {format_bytes(found.bytes_written)}"
            f" written in {found.seconds:.1f} s",
            soft_wrap=True,
            markup=False,
        )
    if not found.is_complete:
        raise typer.Exit(INCOMPLETE)
