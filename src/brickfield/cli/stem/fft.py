"""``brickfield stem fft``: Fourier transforms kept with a scan."""

from __future__ import annotations

from typing import Annotated

import typer

from brickfield.cli.option_groups import takes_groups
from brickfield.cli.output import INCOMPLETE, print_json, results
from brickfield.cli.progress import progress_bar
from brickfield.cli.stem.options import AsJSON, File, parse_region
from brickfield.cli.stem.reading import Reading, tell_who
from brickfield.cli.writing import Restart


@takes_groups
def fft(
    file: File,
    *,
    mode: Annotated[str, typer.Option(help="detector, scan or 4d.")] = "4d",
    half: Annotated[
        bool,
        typer.Option(
            "--half", help="Store half of the spectrum; the other half follows from it."
        ),
    ] = False,
    region: Annotated[
        str | None, typer.Option(metavar="Y0:Y1,X0:X1", help="Part of the scan.")
    ] = None,
    n_binned: Annotated[
        int, typer.Option("--bin", metavar="N", help="Sum N x N pixels first.")
    ] = 1,
    store_amplitude: Annotated[
        bool, typer.Option("--store-amplitude", help="Store amplitude and phase, too.")
    ] = False,
    recompute: Annotated[
        bool, typer.Option("--recompute", help="Compute it even if it is there.")
    ] = False,
    restart: Restart = False,
    workers: Annotated[
        int | None,
        typer.Option(metavar="N", min=1, help="Threads; one per core by default."),
    ] = None,
    reading: Reading,
    as_json: AsJSON = False,
) -> None:
    """Transform a scan and keep the spectrum with it; resumable."""
    from brickfield.stem4d import ChunkedFFTProcessor, FFTOptions, scan_region

    part = parse_region(region, "--region")
    with reading.open(file) as viewer:
        chosen = None if part is None else scan_region(part, viewer.shape)
        options = FFTOptions(
            mode,
            half,
            chosen,
            n_binned,
            store_amplitude,
            recompute,
            restart,
            reading.budget,
            workers,
            reading.scheduler,
        )
        processor = ChunkedFFTProcessor(viewer.cache, options)
        with progress_bar("transforming", "bytes") as progress:
            found = processor.compute_and_store_fft(progress, on_wait=tell_who)
    if as_json:
        print_json(found.as_dict())
    else:
        shape = " × ".join(map(str, found.shape))  # for people
        how = "was there" if found.was_there else f"computed in {found.seconds:.1f} s"
        results().print(
            f"{found.path}:{found.dataset} {shape} complex64, {how}",
            soft_wrap=True,
            markup=False,
        )
    if not found.is_complete:
        raise typer.Exit(INCOMPLETE)
