"""The progress bar of every command that takes long, on standard error.

Invariant: nothing is drawn where standard error is no terminal, and nothing of the
bar stays when the work is over.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from brickfield.cli.output import messages

if TYPE_CHECKING:
    from rich.console import Console

    from brickfield.blockwise import Progress


@contextmanager
def progress_bar(
    doing: str = "writing", unit: str = "blocks", *, console: Console | None = None
) -> Iterator[Progress]:
    """Show what is done of all, and the time left, while something runs.

    Parameters
    ----------
    doing : str
        What is done, a word or two.
    unit : str
        What is counted, plural; "bytes" are written as people write them, with
        how many there were a second.
    console : rich.console.Console, optional
        Where it is drawn; standard error if not given.

    Yields
    ------
    callable
        To be told (done, in all, bytes written, seconds left or None), from any
        thread, as :func:`brickfield.blockwise.jobs.run_jobs` and
        :func:`brickfield.blockwise.gathering.gather` do.
    """
    from rich.markup import escape
    from rich.progress import (
        BarColumn,
        DownloadColumn,
        MofNCompleteColumn,
        Progress,
        ProgressColumn,
        TextColumn,
        TimeRemainingColumn,
        TransferSpeedColumn,
    )

    counted: tuple[ProgressColumn, ...]
    if unit == "bytes":
        counted = (DownloadColumn(binary_units=True), TransferSpeedColumn())
    else:
        counted = (MofNCompleteColumn(), TextColumn(escape(unit)))
    columns = (
        TextColumn(escape(doing)),
        BarColumn(),
        *counted,
        TimeRemainingColumn(),
    )
    console = console or messages()
    is_silent = not console.is_terminal
    with Progress(*columns, console=console, transient=True, disable=is_silent) as bar:
        task = bar.add_task("", total=None)

        def tell(
            done: int, total: int, _n_bytes: int = 0, _left: float | None = None
        ) -> None:
            bar.update(task, completed=done, total=total)

        yield tell
