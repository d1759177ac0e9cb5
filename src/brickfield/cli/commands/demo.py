"""``brickfield demo``: a sample in a napari window, or pictures of it."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from brickfield.cli.commands.render import draw_to_file
from brickfield.cli.output import INCOMPLETE, messages
from brickfield.cli.receipts import print_receipt
from brickfield.cli.screen import (
    can_be_virtual,
    has_screen,
    on_virtual_screen,
    window_module,
)
from brickfield.errors import MissingExtraError

CAMERA = "orbit:35,20,1.6"


def demo(
    *,
    folder: Annotated[Path, typer.Option(help="Where pictures and data go.")] = Path(),
    pictures: Annotated[
        bool,
        typer.Option("--pictures", help="Write pictures of the window and end."),
    ] = False,
) -> None:
    """Write a sample pyramid and open it in napari's volume dock.

    Without a screen, or with --pictures, it leaves demo.png (the napari window) and
    demo-volume.png (the volume view) instead. Without napari it draws demo-volume.png
    alone.
    """
    from brickfield.sample import ensure_sample

    with messages().status("writing the sample"):
        sample = ensure_sample(folder / ".demo")
    try:
        window = window_module()
    except MissingExtraError as error:
        messages().print(f"{error} (drawing the volume alone)", soft_wrap=True)
        _draw_volume(sample, folder)
        return
    if not has_screen():
        if can_be_virtual():
            ended = on_virtual_screen(["demo", "--folder", str(folder), "--pictures"])
            raise typer.Exit(ended)
        messages().print("no screen, and no xvfb-run: drawing the volume alone")
        _draw_volume(sample, folder)
        return
    viewer = window.open_window([str(sample)])
    if not pictures:
        window.run()
        return
    out = folder / "demo-volume.png"
    with messages().status("drawing"):
        cost = window.take_pictures(viewer, folder / "demo.png", out)
    print_receipt(cost, out)
    if not cost["complete"]:
        raise typer.Exit(INCOMPLETE)


def _draw_volume(sample: Path, folder: Path) -> None:
    from brickfield.viewer.export import render_options

    out = folder / "demo-volume.png"
    options = render_options(camera=CAMERA, size=(900, 700), timeout=300)
    cost = draw_to_file(str(sample), out, options)
    print_receipt(cost, out)
    if not cost["complete"]:
        raise typer.Exit(INCOMPLETE)
