"""What a conversion writes, from the options, and the work on one chunk of it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import nullcontext
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from brickfield.blockwise import Block, BlockGrid, ThreadBuffers
from brickfield.errors import OptionError, StoreWriteError
from brickfield.sources import of_files
from brickfield.sources.scans import AxisCalibration, Scan
from brickfield.stem4d.chunk_writer import ChunkWriter
from brickfield.stem4d.emd_file import Target
from brickfield.stem4d.summing.pieces import Region
from brickfield.stem4d.summing.sums import BlockSums, sum_dtype

BLOCK_BYTES = 16 << 20
"""Of chunks that one worker writes one after the other; their sums are joined once."""


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
    def blocks(self) -> BlockGrid:
        """Blocks of whole chunks, that are worked on and noted together."""
        ny, nx = self.target.shape[:2]
        along = self.target.chunk_shape[1]
        n_chunks = max(1, BLOCK_BYTES // (along * self.target.pattern_bytes))
        in_line = -(-nx // along)
        if n_chunks < in_line:
            return BlockGrid((ny, nx), (1, n_chunks * along))
        return BlockGrid((ny, nx), (min(ny, n_chunks // in_line), nx))

    def chunks_of(self, block: Block) -> Iterator[tuple[tuple[int, int], Region]]:
        """Yield the chunks of a block: line and number along it, and their positions.

        Parameters
        ----------
        block : Block
            Of :attr:`blocks`.
        """
        lines, positions = block.slices
        along = self.target.chunk_shape[1]
        for y in range(lines.start, lines.stop):
            for x in range(positions.start, positions.stop, along):
                place = (slice(y, y + 1), slice(x, min(x + along, positions.stop)))
                yield (y, x // along), place

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
            "block_bytes": BLOCK_BYTES,
            "corrections": self.scan.corrections,
        }


@dataclass(frozen=True)
class Made:
    """What a worker made of the chunks of one block.

    Attributes
    ----------
    n_bytes : int
        Written.
    raw : list of (tuple of int, bytes or ndarray)
        Chunks that the calling process has to write, with their indices.
    found : dict
        The block's part of the overviews.
    """

    n_bytes: int
    raw: list[tuple[tuple[int, int], Any]]
    found: dict[str, NDArray[Any]]


@dataclass
class ChunkWork:
    """Reads, writes and sums the chunks of one block; picklable.

    Attributes
    ----------
    plan : Plan
    writer : ChunkWriter
    done : bytearray
        Blocks that are written already.
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
        """Write chunks, unless they are written; None where there is nothing to do."""
        is_done = bool(self.done[self.number(block)])
        if is_done and not self.plan.has_overviews:
            return None
        target = self.plan.target
        names = ("scan", "sum", "max") if self.plan.has_overviews else ()
        kind = np.dtype(target.dtype).newbyteorder("=")
        sums = BlockSums(names, (block.n_voxels, *target.shape[2:]), kind)
        n_bytes, n_seen = 0, 0
        raw: list[tuple[tuple[int, int], Any]] = []
        held = getattr(self.plan.scan.data, "held", nullcontext)
        with held():
            for index, place in self.plan.chunks_of(block):
                patterns = self.patterns(place)
                if not is_done:
                    n_written, left = self._written(index, patterns)
                    n_bytes += n_written
                    raw += [] if left is None else [(index, left)]
                if names:
                    sums.add(slice(n_seen, n_seen + len(patterns)), patterns)
                n_seen += len(patterns)
        return Made(n_bytes, raw, sums.result())

    def _written(self, index: tuple[int, int], patterns: NDArray[Any]) -> Any:
        try:
            return self.writer.write(index, patterns)
        except StoreWriteError as error:
            self.write_error = error
            raise

    def number(self, block: Block) -> int:
        """Return the number of a block in the plan's grid."""
        return block.index[0] * self.plan.blocks.grid[1] + block.index[1]

    def patterns(self, place: Region) -> NDArray[Any]:
        """Read patterns of one line as they are to be stored, shape (n, rows, columns).

        Parameters
        ----------
        place : tuple of slice
            One line, and some of its positions, within the region.
        """
        ys, xs = (
            slice(s.start + r.start, s.stop + r.start)
            for s, r in zip(place, self.plan.region, strict=True)
        )
        target = self.plan.target
        read = self.plan.scan.data.view(ys, xs, self._read)[0]
        if self.plan.n_binned > 1:
            return binned(read, self.plan.n_binned, target.dtype)
        stored = self._stored.take(read.shape, target.dtype)
        np.copyto(stored, read)
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
