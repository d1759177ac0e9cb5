"""Datasets that a file only links to, as master files of detectors do.

Each is named by its path in the file that was opened. A link whose file is gone,
or lies where the file may not lead, is a finding and no reason to refuse the rest.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from brickfield.errors import BrickfieldError
from brickfield.model import Finding
from brickfield.sources.hdf5.file import DatasetSummary, list_datasets
from brickfield.sources.hdf5.handles import HDF5_LOCK
from brickfield.sources.hdf5.links import HDF5Links, find

MOST_LINKS = 1024
"""Links that are followed in search of datasets."""


def is_computed(path: str) -> bool:
    """Tell whether a dataset is a kept result, such as a transform of a 4D-STEM scan.

    Results lie in the group ``cached``. They open by name, but are no images of the
    file: a scan is the same with and without them.

    Parameters
    ----------
    path : str
        Of the dataset, from the root.
    """
    return path.startswith("/cached/")


def linked_datasets(group: Any, links: HDF5Links) -> list[DatasetSummary]:
    """List drawable datasets behind links to other files, below a group.

    Parameters
    ----------
    group : h5py.Group
    links : HDF5Links
        Access to files that it links to.
    """
    found: list[DatasetSummary] = []
    with HDF5_LOCK:
        for path in list(_links_to_files(group))[:MOST_LINKS]:
            found += _behind(group, path, links)
    return found


def _links_to_files(group: Any) -> Iterator[str]:
    import h5py

    paths: list[str] = []

    def visit(name: str, link: Any) -> None:
        if isinstance(link, h5py.ExternalLink):
            paths.append(f"{str(group.name).rstrip('/')}/{name}")

    group.visititems_links(visit)
    yield from sorted(paths)


def _behind(group: Any, path: str, links: HDF5Links) -> list[DatasetSummary]:
    try:
        place = find(group, path, links)
        if place is None:
            msg = f"expected an object behind the link {path}; found none"
            raise BrickfieldError(msg)
        is_dataset = hasattr(place, "shape")
        inner = list_datasets(place.parent if is_dataset else place)
    except (BrickfieldError, OSError, RuntimeError, KeyError, ValueError) as error:
        text = f"{error}: left out"
        links.findings.append(Finding("warning", "broken-link", path, text))
        return []
    if is_dataset:
        own = [s for s in inner if s.path == str(place.name)]
        return [DatasetSummary(path, s.shape, s.dtype) for s in own]
    start = len(str(place.name).rstrip("/"))
    return [DatasetSummary(f"{path}{s.path[start:]}", s.shape, s.dtype) for s in inner]
