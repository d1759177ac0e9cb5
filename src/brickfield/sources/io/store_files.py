"""The small files of a store, read by key.

Reading a key gives bytes, or None when nothing is stored there; every other outcome
is one of the errors of :mod:`brickfield.errors` with a sentence. Several keys are
asked for at once, so that a slow server costs one round trip. Local files and those
of web servers are read by Python itself, everything else by tensorstore, which is
imported on first use because it takes a fifth of a second.
"""

from __future__ import annotations

import os
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from brickfield.errors import (
    BrickfieldError,
    ChunkReadError,
    OptionError,
    StoreAccessError,
    StoreFormatError,
    StoreNotFoundError,
    StoreUnreachableError,
)
from brickfield.sources.io.byte_meter import meter
from brickfield.sources.io.cancellation import LONGEST_S, result_of, while_wanted
from brickfield.sources.io.errors import (
    WEB_PAGE,
    classify,
    is_absent,
    looks_like_a_page,
)
from brickfield.sources.io.http_client import LOW_SPEED
from brickfield.sources.io.http_objects import Total, begin, is_plain_http, is_too_long
from brickfield.sources.io.location import Location
from brickfield.sources.io.plain_files import (
    METADATA_BYTES,
    read_whole,
    refuse_pointer,
    too_long,
)
from brickfield.sources.io.presence import broken_text, first_broken_link

if TYPE_CHECKING:
    from collections.abc import Iterable

    import tensorstore as ts

ENVIRONMENT = {**LOW_SPEED, "TENSORSTORE_HTTP_THREADS": "8"}
"""What tensorstore takes from the environment alone, unless the user set it.

A transfer below the limit for that long is given up, and tried four times: a
stalled server must end in a failure, and there is no other timeout
(google/tensorstore#291). The first request of each of its threads opens a
connection, for which the thread's other requests wait; with eight threads all
metadata of a bucket's root travel in one round trip instead of two."""

IF_ABSENT = (
    "check permissions; if the server answers so for what does not exist, open it with"
    " treat_403_as_missing (--treat-403-as-missing)"
)
"""What to do when a server refuses a name."""


@lru_cache(maxsize=1)
def shared_context() -> ts.Context:
    """Return the one tensorstore context of this process.

    Decoded chunks are cached by the package ``loading``, so tensorstore caches none.
    """
    for name, value in ENVIRONMENT.items():
        os.environ.setdefault(name, value)
    import tensorstore as ts

    cores = os.cpu_count() or 2
    retries = {"max_retries": 3, "initial_delay": "100ms", "max_delay": "2s"}
    options: dict[str, Any] = {
        "cache_pool": {"total_bytes_limit": 0},
        "data_copy_concurrency": {"limit": max(1, cores - 1)},
        "file_io_concurrency": {"limit": 4},
    }
    for scheme in ("http", "s3", "gcs"):
        options[f"{scheme}_request_concurrency"] = {"limit": 32}
        options[f"{scheme}_request_retries"] = retries
    return ts.Context(options)


def read_many(  # noqa: PLR0913 - what a caller can know of absence, in one place
    location: Location,
    keys: Iterable[str],
    *,
    denied_is_missing: bool = False,
    refused: set[str] | None = None,
    limit: int = METADATA_BYTES,
    stamps: dict[str, bytes] | None = None,
    page_is_missing: bool = True,
) -> dict[str, bytes | None]:
    """Read several small files at once.

    Parameters
    ----------
    location : Location
    keys : iterable of str
        Relative to the location.
    denied_is_missing : bool
        Take a refusal for "nothing is stored" (public buckets answer so).
    refused : set of str, optional
        For names that need not be there: a name that a server refuses counts as
        absent and is noted here.
    limit : int
        Most bytes of a file; of a web server, of all of them together.
    stamps : dict, optional
        Gets what a server says of the version of each key (ETag).
    page_is_missing : bool
        Take a web page for "nothing is stored": some servers answer so, with the
        status of success, for what they do not have.

    Returns
    -------
    dict
        Bytes of every key, None where nothing is stored.

    Raises
    ------
    StoreAccessError, StoreUnreachableError, StoreFormatError
        If a key can neither be read nor is known to be absent, is longer than the
        limit, or names a pipe or a device.
    """
    wanted = list(dict.fromkeys(keys))
    if location.local is not None:
        read = [
            _read_local(location.local / k, denied_is_missing, limit) for k in wanted
        ]
        return dict(zip(wanted, read, strict=True))
    futures = _begun(location, wanted, limit)
    found: dict[str, bytes | None] = {}
    for key, future in futures.items():
        try:
            with while_wanted(lambda: True, LONGEST_S):
                found[key] = _value_of(future, location, key, limit, stamps)
            if location.driver == "http" and looks_like_a_page(found[key] or b""):
                found[key] = None
                if not page_is_missing:
                    msg = f"expected data at {location.uri_of(key)}; found {WEB_PAGE}"
                    raise StoreFormatError(msg)
        except StoreFormatError:
            raise
        except ChunkReadError as exc:
            msg = (
                f"expected a readable file {location.uri_of(key)}; found: {exc.reason}"
            )
            raise StoreUnreachableError(msg) from exc
        except ValueError as exc:
            found[key] = None
            if not denied_is_missing and _is_denied(exc) and refused is not None:
                refused.add(key)
            else:
                _raise_unless_absent(location, key, exc, denied_is_missing)
    return found


