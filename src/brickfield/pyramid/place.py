"""The folder that a pyramid goes to: what may be there, and what may be removed.

Nothing is ever removed but a store (or what an interrupted run left of one), and
only when the user said so.
"""

from __future__ import annotations

import shutil
from pathlib import Path

from brickfield.errors import OptionError

JOURNAL = ".brickfield-journal"
"""Folder inside the store while it is being written."""
_SIGNS = ("zarr.json", ".zgroup", ".zattrs", ".zarray", JOURNAL)


def local_path(place: str | Path) -> Path:
    """Return the folder that a path or ``file://`` address means.

    Raises
    ------
    OptionError
        When it is an address elsewhere.
    """
    text = str(place)
    if text.startswith("file://"):
        text = text.removeprefix("file://")
    elif "://" in text:
        msg = (
            f"expected a folder on this machine to write to; found {text}: write to a"
            f" local folder and copy it there"
        )
        raise OptionError(msg)
    return Path(text).expanduser()


def same_folder(uri: str, folder: Path) -> bool:
    """Tell whether a source's address is this folder."""
    if "://" in uri and not uri.startswith("file://"):
        return False
    source = local_path(uri)
    return source.exists() and folder.exists() and source.samefile(folder)


def has_journal(folder: Path) -> bool:
    """Tell whether an interrupted run left its journal here."""
    return (folder / JOURNAL / "journal.jsonl").exists()


def prepare_new(folder: Path, source_uri: str, *, overwrite: bool) -> None:
    """Make sure that a new store may be written to a folder.

    Raises
    ------
    OptionError
        When something is in the way that may not be removed.
    """
    if not folder.exists() or has_journal(folder):
        return
    if not folder.is_dir():
        msg = f"expected a folder to write to; found the file {folder}"
        raise OptionError(msg)
    if not any(folder.iterdir()):
        return
    if not overwrite:
        msg = (
            f"expected a new or empty folder; found {folder} with something in it: give"
            f" another one, or overwrite"
        )
        raise OptionError(msg)
    clear(folder, source_uri)


def clear(folder: Path, source_uri: str) -> None:
    """Remove a store.

    Raises
    ------
    OptionError
        When the folder is no store, or holds the source.
    """
    if not any((folder / sign).exists() for sign in _SIGNS):
        msg = (
            f"expected a Zarr store to overwrite; found {folder}, which is none: remove"
            f" it yourself or give another folder"
        )
        raise OptionError(msg)
    if "://" not in source_uri or source_uri.startswith("file://"):
        source = local_path(source_uri).resolve()
        if source.exists() and source.is_relative_to(folder.resolve()):
            msg = f"expected to overwrite another store than the source; found {folder}"
            raise OptionError(msg)
    for entry in folder.iterdir():
        if entry.is_dir() and not entry.is_symlink():
            shutil.rmtree(entry)
        else:
            entry.unlink()


def remove_lock_files(folders: list[Path]) -> None:
    """Remove the lock files that a killed run left beside chunks."""
    for folder in folders:
        for lock in folder.rglob("*.__lock"):
            lock.unlink(missing_ok=True)
