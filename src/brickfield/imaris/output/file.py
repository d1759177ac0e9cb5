"""The file: groups and attributes of every time point and channel, and raw chunks.

Chunks come encoded and whole (padding zero) and are put down as they are, past the
filters of the library. All levels of one time point and channel are open at a time;
nothing else of the file is held. The file has version 2 of the superblock, which every
reader of Imaris files knows.

Thread rule: :meth:`ImarisFile.write_chunk` from any thread; the rest from one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from brickfield.errors import StoreWriteError
from brickfield.imaris.deflate import Encoder
from brickfield.imaris.output.attributes import encode_name, write_text
from brickfield.imaris.output.committed_file import CommittedFile
from brickfield.imaris.planning.levels import padded
from brickfield.imaris.planning.plan import ExportPlan
from brickfield.imaris.statistics import LevelStatistics
from brickfield.sources.hdf5 import HDF5_LOCK

_OWN = "Brickfield"
"""Attributes of an unfinished file begin so."""
_PROGRESS = f"{_OWN}Done"
"""Time points times channels that are whole."""
_LIBRARY = ("v108", "v108")
_LIBRARY_ERRORS = (OSError, RuntimeError, ValueError, KeyError)
"""What h5py raises where the library fails."""
Sections = Mapping[str, Mapping[str, str]]


class ImarisFile:
    """An Imaris file that is being written.

    Parameters
    ----------
    path : Path
        Begun, or gone on with from its last commit.
    plan : ExportPlan
    restart : bool
        Start over in any case.
    committed : callable, optional
        Called after each commit.

    Attributes
    ----------
    n_done : int
        Parts, counted with channels fastest, that are whole in the file.
    is_finished : bool
        Whether an earlier run wrote all there is to write.
    """

    def __init__(
        self,
        path: Path,
        plan: ExportPlan,
        *,
        restart: bool = False,
        committed: Callable[[], None] | None = None,
    ) -> None:
        import h5py

        self._plan = plan
        self._committed = committed
        self._encoder: Encoder = plan.encoder
        self._raw = CommittedFile(path, restart=restart)
        mode = "w" if self._raw.is_new else "r+"
        with HDF5_LOCK:
            try:
                self._file = h5py.File(self._raw, mode, libver=_LIBRARY)
            except OSError as error:
                self._raw.close()
                msg = (
                    f"expected to go on with {path}; found that it is damaged"
                    f" ({error}): begin anew with restart"
                )
                raise StoreWriteError(msg) from error
            if mode == "w":
                self._write_head()
                # From here on nothing that is not committed can be taken for whole.
                self._file.flush()
                self._raw.commit_first()
            self.n_done = int(self._file.attrs.get(_PROGRESS, 0))
            # A run that ended after the last commit, before the file had its name.
            self.is_finished = "Thumbnail" in self._file and not self.n_done
            if self.is_finished:
                self.n_done = plan.n_times * plan.n_channels
        self._open: list[Any] = []
        self.bytes_written = 0

    def begin(self, time: int, channel: int) -> None:
        """Create groups and datasets of one time point and channel, all levels.

        Parameters
        ----------
        time, channel : int
        """
        with HDF5_LOCK, self._reporting_errors():
            for number, level in enumerate(self._plan.levels):
                group = self._file.require_group(self._place(number, time, channel))
                for axis, n in zip("ZYX", level.shape, strict=True):
                    write_text(group, f"ImageSize{axis}", str(n))
                made = group.create_dataset(
                    "Data",
                    shape=padded(level.shape, level.chunk_shape),
                    chunks=level.chunk_shape,
                    dtype=self._plan.dtype,
                    **self._encoder.creation(self._plan.dtype.itemsize),
                )
                self._open.append(made)

    def write_chunk(self, level: int, index: tuple[int, ...], raw: bytes) -> None:
        """Write one encoded chunk of the time point and channel that was begun last.

        Parameters
        ----------
        level : int
        index : tuple of int
            Position in the grid of chunks (z, y, x).
        raw : bytes
            As stored.

        Raises
        ------
        StoreWriteError
            When there is no room.
        """
        chunk = self._plan.levels[level].chunk_shape
        offset = tuple(i * c for i, c in zip(index, chunk, strict=True))
        with HDF5_LOCK, self._reporting_errors():
            self._open[level].id.write_direct_chunk(offset, raw)
            self.bytes_written += len(raw)

    def read_chunks(self, level: int) -> Any:
        """Return the open data set of a level, for a second pass over it."""
        return self._open[level]

    def read_slabs(
        self, level: int, time: int, channel: int
    ) -> Iterator[tuple[int, NDArray[Any]]]:
        """Read a whole level of a finished time point and channel, one row of chunks at a time.

        Parameters
        ----------
        level, time, channel : int

        Yields
        ------
        (int, ndarray)
            First plane, and voxels without padding, shape (z, y, x).
        """
        about = self._plan.levels[level]
        nz, ny, nx = about.shape
        step = about.chunk_shape[0]
        place = f"{self._place(level, time, channel)}/Data"
        for start in range(0, nz, step):
            with HDF5_LOCK, self._reporting_errors():
                slab = self._file[place][start : min(start + step, nz), :ny, :nx]
            yield start, slab

    def remember(self, name: str, values: tuple[float, float]) -> None:
        """Store two numbers for a run that resumes this file.

        Parameters
        ----------
        name : str
            Of the numbers.
        values : tuple of float
        """
        with HDF5_LOCK, self._reporting_errors():
            self._file.attrs[f"{_OWN}{name}"] = np.array(values, np.float64)

    def recall(self, name: str) -> tuple[float, float] | None:
        """Return what :meth:`remember` was given; None if there is nothing."""
        with HDF5_LOCK:
            found = self._file.attrs.get(f"{_OWN}{name}")
        return None if found is None else (float(found[0]), float(found[1]))

    def end(self, time: int, channel: int, found: Sequence[LevelStatistics]) -> None:
        """Write the histograms; the time point and channel is then complete.

        Parameters
        ----------
        time, channel : int
        found : sequence of LevelStatistics
            Statistics of every level.
        """
        with HDF5_LOCK, self._reporting_errors():
            for number, statistics in enumerate(found):
                group = self._file[self._place(number, time, channel)]
                for name, histogram in statistics.histograms().items():
                    for end, value in zip(("Min", "Max"), histogram.span, strict=True):
                        text = _as_text(value)
                        write_text(group, f"Histogram{end}{name}", text)
                    group.create_dataset(f"Histogram{name}", data=histogram.counts)
            self._open.clear()
            self.n_done += 1

    def commit(self) -> None:
        """Put everything that is complete on disk, whatever happens to this process.

        Raises
        ------
        StoreWriteError
        """
        with HDF5_LOCK, self._reporting_errors():
            self._file.attrs[_PROGRESS] = self.n_done
            self._file.flush()
            self._raw.commit()
        if self._committed is not None:
            self._committed()

    def finish(self, sections: Sections, thumbnail: NDArray[np.uint8]) -> None:
        """Write what is known of the whole image, and close the file.

        Parameters
        ----------
        sections : mapping of mapping
            Groups below ``DataSetInfo`` and their texts.
        thumbnail : ndarray, shape (256, 1024), uint8
        """
        with HDF5_LOCK, self._reporting_errors():
            for name in ("DataSetInfo", "Thumbnail"):
                if name in self._file:  # of a run that was killed after this
                    del self._file[name]
            info = self._file.create_group("DataSetInfo")
            for section, texts in sections.items():
                group = info.create_group(encode_name(section))
                for name, text in texts.items():
                    write_text(group, name, text, long_as_dataset=True)
            self._file.create_group("Thumbnail").create_dataset("Data", data=thumbnail)
            for name in [n for n in self._file.attrs if n.startswith(_OWN)]:
                del self._file.attrs[name]
            self._file.flush()
            self._raw.commit()
        self.close()

    def close(self) -> None:
        """Let the file go; it stands at the last commit."""
        with HDF5_LOCK:
            self._open.clear()
            if self._file.id.valid:
                try:
                    self._file.close()
                except (OSError, RuntimeError, ValueError):
                    # It was not to be kept anyway: the last commit stands.
                    with suppress(OSError, RuntimeError, ValueError):
                        self._file.id.close()
            self._raw.close()

    def _write_head(self) -> None:
        texts = {
            "ImarisDataSet": "ImarisDataSet",
            "ImarisVersion": "5.5.0",
            "DataSetDirectoryName": "DataSet",
            "DataSetInfoDirectoryName": "DataSetInfo",
            "ThumbnailDirectoryName": "Thumbnail",
        }
        for name, text in texts.items():
            write_text(self._file, name, text)
        self._file.attrs["NumberOfDataSets"] = np.array([1], np.uint32)

    def _place(self, level: int, time: int, channel: int) -> str:
        return f"DataSet/ResolutionLevel {level}/TimePoint {time}/Channel {channel}"

    def _reporting_errors(self) -> _WriteErrors:
        return _WriteErrors(self._raw)


class _WriteErrors:
    """Turns what the library says of a failed write into the system's own reason."""

    def __init__(self, raw: CommittedFile) -> None:
        self._raw = raw

    def __enter__(self) -> None:
        pass

    def __exit__(self, kind: object, error: BaseException | None, _: object) -> None:
        if isinstance(error, StoreWriteError):
            return
        if self._raw.error or isinstance(error, _LIBRARY_ERRORS):
            cause = self._raw.error or error
            reason = getattr(cause, "strerror", None) or cause
            # What the library says of its own objects is about an unfinished file that
            # is not as it was left.
            is_system = isinstance(cause, OSError) and cause.errno is not None
            remedy = "make room" if is_system else "begin anew with restart"
            msg = f"expected to write {self._raw.path}; found: {reason}: {remedy}"
            raise StoreWriteError(msg) from error


def _as_text(value: float) -> str:
    """Write an end of a histogram: three digits where they are exact, else all."""
    text = f"{value:.3f}"
    return text if float(text) == value else repr(float(value))
