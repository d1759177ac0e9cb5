"""Which folders may be replaced: whole OME-Zarr images, and nothing else in them.

A name or a metadata file proves nothing: a folder of a user's own files may hold a
stray ``.zattrs``. So every entry is looked at. Each has to be metadata, a storage
chunk of an array, a node of the store, or what an interrupted run of ours left; the
first that is none of these is named, and nothing is removed.
"""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from brickfield.errors import OptionError

__all__ = [
    "JOURNAL",
    "check_array",
    "remove_contents",
]

JOURNAL = ".brickfield-journal"
"""Folder inside a store while it is being written."""
_METADATA = ("zarr.json", ".zgroup", ".zattrs", ".zarray", ".zmetadata")
_PARTIAL = re.compile(r"\.(zarr\.json|\.zgroup|\.zattrs|\.zarray)\.(\d+\.)?partial")
_CHUNK = re.compile(r"(c|(c[./])?\d+([./]\d+)*)")
_LOCK = re.compile(r"(_[0-9a-f]+)?\.__lock$")
_LEFT_BY_SYSTEMS = (".DS_Store", "Thumbs.db", "desktop.ini")
_OME_KEYS = ("multiscales", "plate", "well", "bioformats2raw.layout", "labels", "ome")
_BESIDE = {"OME": ("METADATA.ome.xml",)}
"""What bioformats2raw puts into a folder of its own."""
_OF_GROUPS = ("ro-crate-metadata.json",)
"""Research object metadata, which OME-Zarr 0.5 lets stand beside those of a group."""


def check_replaceable(folder: Path) -> None:
    """Refuse a folder that is not a whole OME-Zarr image, or holds something else.

    Raises
    ------
    OptionError
        Naming the first entry that belongs to no such image.
    """
    if not (is_ome_zarr(folder) or (folder / JOURNAL).is_dir()):
        msg = (
            f"expected a Zarr store to overwrite, an OME-Zarr image; found {folder},"
            f" which is none: remove it yourself or give another folder"
        )
        raise OptionError(msg)
    _check_entries(folder)


def check_array(folder: Path) -> None:
    """Refuse to replace a folder that is not a Zarr array, or holds something else.

    Raises
    ------
    OptionError
    """
    is_array = not folder.is_symlink() and _kind(folder) == "array"
    if not is_array:
        msg = (
            f"expected a Zarr array to overwrite; found {folder}, which is none: remove"
            f" it yourself or write to another folder"
        )
        raise OptionError(msg)
    _check_entries(folder)


def remove_contents(folder: Path) -> None:
    """Remove a store, but not its folder; a link is removed, never what it names.

    Raises
    ------
    OptionError
        When it is none, see :func:`check_replaceable`; then nothing is removed.
    """
    check_replaceable(folder)
    for entry in list(folder.iterdir()):
        if entry.is_dir() and not entry.is_symlink():
            shutil.rmtree(entry)
        else:
            entry.unlink()


def is_ome_zarr(folder: Path) -> bool:
    """Tell whether a folder's own metadata is that of an OME-Zarr image or group."""
    attributes = _document(folder / "zarr.json").get("attributes")
    if _kind(folder) != "group":
        return False
    found = {**_document(folder / ".zattrs")}
    found |= attributes if isinstance(attributes, dict) else {}
    return any(key in found for key in _OME_KEYS)


def _check_entries(folder: Path) -> None:
    foreign = next(_foreign(folder, _kind(folder)), None)
    if foreign is None:
        return
    msg = (
        f"expected nothing but a Zarr store in {folder}; found {foreign}, which belongs"
        f" to none: nothing was removed; move it away or give another folder"
    )
    raise OptionError(msg)


def _foreign(folder: Path, kind: str) -> Iterator[Path]:
    """Yield the entries below a node that belong to no store."""
    for entry in sorted(folder.iterdir()):
        if _is_known(entry, folder, kind):
            continue
        is_folder = entry.is_dir() and not entry.is_symlink()
        if not is_folder:
            # A link in the place of a node or a chunk: only the link would go.
            is_link = entry.is_symlink() and (kind == "group" or _is_chunk(entry.name))
            if not is_link:
                yield entry
        elif kind == "array" and _is_chunk(entry.name):
            # Chunks in nested folders: below them only chunks are known.
            yield from _foreign(entry, "array")
        elif kind != "array":
            inner = _kind(entry)
            yield from _foreign(entry, inner)
        else:
            yield entry


def _is_known(entry: Path, folder: Path, kind: str) -> bool:
    name = entry.name
    if entry.is_dir() and not entry.is_symlink():
        if name == JOURNAL:
            return {e.name for e in entry.iterdir()} <= {"journal.jsonl"}
        return False
    if (
        _LOCK.sub("", name) in _METADATA
        or name in _LEFT_BY_SYSTEMS
        or name.startswith("._")
    ):
        return True
    if kind == "group" and name in _OF_GROUPS:
        return True
    if _PARTIAL.fullmatch(name) or name in _BESIDE.get(folder.name, ()):
        return True
    return kind == "array" and not entry.is_symlink() and _is_chunk(name)


def _is_chunk(name: str) -> bool:
    return _CHUNK.fullmatch(_LOCK.sub("", name)) is not None


def _kind(folder: Path) -> str:
    """Tell a node's kind: "array", "group", or "" for a folder without metadata."""
    document = _document(folder / "zarr.json")
    if document:
        return str(document.get("node_type", ""))
    if (folder / ".zarray").is_file():
        return "array"
    has_images = any(key in _document(folder / ".zattrs") for key in _OME_KEYS)
    return "group" if (folder / ".zgroup").is_file() or has_images else ""


def _document(path: Path) -> dict[str, Any]:
    try:
        found = json.loads(path.read_bytes()) if path.is_file() else {}
    except (OSError, ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}
