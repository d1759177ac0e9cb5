"""Where a store lives: a folder on this machine, in a zip file, or behind a URL.

Nothing is read here but what tells a zip file from a folder.
"""

from __future__ import annotations

import os
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from brickfield.errors import OptionError

ZIP_SUFFIXES = (".zip", ".ozx")
REMOTE_SCHEMES = ("http", "https", "s3", "gs", "gcs")
METADATA_NAMES = ("zarr.json", ".zattrs", ".zgroup", ".zarray", ".zmetadata")


@dataclass(frozen=True)
class Location:
    """One folder of a store.

    Attributes
    ----------
    uri : str
        For people, without a slash at the end.
    spec : dict
        tensorstore's key-value store, whose path ends in a slash.
    local : Path or None
        The folder on this machine; None for a zip file and for a URL.
    is_remote : bool
    """

    uri: str
    spec: dict[str, Any] = field(hash=False, repr=False)
    local: Path | None = None
    is_remote: bool = False

    @property
    def name(self) -> str:
        """Last part of the path."""
        path = urlsplit(self.uri).path if self.is_remote else self.uri
        last = path.rstrip("/").rpartition("/")[2] or self.uri
        return unquote(last) if self.driver == "http" else last

    @property
    def driver(self) -> str:
        """The tensorstore driver that reads the bytes at the bottom."""
        spec = self.spec
        while "base" in spec:
            spec = spec["base"]
        return str(spec["driver"])

    def uri_of(self, key: str) -> str:
        """Address of a file in it, for messages; a query stays at the end."""
        base, mark, query = self.uri.partition("?")
        return f"{base}/{key}".rstrip("/") + f"{mark}{query}"

    def child(self, path: str) -> Location:
        """Return a folder inside this one; `path` may be empty."""
        path = path.strip("/")
        if not path:
            return self
        base, mark, query = self.uri.partition("?")
        return replace(
            self,
            uri=f"{base}/{path}{mark}{query}",
            spec={**self.spec, "path": f"{self.spec.get('path', '')}{path}/"},
            local=None if self.local is None else self.local / path,
        )

    def parent(self) -> Location | None:
        """Return the folder round this one, None at the top of the store."""
        inner = str(self.spec.get("path", "")).rstrip("/")
        head, _, _ = inner.rpartition("/")
        if not inner or (self.local is None and not head):
            return None
        base, mark, query = self.uri.partition("?")
        return replace(
            self,
            uri=f"{base.rpartition('/')[0]}{mark}{query}",
            spec={**self.spec, "path": f"{head}/"},
            local=None if self.local is None else self.local.parent,
        )


def locate(uri: str | Path) -> Location:
    """Turn what a user gave into a location.

    A slash at the end, ``file://`` and the name of a metadata file at the end
    (what a file dialog gives) are taken off.

    Raises
    ------
    OptionError
        For a URL scheme that cannot be read.
    """
    text = str(uri)
    check_address(text)
    scheme = urlsplit(text).scheme.lower() if "://" in text else ""
    if scheme in REMOTE_SCHEMES:
        return _locate_remote(text, scheme)
    if scheme == "file":
        text = unquote(urlsplit(text).path)
    elif scheme:
        msg = (
            "expected a path or a URL that begins with file://, http://, https://,"
            f" s3:// or gs://; found {text!r}"
        )
        raise OptionError(msg)
    path = Path(text).expanduser().absolute()
    if path.name in METADATA_NAMES and not path.is_dir():
        path = path.parent
    return _locate_zip(path) or _local(path)


def check_address(uri: str) -> None:
    """Make sure that an address elsewhere can be taken apart.

    Raises
    ------
    OptionError
        Without a host or bucket, or with a port that cannot be.
    """
    scheme, mark, _ = uri.partition("://")
    if not mark:
        return
    try:
        parts = urlsplit(uri)
        has_host = parts.port is not None or bool(parts.hostname)
    except ValueError as exc:
        msg = f"expected an address with a host and a port up to 65535; found {uri}"
        raise OptionError(f"{msg}: {exc}") from exc
    if not has_host and scheme.lower() in REMOTE_SCHEMES:
        what = "host" if scheme.lower() in ("http", "https") else "bucket"
        msg = f"expected an address with a {what}; found {uri}"
        raise OptionError(msg)


def _local(path: Path) -> Location:
    folder = path.as_posix().rstrip("/") + "/"
    return Location(str(path), {"driver": "file", "path": folder}, path)


def _locate_zip(path: Path) -> Location | None:
    for outer in (path, *path.parents):
        if outer.suffix.lower() in ZIP_SUFFIXES and outer.is_file():
            inner = path.relative_to(outer).as_posix()
            base = {"driver": "file", "path": outer.as_posix()}
            spec = {"driver": "zip", "base": base, "path": ""}
            return Location(str(outer), spec).child("" if inner == "." else inner)
    return None


def _locate_remote(text: str, scheme: str) -> Location:
    parts = urlsplit(text)
    path = parts.path.rstrip("/")
    head, _, last = path.rpartition("/")
    if last in METADATA_NAMES:
        path = head
    query = f"?{parts.query}" if parts.query else ""
    uri = f"{parts.scheme}://{parts.netloc}{path}{query}"
    spec: dict[str, Any]
    if scheme in ("http", "https"):
        spec = {"driver": "http", "base_url": f"{scheme}://{parts.netloc}{query}"}
        # tensorstore quotes the paths that it requests; quoted input must not be quoted
        # twice.
        path = unquote(path)
    else:
        spec = {"driver": "s3" if scheme == "s3" else "gcs", "bucket": parts.netloc}
        path = path.lstrip("/")
    if scheme == "s3":
        spec.update(_s3_options())
    if path.lower().endswith(ZIP_SUFFIXES):
        return Location(
            uri, {"driver": "zip", "base": {**spec, "path": path}}, None, True
        )
    return Location(uri, {**spec, "path": f"{path}/" if path else path}, None, True)


def _s3_options() -> dict[str, Any]:
    """Choose anonymous access where no credentials are set up."""
    options: dict[str, Any] = {}
    names = (
        "AWS_ACCESS_KEY_ID",
        "AWS_PROFILE",
        "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
    )
    has_file = (Path.home() / ".aws" / "credentials").exists()
    if not has_file and not any(os.environ.get(n) for n in names):
        options["aws_credentials"] = {"type": "anonymous"}
    endpoint = os.environ.get("AWS_ENDPOINT_URL")
    if endpoint:
        region = os.environ.get("AWS_REGION") or os.environ.get("AWS_DEFAULT_REGION")
        options.update(endpoint=endpoint, aws_region=region or "us-east-1")
    return options
