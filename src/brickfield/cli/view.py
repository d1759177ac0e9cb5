"""``brickfield view``: napari with images in the volume dock."""

from __future__ import annotations

from importlib import import_module
from typing import Annotated, Any

import typer

from brickfield.cli import options as text
from brickfield.cli.screen import expect_screen
from brickfield.errors import MissingExtraError


def view(
    uris: Annotated[
        list[str], typer.Argument(metavar="URI…", help="Files, folders or URLs.")
    ],
    *,
    layout: Annotated[
        str,
        typer.Option(
            metavar="NAME",
            help="3D, xy, xz, yz, plane, or 2x2 for all of them side by side.",
        ),
    ] = "3D",
    series: text.Series = None,
    well: text.Well = None,
    field: text.Field = None,
    label: text.Label = None,
    image: text.Images = None,
    denied: text.Denied = False,
    follow: text.Follow = False,
) -> None:
    """Open napari with images in the volume dock."""
    from brickfield.qt.layouts import cells_of

    window = window_module()
    cells_of(layout)
    expect_screen()
    which = text.chosen_image(series, well, field, label, denied, follow)
    if image:
        which["image"] = image
    window.open_window(uris, layout=layout, **which)
    window.run()


def window_module() -> Any:
    """Import what opens windows.

    Raises
    ------
    MissingExtraError
        Without napari or a Qt binding.
    """
    try:
        import_module("qtpy.QtWidgets")
        import_module("napari")
        return import_module("brickfield.plugin.window")
    except ImportError as error:
        msg = (
            f"expected napari and a Qt binding to open a window; found that {error}:"
            ' pip install "napari-brickfield[desktop]"'
        )
        raise MissingExtraError(msg) from error
