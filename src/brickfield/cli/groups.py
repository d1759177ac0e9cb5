"""Groups of commands, as ``brickfield stem …``, that behave like the program itself.

A module of the command line makes its group with :func:`command_group`, and ``app``
takes it in with ``app.add_typer(module.commands, name="stem")``. Like every command,
those of a group import what they stand on when they run, so that the program starts
fast whatever groups there are.
"""

from __future__ import annotations

import typer


def command_group(help_text: str) -> typer.Typer:
    """Make an empty group of commands.

    Parameters
    ----------
    help_text : str
        One sentence on what its commands are for.

    Returns
    -------
    typer.Typer
        Without a command named it prints its help. Errors go up to the program, which
        turns them into one sentence and an exit status.

    Examples
    --------
    >>> commands = command_group("Read scans.")
    >>> @commands.command("info")
    ... def info() -> None:
    ...     typer.echo("a scan")
    """
    return typer.Typer(
        help=help_text,
        no_args_is_help=True,
        add_completion=False,
        pretty_exceptions_enable=False,
    )
