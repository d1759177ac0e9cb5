"""Several OME-Zarr images in one folder, as bioformats2raw lays them out.

A root group with ``bioformats2raw.layout: 3``, images below it, and a group ``OME``
whose ``series`` names them in order
(https://ngff.openmicroscopy.org/0.5/#bf2raw). The root's metadata file is written
last: before it stands, no reader finds the images through it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from brickfield.errors import OptionError, StoreFormatError
from brickfield.writing.metadata import Json, write_json
from brickfield.writing.options import VERSIONS, check_known
from brickfield.writing.stores import is_ome_zarr

LAYOUT = 3
OME_GROUP = "OME"


def publish_collection(
    root: Path,
    ome_version: str,
    images: Sequence[str],
    private: Mapping[str, Any] | None = None,
    *,
    syncs: bool = True,
) -> None:
    """Write the metadata that make a folder of images a collection.

    Parameters
    ----------
    root : Path
        Folder that holds the images.
    ome_version : {"0.4", "0.5"}
        That of the images, too.
    images : sequence of str
        Paths of the images below the root, as ``"0"``, in order; their own metadata
        are there.
    private : mapping, optional
        Further attributes of the root, plain JSON values, by keys that are not OME's.
    syncs : bool
        Wait until they are on disk.

    Raises
    ------
    OptionError
        When the version is unknown, an image is named twice, or a private key is
        one of the standard.
    StoreFormatError
        When an image is not there.
    StoreWriteError
        When there is no room or no right to write.
    """
    check_known("version", ome_version, VERSIONS)
    own = dict(private or {})
    _check(root, images, own)
    layout: Json = {"bioformats2raw.layout": LAYOUT}
    series = {"series": list(images)}
    write_group(root / OME_GROUP, ome_version, series, syncs=syncs)
    write_group(root, ome_version, layout, own, syncs=syncs)


def write_group(
    folder: Path,
    ome_version: str,
    ome: Mapping[str, Any],
    private: Mapping[str, Any] | None = None,
    *,
    syncs: bool = True,
) -> None:
    """Write the metadata of a group, its one file that counts last.

    Parameters
    ----------
    folder : Path
        Made if it does not exist.
    ome_version : {"0.4", "0.5"}
    ome : mapping
        Attributes of the standard.
    private : mapping, optional
        Others, beside them.
    syncs : bool
        Wait until they are on disk.
    """
    folder.mkdir(parents=True, exist_ok=True)
    own = dict(private or {})
    if ome_version == "0.4":
        write_json(folder / ".zgroup", {"zarr_format": 2}, syncs=syncs)
        write_json(folder / ".zattrs", {**ome, **own}, syncs=syncs)
        return
    attributes = {"ome": {"version": ome_version, **ome}, **own}
    document = {"zarr_format": 3, "node_type": "group", "attributes": attributes}
    write_json(folder / "zarr.json", document, syncs=syncs)


def _check(root: Path, images: Sequence[str], private: dict[str, Any]) -> None:
    if not images:
        msg = "expected at least one image in a collection; found none"
        raise OptionError(msg)
    twice = sorted({name for name in images if list(images).count(name) > 1})
    if twice:
        msg = f"expected every image once in a collection; found {twice[0]} twice"
        raise OptionError(msg)
    taken = {"ome", "bioformats2raw.layout", "series", "multiscales", "omero"}
    clash = sorted(taken & set(private))
    if clash:
        msg = f"expected private attributes beside the standard's; found {clash[0]}"
        raise OptionError(msg)
    for name in images:
        if not is_ome_zarr(root / name):
            msg = f"expected an OME-Zarr image in {root / name}; found none there"
            raise StoreFormatError(msg)
