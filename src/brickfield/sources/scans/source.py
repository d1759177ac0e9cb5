"""A scan of patterns with everything that is known of it, whatever file it is in."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from brickfield.model import Axis, Channel, Finding, ImageInfo, Pyramid
from brickfield.sources.arrays.stored import AssembledSource, identity_of
from brickfield.sources.geometry import make_level
from brickfield.sources.protocol import ArrayHeader
from brickfield.sources.scans.frame_stack import ScanData
from brickfield.sources.scans.scan_array import ScanArray
from brickfield.sources.scans.scan_shape import ScanShape

AXES = ("scan_y", "scan_x", "y", "x")
"""Names of the axes; the last two are the detector's rows and columns."""
ORIENTATION = "file order: first detector row on top, (scan y, scan x, row, column)"


@dataclass(frozen=True, slots=True)
class AxisCalibration:
    """Size of a step along one axis.

    Attributes
    ----------
    name : str
        One of :data:`AXES`, or the file's own name.
    size : float
        Of a step, in `unit`.
    unit : str
        ``"px"`` where the file gives none.
    origin : float
        Coordinate of index 0, in `unit`.
    """

    name: str
    size: float = 1.0
    unit: str = "px"
    origin: float = 0.0

    @staticmethod
    def none() -> tuple[AxisCalibration, ...]:
        """Return calibrations of an uncalibrated scan."""
        return tuple(AxisCalibration(name) for name in AXES)

    def as_dict(self) -> dict[str, Any]:
        """Return plain values."""
        return {
            "name": self.name,
            "size": self.size,
            "unit": self.unit,
            "origin": self.origin,
        }


@dataclass(frozen=True, slots=True)
class Scan:
    """A scan that is open for reading.

    Attributes
    ----------
    data : ScanData
    path : Path
    format : str
        For people.
    shape_found : ScanShape
        Also for files that say the shape plainly.
    n_frames : int
        Patterns in the files, those that belong to no position included.
    bit_depth : int
    calibration : tuple of AxisCalibration
        Of the four axes.
    findings : tuple of Finding
    series : tuple of str
        Scans to choose from in this file.
    dataset : str
        Path inside the file; empty where there is none.
    corrections : mapping or None
        What is corrected as patterns are read, plain values.
    """

    data: ScanData
    path: Path
    format: str
    shape_found: ScanShape
    n_frames: int
    bit_depth: int
    calibration: tuple[AxisCalibration, ...]
    findings: tuple[Finding, ...] = ()
    series: tuple[str, ...] = ()
    dataset: str = ""
    corrections: Mapping[str, Any] | None = None

    @property
    def n_unused(self) -> int:
        """Patterns that belong to no position of the scan."""
        ny, nx, _, _ = self.data.shape
        return self.n_frames - ny * nx

    def as_dict(self) -> dict[str, Any]:
        """Return what is known as plain values, as ``brickfield stem info`` does."""
        found = self.shape_found
        return {
            "path": str(self.path),
            "format": self.format,
            "dataset": self.dataset or None,
            "series": list(self.series),
            "shape": list(self.data.shape),
            "dtype": self.data.dtype.name,
            "bit_depth": self.bit_depth,
            "orientation": ORIENTATION,
            "scan_from": found.found_from,
            "scan_confidence": found.confidence,
            "scan_reason": found.reason,
            "frames": self.n_frames,
            "frames_unused": self.n_unused,
            "skip_frames": found.grid.first,
            "line_skip": found.grid.line_skip,
            "calibration": [axis.as_dict() for axis in self.calibration],
            "corrections": None if self.corrections is None else dict(self.corrections),
            "files": [str(p) for p in self.data.places()[:1024]],
            "findings": [
                {"severity": f.severity, "code": f.code, "path": f.path, "text": f.text}
                for f in self.findings
            ],
        }

    def close(self) -> None:
        """Give files back."""
        self.data.close()


def source_of(scan: Scan, uri: str) -> AssembledSource:
    """Make a source of a scan, so that it is seen like any other data.

    Parameters
    ----------
    scan : Scan
        Closed with the source.
    uri : str
        As it was given.
    """
    array = ScanArray(scan.data, scan.path.name)
    axes = _axes(scan.calibration)
    level = make_level(
        scan.dataset or scan.path.name,
        ArrayHeader.of(array),
        axes,
        voxel_size=[abs(c.size) for c in scan.calibration],
        translation=[c.origin for c in scan.calibration],
    )
    grid = scan.shape_found.grid
    info = ImageInfo(
        uri=uri,
        format=scan.format,
        name=scan.path.stem,
        pyramid=Pyramid(axes, (level,)),
        channels=(Channel("0"),),
        series=scan.series,
        findings=(*scan.findings, *_guess(scan)),
    )
    return AssembledSource(
        info,
        identity_of(scan.path, scan.dataset, grid),
        lambda _level, _lead: array,
        places=scan.data.places,
        close=scan.close,
    )


def _axes(calibration: Sequence[AxisCalibration]) -> tuple[Axis, ...]:
    """Patterns are the pictures; positions are chosen, as time is."""
    units = [None if c.unit == "px" else c.unit for c in calibration]
    kept = [Axis(AXES[i], "other", units[i]) for i in (0, 1)]
    return (*kept, Axis("y", "space", units[2]), Axis("x", "space", units[3]))


def _guess(scan: Scan) -> list[Finding]:
    found = scan.shape_found
    if found.confidence >= 0.5:
        return []
    ny, nx, _, _ = scan.data.shape
    text = (
        f"expected a scan whose shape is known; found {scan.n_frames} frames, taken for"
        f' {ny}x{nx} positions ({found.reason}): "brickfield stem" takes --scan NYxNX'
    )
    return [Finding("info", "guessed-scan", scan.path.name, text)]
