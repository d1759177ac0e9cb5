"""The commands of ``brickfield stem`` that read: each opens, computes, writes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from brickfield.cli.option_groups import takes_groups
from brickfield.cli.output import print_json, results
from brickfield.cli.progress import progress_bar
from brickfield.cli.stem.options import (
    AsJSON,
    File,
    Out,
    parse_centres,
    parse_detector,
    parse_region,
    parse_rotation,
)
from brickfield.cli.stem.reading import Reading, tell_who

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from brickfield.stem4d import ScanViewer


@takes_groups
def info(file: File, *, reading: Reading, as_json: AsJSON = False) -> None:
    """Describe a scan: its shape and how sure that is, calibrations, findings."""
    with reading.open(file) as viewer:
        description = viewer.info
    if as_json:
        print_json(description)
    else:
        _print(description)


@takes_groups
def frame(
    file: File,
    y: Annotated[int, typer.Argument(metavar="Y", help="Line of the scan, from 0.")],
    x: Annotated[int, typer.Argument(metavar="X", help="Position in the line.")],
    output: Out,
    *,
    reading: Reading,
    as_json: AsJSON = False,
) -> None:
    """Write the pattern at one position of the scan."""
    with reading.open(file) as viewer:
        _write(viewer, output, lambda _how: viewer.frame(y, x), reading, as_json)


@takes_groups
def pattern(
    file: File,
    output: Out,
    *,
    roi: Annotated[
        str | None,
        typer.Option(
            metavar="Y0:Y1,X0:X1", help="Region of the scan; all of it by default."
        ),
    ] = None,
    kind: Annotated[
        str, typer.Option(help="mean, sum, max, min or variance.")
    ] = "mean",
    reading: Reading,
    as_json: AsJSON = False,
) -> None:
    """Write the mean, sum or extreme of the patterns of a region."""
    region = parse_region(roi, "--roi")
    with reading.open(file) as viewer:
        _write(
            viewer,
            output,
            lambda how: viewer.pattern(region, kind, **how),
            reading,
            as_json,
        )


@takes_groups
def overview(
    file: File,
    output: Out,
    *,
    kind: Annotated[
        str,
        typer.Option(
            help="scan, mean, sum, max, min, variance, sum_over_x, sum_over_y, com or"
            " profile."
        ),
    ] = "scan",
    reading: Reading,
    as_json: AsJSON = False,
) -> None:
    """Write an overview of the whole scan."""
    from brickfield.errors import OptionError

    if kind in ("statistics", "histogram"):
        msg = f"expected a kind that is a picture or a row of numbers; found {kind}"
        raise OptionError(msg)
    with reading.open(file) as viewer:
        _write(
            viewer,
            output,
            lambda how: viewer.overview(kind, on_wait=tell_who, **how),
            reading,
            as_json,
        )


@takes_groups
def virtual(
    file: File,
    output: Out,
    *,
    disc: Annotated[
        str | None, typer.Option(metavar="CY,CX,R", help="Pixels, rows first.")
    ] = None,
    annulus: Annotated[str | None, typer.Option(metavar="CY,CX,R0,R1")] = None,
    wedge: Annotated[
        str | None,
        typer.Option(
            metavar="CY,CX,R0,R1,A0,A1",
            help="Degrees, 0 along columns, turning towards rows.",
        ),
    ] = None,
    rectangle: Annotated[
        str | None, typer.Option(metavar="Y0,Y1,X0,X1", help="First and last pixels.")
    ] = None,
    mask: Annotated[
        str | None, typer.Option(metavar="MASK.npy", help="Pixels, or weights.")
    ] = None,
    com: Annotated[
        bool, typer.Option("--com", help="Centres of mass: rows, then columns.")
    ] = False,
    com_annulus: Annotated[
        str | None,
        typer.Option(metavar="CY,CX,R0,R1", help="Centres of mass within a ring."),
    ] = None,
    dpc: Annotated[
        bool, typer.Option("--dpc", help="Length and direction of the centres' shift.")
    ] = False,
    icom: Annotated[
        bool, typer.Option("--icom", help="Integral of the centres' shift.")
    ] = False,
    divergence: Annotated[
        bool, typer.Option("--divergence", help="Divergence of the centres' shift.")
    ] = False,
    rotation: Annotated[
        str | None, typer.Option(metavar="DEG|auto", help="Turn the shifts first.")
    ] = None,
    flip: Annotated[
        bool | None,
        typer.Option("--flip/--no-flip", help="Mirror rows of the shifts first."),
    ] = None,
    descan: Annotated[
        bool, typer.Option("--descan", help="Subtract planes from the shifts first.")
    ] = False,
    reading: Reading,
    as_json: AsJSON = False,
) -> None:
    """Write the image that a virtual detector sees."""
    shapes = {"disc": disc, "annulus": annulus, "wedge": wedge}
    shapes |= {"rectangle": rectangle, "mask": mask}
    kinds = {"com": com, "dpc": dpc, "icom": icom, "divergence": divergence}
    asked = parse_centres(kinds, com_annulus, shapes)
    turning: dict[str, Any] = {
        "descan": descan,
        "rotation": parse_rotation(rotation),
        "is_flipped": flip,
    }
    detector = None if asked else parse_detector(shapes)

    def compute(how: dict[str, Any]) -> NDArray[Any]:
        if detector is not None:
            return viewer.virtual(detector, **how)
        return viewer.centre_of_mass(*asked, **{**turning, **how})

    with reading.open(file) as viewer:
        _write(viewer, output, compute, reading, as_json)


def _write(
    viewer: ScanViewer,
    output: str,
    compute: Callable[[dict[str, Any]], NDArray[Any]],
    reading: Reading,
    as_json: bool,
) -> None:
    """Compute with a bar of progress, write, and say what was written."""
    from brickfield.stem4d import check_result_file, write_result

    path = check_result_file(output, viewer.opened)
    with progress_bar("reading", "bytes") as progress:
        found = compute({"progress": progress, "scheduler": reading.scheduler})
    shown = write_result(path, found)
    about = {
        "path": str(path),
        "shape": list(found.shape),
        "dtype": found.dtype.name,
        "min": float(found.min()),
        "max": float(found.max()),
    }
    if shown is not None:
        about["shown"] = list(shown)
    if as_json:
        print_json(about)
    else:
        shape = " × ".join(map(str, found.shape))  # for people
        results().print(
            f"{path} {shape} {about['dtype']}, {about['min']:g} to"
            f" {about['max']:g}{_shown(shown)}",
            soft_wrap=True,
            markup=False,
        )


def _shown(shown: tuple[float, float] | None) -> str:
    """Say which values are black and white."""
    return "" if shown is None else f"; black {shown[0]:g}, white {shown[1]:g}"


def _print(about: dict[str, Any]) -> None:
    from rich.markup import escape

    from brickfield.blockwise import format_bytes

    console = results()
    ny, nx, height, width = about["shape"]
    found = f"{about['scan_from']}, {about['scan_confidence']:.0%} sure"
    rows = [
        ("format", about["format"]),
        ("dataset", about["dataset"]),
        ("scan", f"{ny} × {nx} positions ({found}: {about['scan_reason']})"),
        ("pattern", f"{height} × {width} {about['dtype']}, {about['bit_depth']} bit"),
        ("frames", f"{about['frames']}, {about['frames_unused']} of them unused"),
        ("series", ", ".join(about["series"])),
        ("files", f"{len(about['files'])}"),
    ]
    console.print(f"[bold]{escape(about['path'])}[/bold]", soft_wrap=True)
    for name, text in rows:
        if text:
            console.print(f"  {name:<8} {escape(text)}", soft_wrap=True)
    for axis in about["calibration"]:
        if axis["unit"] != "px":
            text = f"{axis['size']:g} {axis['unit']} a step, from {axis['origin']:g}"
            console.print(f"  {axis['name']:<8} {escape(text)}", soft_wrap=True)
    for item in about["cached"]:
        text = item["computed"] if item["valid"] else f"not valid: {item['reason']}"
        line = f"  cached   {item['item']}, {format_bytes(item['bytes'])}, {text}"
        console.print(escape(line), soft_wrap=True)
    for finding in about["findings"]:
        line = f"{finding['severity']}: {finding['text']} ({finding['code']})"
        console.print(escape(line), soft_wrap=True)
