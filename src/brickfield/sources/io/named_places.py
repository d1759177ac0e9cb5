"""What a document may name: one check for every format that names files.

A document (an XML, an HDF5 file with links, the metadata of a folder) comes from
others, so a place that it names is their choice, not the user's:

- below the document's own root it may lead freely;
- a local document may name ordinary files that lie next to it; that is a finding;
- everything else is refused: other folders, other hosts, anything local for a
  document from a server. A user who trusts a local document sets ``follow_links``.
- A device, a pipe or a file of the system's own (``/proc``) is never opened.

Symbolic links in a local folder are the user's, and are followed.
"""

from __future__ import annotations

import os
import stat
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import unquote, urlsplit

from brickfield.errors import StoreAccessError, StoreFormatError, StoreNotFoundError
from brickfield.model import Finding
from brickfield.sources.io.location import REMOTE_SCHEMES

_SYSTEM = ("/proc", "/sys", "/dev")
_FOLLOW = "open it with follow_links=True (--follow-links) if you trust it"


@dataclass(frozen=True, slots=True)
class Root:
    """Where a document's names may lead.

    Attributes
    ----------
    document : str
        What names the place, for messages.
    folder : str
        Path or URL that relative names count from.
    inside : str or None
        Path or URL below which everything belongs to the document; None for a
        single file.
    beside : str or None
        Local folder whose files may be read, too.
    follow : bool
        The user lets a local document lead anywhere.
    """

    document: str
    folder: str
    inside: str | None
    beside: str | None = None
    follow: bool = False

    @property
    def is_remote(self) -> bool:
        """Whether the document came from a server."""
        return _scheme(self.folder) in REMOTE_SCHEMES

    @classmethod
    def of_file(cls, path: str | os.PathLike[str], *, follow: bool = False) -> Root:
        """Return the root of names in a file that holds the voxels itself (HDF5, TIFF).

        Parameters
        ----------
        path : str or os.PathLike
        follow : bool
            Allow other folders and hosts.
        """
        whole = os.path.abspath(path)  # noqa: PTH100 - links stay as they are
        folder = str(Path(whole).parent)
        return cls(whole, folder, None, folder, follow)

    @classmethod
    def of_description(
        cls, document: str, folder: str, *, follow: bool = False
    ) -> Root:
        """Return the root of names in a file that only describes data (an XML).

        Parameters
        ----------
        document : str
            Path of the file.
        folder : str
            Where relative names start.
        follow : bool
            Allow other folders and hosts.
        """
        return cls(document, folder, folder, None, follow)

    @classmethod
    def of_folder(cls, folder: str, *, follow: bool = False) -> Root:
        """Return the root of names in the metadata of a folder that holds the voxels.

        Parameters
        ----------
        folder : str
            Path or address.
        follow : bool
            Allow other folders and hosts.
        """
        is_remote = _scheme(folder) in REMOTE_SCHEMES
        beside = None if is_remote else str(Path(folder).parent)
        return cls(folder, folder, folder, beside, follow)


@dataclass(frozen=True, slots=True)
class NamedPlace:
    """A place that may be opened.

    Attributes
    ----------
    place : str
        Path or URL, absolute.
    inside : str or None
        The same below the root's folder, without a slash in front; None outside.
    """

    place: str
    inside: str | None


def resolve_named(root: Root, name: str, *, folder: str | None = None) -> NamedPlace:
    """Decide where a name leads, and whether it may.

    Parameters
    ----------
    root : Root
    name : str
        As the document writes it: relative, absolute or a URL.
    folder : str, optional
        What relative names count from, if it is not the root's folder (a file that
        was linked to, in a folder of its own).

    Raises
    ------
    StoreAccessError
        If it leads where the document must not lead.
    """
    if not name or "\0" in name:
        raise _refusal(root, name)
    if root.is_remote:
        return _below_url(root, name)
    scheme = _scheme(name)
    if scheme and scheme != "file":
        if root.follow:
            return NamedPlace(name, None)
        raise _refusal(root, name)
    path = unquote(urlsplit(name).path) if scheme else name
    # Links are not resolved: where "a/link/../b" leads is decided by its letters.
    whole = os.path.normpath(Path(folder or root.folder) / path)
    if root.inside is not None and (below := _below(whole, root.inside)) is not None:
        return NamedPlace(whole, below)
    is_beside = root.beside is not None and _below(whole, root.beside) is not None
    if is_beside or root.follow:
        return NamedPlace(whole, None)
    raise _refusal(root, name)


