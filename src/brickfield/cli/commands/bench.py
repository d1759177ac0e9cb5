"""``brickfield bench``: how fast this machine is, and whether that changed."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from brickfield.cli.output import INCOMPLETE, messages, print_json, results
from brickfield.errors import OptionError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from brickfield.benchmarks import BenchmarkResult, BenchmarkRun
STDOUT = "-"


def bench(
    files: Annotated[
        list[Path] | None,
        typer.Argument(
            metavar="[OLD NEW]", help="With --compare: two results, as JSON."
        ),
    ] = None,
    *,
    compare: Annotated[
        bool, typer.Option("--compare", help="Compare two results; measure nothing.")
    ] = False,
    tests: Annotated[
        str | None, typer.Option(help="NAME,…", show_default="all")
    ] = None,
    sizes: Annotated[
        str, typer.Option(help="N,…: edges of the cubes, voxels.")
    ] = "100",
    iterations: Annotated[int, typer.Option(help="Timed calls of each test.")] = 5,
    warmup: Annotated[
        int, typer.Option(help="Calls of each test before those, not timed.")
    ] = 1,
    source: Annotated[
        str | None,
        typer.Option(help="Image to measure on.", show_default="one that is made"),
    ] = None,
    json_file: Annotated[
        str | None,
        typer.Option(
            "--json", help="Write the result to a file, as JSON; - prints it."
        ),
    ] = None,
    csv_file: Annotated[
        Path | None,
        typer.Option(
            "--csv", help="Write the table to a file, one line per test and size."
        ),
    ] = None,
) -> None:
    """Measure processing, reading, drawing and writing on this machine."""
    for path, option, kind in (
        (json_file, "--json", "" if compare else "benchmark"),
        (csv_file, "--csv", "benchmark table"),
    ):
        if path not in (None, STDOUT):
            _check_target(Path(str(path)), option, kind)
    if compare or files:
        if not compare or len(files or ()) != 2:
            msg = "expected --compare OLD.json NEW.json; found other files"
            raise OptionError(msg)
        assert files is not None
        _compare(files[0], files[1], json_file)
        return
    _measure(_run(tests, sizes, iterations, warmup, source), json_file, csv_file)


def _run(
    tests: str | None, sizes: str, iterations: int, warmup: int, source: str | None
) -> BenchmarkRun:
    from brickfield.benchmarks import TESTS, BenchmarkOptions, BenchmarkRun

    names = TESTS if tests is None else tuple(t.strip() for t in tests.split(","))
    try:
        edges = tuple(int(n) for n in sizes.split(","))
    except ValueError as error:
        msg = f'expected --sizes as whole numbers, "100,200"; found {sizes!r}'
        raise OptionError(msg) from error
    options = BenchmarkOptions(names, edges, iterations, warmup)
    return BenchmarkRun(options, source=source)


def _measure(run: BenchmarkRun, json_file: str | None, csv_file: Path | None) -> None:
    """Run, and write what is done, also when it is interrupted."""
    from brickfield.benchmarks import Progress

    status = messages().status("measuring")

    def tell(progress: Progress) -> None:
        row = progress.result
        size = " × ".join(map(str, row.size))  # for people
        status.update(f"{row.test}, {size}: {progress.done} of {progress.total}")

    run.on_progress = tell
    try:
        with status:
            run.run()
            # Without a driver the row of the test says so.
            if "render" in run.options.tests and run.result.adapter:
                status.update("drawing")
                run.measure_values()
    finally:
        found = run.result
        if json_file == STDOUT:
            print_json(found.to_dict())
        elif json_file is not None:
            found.write_json(json_file)
        if csv_file is not None:
            found.write_csv(csv_file)
    if json_file != STDOUT:
        print_table(found)
    if not found.complete:
        raise typer.Exit(INCOMPLETE)


def _compare(old: Path, new: Path, json_file: str | None) -> None:
    from brickfield.benchmarks import compare

    rows = compare(old, new)
    if json_file == STDOUT:
        print_json(rows)
        return
    if json_file is not None:
        import json

        from brickfield.writing import write_text

        write_text(Path(json_file), json.dumps(rows, indent=2) + "\n")
    _print_rows(rows)


def _check_target(path: Path, option: str, kind: str) -> None:
    """Refuse a place where nothing can be, or where something else is."""
    from brickfield.writing import check_replaceable_file, usable_path

    usable_path(path, option)
    if not path.absolute().parent.is_dir():
        msg = f"expected a file in a folder that exists; found {path}"
        raise OptionError(msg)
    check_replaceable_file(path, option=option, kind=kind)


def print_table(found: BenchmarkResult) -> None:
    """Print times and values for people."""
    from rich.table import Table

    table = Table(title=f"brickfield on {found.machine['cpu']}")
    for name in ("test", "size"):
        table.add_column(name)
    for name in ("mean", "median", "std", "min", "max", "p95", "Mvox/s"):
        table.add_column(name, justify="right")
    for row in found.results:
        size = " × ".join(map(str, row.size))  # for people
        times = row.statistics
        if times is None:
            table.add_row(row.test, size, "failed" if row.error else "not measured")
            continue
        numbers = (times.mean_ms, times.median_ms, times.std_ms, times.min_ms)
        cells = [f"{n:.4g} ms" for n in (*numbers, times.max_ms, times.p95_ms)]
        table.add_row(row.test, size, *cells, f"{row.mvox_per_s or 0:.4g}")
    results().print(table)
    for row in found.results:
        for text in filter(None, (row.error, row.further_text)):
            results().print(f"{row.test}: {text}", markup=False, soft_wrap=True)
    if found.values:
        _print_values(found)


def _print_values(found: BenchmarkResult) -> None:
    from rich.table import Table

    table = Table(title=f"drawing on {found.adapter}")
    for name in ("measured", "value", ""):
        table.add_column(name, justify="right" if name == "value" else "left")
    for row in found.values:
        table.add_row(row["name"], f"{row['value']:.4g} {row['unit']}", row["about"])
    results().print(table)


def _print_rows(rows: list[dict[str, Any]]) -> None:
    from rich.table import Table

    table = Table(title="new ÷ old")
    for name in ("test", "size", "old", "new", "ratio", ""):
        is_number = name in ("old", "new", "ratio")
        table.add_column(name, justify="right" if is_number else "left")
    for row in rows:
        size = " × ".join(map(str, row["size"]))  # for people
        old, new = (f"{row[key]:.4g} ms" for key in ("old_ms", "new_ms"))
        ratio = f"{row['ratio']:.3f}"
        table.add_row(row["test"], size, old, new, ratio, row["change"])
    results().print(table)
    if not rows:
        results().print("The two results have no test and size in common.")
