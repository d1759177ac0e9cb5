"""One process at a time computes what is kept with a scan.

A lock is a small file, made only where none is, that names its owner: host, process,
since when. The owner touches it every few seconds. It no longer counts when its
process is gone (on the same host), or when it was not touched for
:data:`STALE_S` (on another one); then the next process takes it over.
"""

from __future__ import annotations

import json
import os
import socket
import threading
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self
from uuid import uuid4

from brickfield.errors import StoreAccessError, StoreWriteError

HEARTBEAT_S = 3.0
STALE_S = 60.0


class ComputedElsewhereError(StoreAccessError):
    """Raised when another process computes for the same scan right now."""


@dataclass(frozen=True, slots=True)
class Owner:
    """The holder of a lock.

    Attributes
    ----------
    host : str
    pid : int
    doing : str
        What is computed.
    since : float
        Seconds since 1970.
    token : str
        Of this taking alone.
    """

    host: str
    pid: int
    doing: str
    since: float
    token: str

    def __str__(self) -> str:
        return f"process {self.pid} on {self.host}"


class CacheLock:
    """A lock that is held while the block runs.

    Parameters
    ----------
    path : Path
        The lock's own file; its folder must be writable.
    doing : str
        Shown to other processes that wait.

    Raises
    ------
    ComputedElsewhereError
        When it is held by a live process.
    StoreWriteError
        When the file cannot be made.
    """

    def __init__(self, path: Path, doing: str) -> None:
        self.path = path
        self._owner = Owner(
            socket.gethostname(), os.getpid(), doing, time.time(), uuid4().hex
        )
        self._done = threading.Event()
        self._thread: threading.Thread | None = None

    def __enter__(self) -> Self:
        while not self._create():
            owner = owner_of(self.path)
            if owner is not None:
                msg = (
                    f"expected to compute {self._owner.doing}; found that it is"
                    f" computed by another process ({owner}): wait for it"
                )
                raise ComputedElsewhereError(msg)
            self._remove_stale()
        self._thread = threading.Thread(
            target=self._beat, name="brickfield-heartbeat", daemon=True
        )
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._done.set()
        if self._thread is not None:
            self._thread.join()
        if _read(self.path) == self._owner:
            self.path.unlink(missing_ok=True)

    def _create(self) -> bool:
        about = {name: getattr(self._owner, name) for name in Owner.__slots__}
        # Written under another name first: a lock is never seen half written.
        draft = self.path.with_name(f"{self.path.name}.{self._owner.token}")
        try:
            draft.write_text(json.dumps(about), encoding="utf-8")
            try:
                os.link(draft, self.path)
            except FileExistsError:
                return False
            except OSError:  # a file system without links
                with self.path.open("x", encoding="utf-8") as file:
                    file.write(json.dumps(about))
        except FileExistsError:
            return False
        except OSError as error:
            msg = f"expected to write {self.path}; found: {error.strerror or error}"
            raise StoreWriteError(msg) from error
        finally:
            draft.unlink(missing_ok=True)
        return True

    def _remove_stale(self) -> None:
        """Remove a lock that no longer counts; the first process succeeds."""
        aside = self.path.with_name(f"{self.path.name}.{self._owner.token}.old")
        with suppress(FileNotFoundError):
            self.path.rename(aside)
            if is_alive(aside):
                # Another process was quicker, and what was moved is a new lock.
                with suppress(OSError):
                    os.link(aside, self.path)
            aside.unlink(missing_ok=True)

    def _beat(self) -> None:
        while not self._done.wait(HEARTBEAT_S):
            with suppress(OSError):
                os.utime(self.path)


def owner_of(path: Path) -> Owner | None:
    """Return the holder of a lock; None when it is free, or no longer counts."""
    return _read(path) if is_alive(path) else None


def is_alive(path: Path) -> bool:
    """Tell whether the owner of a lock still works."""
    owner = _read(path)
    try:
        silent_s = time.time() - path.stat().st_mtime
    except OSError:
        return False
    if owner is None:
        return silent_s < STALE_S  # being written, or by another version
    if owner.host != socket.gethostname():
        return silent_s < STALE_S
    return _is_running(owner.pid)


def _is_running(pid: int) -> bool:
    if os.name != "posix":
        return True  # nothing but time tells
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except OSError:
        return True
    with suppress(OSError, IndexError):
        # One that has ended and was not waited for is no process any more.
        stat = Path(f"/proc/{pid}/stat").read_text(encoding="ascii", errors="replace")
        return stat.rpartition(")")[2].split()[0] != "Z"
    return True


def _read(path: Path) -> Owner | None:
    try:
        about: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        return Owner(**about)
    except (OSError, ValueError, TypeError):
        return None
