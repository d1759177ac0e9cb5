"""Links out of an HDF5 file: followed only where the file may lead.

The library follows every link and reads every file that a dataset names, wherever
that is. So a path is walked here, link by link, and what a dataset's voxels lie in
is looked at before they are read. All of it under the HDF5 lock.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from brickfield.errors import StoreFormatError
from brickfield.model import Finding
from brickfield.sources.hdf5.file import open_file
from brickfield.sources.hdf5.handles import HDF5_LOCK, SharedFile, beside_file
from brickfield.sources.io.named_places import NamedFiles, Root, resolve_named

MAX_STEPS = 256
"""Steps on the way to one object, links included."""
MAX_FILES = 4096
"""Other files that one dataset is put together from."""
MAX_DEPTH = 4
"""Datasets made of datasets made of datasets."""


@dataclass
class HDF5Links(NamedFiles):
    """The files that an HDF5 file links to: checked, opened, kept open."""

    _opened: dict[Path, SharedFile] = field(default_factory=dict)

    def open(self, path: Path) -> Any:
        """Open a file that was checked, once; valid under the lock.

        Raises
        ------
        StoreAccessError, StoreFormatError
            Naming the file that cannot be read.
        """
        with HDF5_LOCK:
            if path not in self._opened:
                self._opened[path] = open_file(path)
            return self._opened[path].file

    def close(self) -> None:
        """Give the files back."""
        with HDF5_LOCK:
            while self._opened:
                self._opened.popitem()[1].close()


def links_of(path: str | os.PathLike[str], *, follow: bool = False) -> HDF5Links:
    """Return the access to the files that an HDF5 file may name.

    Parameters
    ----------
    path : str or os.PathLike
    follow : bool
        Also files of other folders.
    """
    return HDF5Links(Root.of_file(path, follow=follow))


def find(group: Any, path: str, links: HDF5Links) -> Any:
    """Open the object at a path below a group.

    Parameters
    ----------
    group : h5py.Group
    path : str
        Beginning with a slash it counts from the file.
    links : HDF5Links

    Returns
    -------
    h5py object or None
        None when nothing has that name.

    Raises
    ------
    StoreAccessError, StoreNotFoundError, StoreFormatError
        If a link, or what a dataset's voxels lie in, leads where the file must not
        lead, or to nothing.
    """
    with HDF5_LOCK:
        found = _walked(group, path, links)
        if hasattr(found, "shape"):
            check_storage(found, links)
            if found.external:
                file, name = found.file, found.name
                # An access option counts only while the dataset is not open.
                found = None
                found = beside_file(file, name)
    return found


def _walked(group: Any, path: str, links: HDF5Links) -> Any:
    import h5py

    here = group.file if path.startswith("/") else group
    steps = _steps(path)
    for _ in range(MAX_STEPS):
        if not steps:
            return here
        name, *steps = steps
        try:
            is_group = isinstance(here, h5py.Group)
            link = here.get(name, getlink=True) if is_group else None
        except (KeyError, OSError, RuntimeError) as error:
            msg = f"expected {path} in {links.root.document}; found damage: {error}"
            raise StoreFormatError(msg) from error
        if link is None:
            return None
        if isinstance(link, h5py.ExternalLink):
            own = os.fsdecode(here.file.filename)
            here = links.open(links.path(link.filename, of=own))
            steps = _steps(link.path) + steps
        elif isinstance(link, h5py.SoftLink):
            here = here.file if link.path.startswith("/") else here
            steps = _steps(link.path) + steps
        else:
            try:
                here = here[name]
            except (KeyError, OSError, RuntimeError) as error:
                msg = f"expected {path} in {links.root.document}; found damage: {error}"
                raise StoreFormatError(msg) from error
    msg = f"expected {path} in {links.root.document}; found links that do not end"
    raise StoreFormatError(msg)


def _steps(path: str) -> list[str]:
    return [step for step in path.split("/") if step and step != "."]


def check_storage(dataset: Any, links: HDF5Links, depth: int = 0) -> None:
    """Make sure that a dataset's voxels are in files that this file may name.

    Parameters
    ----------
    dataset : h5py.Dataset
    links : HDF5Links
    depth : int
        Virtual datasets above this one.

    Raises
    ------
    StoreAccessError, StoreNotFoundError, StoreFormatError
    """
    own = os.fsdecode(dataset.file.filename)
    for name, _, _ in dataset.external or ():
        links.path(os.fsdecode(name), of=own)
    if not dataset.is_virtual:
        return
    sources = {(s.file_name, s.dset_name) for s in dataset.virtual_sources()}
    if len(sources) > MAX_FILES or depth > MAX_DEPTH:
        msg = (
            f"expected {dataset.name} of at most {MAX_FILES} other datasets, {MAX_DEPTH}"
            f" deep; found {len(sources)}, {depth} deep"
        )
        raise StoreFormatError(msg)
    for name, inside in sorted(sources):
        for part in _parts(dataset, name, inside, links):
            check_storage(part, links, depth + 1)


def _parts(dataset: Any, name: str, inside: str, links: HDF5Links) -> Iterator[Any]:
    """Datasets that a virtual one is made of, as far as they are there."""
    own = Path(os.fsdecode(dataset.file.filename)).absolute()
    for path in [own] if name == "." else _source_files(own, name, links):
        other = dataset.file if path == own else links.open(path)
        head, _, last = inside.rpartition("/")
        group = _walked(other, head or "/", links)
        pattern = re.escape(last).replace("%b", "[0-9]+")
        for child in group if hasattr(group, "keys") else ():
            if re.fullmatch(pattern, child):
                part = _walked(group, child, links)
                if hasattr(part, "shape"):
                    yield part


def _source_files(own: Path, name: str, links: HDF5Links) -> list[Path]:
    whole = Path(resolve_named(links.root, name, folder=str(own.parent)).place)
    if "%b" in whole.name:
        found = sorted(whole.parent.glob(whole.name.replace("%b", "*")))[:MAX_FILES]
        return [links.path(str(path), of=own) for path in found]
    if whole.exists():
        return [links.path(name, of=own)]
    # A part that is not there has the fill value. The library would look for it
    # in the working folder, too, where a file of that name is another one.
    elsewhere = Path.cwd() / name
    if elsewhere.exists():
        return [links.path(str(elsewhere))]
    text = f"expected a part in {name}; found no such file: it has the fill value"
    missing = Finding("warning", "missing-file", own.name, text)
    if missing not in links.findings:
        links.findings.append(missing)
    return []


def close_files(file: SharedFile, links: HDF5Links) -> None:
    """Close a file and those that it links to.

    Parameters
    ----------
    file : SharedFile
    links : HDF5Links
    """
    links.close()
    file.close()
