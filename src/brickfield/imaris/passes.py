"""The passes over a source: one for each time point and channel, then the whole image.

What lasts is decided here: after each pass the file knows it, and every two seconds it
is committed to the disk. Failing and cancelling leave the file at its last commit.
"""

from __future__ import annotations

from contextlib import closing
from threading import Event
from time import perf_counter
from typing import TYPE_CHECKING, Any

from brickfield.blockwise import (
    Block,
    BlockGrid,
    BlockJob,
    Executor,
    JobOptions,
    Progress,
    Slices,
    open_executor,
    run_jobs,
)
from brickfield.imaris.cascade import Cascade, ReadTile
from brickfield.imaris.dtypes import Converter
from brickfield.imaris.file import ImarisFile
from brickfield.imaris.halving import halve
from brickfield.imaris.inputs import ImarisInput
from brickfield.imaris.metadata import ChannelLook, changed_window, sections
from brickfield.imaris.options import ImarisOptions
from brickfield.imaris.plan import ExportPlan
from brickfield.imaris.reader import Demand, ReadFailure, TileReader
from brickfield.imaris.staging import Scratch
from brickfield.imaris.statistics import LevelStatistics
from brickfield.imaris.thumbnail import Projection, compose, thumbnail_level
from brickfield.imaris.tiles import ordered_grid
from brickfield.imaris.verify import CheckSums

if TYPE_CHECKING:
    from brickfield.imaris.export import PreparedExport

COMMIT_S = 2.0
"""Most seconds of finished work that a kill can cost."""
N_SAMPLES = 4
"""Tiles that an outlook is taken from."""
SAMPLE_S = 2.0
"""After which no further tile is looked at."""
_SHARES = (0.001, 0.999)
"""Of the values of a channel without a window: what its window leaves out."""


class _StoppedError(Exception):
    """Raised in blocks that need not be made any more."""


