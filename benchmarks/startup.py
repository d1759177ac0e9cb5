"""E22: what starts quickly, and what a window costs that nobody touches."""

from __future__ import annotations

import sys
from pathlib import Path

from benchmarks.clock import median
from benchmarks.cold import cpu_s, in_napari
from benchmarks.cold_process import IDLE_S
from benchmarks.peers import find_peers
from benchmarks.rows import ROOT, Row, Setting, at_most
from benchmarks.scenes import halved, light_sheet, write_pyramid

REPEATS = 5


def startup(setting: Setting) -> list[Row]:
    """E22."""
    data = light_sheet(128)
    path = write_pyramid(setting.folder / "128.zarr", [data, halved(data)], 64)
    python = [sys.executable]
    commands = {
        "python": [*python, "-c", "pass"],
        "import": [*python, "-c", "import brickfield"],
        "info": [*python, "-m", "brickfield.cli.main", "info", str(path)],
    }
    peers = None if setting.peers is None else find_peers(ROOT, "resample")
    tool = None if peers is None else peers.with_name("ome_zarr")
    if tool is not None and tool.exists():  # older environments lack it
        # By its Python: the script names that by an absolute path, and may be moved.
        commands["peer"] = [str(peers), str(tool), "info", str(path)]
    spent: dict[str, list[float]] = {name: [] for name in commands}
    for _ in range(REPEATS):
        for name, command in commands.items():
            spent[name].append(cpu_s(command))
    seconds = {name: median(values) for name, values in spent.items()}
    return [*rows_of(seconds), *idle(path)]


def rows_of(seconds: dict[str, float]) -> list[Row]:
    """Make the rows of commands from their seconds of CPU, medians."""
    python = seconds["python"]
    beyond = 1e3 * (seconds["import"] - python)
    rows = [
        Row(
            "E22",
            "CPU of import brickfield beyond an empty Python",
            beyond,
            unit="ms",
            repeats=REPEATS,
            note=f"an empty Python takes {1e3 * python:.0f} ms",
        )
    ]
    if "peer" in seconds:
        rows.append(
            at_most(
                "E22",
                "CPU of brickfield info ÷ ome_zarr info",
                seconds["info"] / seconds["peer"],
                0.4,
                repeats=REPEATS,
                note=f"{seconds['info']:.2f} s against {seconds['peer']:.2f} s,"
                " imports included",
            )
        )
    return rows


def idle(path: Path) -> list[Row]:
    """Make the row of a dock that nobody touches, where there is a screen."""
    what = f"CPU of a dock at rest in {IDLE_S} s, beyond napari alone"
    found = [in_napari(name, str(path)) for name in ("idle", "idle alone")]
    if not all(found):
        note = "needs a screen: tools/screen.sh python -m benchmarks --only E22"
        return [Row("E22", what, None, unit="s", limit="≤ 0.01 s", note=note)]
    ours, alone = (run["cpu_s"] for run in found)
    note = f"of all threads; {ours:.3f} s, napari alone {alone:.3f} s"
    return [at_most("E22", what, max(0.0, ours - alone), 0.01, unit="s", note=note)]
