"""The files that one acquisition was written to.

Merlin writes an acquisition as one file or as several, down to one for each frame:
the same name with another number at its end. Files belong together where the
numbers of their frames follow one another, so that a neighbour of the same name
that is an acquisition of its own, and begins at 1 again, is never taken for a part.
"""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from pathlib import Path

from brickfield.errors import StoreAccessError, StoreFormatError, StoreNotFoundError
from brickfield.model import Finding
from brickfield.sources.io.plain_files import open_regular
from brickfield.sources.mib.header import (
    LEAST_HEADER,
    MAGIC,
    Acquisition,
    MIBHeader,
    header_length,
    parse_header,
    read_acquisition,
)
from brickfield.sources.scans.frame_files import FrameFile

MOST_FILES = 1 << 18
_NUMBERED = re.compile(r"^(?P<prefix>.*?)(?P<number>\d*)(?P<end>\.mib)$", re.IGNORECASE)
"""The first file of several may have no number."""
_HDR = (".hdr", ".HDR")


@dataclass(frozen=True, slots=True)
class MIBFiles:
    """An acquisition's files.

    Attributes
    ----------
    header : MIBHeader
        Of the first frame.
    files : tuple of FrameFile
        In the order of their frames.
    acquisition : Acquisition
    findings : tuple of Finding
    """

    header: MIBHeader
    files: tuple[FrameFile, ...]
    acquisition: Acquisition
    findings: tuple[Finding, ...]


@dataclass(frozen=True, slots=True)
class _Part:
    header: MIBHeader
    file: FrameFile
    n_left_bytes: int

    @property
    def next_sequence(self) -> int:
        return self.header.sequence + self.file.n_frames


def find_files(path: Path, *, this_file_only: bool = False) -> MIBFiles:
    """Find the files of an acquisition by one of them.

    Parameters
    ----------
    path : Path
    this_file_only : bool
        Take no other.

    Raises
    ------
    StoreNotFoundError, StoreAccessError, StoreFormatError
    """
    own = _part(path)
    findings: list[Finding] = []
    parts = [own]
    if not this_file_only:
        parts = _chained(own, _neighbours(own), findings)
    for part in parts:
        findings += _of_part(part)
    acquisition = _acquisition(path, parts[0].file.path)
    n_found = sum(part.file.n_frames for part in parts)
    asked = acquisition.n_frames
    if asked is not None and n_found < asked:
        text = f"expected the {asked} frames of the .hdr file; found {n_found}"
        findings.append(Finding("warning", "fewer-frames", path.name, text))
    files = tuple(part.file for part in parts)
    return MIBFiles(parts[0].header, files, acquisition, tuple(findings))


def _part(path: Path) -> _Part:
    try:
        with open_regular(path) as file:
            size = os.fstat(file.fileno()).st_size
            header = _first_header(file.fileno(), size, path)
            n_frames = size // header.stride
            if n_frames < 1:
                msg = (
                    f"expected at least one frame of {header.stride} bytes in {path};"
                    f" found {size} bytes: it was cut off"
                )
                raise StoreFormatError(msg)
            if n_frames > 1:
                _check_frame(file.fileno(), 1, header, path)
                _check_frame(file.fileno(), n_frames - 1, header, path)
    except (FileNotFoundError, NotADirectoryError) as error:
        msg = f"expected a MIB file at {path}; found nothing: check the path"
        raise StoreNotFoundError(msg) from error
    except IsADirectoryError as error:
        msg = f"expected a MIB file at {path}; found a folder: name a file in it"
        raise StoreNotFoundError(msg) from error
    except PermissionError as error:
        msg = f"expected to read {path}; the system refuses: check its permissions"
        raise StoreAccessError(msg) from error
    left = size - n_frames * header.stride
    return _Part(header, FrameFile(path, 0, n_frames), left)


