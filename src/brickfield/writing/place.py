"""The folder that an image goes to: what may be there, and what may be removed.

Nothing is ever removed but a whole store (or what an interrupted run left of one), and
only when the user said so; see :mod:`brickfield.writing`.
"""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

from brickfield.errors import OptionError
from brickfield.sources.io import local_path as path_of_uri
from brickfield.writing.files import usable_path
from brickfield.writing.guard import check_writable
from brickfield.writing.stores import JOURNAL, remove_contents

__all__ = [
    "local_path",
    "prepare_new",
    "remove_lock_files",
]


def local_path(place: str | Path) -> Path:
    """Return the folder that a path or ``file://`` address means.

    Raises
    ------
    OptionError
        When it is an address elsewhere.
    """
    text = str(place)
    if text.startswith("file://"):
        text = str(path_of_uri(text))
    elif "://" in text:
        msg = (
            f"expected a folder on this machine to write to; found {text}: write to a"
            f" local folder and copy it there"
        )
        raise OptionError(msg)
    return usable_path(text, "a folder")


def same_folder(uri: str, folder: Path) -> bool:
    """Tell whether the address of a source is this folder.

    Parameters
    ----------
    uri : str
        Path or address.
    folder : Path
    """
    if "://" in uri and not uri.startswith("file://"):
        return False
    if "\0" in uri:
        return False
    source = path_of_uri(uri)
    return source.exists() and folder.exists() and source.samefile(folder)


def has_journal(folder: Path) -> bool:
    """Tell whether an interrupted run left its journal here."""
    return (folder / JOURNAL / "journal.jsonl").exists()


def prepare_new(folder: Path, *, overwrite: bool) -> None:
    """Make sure that a new store may be written to a folder.

    Parameters
    ----------
    folder : Path
    overwrite : bool
        Remove what is in the folder.

    Raises
    ------
    OptionError
        When something is in the way that may not be removed.
    StoreWriteError
        If the folder, or the one that it would be made in, is read-only.
    """
    check_writable(folder)
    if not folder.exists() or has_journal(folder):
        return
    if not folder.is_dir():
        msg = f"expected a folder to write to; found the file {folder}"
        raise OptionError(msg)
    if all(_is_empty_journal(entry) for entry in folder.iterdir()):
        return
    if not overwrite:
        msg = (
            f"expected a new or empty folder; found {folder} with something in it: give"
            f" another one, or overwrite"
        )
        raise OptionError(msg)
    remove_contents(folder)


def remove_journal(folder: Path) -> None:
    """Remove the journal of work that is done, whatever a kill left of it."""
    journal = folder / JOURNAL
    (journal / "journal.jsonl").unlink(missing_ok=True)
    with suppress(OSError):
        journal.rmdir()


def remove_lock_files(folders: list[Path]) -> None:
    """Remove what killed runs and lost workers left beside chunks."""
    for folder in folders:
        for lock in folder.rglob("*.__lock"):
            lock.unlink(missing_ok=True)


def _is_empty_journal(entry: Path) -> bool:
    return entry.name == JOURNAL and entry.is_dir() and not any(entry.iterdir())
