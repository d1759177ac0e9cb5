"""``brickfield stream …``: images that are written while they are acquired."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from brickfield.cli.groups import command_group
from brickfield.cli.output import print_json, results
from brickfield.cli.progress import progress_bar
from brickfield.errors import OptionError

commands = command_group("Write images while they are acquired.")


@commands.command("demo")
def demo(
    dst: Annotated[Path, typer.Argument(metavar="DST", help="Folder to write.")],
    *,
    frames: Annotated[
        int, typer.Option(help="Camera frames in all, those of every plane.")
    ] = 1600,
    size: Annotated[
        str, typer.Option(metavar="YxX", help="Rows and columns of a frame.")
    ] = "512x512",
    planes: Annotated[int, typer.Option(help="Planes of a stack.")] = 16,
    channels: Annotated[int, typer.Option(help="Channels.")] = 1,
    fps: Annotated[
        float, typer.Option(help="Frames a second; 0 for as fast as it goes.")
    ] = 60.0,
    version: Annotated[
        str, typer.Option(help="Version of OME-Zarr: 0.5 or 0.4.")
    ] = "0.5",
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Replace an image that is in the way.")
    ] = False,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print the counts as JSON.")
    ] = False,
) -> None:
    """Simulate a microscope: follow it with "brickfield view DST --live"."""
    from brickfield.streaming import Microscope, simulate

    microscope = Microscope(frames, _size(size), planes, channels, fps)
    with progress_bar("acquiring", "frames") as progress:
        stats = simulate(
            dst,
            microscope,
            progress=lambda done, total: progress(done, total, 0, None),
            version=version,
            overwrite=overwrite,
        )
    if as_json:
        print_json(stats)
        return
    rate = stats["bytes_in"] / 1e6 / max(stats["seconds"], 1e-9)
    results().print(
        f"{dst}: {stats['frames']} frames in {stats['seconds']:.1f} s, {rate:.0f} MB/s,"
        f" {stats['late']} late; a frame was taken in {stats['append_ms']['median']:.1f}"
        f" ms (p99 {stats['append_ms']['p99']:.1f}); buffer at most"
        f" {stats['buffered_peak'] / 1e6:.0f} MB"
    )


def _size(text: str) -> tuple[int, int]:
    try:
        y, x = (int(part) for part in text.lower().split("x"))
    except ValueError as error:
        msg = f'expected --size as rows and columns, as "512x512"; found {text!r}'
        raise OptionError(msg) from error
    return (y, x)
