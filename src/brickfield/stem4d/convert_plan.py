"""What a conversion writes: shape, data type, names and steps, from the options."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from brickfield.errors import OptionError
from brickfield.sources import AxisCalibration, Scan, of_files
from brickfield.stem4d.emd_file import Target
from brickfield.stem4d.passes import Region, sum_dtype


@dataclass(frozen=True)
class Plan:
    """What is written, and from where.

    Attributes
    ----------
    scan : Scan
    where : Path
        File to write, absolute.
    region : tuple of slice
        Part of the scan.
    n_binned : int
        Detector pixels that are summed along each axis.
    compression : str
    has_overviews : bool
    """

    scan: Scan
    where: Path
    region: Region
    n_binned: int
    compression: str
    has_overviews: bool

    @property
    def target(self) -> Target:
        """The dataset to write.

        Raises
        ------
        OptionError
            If more pixels are to be binned than a pattern has.
        """
        h, w = (n // self.n_binned for n in self.scan.data.shape[2:])
        if min(h, w) < 1:
            msg = (
                f"expected to bin at most {min(self.scan.data.shape[2:])} pixels; found"
                f" {self.n_binned}"
            )
            raise OptionError(msg)
        ny, nx = (s.stop - s.start for s in self.region)
        return Target((ny, nx, h, w), self._dtype(), self.compression)

    def _dtype(self) -> np.dtype[Any]:
        kind = self.scan.data.dtype
        if self.n_binned > 1 and kind.kind in "iu":
            # The smallest that holds the largest sum, so that no count wraps.
            bits = min(self.scan.bit_depth, 8 * kind.itemsize)
            most = (2**bits - 1) * self.n_binned**2
            kind = np.dtype(np.int64) if kind.kind == "i" else np.min_scalar_type(most)
        return np.dtype(kind).newbyteorder("<")

    @property
    def partial(self) -> Path:
        """Where the file lies while it is written."""
        return self.where.with_name(f".{self.where.name}.part")

    @property
    def journal(self) -> Path:
        """Where it stands what is done."""
        return self.where.with_name(f".{self.where.name}.journal")

    def calibration(self) -> list[AxisCalibration]:
        """Steps and origins of what is written."""
        starts = (self.region[0].start, self.region[1].start, 0, 0)
        bins = (1, 1, self.n_binned, self.n_binned)
        return [
            replace(
                axis,
                size=axis.size * n,
                origin=axis.origin + axis.size * (start + (n - 1) / 2),
            )
            for axis, start, n in zip(self.scan.calibration, starts, bins, strict=True)
        ]

    def notes(self) -> dict[str, Any]:
        """What the file says of its source."""
        return {
            "source": self.scan.path.name,
            "source_format": self.scan.format,
            "scan_from": self.scan.shape_found.found_from,
            "orientation": "first detector row on top",
            "binned": self.n_binned,
            "corrections": self._corrections(),
        }

    def _corrections(self) -> str:
        applied = self.scan.corrections
        return json.dumps(dict(applied)) if applied else "none"

    def fingerprint(self) -> dict[str, Any]:
        """What an interrupted run must have had in common."""
        target, grid = self.target, self.scan.shape_found.grid
        return {
            "source": of_files(self.scan.data.places()),
            "dataset": self.scan.dataset,
            "scan": [grid.ny, grid.nx, grid.first, grid.line_skip],
            "region": [[s.start, s.stop] for s in self.region],
            "shape": list(target.shape),
            "dtype": target.dtype.str,
            "compression": target.compression,
            "corrections": self.scan.corrections,
        }


def binned(
    patterns: NDArray[Any], n: int, dtype: np.dtype[Any] | None = None
) -> NDArray[Any]:
    """Sum squares of n × n pixels; what makes no whole square is left out.

    Parameters
    ----------
    patterns : ndarray, shape (…, rows, columns)
    n : int
    dtype : numpy.dtype, optional
        Of the sums; exact ones if not given.

    Returns
    -------
    ndarray, shape (…, rows // n, columns // n)
    """
    *lead, rows, columns = patterns.shape
    kind = dtype or sum_dtype(patterns.dtype)
    whole = patterns[..., : rows // n * n, : columns // n * n]
    squares = whole.reshape(*lead, rows // n, n, columns // n, n)
    native = np.dtype(kind).newbyteorder("=")
    return np.ascontiguousarray(squares.sum(axis=(-3, -1), dtype=native), kind)
