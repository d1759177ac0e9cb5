"""The commands of ``brickfield transform``.

Each names what it does (a recipe) and shares all other options with its neighbours.
Everything heavy is imported when a command runs.
"""

from __future__ import annotations

from typing import Annotated

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
from brickfield.cli.transform.options import (
    AsJson,
    Channel,
    Dst,
    Fill,
    Fit,
    Level,
    Order,
    Overwrite,
    Region,
    Src,
    Time,
    Workers,
    parse_numbers,
    print_dry_run,
    run,
)
from brickfield.cli.writing import Budget, Scheduler, Version

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


def rotate(
    src: Src,
    dst: Dst,
    *,
    degrees: Degrees,
    axis: Axis = "y",
    centre: Centre = None,
    level: Level = 0,
    region: Region = None,
    channel: Channel = None,
    time: Time = None,
    order: Order = None,
    fill: Fill = 0.0,
    fit: Fit = False,
    budget: Budget = "1 GiB",
    workers: Workers = None,
    scheduler: Scheduler = None,
    version: Version = None,
    overwrite: Overwrite = False,
    image: Image = None,
    denied: Denied = False,
    follow: Follow = False,
    scale: Scale = None,
    axes: Axes = None,
    as_json: AsJson = False,
) -> None:
    """Turn an image about an axis, in space."""
    from brickfield.transforms import BakeOptions, Move

    reading = chosen_image(None, None, None, None, denied, follow, image)
    reading |= corrections(scale, axes)
    options = BakeOptions(
        level=level,
        region=region,
        channel=channel,
        time=time,
        order=order,
        fill=fill,
        fit=fit,
        budget=budget,
        workers=workers,
        scheduler=scheduler,
        version=version,
        overwrite=overwrite,
    )
    recipe = Move(degrees, axis, _point(centre))
    run(src, dst, recipe, options, reading, as_json)


def shift(
    src: Src,
    dst: Dst,
    *,
    by: By,
    world: World = False,
    level: Level = 0,
    region: Region = None,
    channel: Channel = None,
    time: Time = None,
    order: Order = None,
    fill: Fill = 0.0,
    fit: Fit = False,
    budget: Budget = "1 GiB",
    workers: Workers = None,
    scheduler: Scheduler = None,
    version: Version = None,
    overwrite: Overwrite = False,
    image: Image = None,
    denied: Denied = False,
    follow: Follow = False,
    scale: Scale = None,
    axes: Axes = None,
    as_json: AsJson = False,
) -> None:
    """Shift an image."""
    from brickfield.transforms import BakeOptions, Move

    reading = chosen_image(None, None, None, None, denied, follow, image)
    reading |= corrections(scale, axes)
    options = BakeOptions(
        level=level,
        region=region,
        channel=channel,
        time=time,
        order=order,
        fill=fill,
        fit=fit,
        budget=budget,
        workers=workers,
        scheduler=scheduler,
        version=version,
        overwrite=overwrite,
    )
    recipe = Move(by=parse_numbers("--by", by), is_world=world)
    run(src, dst, recipe, options, reading, as_json)


