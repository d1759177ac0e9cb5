"""Runs the measurements one by one, prints the table and writes the page."""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from dataclasses import replace
from datetime import UTC, datetime
from importlib import import_module
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
if __package__ in (None, ""):
    sys.path.insert(0, str(ROOT))

from benchmarks.peers import find_peers  # noqa: E402
from benchmarks.report import commit, machine, print_table, write_page  # noqa: E402
from benchmarks.rows import Row, Setting  # noqa: E402

CASES = {
    "E1": "reading:stored_bytes",
    "E1b": "reading:small_cache",
    "E2": "reading:decode_work",
    "E3": "coverage:holes",
    "E3b": "level_error:level_error",
    "E4": "exactness:against_numpy",
    "E5": "exactness:against_ray_caster",
    "E6": "exactness:against_one_texture",
    "E7": "memory:gpu_bytes",
    "E8": "memory:flight",
    "E9": "planning:plan_time",
    "E10": "latency:first_picture",
    "E11": "latency:full_picture",
    "E12": "memory:page_table",
    "E13": "latency:streaming_work",
    "E14": "faults:broken_chunks",
    "E15": "coverage:sweep",
    "E16": "coverage:steadiness",
    "E17": "series:capacity",
    "E18": "frames:frame_cost",
    "E19": "motion:fluency",
    "E20": "cold:render",
    "E21": "pyramids:pyramid",
    "E22": "startup:startup",
    "E23": "window:window_share",
    "R6": "soak:soak",
    "N1": "cold:dock",
    "I1": "imaris:export",
    "B1": "self_measure:benchmark",
    "D1": "stem:opening",
    "D2": "stem:passes",
    "D3": "stem:writing",
    "S1": "streaming:stream",
    "S2": "sessions:sessions",
    "T1": "transforms:turns",
    "M1": "mosaics:mosaics",
}
PAGE = ROOT / "docs" / "explanation" / "performance.md"
LIMIT_S = 300


def main() -> int:
    """Measure what the command line names; 0 unless a measurement broke."""
    options = _parser().parse_args()
    if options.case:
        return _measure(options)
    if options.rewrite:
        rewrite(Path(options.write or PAGE))
        return 0
    peers = None if options.no_peers else find_peers(ROOT)
    chosen = options.only.split(",") if options.only else list(CASES)
    rows: list[Row] = []
    broken: dict[str, str] = {}
    start = time.perf_counter()
    for goal in chosen:
        found, reason = _run_alone(goal, peers, is_full=options.full)
        rows += found
        if reason:
            broken[goal] = reason
            print(f"benchmarks: {goal}: {reason}", file=sys.stderr)
    seconds = time.perf_counter() - start
    rows = [replace(row, measured=_now()) for row in rows]
    about = machine() | {
        "seconds": round(seconds),
        "mode": _mode(options),
        "goals": len(chosen),
    }
    print_table(rows, broken)
    if options.json:
        _write_json(Path(options.json), rows, broken, about)
    if options.write:
        page = Path(options.write)
        rows = beside_others(page.with_suffix(".json"), rows, set(chosen) - set(broken))
        write_page(page, rows, broken, about)
        _write_json(page.with_suffix(".json"), rows, broken, about)
    return 1 if broken else 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--only", help="goals, for example E1,E9")
    parser.add_argument("--full", action="store_true", help="take the long way")
    parser.add_argument("--no-peers", action="store_true", help="measure us alone")
    parser.add_argument("--json", metavar="FILE", help="write the rows there")
    parser.add_argument(
        "--write",
        nargs="?",
        const=str(PAGE),
        metavar="FILE.md",
        help="write the page of the documentation, and JSON beside it",
    )
    parser.add_argument(
        "--rewrite",
        action="store_true",
        help="write the page from the JSON beside it, without measuring anything",
    )
    parser.add_argument("--case", help=argparse.SUPPRESS)
    parser.add_argument("--peers", help=argparse.SUPPRESS)
    parser.add_argument("--out", help=argparse.SUPPRESS)
    return parser


def rewrite(page: Path) -> None:
    """Write a page from the JSON beside it.

    Parameters
    ----------
    page : Path
        Of the documentation.
    """
    before = json.loads(page.with_suffix(".json").read_text())
    rows = [_row(r, "") for r in before["rows"]]
    write_page(page, rows, before.get("broken", {}), before["about"])


