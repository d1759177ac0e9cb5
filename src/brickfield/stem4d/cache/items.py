"""What a cache holds, and how an item is written so that it is never half there.

Items lie below ``cached`` in an HDF5 file, each with attributes on the dataset that
:data:`PATHS` names: ``complete`` (0, and 1 when all of it is on disk),
``source_fingerprint``, ``source_shape``, ``params`` (JSON), ``algorithm_version``,
``viewer_version`` and ``computation_date``. All functions are called under the lock
of the HDF5 library.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np

from brickfield.blockwise import Histogram
from brickfield.errors import OptionError

ROOT = "cached"
METADATA = f"{ROOT}/metadata"
ALGORITHM_VERSION = 1
"""Raised whenever a result changes; older items are recomputed then."""
PATHS = {
    "scan_overview": "scan_overview/data",
    "sum_over_x": "detector_integrated/sum_over_x",
    "sum_over_y": "detector_integrated/sum_over_y",
    "sum_over_both": "detector_integrated/sum_over_both",
    "pattern_sum": "patterns/sum",
    "pattern_mean": "patterns/mean",
    "pattern_max": "patterns/max",
    "pattern_min": "patterns/min",
    "pattern_variance": "patterns/variance",
    "profile": "patterns/profile",
    "com": "com",
    "binned_4d": "binned_4d",
    "histogram": "histogram/counts",
    "statistics": "statistics",
    "fft_4d": "fft_4d/complex",
    "fft_detector": "fft_detector/complex",
    "fft_scan": "fft_scan/complex",
}
"""Item to dataset below ``cached``."""
OVERVIEWS = {
    "scan": "scan_overview",
    "sum_over_x": "sum_over_x",
    "sum_over_y": "sum_over_y",
    "sum_over_both": "sum_over_both",
    "sum": "pattern_sum",
    "mean": "pattern_mean",
    "max": "pattern_max",
    "min": "pattern_min",
    "variance": "pattern_variance",
    "profile": "profile",
    "com": "com",
    "binned": "binned_4d",
    "histogram": "histogram",
    "statistics": "statistics",
}
"""Overview to the item that keeps it."""
_GROUPED = ("histogram", "fft_4d", "fft_detector", "fft_scan", "scan_overview")
"""Items that are a group of their own: dropped with all that lies in it."""


@dataclass(frozen=True, slots=True)
class Source:
    """Of what an item was computed.

    Attributes
    ----------
    fingerprint : str
    shape : tuple of int
    params : mapping
        What the result depends on, plain JSON values.
    """

    fingerprint: str
    shape: tuple[int, ...]
    params: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class CacheItem:
    """What is known of an item that is there.

    Attributes
    ----------
    item : str
        Its name, one of :data:`PATHS`.
    place : Path
        The file that holds it.
    n_bytes : int
        On disk.
    is_complete, is_valid : bool
    computed : str
        When, ISO time in UTC.
    reason : str
        Why it is not valid; empty if it is.
    params : dict
    """

    item: str
    place: Path
    n_bytes: int
    is_complete: bool
    is_valid: bool
    computed: str
    reason: str
    params: dict[str, Any]

    def as_dict(self) -> dict[str, Any]:
        """Return plain values."""
        return {
            "item": self.item,
            "bytes": self.n_bytes,
            "complete": self.is_complete,
            "valid": self.is_valid,
            "computed": self.computed,
            "reason": self.reason,
            "file": str(self.place),
        }


def check_item(name: str) -> str:
    """Refuse an unknown item.

    Raises
    ------
    OptionError
    """
    if name not in PATHS:
        msg = f"expected an item out of {', '.join(PATHS)}; found {name!r}"
        raise OptionError(msg)
    return name


def program_version() -> str:
    """Return the version of this package."""
    from brickfield import __version__

    return str(__version__)


def is_compatible(version: str) -> bool:
    """Tell whether results of another version of the package may be used.

    By the first number of a version, and the second while the first is 0.
    """

    def release(text: str) -> list[str]:
        parts = text.split(".")
        return parts[:2] if parts[0] == "0" else parts[:1]

    return release(version) == release(program_version())


def find_items(file: Any, source: Source | None, place: Path) -> Iterator[CacheItem]:
    """Yield what a file holds.

    Parameters
    ----------
    file : h5py.File
    source : Source or None
        What items must be of; with None nothing is valid.
    place : Path
        Of the file.
    """
    for name in PATHS:
        dataset = dataset_of(file, name)
        if dataset is None:
            continue
        about = dataset.attrs
        params = params_of(about)
        reason = why_invalid(about, source, params)
        yield CacheItem(
            name,
            place,
            _stored_bytes(file, name),
            bool(about.get("complete", 0)),
            not reason,
            _text(about.get("computation_date", "")),
            reason,
            params,
        )


def dataset_of(file: Any, name: str) -> Any:
    """Return the dataset of an item; None if there is none.

    Parameters
    ----------
    file : h5py.File
    name : str
        Of the item.
    """
    import h5py

    path = f"{ROOT}/{PATHS[check_item(name)]}"
    try:
        found = file.get(path)
    except (KeyError, OSError, RuntimeError):
        return None
    return found if isinstance(found, h5py.Dataset) else None


def why_invalid(
    about: Mapping[str, Any], source: Source | None, params: Mapping[str, Any]
) -> str:
    """Return why an item cannot be used; "" if it can.

    Parameters
    ----------
    about : mapping
        Attributes of the item.
    source : Source or None
        The scan as it is now.
    params : mapping
        What the item was computed with.
    """
    if source is None:
        return "the source is not known"
    fingerprint = _text(about.get("source_fingerprint", ""))
    shape = np.asarray(about.get("source_shape", ())).tolist()
    is_alike = all(params.get(k) == v for k, v in source.params.items())
    version = int(about.get("algorithm_version", -1))
    conditions = (
        (bool(about.get("complete", 0)), "not complete"),
        (version == ALGORITHM_VERSION, "of another version of the algorithm"),
        (
            is_compatible(_text(about.get("viewer_version", ""))),
            "of another version of the program",
        ),
        (fingerprint == source.fingerprint, "the source has changed"),
        (shape == list(source.shape), "of another shape of the source"),
        (is_alike, "of other parameters"),
    )
    return next((reason for holds, reason in conditions if not holds), "")


def describe(dataset: Any, source: Source, **further: Any) -> None:
    """Write what an item was computed from; it is not complete yet.

    Parameters
    ----------
    dataset : h5py.Dataset
    source : Source
    **further
    """
    now = datetime.now(UTC).isoformat(timespec="seconds")
    dataset.attrs["complete"] = 0
    dataset.attrs.update(
        {
            "source_fingerprint": source.fingerprint,
            "source_shape": np.asarray(source.shape, np.int64),
            "params": json.dumps(dict(source.params), sort_keys=True),
            "algorithm_version": ALGORITHM_VERSION,
            "viewer_version": program_version(),
            "computation_date": now,
            **further,
        }
    )
    if dataset.name == f"/{ROOT}/{PATHS['scan_overview']}":
        dataset.parent.attrs["computation_date"] = now
        dataset.parent.attrs["source_shape"] = np.asarray(source.shape, np.int64)


def write_items(file: Any, items: Mapping[str, tuple[Any, Source]]) -> None:
    """Write items whose values are known; each is complete when this returns.

    Parameters
    ----------
    file : h5py.File
        Open for writing.
    items : mapping
        Name to value and what it is of.
    """
    written = []
    for name, (value, source) in items.items():
        dataset = _put(file, name, value)
        describe(dataset, source)
        written.append(dataset)
    sync(file)
    for dataset in written:
        dataset.attrs["complete"] = 1
    log(file, "computed", list(items), next(iter(items.values()))[1] if items else None)


def _put(file: Any, name: str, value: Any) -> Any:
    import h5py

    if isinstance(value, Histogram):
        counts = _put(file, name, value.counts)
        if "edges" in counts.parent:
            del counts.parent["edges"]
        counts.parent["edges"] = value.edges
        return counts
    if isinstance(value, dict):
        value = np.array(json.dumps(value), h5py.string_dtype())
    path = f"{ROOT}/{PATHS[name]}"
    old = dataset_of(file, name)
    if old is not None:
        old.attrs["complete"] = 0
        is_alike = old.shape == value.shape and old.dtype == value.dtype
        if is_alike and old.dtype.kind in "iufc":
            # In place: HDF5 gives no space back.
            file.flush()
            old[...] = value
            return old
        del file[path]
    return file.create_dataset(path, data=value)


def read_item(file: Any, name: str) -> Any:
    """Read the value of a stored item.

    Parameters
    ----------
    file : h5py.File
    name : str
        Of the item.
    """
    dataset = dataset_of(file, name)
    if name == "statistics":
        return json.loads(_text(dataset[()]))
    if name == "histogram":
        return Histogram(dataset.parent["edges"][...], dataset[...])
    return dataset[...]


def drop_item(file: Any, name: str) -> None:
    """Delete an item; its space is used again, but the file does not shrink.

    Parameters
    ----------
    file : h5py.File
    name : str
        Of the item.
    """
    path = f"{ROOT}/{PATHS[check_item(name)]}"
    if name in _GROUPED:
        path = path.rpartition("/")[0]
    if path in file:
        del file[path]
        log(file, "dropped", [name], None)


def log(file: Any, what: str, names: Sequence[str], source: Source | None) -> None:
    """Record in ``cached/metadata`` what was done, and by which version.

    Parameters
    ----------
    file : h5py.File
    what : str
        Such as "computed" or "dropped".
    names : sequence of str
        Of the items.
    source : Source or None
        What they were computed from.
    """
    import h5py

    group = file.require_group(METADATA)
    line = {
        "time": datetime.now(UTC).isoformat(timespec="seconds"),
        "what": what,
        "items": list(names),
        "viewer_version": program_version(),
    }
    if "computation_log" not in group:
        group.create_dataset(
            "computation_log", (0,), h5py.string_dtype(), maxshape=(None,), chunks=(64,)
        )
    entries = group["computation_log"]
    entries.resize((len(entries) + 1,))
    entries[-1] = json.dumps(line)
    known = {"viewer_version": program_version()}
    if source is not None:
        known["source_file_hash"] = source.fingerprint
    for name, text in known.items():
        if name in group:
            del group[name]
        group.create_dataset(name, data=text, dtype=h5py.string_dtype())


def sync(file: Any) -> None:
    """Have everything that was written on disk."""
    file.flush()
    with Path(os.fsdecode(file.filename)).open("rb") as opened:
        os.fsync(opened.fileno())


def params_of(about: Mapping[str, Any]) -> dict[str, Any]:
    """Return what an item was computed with, of its attributes."""
    try:
        found = json.loads(_text(about.get("params", "{}")))
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def _text(value: Any) -> str:
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)


def _stored_bytes(file: Any, name: str) -> int:
    import h5py

    item = file[f"{ROOT}/{PATHS[name]}"]
    if name not in _GROUPED:
        return int(item.id.get_storage_size())
    found = []

    def add(_: str, each: Any) -> None:
        if isinstance(each, h5py.Dataset):
            found.append(int(each.id.get_storage_size()))

    item.parent.visititems(add)
    return sum(found)
