"""What a conversion writes, from the options, and the work on one chunk of it."""

from __future__ import annotations

import json
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from brickfield.blockwise import Block, ThreadBuffers
from brickfield.errors import OptionError, StoreWriteError
from brickfield.sources import of_files
from brickfield.sources.scans import AxisCalibration, Scan
from brickfield.stem4d.chunk_writer import ChunkWriter
from brickfield.stem4d.emd_file import Target
from brickfield.stem4d.passes import Region, sum_dtype
from brickfield.stem4d.reductions import PIECE_BYTES, BlockSums


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

    def portable(self) -> Plan:
        """Return what another process needs to read and write chunks."""
        return replace(self, scan=replace(self.scan, findings=(), series=()))

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


@dataclass(frozen=True)
class Made:
    """What a worker made of one chunk.

    Attributes
    ----------
    n_bytes : int
        Written.
    raw : bytes, ndarray or None
        What the calling process has to write.
    found : dict
        The chunk's part of the overviews.
    """

    n_bytes: int
    raw: Any
    found: dict[str, NDArray[Any]]


@dataclass
class ChunkWork:
    """Reads, writes and sums one chunk; picklable.

    Attributes
    ----------
    plan : Plan
    writer : ChunkWriter
    done : bytearray
        Chunks that are written already.
    """

    plan: Plan
    writer: ChunkWriter
    done: bytearray
    write_error: StoreWriteError | None = None
    _read: ThreadBuffers = field(default_factory=ThreadBuffers)
    _stored: ThreadBuffers = field(default_factory=ThreadBuffers)

    def __reduce__(self) -> tuple[Any, ...]:
        return (ChunkWork, (self.plan.portable(), self.writer, self.done))

    def __call__(self, block: Block) -> Made | None:
        """Write a chunk, unless it is written; None where there is nothing to do."""
        is_done = bool(self.done[self.number(block)])
        if is_done and not self.plan.has_overviews:
            return None
        patterns = self.patterns(block)
        n_bytes, raw = 0, None
        if not is_done:
            try:
                n_bytes, raw = self.writer.write(block.index, patterns)
            except StoreWriteError as error:
                self.write_error = error
                raise
        found = {}
        if self.plan.has_overviews:
            found = BlockSums.of(patterns, ("scan", "sum", "max")).found
        return Made(n_bytes, raw, found)

    def number(self, block: Block) -> int:
        """Return the number of a chunk, line by line."""
        shape, chunk = self.plan.target.shape, self.plan.target.chunk_shape
        return block.index[0] * -(-shape[1] // chunk[1]) + block.index[1]

    def patterns(self, block: Block) -> NDArray[Any]:
        """Read the patterns of a chunk, shape (n, rows, columns), as they are to be stored."""
        ys, xs = (
            slice(s.start + r.start, s.stop + r.start)
            for s, r in zip(block.slices, self.plan.region, strict=True)
        )
        data, target = self.plan.scan.data, self.plan.target
        shape = (xs.stop - xs.start, *target.shape[2:])
        stored = self._stored.take(shape, target.dtype)
        # Frames of a file piece by piece, so that they are in the cache when copied.
        step = max(1, PIECE_BYTES // data.stored_frame_bytes)
        step = step if tuple(data.block) == (1, 1) else shape[0]
        for first in range(xs.start, xs.stop, step):
            part = slice(first, min(first + step, xs.stop))
            read = data.view(ys, part, self._read)[0]
            if self.plan.n_binned > 1:
                read = binned(read, self.plan.n_binned, target.dtype)
            stored[first - xs.start : part.stop - xs.start] = read
        return stored


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
