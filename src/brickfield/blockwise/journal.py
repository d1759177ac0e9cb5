"""What of a block job is done, on disk, for resuming after a kill.

A journal is a text file that only grows: first a line that says of what work it
tells (the fingerprint), then lines ``{"job": name, "done": [block numbers]}``,
each batch on disk (fsync) before it counts. A block stands in it only after its
voxels were written, so a journal may know too little and never too much. A line
torn by a kill is dropped. One process holds a journal at a time.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import IO, Any, Self

from brickfield.errors import OptionError, StoreWriteError

Fingerprint = Mapping[str, Any]


class OtherWorkError(OptionError):
    """Raised when a journal tells of another source or other options."""


class Journal:
    """An open journal. Thread rule: one thread uses it.

    Parameters
    ----------
    path : Path
        File to go on with or to begin.
    fingerprint : mapping
        Source and parameters, plain JSON values.
    restart : bool
        Start over instead of resuming.

    Raises
    ------
    OtherWorkError
        When the file tells of other work.
    OptionError
        When another process holds it.
    """

    def __init__(
        self, path: Path, fingerprint: Fingerprint, *, restart: bool = False
    ) -> None:
        self.path = path
        self._masks: dict[str, bytearray] = {}
        path.parent.mkdir(parents=True, exist_ok=True)
        # Held until close: the file is emptied only once the lock is taken.
        self._file: IO[bytes] = path.open("a+b")
        try:
            _lock(self._file, path)
            if restart:
                self._file.truncate(0)
            # Through JSON, so that tuples compare equal to the lists that are read
            # back.
            self._load(json.loads(json.dumps(dict(fingerprint))))
        except BaseException:
            self._file.close()
            raise

    def mask(self, job: str, n_blocks: int) -> bytearray:
        """Tell which blocks of a job are done.

        Parameters
        ----------
        job : str
            Name of the job.
        n_blocks : int
            Blocks of the job.

        Returns
        -------
        bytearray
            One byte per block, 1 for done.
        """
        mask = self._masks.get(job, bytearray())[:n_blocks]
        return mask + bytes(n_blocks - len(mask))

    def record(self, job: str, numbers: Iterable[int]) -> None:
        """Record blocks as done; on disk when this returns.

        Parameters
        ----------
        job : str
            Name of the job.
        numbers : iterable of int
            Numbers of the blocks.
        """
        done = sorted(numbers)
        if done:
            self._append({"job": job, "done": done})
            self._mark(job, done)

    def close(self) -> None:
        """Let the file go; it stays on disk."""
        self._file.close()

    def remove(self) -> None:
        """Let the file go and delete it: the work is complete."""
        self._file.close()
        self.path.unlink(missing_ok=True)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _load(self, fingerprint: dict[str, Any]) -> None:
        self._file.seek(0)
        good = 0
        for line in self._file:
            # The first line that is not whole ends it: whatever follows a torn write is
            # not trusted.
            entry = _parsed(line)
            if entry is None:
                break
            if good == 0:
                self._compare(entry.get("fingerprint"), fingerprint)
            else:
                self._mark(entry["job"], entry["done"])
            good += len(line)
        self._file.truncate(good)
        if good == 0:
            self._append({"fingerprint": fingerprint})

    def _compare(self, found: Any, wanted: dict[str, Any]) -> None:
        if found == wanted:
            return
        found = found if isinstance(found, dict) else {}
        differs = sorted(k for k in {*found, *wanted} if found.get(k) != wanted.get(k))
        msg = (
            f"expected the interrupted work in {self.path.parent} to be of the same"
            f" source and options; found other {', '.join(differs)}: give the same"
            f" ones again, or overwrite to begin anew"
        )
        raise OtherWorkError(msg)

    def _mark(self, job: str, numbers: list[int]) -> None:
        mask = self._masks.setdefault(job, bytearray())
        if numbers and max(numbers) >= len(mask):
            # Grown in steps: a journal of millions of blocks is loaded once through.
            mask.extend(bytes(max(numbers) + 1 + len(mask) // 2 - len(mask)))
        for n in numbers:
            mask[n] = 1

    def _append(self, entry: dict[str, Any]) -> None:
        start = self._file.seek(0, os.SEEK_END)
        line = json.dumps(entry, separators=(",", ":")).encode() + b"\n"
        file = self._file.fileno()
        try:
            # Past the buffer of the file object, which would try again on close.
            while line:
                line = line[os.write(file, line) :]
            os.fsync(file)
        except OSError as e:
            # A full disk may hold half the line; what is before it stays good.
            os.ftruncate(file, start)
            msg = f"expected to write to {self.path}; found: {e.strerror}"
            raise StoreWriteError(msg) from e


def read_fingerprint(path: Path) -> dict[str, Any] | None:
    """Read of what work a journal tells, without holding it; None if there is none."""
    try:
        with path.open("rb") as file:
            entry = _parsed(file.readline())
    except OSError:
        return None
    found = None if entry is None else entry.get("fingerprint")
    return found if isinstance(found, dict) else None


def _parsed(line: bytes) -> dict[str, Any] | None:
    try:
        entry = json.loads(line) if line.endswith(b"\n") else None
    except ValueError:
        return None
    return entry if isinstance(entry, dict) else None


def _lock(file: IO[bytes], path: Path) -> None:
    try:
        import fcntl
    except ImportError:  # Windows: two writers are not told of each other there
        return
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as e:
        msg = (
            f"expected no other process to write to {path.parent}; found one at work:"
            f" wait for it or end it first"
        )
        raise OptionError(msg) from e
    except OSError:  # a file system without locks
        return
