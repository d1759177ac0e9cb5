"""``brickfield demo``: sample data, drawn."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from brickfield.cli.output import INCOMPLETE, messages
from brickfield.cli.render import draw_to_file, print_receipt


def demo(
    *,
    folder: Annotated[Path, typer.Option(help="Where pictures and data go.")] = Path(),
) -> None:
    """Write a sample pyramid and draw it to demo-volume.png."""
    from brickfield.sample.store import ensure_sample
    from brickfield.viewer.options import render_options

    with messages().status("writing the sample"):
        sample = ensure_sample(folder / ".demo")
    out = folder / "demo-volume.png"
    options = render_options(camera="orbit:35,20,1.6", size=(900, 700), timeout=300)
    cost = draw_to_file(str(sample), out, options)
    print_receipt(cost, out)
    if not cost["complete"]:
        raise typer.Exit(INCOMPLETE)
