"""The group of commands about scans of diffraction patterns."""

from __future__ import annotations

import typer

from brickfield.cli.stem import commands
from brickfield.cli.stem.cache import cache
from brickfield.cli.stem.convert import convert
from brickfield.cli.stem.fft import fft
from brickfield.cli.stem.follow import follow

app = typer.Typer(
    help="Look into 4D-STEM scans larger than memory, and convert them.",
    no_args_is_help=True,
)
app.command("info")(commands.info)
app.command("frame")(commands.frame)
app.command("pattern")(commands.pattern)
app.command("overview")(commands.overview)
app.command("virtual")(commands.virtual)
app.command("convert")(convert)
app.command("cache")(cache)
app.command("fft")(fft)
app.command("follow")(follow)
