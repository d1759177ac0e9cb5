"""Where text goes: results to standard output, everything else to standard error."""

from __future__ import annotations

import json
import math
from typing import Any

import typer
from rich.console import Console

from brickfield.model.secrets import hide_secrets

INCOMPLETE = 3
"""Exit status of what was written but is not whole."""


def results() -> Console:
    """Make the console of results; long lines are not broken when piped."""
    console = Console(highlight=False)
    if not console.is_terminal:
        console = Console(highlight=False, width=160)
    return console


def messages() -> Console:
    """Make the console of progress."""
    return Console(stderr=True, highlight=False)


def complain(text: str) -> None:
    """Print an error as one line on standard error."""
    typer.echo(f"brickfield: error: {' '.join(hide_secrets(text).split())}", err=True)


def note(text: str) -> None:
    """Print something worth knowing as one line on standard error."""
    typer.echo(f"brickfield: note: {' '.join(hide_secrets(text).split())}", err=True)


def print_json(value: Any) -> None:
    """Print strict JSON: NaN and infinities, which it lacks, become null."""
    typer.echo(json.dumps(_finite(value), indent=2, allow_nan=False))


def _finite(value: Any) -> Any:
    if isinstance(value, str):
        return hide_secrets(value)
    if isinstance(value, dict):
        return {str(name): _finite(v) for name, v in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(v) for v in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value
