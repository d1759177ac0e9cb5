"""By which names the chunks of a local zarr array are really stored.

Programs leave the separator of chunk names out or state another than they used.
A reader that believes them finds nothing and shows the fill value for data. So
the array's folder is looked at once: the names that exist are used, with a
finding, and an array without any chunk says so.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import replace
from itertools import islice
from pathlib import Path

from brickfield.sources.geometry import Findings
from brickfield.sources.zarr.metadata import ZarrArrayMeta

_METADATA = ("zarr.json", ".zarray", ".zattrs", ".zgroup", ".zmetadata")
_LOOKED_AT = 1000
_Naming = tuple[str, str]
"""Prefix and separator."""


def with_stored_names(
    folder: Path, meta: ZarrArrayMeta, where: str, findings: Findings
) -> ZarrArrayMeta:
    """Return an array's metadata with the chunk names that exist.

    Parameters
    ----------
    folder : Path
        The array's.
    meta : ZarrArrayMeta
    where : str
        Place in the metadata, for findings.
    findings : Findings
    """
    stated = (meta.prefix, meta.separator)
    names = list(_names_in(folder))
    if not meta.shape or _is_used(folder, names, stated, len(meta.shape)):
        return meta
    others = [("", "."), ("", "/")]
    others += [("c", "/"), ("c", ".")] if meta.zarr_format == 3 else []
    for naming in others:
        if naming != stated and _is_used(folder, names, naming, len(meta.shape)):
            findings.warning(
                "chunk-names",
                where or meta.path,
                f"expected chunks named like {_example(meta, stated)} in {folder}; found"
                f" {_example(meta, naming)}: read those",
            )
            return _renamed(meta, *naming)
    _tell_nothing(folder, names, meta, where, findings)
    return meta


def _names_in(folder: Path) -> Iterator[str]:
    try:
        with os.scandir(folder) as entries:
            for entry in islice(entries, _LOOKED_AT):
                if entry.name not in _METADATA:
                    yield entry.name
    except OSError:
        return


def _is_used(folder: Path, names: list[str], naming: _Naming, rank: int) -> bool:
    """Whether some chunk of a folder has a name of this form."""
    prefix, separator = naming
    if separator == "/":
        if prefix:
            return prefix in names and any(
                n.isdecimal() for n in _names_in(folder / prefix)
            )
        deep = [n for n in names if n.isdecimal()]
        return bool(deep) and (rank == 1 or any((folder / n).is_dir() for n in deep))
    n_parts = rank + bool(prefix)
    split = (n.split(separator) for n in names)
    return any(
        len(parts) == n_parts
        and all(p.isdecimal() for p in parts[bool(prefix) :])
        and (not prefix or parts[0] == prefix)
        for parts in split
    )


def _example(meta: ZarrArrayMeta, naming: _Naming) -> str:
    prefix, separator = naming
    return separator.join([*([prefix] if prefix else []), *["0"] * len(meta.shape)])


def _renamed(meta: ZarrArrayMeta, prefix: str, separator: str) -> ZarrArrayMeta:
    if meta.zarr_format == 2:
        said = {"dimension_separator": separator}
    else:
        name = "default" if prefix else "v2"
        options = {"name": name, "configuration": {"separator": separator}}
        said = {"chunk_key_encoding": options}  # type: ignore[dict-item]
    return replace(
        meta,
        prefix=prefix,
        separator=separator,
        metadata={**meta.metadata, **said},
        stored={**meta.stored, **said},
    )


def _tell_nothing(
    folder: Path,
    names: list[str],
    meta: ZarrArrayMeta,
    where: str,
    findings: Findings,
) -> None:
    strange = sorted(names)[:1]
    if strange:
        findings.error(
            "no-chunks",
            where or meta.path,
            f"expected chunks named like {_example(meta, (meta.prefix, meta.separator))}"
            f" in {folder}; found no chunk, but {strange[0]!r}: nothing of it is read",
        )
        return
    findings.warning(
        "no-chunks",
        where or meta.path,
        f"expected chunks in {folder}; found that no chunk is stored: the fill value"
        f" {meta.fill_value} is drawn",
    )
