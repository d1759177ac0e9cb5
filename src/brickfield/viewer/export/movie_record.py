"""``frames.json``: which frames of a movie are on disk, and how good each is."""

from __future__ import annotations

import json
import re
from dataclasses import asdict, dataclass, field
from pathlib import Path
from time import monotonic
from typing import Any

from brickfield.errors import StoreWriteError
from brickfield.sources.io import read_whole

NAME = "frames.json"
VERSION = 1
_FRAME = re.compile(r"frame_\d{5,}\.png")
SAVE_EVERY_S = 1.0
"""Longest time, seconds, whose frames a killed movie draws again."""


def frame_name(index: int) -> str:
    """Return the name of a frame's file."""
    return f"frame_{index:05d}.png"


@dataclass(frozen=True)
class FrameRecord:
    """One frame on disk.

    Attributes
    ----------
    index : int
    file : str
        Name in the folder.
    complete : bool
        Whether the picture was as good as asked for when it was taken.
    waited_s : float
        How long it took.
    info : dict
        What the drawing had to say, for example shares of pixels.
    """

    index: int
    file: str
    complete: bool
    waited_s: float
    info: dict[str, Any] = field(default_factory=dict)


@dataclass
class MovieRecord:
    """All frames of one movie in a folder. One thread.

    Attributes
    ----------
    signature : str
        Of the movie.
    fps : float
    n_frames : int
        Frames that there will be.
    size : tuple of int or None
        Width and height, pixels; None before the first frame.
    frames : dict
        By index.
    """

    signature: str
    fps: float
    n_frames: int
    size: tuple[int, int] | None = None
    frames: dict[int, FrameRecord] = field(default_factory=dict)
    _saved: float = field(default=0.0, repr=False)

    def has(self, folder: Path, index: int) -> bool:
        """Tell whether a complete frame is on disk.

        Parameters
        ----------
        folder : Path
            Of the frames.
        index : int
            Of the frame, from 0.
        """
        frame = self.frames.get(index)
        return frame is not None and frame.complete and (folder / frame.file).is_file()

    def in_order(self) -> list[FrameRecord]:
        """Return the frames, first to last."""
        return [self.frames[i] for i in sorted(self.frames)]

    def add(self, frame: FrameRecord, folder: Path) -> None:
        """Record a frame that was written; saved about once a second.

        Parameters
        ----------
        frame : FrameRecord
        folder : Path
            Of the frames.
        """
        self.frames[frame.index] = frame
        if monotonic() - self._saved > SAVE_EVERY_S:
            self.save(folder)

    def save(self, folder: Path) -> None:
        """Write the record, all of it or none.

        Raises
        ------
        StoreWriteError
        """
        data = {
            "version": VERSION,
            "signature": self.signature,
            "fps": self.fps,
            "n_frames": self.n_frames,
            "size": self.size,
            "complete": len(self.frames) == self.n_frames
            and all(f.complete for f in self.frames.values()),
            "frames": [asdict(f) for f in self.in_order()],
        }
        place = folder / NAME
        partial = place.with_suffix(".partial")
        try:
            partial.write_text(json.dumps(data, indent=1, default=_plain) + "\n")
            partial.replace(place)
        except OSError as error:
            msg = f"expected to write {place}; found: {error.strerror or error}"
            raise StoreWriteError(msg) from error
        self._saved = monotonic()

    def remove_files(self, folder: Path) -> None:
        """Remove the frames and the record from the disk, and nothing else."""
        for frame in self.frames.values():
            (folder / frame.file).unlink(missing_ok=True)
        (folder / NAME).unlink(missing_ok=True)


def _plain(value: Any) -> Any:
    """Numpy's numbers as Python's, anything else as text."""
    return value.item() if hasattr(value, "item") else str(value)


def read_record(folder: Path) -> MovieRecord | None:
    """Return the record of a folder; None without one, or with one that is broken."""
    try:
        data = json.loads(read_whole(folder / NAME))
        if data["version"] != VERSION:
            return None
        frames = [FrameRecord(**f) for f in data["frames"]]
        size = data["size"]
        return MovieRecord(
            str(data["signature"]),
            float(data["fps"]),
            int(data["n_frames"]),
            None if size is None else (int(size[0]), int(size[1])),
            # Files of other names are none of a movie's: they are never removed.
            {f.index: f for f in frames if _FRAME.fullmatch(f.file)},
        )
    except (OSError, ValueError, KeyError, TypeError, IndexError):
        return None
