"""Options that every command of ``brickfield transform`` has, and what it prints."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Annotated

import typer

from brickfield.cli.options import Opening
from brickfield.cli.output import print_json, results
from brickfield.cli.progress import progress_bar
from brickfield.cli.writing import Budget, Scheduler, Version, tell_written
from brickfield.errors import OptionError

if TYPE_CHECKING:
    from brickfield.transforms import BakeOptions, Recipe

Src = Annotated[
    str, typer.Argument(metavar="SRC", help="File, folder or URL of an image.")
]
Dst = Annotated[str, typer.Argument(metavar="DST", help="New OME-Zarr folder.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print the result as JSON.")]


@dataclass(frozen=True)
class Part:
    """What of an image is read and written.

    Attributes
    ----------
    level : int
    region : str or None
    channel, time : int or None
    """

    level: Annotated[
        int, typer.Option(min=0, help="Level of SRC that is read; 0 is the finest.")
    ] = 0
    region: Annotated[
        str | None,
        typer.Option(
            metavar="Z0:Z1,Y0:Y1,X0:X1", help="Write this part alone, output voxels."
        ),
    ] = None
    channel: Annotated[
        int | None, typer.Option(help="Write this channel alone.", show_default="all")
    ] = None
    time: Annotated[
        int | None,
        typer.Option(help="Write this time point alone.", show_default="all"),
    ] = None


@dataclass(frozen=True)
class Sampled(Part):
    """What of an image whose voxels are moved is read and written, and how it is sampled.

    Attributes
    ----------
    order : int or None
    fill : float
    fit : bool
    """

    order: Annotated[
        int | None,
        typer.Option(
            help="0 nearest, 1 trilinear, 3 cubic spline.",
            show_default="1; 0 for labels",
        ),
    ] = None
    fill: Annotated[float, typer.Option(help="Value outside SRC.")] = 0.0
    fit: Annotated[
        bool,
        typer.Option("--fit", help="Hold the whole moved volume, not the grid of SRC."),
    ] = False


@dataclass(frozen=True)
class Work:
    """Resources of a run that writes an image, and the version written.

    Attributes
    ----------
    budget : str
    workers : int or None
    scheduler, version : str or None
    overwrite : bool
    """

    budget: Budget = "1 GiB"
    workers: Annotated[
        int | None, typer.Option(help="Threads.", show_default="one more than cores")
    ] = None
    scheduler: Scheduler = None
    version: Version = None
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Replace an OME-Zarr image in the way.")
    ] = False

    def on(self, part: Part) -> BakeOptions:
        """Return how a part of an image is baked.

        Raises
        ------
        OptionError
            If a value cannot be used.
        """
        from brickfield.transforms import BakeOptions

        return BakeOptions(**asdict(part), **asdict(self))


def parse_zyx(option: str, text: str, allows_one: bool = False) -> list[float]:
    """Read ``Z,Y,X`` as three numbers, or one where one is allowed.

    Parameters
    ----------
    option : str
        For the message.
    text : str
    allows_one : bool

    Raises
    ------
    OptionError
    """
    try:
        numbers = [float(part) for part in text.split(",")]
    except ValueError:
        numbers = []
    if len(numbers) == 3:
        return numbers
    if len(numbers) == 1 and allows_one:
        return numbers * 3
    form = "N or Z,Y,X" if allows_one else "Z,Y,X"
    msg = f"expected {option} as {form}, for example 0,12.5,0; found {text!r}"
    raise OptionError(msg)


def run(
    src: str,
    dst: str,
    recipe: Recipe,
    options: BakeOptions,
    opening: Opening,
    as_json: bool,
) -> None:
    """Bake, show progress, print what became of it.

    Parameters
    ----------
    src, dst : str
    recipe : Recipe
    options : BakeOptions
    opening : Opening
        Of `src`.
    as_json : bool

    Raises
    ------
    typer.Exit
        With 3 when blocks could not be made.
    """
    from brickfield.transforms import bake

    with progress_bar("baking") as progress:
        result = bake(
            src, dst, recipe, options, opening=opening.keywords(), progress=progress
        )
    tell_written(result.as_dict(), as_json=as_json)


def print_dry_run(
    src: str,
    dst: str,
    recipe: Recipe,
    options: BakeOptions,
    opening: Opening,
    as_json: bool,
) -> None:
    """Print what would be written.

    Parameters
    ----------
    src, dst, recipe, options, opening, as_json
        As for :func:`run`.
    """
    from brickfield.transforms import look_ahead

    outlook = look_ahead(src, dst, recipe, options, opening=opening.keywords())
    found = outlook.as_dict()
    if as_json:
        print_json(found)
        return
    console = results()
    for row in found["matrix"]:
        console.print("  ".join(f"{v:12.6g}" for v in row))
