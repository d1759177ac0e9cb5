"""The commands together, and their errors turned into exit statuses.

Exit status: 0 done; 2 wrong usage or unreadable input, told in one sentence; 3
finished but incomplete; 130 interrupted. No traceback is shown, except
with ``BRICKFIELD_DEBUG=1``.
"""

from __future__ import annotations

import os
import sys
from typing import Annotated, NoReturn

import typer

from brickfield.cli.commands import (
    bench,
    demo,
    export_imaris,
    info,
    pyramid,
    render,
    session,
    view,
)
from brickfield.cli.interrupts import INTERRUPTED
from brickfield.cli.output import complain
from brickfield.cli.stem.app import app as stem
from brickfield.cli.stream.app import commands as stream
from brickfield.cli.transform.app import app as transform
from brickfield.cli.transform.fuse import fuse
from brickfield.errors import BrickfieldError

USAGE_ERROR = 2

app = typer.Typer(
    help="Draw and describe multiscale volumes far larger than memory.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
app.command("info")(info.info)
app.command("render")(render.render)
app.command("view")(view.view)
app.command("pyramid")(pyramid.pyramid)
app.command("export-imaris")(export_imaris.export_imaris)
app.command("fuse")(fuse)
app.command("demo")(demo.demo)
app.command("bench")(bench.bench)
app.add_typer(stem, name="stem")
app.add_typer(transform, name="transform")
app.add_typer(session.commands, name="session")
app.add_typer(stream, name="stream")


def _print_version(wanted: bool) -> None:
    if wanted:
        from brickfield import __version__

        typer.echo(f"brickfield {__version__}")
        raise typer.Exit


@app.callback()
def _options(
    *,
    version: Annotated[
        bool,
        typer.Option(
            "--version", callback=_print_version, is_eager=True, help="Print it."
        ),
    ] = False,
) -> None:
    pass


def run() -> NoReturn:
    """Run the command that ``sys.argv`` names and leave with its exit status."""
    is_debug = os.environ.get("BRICKFIELD_DEBUG", "") not in ("", "0")
    try:
        app(prog_name="brickfield")
    except KeyboardInterrupt:
        sys.exit(INTERRUPTED)
    except BrickfieldError as error:
        if is_debug:
            raise
        complain(str(error))
        sys.exit(USAGE_ERROR)
    except Exception as error:
        if is_debug:
            raise
        complain(
            f"{type(error).__name__}: {error} (unexpected: please report it with what"
            " BRICKFIELD_DEBUG=1 in the environment prints)"
        )
        sys.exit(USAGE_ERROR)
    sys.exit(0)
