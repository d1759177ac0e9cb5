"""The passes over a source: one for each time point and channel, then the whole image.

A channel that is scaled from its smallest to its largest value is gone through twice:
all its time points are looked at before the first one is written. What costs more to
read again than to keep is kept between the two.

What lasts is decided here: after each pass the file knows it, and every two seconds it
is committed to the disk. Failing and cancelling leave the file at its last commit.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass, replace
from threading import Event
from time import perf_counter
from typing import Any

import numpy as np

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
from brickfield.errors import StoreWriteError
from brickfield.imaris.cascade import Cascade, ReadTile
from brickfield.imaris.check_sums import CheckSums
from brickfield.imaris.dtypes import Converter
from brickfield.imaris.halving import halve
from brickfield.imaris.options import ImarisOptions
from brickfield.imaris.output.file import ImarisFile
from brickfield.imaris.planning.metadata import ChannelLook, changed_window, sections
from brickfield.imaris.planning.plan import ExportPlan, PreparedExport
from brickfield.imaris.planning.tiles import ordered_grid
from brickfield.imaris.reading.inputs import ImarisInput
from brickfield.imaris.reading.ranges import RangeSearch
from brickfield.imaris.reading.readers import Readers
from brickfield.imaris.reading.staging import Scratch
from brickfield.imaris.reading.tile_reader import Demand, ReadFailure, TileReader
from brickfield.imaris.statistics import LevelStatistics
from brickfield.imaris.thumbnail import Projection, compose, thumbnail_level

COMMIT_S = 2.0
"""Most seconds of finished work that a kill can cost."""
N_SAMPLES = 4
"""Tiles that an outlook is taken from."""
SAMPLE_S = 2.0
"""After which no further tile is looked at."""
_SHARES = (0.001, 0.999)
"""Of the values of a channel without a window: what its window leaves out."""


_Visit = Callable[[Block], int]


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
    changes : tuple of ValueChange
        One a channel; those without a window have one once :meth:`run` found it.
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
        self.changes = self._plan.changes
        self._unknown = self._channels_without_range()
        self._readers = Readers(
            self._image,
            self._plan.levels[0].tile_shape,
            self._plan.room_bytes,
            scratch,
            skip_failed=options.skip_failed,
            n_done=self.n_resumed,
            unknown=self._unknown,
        )
        self._converters: list[Converter] = []
        self._pictures: dict[int, Projection] = {}
        self._shown: dict[int, tuple[float, float]] = {}
        self._stop = Event()
        self._error: Exception | None = None
        self._committed_at = perf_counter()

    @property
    def failures(self) -> list[ReadFailure]:
        """Storage chunks that were filled."""
        return self._readers.failures

    @property
    def n_decoded(self) -> int:
        """Storage chunks decoded."""
        return self._readers.n_decoded

    def run(self, progress: Progress | None, cancel: Event | None) -> bool:
        """Write every time point and channel that is not in the file yet.

        Parameters
        ----------
        progress : Progress or None
            Called with what is done and what there is.
        cancel : Event or None
            Ends the work after the present tile.

        Returns
        -------
        bool
            False when it was cancelled.

        Raises
        ------
        ChunkReadError, OptionError, StoreWriteError
        """
        if self._file.is_finished:
            return True
        plan = self._plan
        n_parts = plan.n_times * plan.n_channels
        # Channels scaled by their range need a pass that only looks, before anything is
        # written.
        n_first = len(self._unknown) * plan.n_times
        with closing(open_executor(None, plan.n_workers)) as executor:
            told = _Progress(progress, n_first + n_parts)
            if not self._find_ranges(_Work(executor, told, cancel)):
                return False
            self._converters = [
                Converter(change, channel.name)
                for change, channel in zip(
                    self.changes, self._image.channels, strict=True
                )
            ]
            # In the order of time and channel, so that "how many are done" is all that
            # a resumed run has to know.
            for number in range(self.n_resumed, n_parts):
                if cancel is not None and cancel.is_set():
                    break
                told.number = n_first + number
                if not self._make(number, _Work(executor, told, cancel)):
                    break
                self._commit_sometimes()
        is_done = self._file.n_done == n_parts
        if not is_done:
            return False
        self._note_losses()
        return True

    def finish(self) -> None:
        """Write what is known of the whole image, unless an earlier run did."""
        if self._file.is_finished:
            return
        self._recall()
        looks = [
            ChannelLook(c.name, c.color, self._window(i), self.changes[i])
            for i, c in enumerate(self._image.channels)
        ]
        picture = compose(
            [self._picture(i).values for i in range(len(looks))],
            [look.color for look in looks],
            [look.window for look in looks],
        )
        space, times = self._prepared.space, self._prepared.times
        if self._options.verify:
            # Reading all of a large file back may take as long as a kill needs.
            self._sums.save()
        texts = sections(self._image, self._options, space, times, looks)
        self._file.finish(texts, picture)

    def _channels_without_range(self) -> list[int]:
        """Fill in the ranges that an earlier run found; return the channels left."""
        found = []
        for index, change in enumerate(self.changes):
            if change.needs_range:
                known = self._file.recall(f"Range{index}")
                if known is None:
                    found.append(index)
                else:
                    self._take_range(index, known)
        return found

    def _take_range(self, index: int, span: tuple[float, float]) -> None:
        changes = list(self.changes)
        changes[index] = replace(changes[index], window=span)
        self.changes = tuple(changes)

    def _find_ranges(self, work: _Work) -> bool:
        """Look at all time points of channels that are scaled by their values."""
        for number, index in enumerate(self._unknown):
            spans = []
            for time in range(self._plan.n_times):
                work.progress.number = number * self._plan.n_times + time
                search = RangeSearch(self._read_function(time, index, None))
                if not self._run(f"range {number} {time}", search, work):
                    return False
                spans += [] if search.span is None else [search.span]
            span = (
                min((low for low, _ in spans), default=0.0),
                max((high for _, high in spans), default=1.0),
            )
            # In the file, so that a resumed run converts with the same range.
            self._file.remember(f"Range{index}", span)
            self._take_range(index, span)
        if self._unknown:
            self._file.commit()
        return True

    def _run(self, name: str, function: _Visit, work: _Work) -> bool:
        """Go through the tiles of one time point and channel."""
        grid = ordered_grid(self._order)
        job = BlockJob(name, grid, self._guarded(function, work.cancel))
        options = JobOptions(None, work.progress, self._stop)
        # A single tile gains nothing from another thread, and of small images there may
        # be thousands of time points and channels.
        executor = open_executor("inline") if len(grid) == 1 else work.executor
        try:
            result = run_jobs([job], executor, options)
        except StoreWriteError as error:
            # Without the number of blocks, which are those of one time point and channel.
            raise (self._error or error) from None
        if self._error is not None:
            raise self._error
        return result.is_complete

    def _make(self, number: int, work: _Work) -> bool:
        time, index = divmod(number, self._plan.n_channels)
        channel = self._image.channels[index]
        cascade = Cascade(
            self._plan,
            self._order,
            self._file,
            self._read_function(time, index, self._converters[index]),
            is_labels=channel.is_labels,
            projection=self._projection(time, index),
            note=lambda level, place, chunk: self._sums.note(
                (level, time, index, place), chunk
            ),
        )
        self._file.begin(time, index)
        if not self._run(str(number), cascade, work):
            return False
        # Histograms of float types need the range first, which is known when all tiles
        # were seen; the voxels are read from the file just written, not from the
        # source.
        cascade.count_again()
        self._file.end(time, index, cascade.statistics)
        # The file has one window for each channel, not for each time; the first one is
        # what is shown when the file is opened.
        if time == 0:
            self._shown[index] = cascade.statistics[0].quantiles(*_SHARES)
            self._file.remember(f"Shown{index}", self._shown[index])
        return True

    def _guarded(self, function: _Visit, cancel: Event | None) -> _Visit:
        """Stop all workers within one block once one failed or the work was cancelled."""

        def make(block: Block) -> int:
            if cancel is not None and cancel.is_set():
                self._stop.set()
            # Blocks that the executor was given before the end was decided come here
            # and return at once.
            if self._stop.is_set():
                raise _StoppedError
            try:
                return function(block)
            except Exception as error:
                # The first one is the cause; what the others meet may follow from it.
                self._error = self._error or error
                self._stop.set()
                raise

        return make

    def _read_function(
        self, time: int, index: int, convert: Converter | None
    ) -> ReadTile:
        channel = self._image.channels[index]
        is_first = convert is None
        reader = self._readers.find(channel.source, is_first=is_first)
        at, origin = self._image.time_points[time], self._image.origin

        def read(region: Slices) -> Any:
            stored = tuple(
                slice(s.start + o, s.stop + o)
                for s, o in zip(region, origin, strict=True)
            )
            found = reader.read(at, channel, stored)
            return found if convert is None else convert(found)

        return read

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
        channel, change = self._image.channels[index], self.changes[index]
        window = changed_window(channel.window, change) or self._shown.get(index)
        low, high = window or (0.0, 255.0)
        if high > low:
            return (low, high)
        # Of one value alone; a float32 near the end of its range has no higher one.
        width = max(1.0, abs(low) / 1024)
        return (
            (low, low + width) if low < 1.0 / np.finfo("f4").eps else (low - width, low)
        )

    def _recall(self) -> None:
        """Take what an earlier run found of the first time point from the file."""
        level = thumbnail_level(self._order.shapes)
        for index in range(self._plan.n_channels):
            if index in self._shown:
                continue
            known = self._file.recall(f"Shown{index}")
            if known is not None:
                self._shown[index] = known
            picture = self._picture(index)
            # The picture of a channel whose first time point an earlier run wrote: read
            # again from a coarse level of the file, which is small.
            for start, data in self._file.read_slabs(level, 0, index):
                picture.add(data, (start, 0, 0))

    def _commit_sometimes(self) -> None:
        # A commit waits for the disk. For many small time points one after each would
        # take longer than the work.
        if perf_counter() - self._committed_at > COMMIT_S:
            # First, so that of every part that counts as whole all sums are known.
            self._sums.save()
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
    """Process a few separate tiles as a pass would, without writing them.

    Parameters
    ----------
    image : ImarisInput
    plan : ExportPlan
    scratch : Scratch
        For intermediate data.

    Returns
    -------
    (float, int, int)
        Seconds, bytes of the voxels, bytes encoded.
    """
    first = plan.levels[0]
    tiles = list(BlockGrid(first.shape, first.tile_shape))
    demand = Demand(image.origin, image.shape, first.tile_shape, {})
    began, n_raw, n_encoded = perf_counter(), 0, 0
    for number in range(N_SAMPLES):
        index = number % plan.n_channels
        channel = image.channels[index]
        reader = TileReader(
            channel.source, channel.level, demand, scratch, 0, skip_failed=False
        )
        # Spread over the image: its edges are often empty and would make the estimate
        # far too good.
        block = tiles[(2 * number + 1) * len(tiles) // (2 * N_SAMPLES)]
        at = image.time_points[number * plan.n_times // N_SAMPLES]
        region = tuple(
            slice(s.start + o, s.stop + o)
            for s, o in zip(block.slices, image.origin, strict=True)
        )
        convert = Converter(plan.changes[index], channel.name)
        data = convert(reader.read(at, channel, region))
        # Results are thrown away; the time that they take is what is measured.
        LevelStatistics(plan.dtype).add(data)
        halve(data, plan.order.factors[0] if len(plan.levels) > 1 else (1, 1, 1))
        n_raw += data.nbytes
        for part in BlockGrid(data.shape, first.chunk_shape):
            n_encoded += len(plan.encoder.encode(data[part.slices]))
        if perf_counter() - began > SAMPLE_S:
            break
    return perf_counter() - began, n_raw, n_encoded


@dataclass(frozen=True)
class _Work:
    """What all passes of a run share."""

    executor: Executor
    progress: _Progress
    cancel: Event | None


class _Progress:
    """Progress of one pass told as that of all."""

    def __init__(self, progress: Progress | None, n_parts: int) -> None:
        self._progress = progress
        self._n_parts = n_parts
        self.number = 0

    def __call__(self, done: int, total: int, n_bytes: int, left: float | None) -> None:
        if self._progress is None:
            return
        passed = total * self.number + done
        every = total * self._n_parts
        further = None
        if left is not None and total > done:
            further = left / (total - done) * (every - passed)
        self._progress(passed, every, n_bytes, further)
