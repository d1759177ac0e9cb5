"""Writes movies: a folder of PNG frames with a record, and an MP4 of them.

Every frame is either whole on disk or not there; ``frames.json`` beside the frames
says of each whether the picture was complete when it was taken. What was written
stays, whatever happens: a movie that was cancelled, or for which the disk was full,
goes on where it stopped, and frames that were not complete are drawn again. The
drawing is given: a function from a camera to a picture.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from time import perf_counter
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from brickfield.camera import KeyFrame
from brickfield.errors import OptionError, StoreWriteError
from brickfield.model import CameraState
from brickfield.viewer.export.files import encode, mark_incomplete, mp4_problem
from brickfield.viewer.export.movie_record import (
    NAME,
    FrameRecord,
    MovieRecord,
    frame_name,
    read_record,
)
from brickfield.writing import check_file

Picture = NDArray[np.uint8]


class Draw(Protocol):
    """Draws one frame, waiting until it is complete or the time is over."""

    def __call__(
        self, camera: CameraState, index: int, timeout_s: float
    ) -> tuple[Picture, bool, Mapping[str, Any]]:
        """Return the picture, whether it is complete, and what else to record.

        Parameters
        ----------
        camera : CameraState
        index : int
            Of the frame in :attr:`Movie.frames`, for its time and values.
        timeout_s : float

        Returns
        -------
        image : ndarray, shape (h, w, 4), uint8
        complete : bool
        info : mapping
            Plain values, for example the receipt's shares of pixels.
        """
        ...


@dataclass(frozen=True)
class Movie:
    """What to draw.

    Attributes
    ----------
    frames : tuple of KeyFrame
        See :func:`brickfield.camera.keyframes.frames`.
    fps : float
        Frames a second.
    scene : str
        What else the pictures depend on, as any text (the scene document): a movie
        of another scene is another movie.
    """

    frames: tuple[KeyFrame, ...]
    fps: float = 25.0
    scene: str = ""

    def __post_init__(self) -> None:
        if not self.frames or not 0 < self.fps <= 1000:
            msg = (
                "expected at least one frame and up to 1000 a second; found"
                f" {len(self.frames)} and {self.fps:g}"
            )
            raise OptionError(msg)

    @property
    def seconds(self) -> float:
        """How long it is."""
        return len(self.frames) / self.fps

    @property
    def signature(self) -> str:
        """Equal for two movies exactly when their frames look alike."""
        frames = [(asdict(f.camera), f.time, dict(f.values)) for f in self.frames]
        text = json.dumps([frames, self.scene], sort_keys=True, default=_told)
        return hashlib.sha256(text.encode()).hexdigest()[:32]


def _told(value: Any) -> Any:
    return value.tolist() if hasattr(value, "tolist") else repr(value)


@dataclass(frozen=True)
class MovieOptions:
    """How to write it.

    Attributes
    ----------
    timeout_s : float
        Longest wait for one frame; then it is taken as it is.
    mp4 : Path or None
        Where the MP4 goes; None writes frames alone.
    marks_incomplete : bool
        Whether an incomplete frame says so in the picture.
    overwrite : bool
        Whether frames of another movie in the folder are replaced.
    sources : tuple of ChunkSource
        Open; what is drawn. Nothing that they read is written over.
    """

    timeout_s: float = 30.0
    mp4: Path | None = None
    marks_incomplete: bool = False
    overwrite: bool = False
    sources: tuple[Any, ...] = ()


@dataclass(frozen=True)
class MovieResult:
    """What was written.

    Attributes
    ----------
    folder : Path
        Of the frames and ``frames.json``.
    mp4 : Path or None
    n_frames : int
        Frames on disk.
    n_incomplete : int
        Of these, taken before they were complete.
    is_cancelled : bool
    problem : str
        One sentence on why there is no MP4, though one was asked for; "" otherwise.
    """

    folder: Path
    mp4: Path | None
    n_frames: int
    n_incomplete: int
    is_cancelled: bool
    problem: str = ""


def write_movie(
    movie: Movie,
    folder: Path,
    draw: Draw,
    options: MovieOptions | None = None,
    *,
    on_progress: Callable[[int, int], None] | None = None,
    cancelled: Callable[[], bool] | None = None,
) -> MovieResult:
    """Draw and write every frame that is not there yet, then the MP4.

    Parameters
    ----------
    movie : Movie
    folder : Path
        Made when it is not there.
    draw : callable
        Called on this thread, see :class:`Draw`.
    options : MovieOptions, optional
    on_progress : callable, optional
        Told how many frames are on disk, of how many.
    cancelled : callable, optional
        Asked before each frame.

    Returns
    -------
    MovieResult

    Raises
    ------
    OptionError
        If the folder holds another movie, frames differ in size, or a file to write
        is one that a source reads or lies among those.
    StoreWriteError
        If there is no room or no right to write. What was written stays.
    """
    options = options or MovieOptions()
    folder = Path(folder)
    _check_targets(movie, folder, options)
    record = _record_in(folder, movie, overwrite=options.overwrite)
    is_cancelled = False
    try:
        for index, frame in enumerate(movie.frames):
            if cancelled is not None and cancelled():
                is_cancelled = True
                break
            if not record.has(folder, index):
                record.add(_drawn(folder, frame, index, draw, options, record), folder)
            if on_progress is not None:
                on_progress(index + 1, len(movie.frames))
    finally:
        record.save(folder)
    mp4, problem = None, ""
    if options.mp4 is not None and not is_cancelled:
        problem = mp4_problem()
        if not problem:
            files = [folder / f.file for f in record.in_order()]
            if encode(files, options.mp4, movie.fps, cancelled=cancelled):
                mp4 = options.mp4
            else:
                is_cancelled = True
    return MovieResult(
        folder,
        mp4,
        len(record.frames),
        sum(not f.complete for f in record.frames.values()),
        is_cancelled,
        problem,
    )


def _check_targets(movie: Movie, folder: Path, options: MovieOptions) -> None:
    """Refuse before anything is made or removed."""
    if options.mp4 is not None:
        check_file(options.mp4, options.sources)
    found = read_record(folder)
    own = {f.file for f in found.frames.values()} if found is not None else set()
    for name in (NAME, *(frame_name(i) for i in range(len(movie.frames)))):
        # Frames of a movie before were checked when they were written.
        if name not in own:
            check_file(folder / name, options.sources)


def _record_in(folder: Path, movie: Movie, *, overwrite: bool) -> MovieRecord:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        msg = f"expected to make the folder {folder}; found: {error.strerror or error}"
        raise StoreWriteError(msg) from error
    found = read_record(folder)
    fresh = MovieRecord(movie.signature, movie.fps, len(movie.frames))
    if found is None:
        return fresh
    if found.signature == movie.signature:
        found.fps = movie.fps
        return found
    if not overwrite:
        msg = (
            f"expected an empty folder or one with this movie's frames; found another"
            f" movie of {found.n_frames} frames in {folder}: choose another folder, or"
            " let it be overwritten"
        )
        raise OptionError(msg)
    found.remove_files(folder)
    return fresh


def _drawn(
    folder: Path,
    frame: KeyFrame,
    index: int,
    draw: Draw,
    options: MovieOptions,
    record: MovieRecord,
) -> FrameRecord:
    start = perf_counter()
    image, complete, info = draw(frame.camera, index, options.timeout_s)
    waited = perf_counter() - start
    size = (image.shape[1], image.shape[0])
    if record.size not in (None, size):
        msg = (
            f"expected every frame to be {record.size} pixels, as the first; found"
            f" frame {index} of {size}"
        )
        raise OptionError(msg)
    record.size = size
    if options.marks_incomplete and not complete:
        image = mark_incomplete(image)
    name = frame_name(index)
    _write_whole(folder / name, image)
    return FrameRecord(index, name, bool(complete), round(waited, 3), dict(info))


def _write_whole(path: Path, image: Picture) -> None:
    from PIL import Image

    partial = path.with_suffix(".partial")
    try:
        Image.fromarray(image).save(partial, format="PNG", compress_level=3)
        partial.replace(path)
    except OSError as error:
        partial.unlink(missing_ok=True)
        msg = (
            f"expected to write {path}; found: {error.strerror or error}: make room or"
            " allow it, then write the movie again to go on"
        )
        raise StoreWriteError(msg) from error