def _begun(location: Location, keys: list[str], limit: int) -> dict[str, Any]:
    if is_plain_http(location):
        total = Total(limit)
        return {k: begin(location, k, limit, total=total) for k in keys}
    store = _open_kvstore(location)
    return {k: store.read(k) for k in keys}


def _value_of(
    future: Any,
    location: Location,
    key: str,
    limit: int,
    stamps: dict[str, bytes] | None,
) -> bytes | None:
    """Return what a read gave, None when nothing is stored."""
    try:
        result = result_of(future)
    except ValueError as exc:
        if is_too_long(exc):
            raise StoreFormatError(f"{classify(exc).detail}: it is not read") from exc
        raise
    if is_plain_http(location):
        if stamps is not None and result.raw is not None:
            stamps[key] = result.tag.encode()
        raw: bytes | None = result.raw
        return raw
    if len(result.value) > limit:
        raise too_long(location.uri_of(key), len(result.value), limit)
    meter(location.driver).exclude(len(result.value))
    if stamps is not None:
        stamps[key] = result.stamp.generation
    return bytes(result.value) if result.state == "value" else None


def _open_kvstore(location: Location) -> ts.KvStore:
    import tensorstore as ts

    try:
        return ts.KvStore.open(location.spec, context=shared_context()).result()
    except ValueError as exc:
        detail = classify(exc).detail
        msg = f"expected an address that can be opened; found {location.uri}: {detail}"
        raise OptionError(msg) from exc


def _read_local(path: Path, denied_is_missing: bool, limit: int) -> bytes | None:
    try:
        raw = read_whole(path, limit)
        refuse_pointer(path, raw)
        return raw
    except (FileNotFoundError, NotADirectoryError, IsADirectoryError) as exc:
        link = first_broken_link(path, depth=2)
        if link is not None:
            msg = f"expected a readable file {path}; {broken_text(link)}"
            raise StoreNotFoundError(msg) from exc
        return None
    except PermissionError as exc:
        if denied_is_missing:
            return None
        msg = f"expected a readable file {path}; found that permission is denied"
        raise StoreAccessError(msg) from exc
    except OSError as exc:
        msg = f"expected a readable file {path}; found: {exc.strerror}"
        raise StoreUnreachableError(msg) from exc


def _is_denied(exc: ValueError) -> bool:
    return classify(exc).kind == "denied"


def _raise_unless_absent(
    location: Location, key: str, exc: ValueError, denied_is_missing: bool
) -> None:
    error = classify(exc)
    if is_absent(error, denied_is_missing=denied_is_missing):
        return
    where = location.uri_of(key)
    family: type[BrickfieldError]
    if error.kind == "denied":
        family, text = StoreAccessError, f"found that access is denied: {IF_ABSENT}"
    elif error.kind == "transient":
        family, text = StoreUnreachableError, f"found no answer: {error.detail}"
    else:
        family, text = StoreFormatError, f"found: {error.detail}"
    msg = f"expected a readable file {where}; {text}"
    raise family(msg) from exc


def list_folders(location: Location) -> list[str] | None:
    """List the folders directly inside a location.

    Returns
    -------
    list of str or None
        Names, sorted; None where that cannot be told (plain HTTP has no
        listing, and a bucket's could be endless).

    Raises
    ------
    StoreFormatError
        If a zip file is damaged.
    """
    if location.local is not None:
        try:
            with os.scandir(location.local) as entries:
                return sorted(e.name for e in entries if e.is_dir())
        except OSError:
            return []
    if location.spec["driver"] != "zip":
        return None
    try:
        keys = _open_kvstore(location).list().result()
    except ValueError as exc:
        error = classify(exc)
        msg = f"expected a zip file {location.uri}; found: {error.detail}"
        raise StoreFormatError(msg) from exc
    return sorted({k.decode().split("/")[0] for k in keys if b"/" in k})


def exists(location: Location) -> bool:
    """Tell whether a local folder or file is there; True for a URL."""
    return location.local is None or location.local.exists()
