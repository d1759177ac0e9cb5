"""The table on the screen and the page of the documentation."""

from __future__ import annotations

import os
import platform
import subprocess
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from benchmarks.rows import ROOT, Row
from benchmarks.summary import at_a_glance, reason

_PACKAGES = ("numpy", "pygfx", "wgpu", "tensorstore", "zarr")
_HEADER = ("", "measured", "ours", "to reach", "", "peer", "theirs", "ours ÷ theirs")


def commit() -> str:
    """Name the commit that is measured; what is installed may be another."""
    command = ["git", "describe", "--always", "--dirty"]
    done = subprocess.run(
        command, cwd=ROOT, check=False, capture_output=True, text=True
    )
    return done.stdout.strip()


def machine() -> dict[str, object]:
    """Describe where the table was measured, and what by its commit."""
    from brickfield.gpu import get_device

    versions = {"napari-brickfield": commit()}
    for name in _PACKAGES:
        try:
            versions[name] = version(name)
        except PackageNotFoundError:
            continue
    return {
        "date": datetime.now(UTC).strftime("%Y-%m-%d"),
        "system": f"{platform.system()} {platform.machine()}",
        "cores": os.cpu_count(),
        "load": round(os.getloadavg()[1], 1),
        "python": platform.python_version(),
        "adapter": get_device().adapter,
        "versions": versions,
    }


def number(value: float | None, unit: str = "") -> str:
    """Write a number with three digits and its unit."""
    if value is None:
        return "–"
    if value == int(value) and abs(value) < 1e7:
        text = f"{int(value):,}"
    elif 0 < abs(value) < 1e-3:
        text = f"{value:.2g}"
    else:
        text = f"{value:.3g}" if abs(value) < 1000 else f"{value:,.0f}"
    return f"{text} {unit}".rstrip()


def cells(row: Row) -> tuple[str, ...]:
    """Write one row."""
    verdict = {True: "yes", False: "no", None: "–"}[row.reached]
    return (
        row.goal,
        row.what,
        number(row.ours, row.unit),
        row.limit,
        verdict,
        row.peer,
        number(row.theirs, row.unit) if row.peer else "",
        number(row.ratio) if row.ratio is not None else "",
    )


def print_table(rows: list[Row], broken: dict[str, str]) -> None:
    """Print everything for people."""
    from rich.console import Console
    from rich.table import Table

    table = Table(title="brickfield, measured", show_lines=False)
    for name in _HEADER:
        table.add_column(name, overflow="fold")
    for row in rows:
        style = {True: "green", False: "red", None: "dim"}[row.reached]
        first, what, ours, limit, verdict, *rest = cells(row)
        table.add_row(first, what, ours, limit, f"[{style}]{verdict}[/]", *rest)
    console = Console()
    console = console if console.is_terminal else Console(width=170)
    console.print(table)
    for row in rows:
        if row.note:
            console.print(f"{row.goal} {row.what}: {row.note}", style="dim")
    for goal, why in broken.items():
        console.print(f"{goal} was not measured: {why}", style="red")


def missed_lines(rows: list[Row], broken: dict[str, str]) -> list[str]:
    """Write what is missed, each with its reason where one is known."""
    lines = []
    for r in rows:
        if r.reached is False:
            why = reason(r)
            text = f"{number(r.ours, r.unit)}, to reach {r.limit}"
            lines.append(f"- **{r.goal}** {r.what}: {text}{f'; {why}' if why else ''}.")
    lines += [
        f"- **{goal}** could not be measured: {why}." for goal, why in broken.items()
    ]
    return lines or ["Nothing."]


def write_page(
    path: Path, rows: list[Row], broken: dict[str, str], about: dict[str, object]
) -> None:
    """Write the page of the documentation."""
    versions = about["versions"]
    assert isinstance(versions, dict)
    named = ", ".join(f"{name} {v}" for name, v in versions.items())
    lines = [
        "# Performance",
        "",
        "<!-- Written by `make bench`; do not edit. -->",
        "",
        "What is fast, what is not yet, and why. Everything here was measured by",
        "`make bench`, which also wrote this page.",
        "",
        "## At a glance",
        "",
        *at_a_glance(rows, {id(r): number(r.ours, r.unit) for r in rows}),
        "",
        "## Not reached yet",
        "",
        *missed_lines(rows, broken),
        "",
        "## All rows",
        "",
        "Each row is one goal of the engine, measured beside the best peer that runs on",
        "the same machine. Counts are exact. Times are medians of several repeats and",
        "mean something only against the peer in the same row; other work ran on the",
        "machine (load below).",
        "",
        f"- Last run {about['date']}, {about['mode']} mode: {about.get('goals', '?')} goals"
        f" in {about['seconds']} s. Each row tells its own day and version.",
        f"- Machine: {about['system']}, {about['cores']} cores, load {about['load']}, {about['adapter']}.",
        "  On software Vulkan the ray caster shares the processor with everything else,",
        "  and textures lie in ordinary memory.",
        f"- Versions: Python {about['python']}, {named}.",
        "- Again: `make bench` (quick) or `python -m benchmarks --full --write`. The",
        "  command of a row is `python -m benchmarks --only E9` with what stands in its",
        "  first column; `--write` besides keeps the other rows of this page, each with",
        "  the day and the version that it was measured with, and rows beside a peer",
        "  that cannot run now.",
        "- On a machine with a GPU: `python -m benchmarks.gpu` (memory by NVML, readback,",
        "  gaps between frames, time on the device, compiling).",
        "",
        "| | measured | ours | to reach | reached | peer | theirs | ours ÷ theirs | day and version |",
        "|---|---|---|---|---|---|---|---|---|",
        *(
            f"| {' | '.join(c.replace('|', '/') for c in (*cells(r), r.measured))} |"
            for r in rows
        ),
        "",
        "## Notes",
        "",
        *(
            f"- **{r.goal}** {r.what}: "
            + "; ".join(
                part
                for part in (r.note, f"{r.repeats} repeats" if r.repeats > 1 else "")
                if part
            )
            + "."
            for r in rows
            if r.note or r.repeats > 1
        ),
        "",
    ]
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join(lines))
