"""The commands of ``brickfield transform``.

Each names what it does (a recipe) and shares all other options with its neighbours.
Everything heavy is imported when a command runs.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

import typer

from brickfield.cli.option_groups import takes_groups
from brickfield.cli.options import Opening
from brickfield.cli.transform.options import (
    AsJson,
    Dst,
    Part,
    Sampled,
    Src,
    Work,
    parse_zyx,
    print_dry_run,
    run,
)

Degrees = Annotated[float, typer.Option(help="Angle; + about z takes +x to +y.")]
Axis = Annotated[str, typer.Option(help="Axis of the turn: y, z or x.")]
Centre = Annotated[
    str | None,
    typer.Option(metavar="Z,Y,X", help="Fixed point, voxels.", show_default="middle"),
]
By = Annotated[str, typer.Option(metavar="Z,Y,X", help="Shift, voxels.")]
World = Annotated[
    bool, typer.Option("--world", help="The shift is in world units, not voxels.")
]


@dataclass(frozen=True)
class Deskewed(Sampled):
    """Sampling as of any image that is moved, but the whole result is held by default."""

    fit: Annotated[
        bool, typer.Option("--fit/--no-fit", help="Hold the whole deskewed volume.")
    ] = True


@takes_groups
def rotate(
    src: Src,
    dst: Dst,
    *,
    degrees: Degrees,
    axis: Axis = "y",
    centre: Centre = None,
    part: Sampled,
    work: Work,
    opening: Opening,
    as_json: AsJson = False,
) -> None:
    """Turn an image about an axis, in space."""
    from brickfield.transforms import Move

    recipe = Move(degrees, axis, _point(centre))
    run(src, dst, recipe, work.on(part), opening, as_json)


@takes_groups
def shift(
    src: Src,
    dst: Dst,
    *,
    by: By,
    world: World = False,
    part: Sampled,
    work: Work,
    opening: Opening,
    as_json: AsJson = False,
) -> None:
    """Shift an image."""
    from brickfield.transforms import Move

    recipe = Move(by=parse_zyx("--by", by), is_world=world)
    run(src, dst, recipe, work.on(part), opening, as_json)


@takes_groups
def combine(
    src: Src,
    dst: Dst,
    *,
    degrees: Degrees,
    by: By,
    axis: Axis = "y",
    centre: Centre = None,
    world: World = False,
    part: Sampled,
    work: Work,
    opening: Opening,
    as_json: AsJson = False,
) -> None:
    """Turn an image and then shift it; voxels are sampled once."""
    from brickfield.transforms import Move

    recipe = Move(degrees, axis, _point(centre), parse_zyx("--by", by), world)
    run(src, dst, recipe, work.on(part), opening, as_json)


@takes_groups
def affine(
    src: Src,
    dst: Dst,
    *,
    matrix: Annotated[
        str,
        typer.Option(
            metavar="M.json", help="4 × 4, world z, y, x to world z, y, x, forward."
        ),
    ],
    part: Sampled,
    work: Work,
    opening: Opening,
    as_json: AsJson = False,
) -> None:
    """Move an image by a matrix."""
    from brickfield.transforms import Affine, read_matrix

    recipe = Affine.by(read_matrix(matrix))
    run(src, dst, recipe, work.on(part), opening, as_json)


@takes_groups
def deskew(
    src: Src,
    dst: Dst,
    *,
    angle: Annotated[
        float,
        typer.Option(help="Between the planes and the movement of the stage, degrees."),
    ],
    step: Annotated[
        float, typer.Option(help="Movement between two planes, world units.")
    ],
    pixel: Annotated[
        float | None,
        typer.Option(
            help="Size of a pixel of the planes, world units; default as the image says."
        ),
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Only print the matrix; write nothing.")
    ] = False,
    part: Deskewed,
    work: Work,
    opening: Opening,
    as_json: AsJson = False,
) -> None:
    """Put the planes of an oblique-plane stack where they were."""
    from brickfield.transforms import Deskew

    recipe = Deskew(angle, step, pixel)
    if dry_run:
        print_dry_run(src, dst, recipe, work.on(part), opening, as_json)
        return
    run(src, dst, recipe, work.on(part), opening, as_json)


@takes_groups
def gaussian(
    src: Src,
    dst: Dst,
    *,
    sigma: Annotated[
        str,
        typer.Option(
            metavar="S|Z,Y,X",
            help="Standard deviation, voxels; scipy's gaussian_filter.",
        ),
    ],
    part: Part,
    work: Work,
    opening: Opening,
    as_json: AsJson = False,
) -> None:
    """Smooth an image."""
    from brickfield.transforms import Gaussian

    recipe = Gaussian(parse_zyx("--sigma", sigma, allows_one=True))
    run(src, dst, recipe, work.on(part), opening, as_json)


@takes_groups
def downsample(
    src: Src,
    dst: Dst,
    *,
    factor: Annotated[
        str, typer.Option(metavar="F|Z,Y,X", help="Voxels joined along each axis.")
    ],
    part: Part,
    work: Work,
    opening: Opening,
    as_json: AsJson = False,
) -> None:
    """Join voxels: the mean, or the mode of labels."""
    from brickfield.transforms import Downsample

    recipe = Downsample(factor)
    run(src, dst, recipe, work.on(part), opening, as_json)


def _point(text: str | None) -> list[float] | None:
    return None if text is None else parse_zyx("--centre", text)
