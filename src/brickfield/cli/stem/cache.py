"""``brickfield stem cache``: what is kept with a scan."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated

import typer

from brickfield.cli.option_groups import takes_groups
from brickfield.cli.output import INCOMPLETE, print_json, results
from brickfield.cli.progress import progress_bar
from brickfield.cli.stem.options import AsJSON, File
from brickfield.cli.stem.reading import Reading

if TYPE_CHECKING:
    from brickfield.stem4d import EMDCacheManager


@takes_groups
def cache(
    file: File,
    *,
    verify: Annotated[
        bool, typer.Option("--verify", help="Compare what is kept with all patterns.")
    ] = False,
    drop: Annotated[
        list[str] | None,
        typer.Option(metavar="ITEM", help="Item to delete; may be repeated."),
    ] = None,
    repack: Annotated[
        bool, typer.Option("--repack", help="Give the space of dropped items back.")
    ] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    reading: Reading,
    as_json: AsJSON = False,
) -> None:
    """List what is kept with a scan; check, drop, give space back."""
    from brickfield.stem4d import PassOptions

    kept_in = reading.cache
    if kept_in == "auto" and not _is_hdf5(file):
        kept_in = "sidecar"  # a choice of an earlier command
    with reading.open(file, cache=kept_in) as viewer:
        manager = viewer.cache
        for name in drop or ():
            manager.drop(name)
        if verify:
            with progress_bar("reading", "bytes") as progress:
                manager.verify(
                    PassOptions(
                        reading.budget, scheduler=reading.scheduler, progress=progress
                    )
                )
        items = [item.as_dict() for item in manager.items()]
    freed = _repack(manager, yes) if repack else None
    owner = manager.owner
    if as_json:
        about = {"items": items, "computing": None if owner is None else str(owner)}
        print_json(about if freed is None else {**about, "bytes_given_back": freed})
    else:
        _print(items, freed, None if owner is None else str(owner))
    if verify and not all(item["valid"] for item in items):
        raise typer.Exit(INCOMPLETE)


def _is_hdf5(file: str) -> bool:
    from pathlib import Path

    from brickfield.stem4d import EMD

    return Path(file).suffix.lower() in EMD


def _repack(manager: EMDCacheManager, yes: bool) -> int:
    from brickfield.blockwise import format_bytes

    n_bytes = format_bytes(manager.repack_bytes())
    # A script cannot answer: who asks for it there means it.
    if not yes and sys.stdin.isatty():
        typer.confirm(f"{n_bytes} are written anew; go on?", abort=True, err=True)
    return manager.repack()


def _print(
    items: list[dict[str, object]], freed: int | None, owner: str | None
) -> None:
    from rich.markup import escape

    from brickfield.blockwise import format_bytes

    console = results()
    if owner is not None:
        console.print(escape(f"computed by another process ({owner})"))
    for item in items:
        state = "valid" if item["valid"] else f"not valid: {item['reason']}"
        size = format_bytes(int(str(item["bytes"])))
        line = f"{item['item']:<18} {size:>10}  {item['computed']}  {state}"
        console.print(escape(line), soft_wrap=True)
    if not items:
        console.print("nothing is kept")
    if freed is not None:
        console.print(f"{format_bytes(freed)} given back")