def _row(values: dict[str, object], since: str) -> Row:
    """Make a row from JSON; `since` where it does not say when it was measured."""
    known = {k: v for k, v in values.items() if k != "ratio"}
    return Row(**{"measured": since} | known)  # type: ignore[arg-type]


def _now() -> str:
    """Name the day and the version that is measured."""
    return f"{datetime.now(UTC):%Y-%m-%d} {commit()}".rstrip()


NAMED_PEERS = ("cellier", "ngff-zarr", "ome-zarr-py", "ome_zarr")
"""Peers that a row is a ratio to: their names are part of what it tells."""


def beside_others(path: Path, rows: list[Row], measured: set[str]) -> list[Row]:
    """Add what was not measured now from the table of before, as it stands there.

    Parameters
    ----------
    path : Path
        JSON of the table of before; it need not exist.
    rows : list of Row
        Of this run.
    measured : set of str
        Goals that were measured to the end. Of these, rows of before are kept only where
        a peer was measured that did not run now.
    """
    if not path.exists():
        return rows
    before = json.loads(path.read_text())
    about = before["about"]
    since = f"{about['date']} {about['versions'].get('napari-brickfield', '')}"
    old = [_row(r, since.rstrip()) for r in before["rows"]]
    peers = {(row.goal, row.what): row.peer for row in rows}
    beside = {row.goal for row in rows if row.peer}

    def is_kept(row: Row) -> bool:
        key = (row.goal, row.what)
        if row.goal not in measured:
            return True
        # What is called otherwise now is not kept, unless no peer could tell.
        could_run = row.goal in beside and key not in peers
        if row.theirs is not None:
            return not peers.get(key) and not could_run
        named = next((name for name in NAMED_PEERS if name in row.what), "")
        return bool(named) and not any(named in what for _, what in peers)

    kept = {(row.goal, row.what): row for row in old if is_kept(row)}
    rows = [kept.pop((row.goal, row.what), row) for row in rows]
    order = list(CASES)
    return sorted([*rows, *kept.values()], key=lambda row: order.index(row.goal))


def _mode(options: argparse.Namespace) -> str:
    return "full" if options.full else "quick"


def _run_alone(
    goal: str, peers: Path | None, *, is_full: bool
) -> tuple[list[Row], str]:
    """Measure one goal in a process of its own; return rows, or why there are none."""
    if goal not in CASES:
        return [], f"expected one of {', '.join(CASES)}"
    print(f"benchmarks: {goal} …", end="", file=sys.stderr, flush=True)
    start = time.perf_counter()
    with tempfile.TemporaryDirectory(prefix="brickfield-bench-") as folder:
        out = Path(folder) / "rows.json"
        command = [
            sys.executable,
            "-m",
            "benchmarks",
            "--case",
            goal,
            "--out",
            str(out),
        ]
        command += ["--peers", str(peers)] if peers else []
        command += ["--full"] if is_full else []
        limit = 4 * LIMIT_S if is_full else LIMIT_S
        try:
            done = subprocess.run(
                command, cwd=ROOT, timeout=limit, check=False, stderr=subprocess.PIPE
            )
        except subprocess.TimeoutExpired:
            return [], f"took over {limit} s"
        print(f" {time.perf_counter() - start:.1f} s", file=sys.stderr)
        if not out.exists():
            text = done.stderr.decode(errors="replace").strip()
            last = text.splitlines()[-1] if text else "no message"
            return [], f"ended with status {done.returncode}: {last}"
        sys.stderr.write(done.stderr.decode(errors="replace"))
        return [Row(**row) for row in json.loads(out.read_text())], ""


def _measure(options: argparse.Namespace) -> int:
    """Be the process of one goal."""
    module, name = CASES[options.case].split(":")
    measure = getattr(import_module(f"benchmarks.{module}"), name)
    out = Path(options.out)
    peers = Path(options.peers) if options.peers else None
    rows = measure(Setting(out.parent, is_full=options.full, peers=peers))
    plain = [{k: v for k, v in r.as_dict().items() if k != "ratio"} for r in rows]
    out.write_text(json.dumps(plain))
    return 0


def _write_json(
    path: Path, rows: list[Row], broken: dict[str, str], about: dict[str, object]
) -> None:
    value = {"about": about, "rows": [r.as_dict() for r in rows], "broken": broken}
    path.write_text(json.dumps(value, indent=2, ensure_ascii=False) + "\n")


if __name__ == "__main__":
    raise SystemExit(main())