def _scheme(name: str) -> str:
    return name.partition("://")[0].lower() if "://" in name else ""


def _below(path: str, folder: str) -> str | None:
    # A document may write out the folder that the user reached through a link.
    for base in (os.path.normpath(folder), os.path.realpath(folder)):
        if path == base:
            return ""
        prefix = base.rstrip(os.sep) + os.sep
        if path.startswith(prefix):
            return path[len(prefix) :]
    return None


def _below_url(root: Root, name: str) -> NamedPlace:
    """Resolve a name of a document from a server: below its folder, or not at all."""
    top = urlsplit(root.folder)
    path = name
    if _scheme(name):
        parts = urlsplit(name)
        base = unquote(top.path).rstrip("/") + "/"
        same = (parts.scheme.lower(), _host(parts.netloc)) == (
            top.scheme.lower(),
            _host(top.netloc),
        )
        if not same or not unquote(parts.path).startswith(base):
            raise _refusal(root, name)
        path = unquote(parts.path)[len(base) :]
    steps = path.replace("\\", "/")
    while (plain := unquote(steps)) != steps:
        steps = plain
    if steps.startswith("/") or ".." in steps.replace("\\", "/").split("/"):
        raise _refusal(root, name)
    kept = "/".join(p for p in path.split("/") if p not in ("", "."))
    base, mark, query = root.folder.partition("?")
    return NamedPlace(f"{base.rstrip('/')}/{kept}{mark}{query}", kept)


def _host(netloc: str) -> str:
    return netloc.rpartition("@")[2].lower()


def _refusal(root: Root, name: str) -> StoreAccessError:
    where = root.inside or root.beside or root.folder
    # What no one can allow is not offered.
    advice = "it was not opened" if root.is_remote else _FOLLOW
    msg = (
        f"expected {root.document} to name data in {where}; found {name!r:.200}, which"
        f" leads elsewhere: {advice}"
    )
    return StoreAccessError(msg)


def expect_ordinary(path: str | os.PathLike[str], document: str) -> Path:
    """Make sure that a named local file is an ordinary file.

    Parameters
    ----------
    path : str or os.PathLike
    document : str
        What names the file, for messages.

    Raises
    ------
    StoreNotFoundError
        If nothing is there.
    StoreFormatError
        If it is a device, a pipe, a folder or a file of the system's own.
    """
    place = Path(path)
    try:
        mode = place.stat().st_mode
    except OSError as error:
        msg = f"expected the file {place}, which {document} names; found none"
        raise StoreNotFoundError(f"{msg}: {error.strerror}") from error
    real = os.path.realpath(place)
    is_system = any(_below(real, folder) is not None for folder in _SYSTEM)
    if not stat.S_ISREG(mode) or is_system:
        msg = f"expected {document} to name an ordinary file; found {place}, which is none"
        raise StoreFormatError(msg)
    return place


@dataclass
class NamedFiles:
    """Local files that one document names, checked as they are met. Any thread.

    Attributes
    ----------
    root : Root
    findings : list of Finding
        Files outside the document that are read.
    """

    root: Root
    findings: list[Finding] = field(default_factory=list)

    def path(self, name: str, *, of: str | os.PathLike[str] | None = None) -> Path:
        """Return an ordinary file that may be read.

        Parameters
        ----------
        name : str
        of : path, optional
            The file that names it, where that is not the document itself.

        Raises
        ------
        StoreAccessError, StoreNotFoundError, StoreFormatError
        """
        base = None if of is None else str(Path(of).absolute().parent)
        found = resolve_named(self.root, name, folder=base)
        place = expect_ordinary(found.place, self.root.document)
        if found.inside is None:
            self._note(name)
        return place

    def _note(self, name: str) -> None:
        text = f"expected all voxels in {self.root.document}; found some in {name}"
        finding = Finding("info", "other-file", "", text)
        if finding not in self.findings:
            self.findings.append(finding)
