"""What every ``stem`` command is told: how a file is read, and with what memory.

All commands take these options as one value.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any

import typer

from brickfield.cli.output import messages
from brickfield.cli.stem.options import parse_scan

if TYPE_CHECKING:
    from brickfield.stem4d import OpenOptions, ScanViewer


@dataclass(frozen=True, slots=True)
class Reading:
    """The options of every command, as they were typed.

    Attributes
    ----------
    scan, dataset, raw, dead, dark, gain, cross, scheduler : str or None
    skip_frames, line_skip, series : int or None
    this_file_only : bool
    budget, cache : str
    """

    scan: Annotated[
        str | None,
        typer.Option(
            metavar="NYxNX", help="Lines and positions.", show_default="detected"
        ),
    ] = None
    skip_frames: Annotated[
        int | None, typer.Option(metavar="N", help="Frames before the scan.")
    ] = None
    line_skip: Annotated[
        int | None,
        typer.Option(metavar="K", help="Frames after each line to leave out."),
    ] = None
    this_file_only: Annotated[
        bool,
        typer.Option(
            "--this-file-only", help="Take no further files of an acquisition."
        ),
    ] = False
    dataset: Annotated[
        str | None,
        typer.Option(metavar="PATH", help="The scan's path in an HDF5 file."),
    ] = None
    series: Annotated[
        int | None, typer.Option(metavar="N", help="Which of several scans, from 0.")
    ] = None
    raw: Annotated[
        str | None,
        typer.Option(
            metavar="DTYPE,NY,NX,H,W[,OFFSET]",
            help="Layout of frames that no file describes.",
        ),
    ] = None
    dead: Annotated[
        str | None,
        typer.Option(
            metavar="auto|FILE.npy",
            help="Replace dead and hot pixels by the median of live neighbours.",
        ),
    ] = None
    dark: Annotated[
        str | None,
        typer.Option(
            metavar="FILE",
            help="Dark reference to subtract: .npy, .tif, or a scan, of which the mean.",
        ),
    ] = None
    gain: Annotated[
        str | None,
        typer.Option(
            metavar="FILE", help="Gain to multiply by, after the dark reference."
        ),
    ] = None
    cross: Annotated[
        str | None,
        typer.Option(
            metavar="auto|N", help="Interpolate the N pixels between 2 x 2 chips."
        ),
    ] = None
    budget: Annotated[
        str, typer.Option(metavar="B", help="Memory for passes over all patterns.")
    ] = "256 MB"
    scheduler: Annotated[
        str | None, typer.Option(metavar="ADDRESS", help="Address of a dask scheduler.")
    ] = None
    cache: Annotated[
        str,
        typer.Option(
            metavar="auto|file|sidecar|none", help="Where results are kept and found."
        ),
    ] = "auto"

    def open(self, file: str, **otherwise: Any) -> ScanViewer:
        """Open a scan as the options say; `otherwise` stands above them."""
        from brickfield.blockwise import parse_bytes
        from brickfield.stem4d import LazyDataManager

        parse_bytes(self.budget)
        asked = {n: getattr(self, n) for n in (*_OPENING, *_CORRECTIONS)}
        asked |= {"scan": parse_scan(self.scan), "cache": self.cache}
        asked |= {"budget": self.budget}
        return LazyDataManager.create_viewer(file, **{**asked, **otherwise})

    def opening(self) -> OpenOptions:
        """Return how a file is read."""
        from brickfield.sources.scans import ScanOptions
        from brickfield.stem4d import CorrectionOptions, OpenOptions

        shape = ScanOptions(parse_scan(self.scan), self.skip_frames, self.line_skip)
        corrections = CorrectionOptions(*(getattr(self, n) for n in _CORRECTIONS))
        return OpenOptions(
            shape, self.this_file_only, self.dataset, self.series, self.raw, corrections
        )


_CORRECTIONS = ("dead", "dark", "gain", "cross")
_OPENING = ("skip_frames", "line_skip", "this_file_only", "dataset", "series", "raw")


def tell_who(owner: object) -> None:
    """Say on standard error what is waited for."""
    messages().print(f"computed by another process ({owner}): waiting")