def combine(
    src: Src,
    dst: Dst,
    *,
    degrees: Degrees,
    by: By,
    axis: Axis = "y",
    centre: Centre = None,
    world: World = False,
    level: Level = 0,
    region: Region = None,
    channel: Channel = None,
    time: Time = None,
    order: Order = None,
    fill: Fill = 0.0,
    fit: Fit = False,
    budget: Budget = "1 GiB",
    workers: Workers = None,
    scheduler: Scheduler = None,
    version: Version = None,
    overwrite: Overwrite = False,
    image: Image = None,
    denied: Denied = False,
    follow: Follow = False,
    scale: Scale = None,
    axes: Axes = None,
    as_json: AsJson = False,
) -> None:
    """Turn an image and then shift it; voxels are sampled once."""
    from brickfield.transforms import BakeOptions, Move

    reading = chosen_image(None, None, None, None, denied, follow, image)
    reading |= corrections(scale, axes)
    options = BakeOptions(
        level=level,
        region=region,
        channel=channel,
        time=time,
        order=order,
        fill=fill,
        fit=fit,
        budget=budget,
        workers=workers,
        scheduler=scheduler,
        version=version,
        overwrite=overwrite,
    )
    recipe = Move(degrees, axis, _point(centre), parse_numbers("--by", by), world)
    run(src, dst, recipe, options, reading, as_json)


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
    level: Level = 0,
    region: Region = None,
    channel: Channel = None,
    time: Time = None,
    order: Order = None,
    fill: Fill = 0.0,
    fit: Fit = False,
    budget: Budget = "1 GiB",
    workers: Workers = None,
    scheduler: Scheduler = None,
    version: Version = None,
    overwrite: Overwrite = False,
    image: Image = None,
    denied: Denied = False,
    follow: Follow = False,
    scale: Scale = None,
    axes: Axes = None,
    as_json: AsJson = False,
) -> None:
    """Move an image by a matrix."""
    from brickfield.transforms import Affine, BakeOptions, read_matrix

    reading = chosen_image(None, None, None, None, denied, follow, image)
    reading |= corrections(scale, axes)
    options = BakeOptions(
        level=level,
        region=region,
        channel=channel,
        time=time,
        order=order,
        fill=fill,
        fit=fit,
        budget=budget,
        workers=workers,
        scheduler=scheduler,
        version=version,
        overwrite=overwrite,
    )
    recipe = Affine.by(read_matrix(matrix))
    run(src, dst, recipe, options, reading, as_json)


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
    level: Level = 0,
    region: Region = None,
    channel: Channel = None,
    time: Time = None,
    order: Order = None,
    fill: Fill = 0.0,
    fit: Annotated[
        bool, typer.Option("--fit/--no-fit", help="Hold the whole deskewed volume.")
    ] = True,
    budget: Budget = "1 GiB",
    workers: Workers = None,
    scheduler: Scheduler = None,
    version: Version = None,
    overwrite: Overwrite = False,
    image: Image = None,
    denied: Denied = False,
    follow: Follow = False,
    scale: Scale = None,
    axes: Axes = None,
    as_json: AsJson = False,
) -> None:
    """Put the planes of an oblique-plane stack where they were."""
    from brickfield.transforms import BakeOptions, Deskew

    reading = chosen_image(None, None, None, None, denied, follow, image)
    reading |= corrections(scale, axes)
    options = BakeOptions(
        level=level,
        region=region,
        channel=channel,
        time=time,
        order=order,
        fill=fill,
        fit=fit,
        budget=budget,
        workers=workers,
        scheduler=scheduler,
        version=version,
        overwrite=overwrite,
    )
    recipe = Deskew(angle, step, pixel)
    if dry_run:
        print_dry_run(src, dst, recipe, options, reading, as_json)
        return
    run(src, dst, recipe, options, reading, as_json)


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
    level: Level = 0,
    region: Region = None,
    channel: Channel = None,
    time: Time = None,
    budget: Budget = "1 GiB",
    workers: Workers = None,
    scheduler: Scheduler = None,
    version: Version = None,
    overwrite: Overwrite = False,
    image: Image = None,
    denied: Denied = False,
    follow: Follow = False,
    scale: Scale = None,
    axes: Axes = None,
    as_json: AsJson = False,
) -> None:
    """Smooth an image."""
    from brickfield.transforms import BakeOptions, Gaussian

    reading = chosen_image(None, None, None, None, denied, follow, image)
    reading |= corrections(scale, axes)
    options = BakeOptions(
        level=level,
        region=region,
        channel=channel,
        time=time,
        budget=budget,
        workers=workers,
        scheduler=scheduler,
        version=version,
        overwrite=overwrite,
    )
    recipe = Gaussian(parse_numbers("--sigma", sigma, allows_one=True))
    run(src, dst, recipe, options, reading, as_json)


def downsample(
    src: Src,
    dst: Dst,
    *,
    factor: Annotated[
        str, typer.Option(metavar="F|Z,Y,X", help="Voxels joined along each axis.")
    ],
    level: Level = 0,
    region: Region = None,
    channel: Channel = None,
    time: Time = None,
    budget: Budget = "1 GiB",
    workers: Workers = None,
    scheduler: Scheduler = None,
    version: Version = None,
    overwrite: Overwrite = False,
    image: Image = None,
    denied: Denied = False,
    follow: Follow = False,
    scale: Scale = None,
    axes: Axes = None,
    as_json: AsJson = False,
) -> None:
    """Join voxels: the mean, or the mode of labels."""
    from brickfield.transforms import BakeOptions, Downsample

    reading = chosen_image(None, None, None, None, denied, follow, image)
    reading |= corrections(scale, axes)
    options = BakeOptions(
        level=level,
        region=region,
        channel=channel,
        time=time,
        budget=budget,
        workers=workers,
        scheduler=scheduler,
        version=version,
        overwrite=overwrite,
    )
    recipe = Downsample(factor)
    run(src, dst, recipe, options, reading, as_json)


def _point(text: str | None) -> list[float] | None:
    return None if text is None else parse_numbers("--centre", text)