def _first_header(number: int, size: int, path: Path) -> MIBHeader:
    if not size:
        msg = f"expected frames of a Merlin detector in {path}; found an empty file"
        raise StoreFormatError(msg)
    head = os.pread(number, LEAST_HEADER, 0)
    length = header_length(head, str(path))
    return parse_header(os.pread(number, length, 0), str(path))


def _check_frame(number: int, frame: int, header: MIBHeader, path: Path) -> None:
    """Make sure that a header stands where the first one's sizes say."""
    head = os.pread(number, len(MAGIC), frame * header.stride)
    # A file that is allocated before it is written has zeros there.
    if head != MAGIC and head.strip(b"\0"):
        msg = (
            f"expected the header of frame {frame} at byte {frame * header.stride} of"
            f" {path}, as the first header's sizes say; found other data: it is damaged"
        )
        raise StoreFormatError(msg)


def _neighbours(own: _Part) -> list[_Part]:
    """Read the parts beside a file that are named and stored like it."""
    path = own.file.path
    match = _NUMBERED.match(path.name)
    if match is None:
        return []
    names: list[str] = []
    try:
        with os.scandir(path.parent) as entries:
            for entry in entries:
                other = _NUMBERED.match(entry.name)
                is_alike = other is not None and other["prefix"] == match["prefix"]
                if is_alike and entry.name != path.name and len(names) < MOST_FILES:
                    names.append(entry.name)
    except OSError:
        return []
    found: list[_Part] = []
    for name in sorted(names):
        try:
            part = _part(path.with_name(name))
        except (StoreFormatError, StoreNotFoundError, StoreAccessError, OSError):
            continue
        if part.header.is_like(own.header):
            found.append(part)
    return found


def _chained(own: _Part, others: list[_Part], findings: list[Finding]) -> list[_Part]:
    """Put parts in order as far as their frames' numbers follow one another."""
    by_first: dict[int, list[_Part]] = {}
    by_next: dict[int, list[_Part]] = {}
    for part in others:
        by_first.setdefault(part.header.sequence, []).append(part)
        by_next.setdefault(part.next_sequence, []).append(part)
    if own.header.sequence in by_first:
        # Several acquisitions side by side: it cannot be told whose the parts are.
        if own.next_sequence in by_first or own.header.sequence in by_next:
            text = (
                "expected files whose frames' numbers follow one another; found"
                " several with the same numbers: this file alone was opened"
            )
            name = own.file.path.name
            findings.append(Finding("warning", "ambiguous-set", name, text))
        return [own]
    chain = [own]
    while len(found := by_first.get(chain[-1].next_sequence, [])) == 1:
        chain.append(found[0])
    while len(found := by_next.get(chain[0].header.sequence, [])) == 1:
        chain.insert(0, found[0])
    findings += _gap_behind(chain[-1], by_first)
    return chain


def _gap_behind(last: _Part, by_first: dict[int, list[_Part]]) -> list[Finding]:
    """Tell of files that would follow, were no frames missing between."""
    behind = sorted(n for n in by_first if n > last.next_sequence)
    if not behind:
        return []
    name = by_first[behind[0]][0].file.path.name
    text = (
        f"expected frame {last.next_sequence} after those of {last.file.path.name};"
        f" found that {name} goes on with frame {behind[0]}: it and what follows it"
        " are left out"
    )
    return [Finding("warning", "gap-in-set", last.file.path.name, text)]


def _of_part(part: _Part) -> list[Finding]:
    if not part.n_left_bytes:
        return []
    text = (
        f"expected whole frames of {part.header.stride} bytes; found"
        f" {part.n_left_bytes} bytes after the last: they are left out"
    )
    return [Finding("warning", "cut-off", part.file.path.name, text)]


def _acquisition(path: Path, first: Path) -> Acquisition:
    stems = [path.stem, first.stem]
    match = _NUMBERED.match(path.name)
    if match is not None:
        stems += [match["prefix"], match["prefix"].rstrip("_-. ")]
    names = [path.with_name(f"{stem}{end}") for stem in stems for end in _HDR]
    return next((read_acquisition(n) for n in names if n.is_file()), Acquisition())
