"""``brickfield stem follow``: the overview of a scan that is still written."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from brickfield.cli.option_groups import takes_groups
from brickfield.cli.output import INCOMPLETE, print_json, results
from brickfield.cli.progress import progress_bar
from brickfield.cli.stem.options import AsJSON, File, Out
from brickfield.cli.stem.reading import Reading

if TYPE_CHECKING:
    from brickfield.stem4d import ScanFollower

KINDS = ("scan", "sum", "mean", "max")


@takes_groups
def follow(
    file: File,
    output: Out,
    *,
    kind: Annotated[str, typer.Option(help="scan, sum, mean or max.")] = "scan",
    idle: Annotated[
        float, typer.Option(metavar="S", min=0, help="Give up after so many seconds.")
    ] = 60.0,
    reading: Reading,
    as_json: AsJSON = False,
) -> None:
    """Write an overview of a scan that is still written, again as frames come."""
    from brickfield.errors import OptionError
    from brickfield.stem4d import ScanFollower, check_result_file, write_result

    if kind not in KINDS:
        msg = f"expected a kind out of {', '.join(KINDS)}; found {kind!r}"
        raise OptionError(msg)
    opening = reading.opening()
    if opening.corrections.dead == "auto":
        msg = (
            "expected dead pixels that are known of a scan that is still written;"
            " found --dead auto: give a .npy file that marks them"
        )
        raise OptionError(msg)
    with ScanFollower(
        file,
        opening.scan,
        budget=reading.budget,
        this_file_only=reading.this_file_only,
        corrections=opening.corrections,
    ) as scan:
        path = check_result_file(output, scan.opened)
        grid = scan.opened.shape_found.grid
        with progress_bar("following", "frames") as progress:

            def told(scan: ScanFollower) -> None:
                write_result(path, _value(scan, kind))
                n = scan.n_read
                progress(n, grid.n_needed, n, None)

            is_complete = scan.run(told, idle_s=idle)
        about = {"path": str(path), "frames": scan.n_read, "complete": is_complete}
    if as_json:
        print_json(about)
    else:
        state = "complete" if is_complete else "not complete"
        text = f"{path} {scan.n_read} of {grid.n_needed} frames, {state}"
        results().print(text, soft_wrap=True, markup=False)
    if not is_complete:
        raise typer.Exit(INCOMPLETE)


def _value(scan: ScanFollower, kind: str) -> Any:
    if kind == "mean":
        return scan.total / max(scan.n_patterns, 1)
    return {"scan": scan.image, "sum": scan.total, "max": scan.highest}[kind]
