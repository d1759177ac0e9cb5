"""``brickfield export-imaris``: write an Imaris file from any image."""

from __future__ import annotations

from contextlib import ExitStack
from typing import Annotated, Any

import typer

from brickfield.cli.option_groups import takes_groups
from brickfield.cli.options import Opening
from brickfield.cli.output import INCOMPLETE, print_json, results
from brickfield.cli.progress import progress_bar
from brickfield.cli.writing import (
    AsJson,
    Budget,
    Overwrite,
    Restart,
    SkipFailed,
    Workers,
)


@takes_groups
def export_imaris(
    src: Annotated[str, typer.Argument(help="File, folder or URL of an image.")],
    dst: Annotated[str, typer.Argument(help="File to write, NAME.ims.")],
    *,
    channel: Annotated[
        list[int] | None,
        typer.Option(help="Channel; may be repeated.", show_default="all"),
    ] = None,
    time: Annotated[
        list[int] | None,
        typer.Option(help="Time point; may be repeated.", show_default="all"),
    ] = None,
    level: Annotated[int, typer.Option(help="Level of the source to begin with.")] = 0,
    region: Annotated[
        str | None,
        typer.Option(help="Z0:Z1,Y0:Y1,X0:X1, voxels.", show_default="all"),
    ] = None,
    levels: Annotated[
        int | None,
        typer.Option(help="Levels in all.", show_default="until one has 1 MiB"),
    ] = None,
    chunks: Annotated[
        str | None,
        typer.Option(help="Storage chunk Z,Y,X.", show_default="as Imaris: 1 MiB"),
    ] = None,
    compression: Annotated[str, typer.Option(help="gzip, lz4 or none.")] = "gzip",
    compression_level: Annotated[
        int | None,
        typer.Option(help="Level of gzip, 0 to 9.", show_default="the best for speed"),
    ] = None,
    shuffle: Annotated[
        bool,
        typer.Option("--shuffle", help="Smaller and faster, for Imaris 9.6 or later."),
    ] = False,
    dtype: Annotated[
        str, typer.Option(help="auto, uint8, uint16 or float32.")
    ] = "auto",
    name: Annotated[
        str | None, typer.Option(help="Name of the image.", show_default="the source's")
    ] = None,
    description: Annotated[str, typer.Option(help="Description of the image.")] = "",
    units: Annotated[
        str, typer.Option(help="Unit where the source names none: nm, um, mm or m.")
    ] = "um",
    budget: Budget = "512 MiB",
    workers: Workers = None,
    scheduler: Annotated[
        str | None, typer.Option(help="Dask scheduler whose workers read SRC.")
    ] = None,
    tmp_dir: Annotated[
        str | None,
        typer.Option(help="Folder for intermediate data.", show_default="beside DST"),
    ] = None,
    bdv_xml: Annotated[
        bool, typer.Option("--bdv-xml", help="Write NAME.xml for BigDataViewer too.")
    ] = False,
    verify: Annotated[
        bool, typer.Option("--verify", help="Read back every chunk, not only some.")
    ] = False,
    overwrite: Overwrite = False,
    restart: Restart = False,
    skip_failed: SkipFailed = False,
    opening: Opening,
    as_json: AsJson = False,
) -> None:
    """Write an Imaris file (.ims); after an interruption, go on with it."""
    from brickfield.imaris import to_imaris

    with ExitStack() as opened:
        progress = opened.enter_context(progress_bar())
        result = to_imaris(
            src,
            dst,
            channels=channel,
            time_points=time,
            level=level,
            region=region,
            levels=levels,
            chunks=chunks,
            compression=compression,
            compression_opts=compression_level,
            shuffle=shuffle,
            dtype=dtype,
            name=name,
            description=description,
            units=units,
            budget=budget,
            workers=workers,
            scheduler=scheduler,
            tmp_dir=tmp_dir,
            bdv_xml=bdv_xml,
            verify=verify,
            overwrite=overwrite,
            restart=restart,
            skip_failed=skip_failed,
            opening=opening.keywords(),
            progress=progress,
        )
    _tell(result.as_dict(), as_json=as_json)


def _tell(written: dict[str, Any], *, as_json: bool) -> None:
    """Print what was written, and say by the exit status what was not."""
    if as_json:
        print_json(written)
    else:
        _print(written)
    if not written["complete"] or written["failures"]:
        raise typer.Exit(INCOMPLETE)


def _print(written: dict[str, Any]) -> None:
    from rich.markup import escape

    from brickfield.blockwise import format_bytes
    from brickfield.model.units import counted

    console = results()
    state = "complete" if written["complete"] else "incomplete"
    console.print(f"[bold]{escape(written['path'])}[/bold] {state}", soft_wrap=True)
    shape = " × ".join(map(str, written["shape"]))  # for people
    console.print(f"  image    {shape} (t, c, z, y, x), {written['dtype']}")
    for number, level in enumerate(written["levels"]):
        shape, chunk = (
            " × ".join(map(str, level[key])) for key in ("shape", "chunk_shape")
        )
        console.print(f"  level    {number}: {shape}, chunks {chunk}", soft_wrap=True)
    console.print(
        f"  bytes    {format_bytes(written['bytes'])}, {written['seconds']:.1f} s,"
        f" {counted(written['chunks_verified'], 'chunk')} read back"
    )
    for note in written["notes"]:
        console.print(f"  note     {escape(note)}", soft_wrap=True)
    for failure in written["failures"][:10]:
        text = f"{failure['chunk']}: {failure['reason']}"
        console.print(f"  failed   {escape(text)}", soft_wrap=True)