class Passes:
    """All passes of one export.

    Parameters
    ----------
    prepared : PreparedExport
    options : ImarisOptions
    file : ImarisFile
    scratch : Scratch
    sums : CheckSums

    Attributes
    ----------
    n_resumed : int
        Passes that an earlier run finished.
    notes : list of str
    """

    def __init__(
        self,
        prepared: PreparedExport,
        options: ImarisOptions,
        file: ImarisFile,
        scratch: Scratch,
        sums: CheckSums,
    ) -> None:
        self._prepared = prepared
        self._options = options
        self._image, self._plan = prepared.image, prepared.plan
        self._order = self._plan.order
        self._file = file
        self._sums = sums
        self.n_resumed = file.n_done
        self.notes: list[str] = []
        self._readers = self._open_readers(scratch)
        self._converters = [
            Converter(change, channel.name)
            for change, channel in zip(
                self._plan.changes, self._image.channels, strict=True
            )
        ]
        self._pictures: dict[int, Projection] = {}
        self._shown: dict[int, LevelStatistics] = {}
        self._stop = Event()
        self._error: Exception | None = None
        self._committed_at = perf_counter()

    @property
    def failures(self) -> list[ReadFailure]:
        """Storage chunks that were filled."""
        return [f for reader in self._readers.values() for f in reader.failures]

    @property
    def n_decoded(self) -> int:
        """Storage chunks decoded."""
        return sum(reader.n_decoded for reader in self._readers.values())

    def run(self, progress: Progress | None, cancel: Event | None) -> bool:
        """Make every time point and channel that is not in the file yet.

        Returns
        -------
        bool
            False when it was cancelled.

        Raises
        ------
        ChunkReadError, OptionError, StoreWriteError
        """
        plan = self._plan
        n_parts = plan.n_times * plan.n_channels
        with closing(open_executor(None, plan.n_workers)) as executor:
            for number in range(self.n_resumed, n_parts):
                if cancel is not None and cancel.is_set():
                    break
                told = _Shifted(progress, number, n_parts, perf_counter())
                if not self._make(number, executor, told, cancel):
                    break
                self._commit_sometimes()
        is_done = self._file.n_done == n_parts
        if not is_done:
            return False
        self._note_losses()
        return True

    def finish(self) -> None:
        """Write what is known of the whole image."""
        looks = [
            ChannelLook(c.name, c.color, self._window(i), self._plan.changes[i])
            for i, c in enumerate(self._image.channels)
        ]
        picture = compose(
            [self._picture(i).values for i in range(len(looks))],
            [look.color for look in looks],
            [look.window for look in looks],
        )
        space, times = self._prepared.space, self._prepared.times
        texts = sections(self._image, self._options, space, times, looks)
        self._file.finish(texts, picture)

    def _make(
        self,
        number: int,
        executor: Executor,
        progress: Progress,
        cancel: Event | None,
    ) -> bool:
        time, index = divmod(number, self._plan.n_channels)
        channel = self._image.channels[index]
        cascade = Cascade(
            self._plan,
            self._order,
            self._file,
            self._read_function(time, index),
            is_labels=channel.is_labels,
            projection=self._projection(time, index),
            note=lambda level, place, chunk: self._sums.note(
                (level, time, index, place), chunk
            ),
        )
        self._file.begin(time, index)
        job = BlockJob(
            str(number), ordered_grid(self._order), self._guarded(cascade, cancel)
        )
        result = run_jobs([job], executor, JobOptions(None, progress, self._stop))
        if self._error is not None:
            raise self._error
        if not result.is_complete:
            return False
        cascade.count_again()
        self._file.end(time, index, cascade.statistics)
        if time == 0:
            self._shown[index] = cascade.statistics[0]
        return True

    def _guarded(self, cascade: Cascade, cancel: Event | None) -> Any:
        """Stop all workers within one block once one failed or nobody wants more."""

        def make(block: Block) -> int:
            if cancel is not None and cancel.is_set():
                self._stop.set()
            if self._stop.is_set():
                raise _StoppedError
            try:
                return cascade(block)
            except Exception as error:
                # The first one is the cause; what the others meet may follow from it.
                self._error = self._error or error
                self._stop.set()
                raise

        return make

    def _read_function(self, time: int, index: int) -> ReadTile:
        channel = self._image.channels[index]
        reader = self._readers[id(channel.source)]
        convert = self._converters[index]
        at, origin = self._image.time_points[time], self._image.origin

        def read(region: Slices) -> Any:
            stored = tuple(
                slice(s.start + o, s.stop + o)
                for s, o in zip(region, origin, strict=True)
            )
            return convert(reader.read(at, channel, stored))

        return read

    def _open_readers(self, scratch: Scratch) -> dict[int, TileReader]:
        image, plan = self._image, self._plan
        sources = {id(c.source): c for c in image.channels}
        numbers = {key: i for i, key in enumerate(sources)}
        left = list(range(self.n_resumed, plan.n_times * plan.n_channels))
        parts = frozenset(
            (image.time_points[t], numbers[id(c.source)], c.index)
            for t, c in (
                (n // plan.n_channels, image.channels[n % plan.n_channels])
                for n in left
            )
        )
        demand = Demand(image.origin, image.shape, plan.levels[0].tile_shape, parts)
        return {
            key: TileReader(
                channel.source,
                channel.level,
                demand,
                scratch,
                plan.room_bytes // len(sources),
                skip_failed=self._options.skip_failed,
                number=numbers[key],
            )
            for key, channel in sources.items()
        }

    def _projection(self, time: int, index: int) -> tuple[int, Projection] | None:
        if time:
            return None
        return thumbnail_level(self._order.shapes), self._picture(index)

    def _picture(self, index: int) -> Projection:
        level = thumbnail_level(self._order.shapes)
        if index not in self._pictures:
            shape = self._order.shapes[level]
            self._pictures[index] = Projection(shape, self._prepared.space.extent)
        return self._pictures[index]

    def _window(self, index: int) -> tuple[float, float]:
        channel, change = self._image.channels[index], self._plan.changes[index]
        window = changed_window(channel.window, change)
        if window is None and index in self._shown:
            window = self._shown[index].quantiles(*_SHARES)
        low, high = window or (0.0, 255.0)
        return (low, high) if high > low else (low, low + 1.0)

    def _commit_sometimes(self) -> None:
        if perf_counter() - self._committed_at > COMMIT_S:
            self._file.commit()
            self._committed_at = perf_counter()

    def _note_losses(self) -> None:
        for converter, channel in zip(
            self._converters, self._image.channels, strict=True
        ):
            if converter.n_overflowed:
                self.notes.append(
                    f"{channel.name}: {converter.n_overflowed} values are too large for"
                    " float32 and became infinite"
                )


def sample_tiles(
    image: ImarisInput, plan: ExportPlan, scratch: Scratch
) -> tuple[float, int, int]:
    """Make a few tiles that lie apart as a pass would, and write none.

    Returns
    -------
    (float, int, int)
        Seconds, bytes of the voxels, bytes encoded.
    """
    first = plan.levels[0]
    tiles = list(BlockGrid(first.shape, first.tile_shape))
    demand = Demand(image.origin, image.shape, first.tile_shape, frozenset())
    began, n_raw, n_encoded = perf_counter(), 0, 0
    for number in range(N_SAMPLES):
        index = number % plan.n_channels
        channel = image.channels[index]
        reader = TileReader(
            channel.source, channel.level, demand, scratch, 0, skip_failed=False
        )
        block = tiles[(2 * number + 1) * len(tiles) // (2 * N_SAMPLES)]
        at = image.time_points[number * plan.n_times // N_SAMPLES]
        region = tuple(
            slice(s.start + o, s.stop + o)
            for s, o in zip(block.slices, image.origin, strict=True)
        )
        convert = Converter(plan.changes[index], channel.name)
        data = convert(reader.read(at, channel, region))
        LevelStatistics(plan.dtype).add(data)
        halve(data, plan.order.factors[0] if len(plan.levels) > 1 else (1, 1, 1))
        n_raw += data.nbytes
        for part in BlockGrid(data.shape, first.chunk_shape):
            n_encoded += len(plan.encoder.encode(data[part.slices]))
        if perf_counter() - began > SAMPLE_S:
            break
    return perf_counter() - began, n_raw, n_encoded


class _Shifted:
    """Progress of one pass told as that of all."""

    def __init__(
        self, progress: Progress | None, number: int, n_parts: int, start: float
    ) -> None:
        self._progress = progress
        self._number = number
        self._n_parts = n_parts

    def __call__(self, done: int, total: int, n_bytes: int, left: float | None) -> None:
        if self._progress is None:
            return
        passed = total * self._number + done
        every = total * self._n_parts
        further = None
        if left is not None and total > done:
            further = left / (total - done) * (every - passed)
        self._progress(passed, every, n_bytes, further)
