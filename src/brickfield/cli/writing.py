"""What the commands that write images share: options, and what they print at the end."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any

import typer

from brickfield.cli.output import INCOMPLETE, print_json, results

Version = Annotated[
    str | None,
    typer.Option(
        help="Version of OME-Zarr: 0.6, 0.5 or 0.4; 0.6 alone keeps how an image is turned.",
        show_default="0.5",
    ),
]
Budget = Annotated[str, typer.Option(help="Memory for the work.")]
Workers = Annotated[
    int | None, typer.Option(help="Threads.", show_default="one per core")
]
Scheduler = Annotated[str | None, typer.Option(help="Address of a dask scheduler.")]
Overwrite = Annotated[
    bool, typer.Option("--overwrite", help="Replace what is in the way.")
]
Restart = Annotated[
    bool, typer.Option("--restart", help="Do not go on with an interrupted run.")
]
SkipFailed = Annotated[
    bool, typer.Option("--skip-failed", help="Finish even where data cannot be read.")
]
AsJson = Annotated[bool, typer.Option("--json", help="Print the result as JSON.")]


@dataclass(frozen=True)
class Run:
    """Resources of a run that writes an image, and what becomes of an earlier one.

    Attributes
    ----------
    budget : str
    workers : int or None
    scheduler : str or None
    overwrite, restart : bool
    """

    budget: Budget = "1 GiB"
    workers: Workers = None
    scheduler: Scheduler = None
    overwrite: Overwrite = False
    restart: Restart = False

    def keywords(self) -> dict[str, Any]:
        """Return arguments of :func:`brickfield.pyramid.write_pyramid`."""
        return {
            "budget": self.budget,
            "workers": self.workers,
            "scheduler": self.scheduler,
            "overwrite": self.overwrite,
            "resume": not self.restart,
        }


def tell_written(written: dict[str, Any], *, as_json: bool) -> None:
    """Print what was written, and say by the exit status what was not.

    Parameters
    ----------
    written : dict
        :meth:`brickfield.pyramid.PyramidResult.as_dict`.
    as_json : bool

    Raises
    ------
    typer.Exit
        With 3 when blocks could not be written.
    """
    if as_json:
        print_json(written)
    else:
        _print_written(written)
    if not written["complete"]:
        raise typer.Exit(INCOMPLETE)


def _print_written(written: dict[str, Any]) -> None:
    """Print what was written, for people."""
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
