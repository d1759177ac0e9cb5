"""Receipts of pictures as text for people."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from brickfield.cli.output import results


def print_receipt(cost: dict[str, Any], out: Path) -> None:
    """Print what a picture cost, for people.

    Parameters
    ----------
    cost : dict
        The receipt as plain values.
    out : Path
        The picture.
    """
    from rich.markup import escape

    from brickfield.blockwise import format_bytes
    from brickfield.model.units import counted

    console = results()
    pixels, chunks = cost["pixels"], cost["chunks"]
    levels = ", ".join(f"{n} of level {lv}" for lv, n in cost["levels"].items() if n)
    state = "complete" if cost["complete"] else "incomplete"
    is_known = cost["is_minimum_known"]
    least = format_bytes(cost["bytes_minimum"]) if is_known else "not known"
    console.print(f"[bold]{escape(str(out))}[/bold] {state}", soft_wrap=True)
    for key, value in (
        ("pixels", f"{pixels['at_target']:.1%} sharp, {pixels['coarser']:.1%} coarser"),
        ("bricks", levels or "none"),
        (
            "chunks",
            f"{chunks['loaded']} loaded, {chunks['missing']} not stored,"
            f" {chunks['failed']} failed of {chunks['wanted']}",
        ),
        (
            "read",
            f"{format_bytes(cost['bytes_read'])} in {counted(cost['requests'], 'request')}"
            f" (least possible {least})",
        ),
        (
            "memory",
            f"{format_bytes(cost['gpu_bytes'])} of {format_bytes(cost['gpu_budget'])} GPU,"
            f" {format_bytes(cost['ram_cache_peak_bytes'])} of"
            f" {format_bytes(cost['ram_budget'])} cache",
        ),
        ("time", _times(cost)),
        ("adapter", cost["adapter"]),
    ):
        console.print(f"  {key:<8} {escape(value)}", soft_wrap=True)
    for failure in cost["failures"][:10]:
        console.print(
            f"  failed   {escape(failure['key'])}: {escape(failure['reason'])}"
        )


def _times(cost: dict[str, Any]) -> str:
    named = (
        ("first picture", cost["time_to_first_image_s"]),
        ("full picture", cost["time_to_complete_s"]),
    )
    return ", ".join(f"{name} {s:.2f} s" for name, s in named if s is not None)
