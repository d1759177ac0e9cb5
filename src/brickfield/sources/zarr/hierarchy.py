"""Groups and arrays of a zarr store, read in as few round trips as possible.

A :class:`ZarrHierarchy` reads the metadata of any number of nodes at once and
remembers them. Consolidated metadata, where a store has it, is believed, so
that such a store costs one round trip. Only names that a reader needs are
ever read: nothing is listed, because most servers cannot list.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Literal

from brickfield.errors import StoreAccessError, StoreFormatError
from brickfield.sources.io.json_files import parse_object
from brickfield.sources.io.location import Location
from brickfield.sources.io.store_files import IF_ABSENT, list_folders, read_many

if TYPE_CHECKING:
    from collections.abc import Iterable

    from brickfield.sources.geometry import Findings

V3_KEYS = ("zarr.json",)
V2_KEYS = (".zarray", ".zgroup", ".zattrs")
ROOT_KEYS = (*V3_KEYS, *V2_KEYS, ".zmetadata")

Json = dict[str, Any]


@dataclass(frozen=True)
class ZarrNode:
    """One group or array.

    Attributes
    ----------
    path : str
        Inside the hierarchy, "" for its root.
    kind : {"group", "array"}
    zarr_format : int
        2 or 3.
    attributes : dict
        As stored, for both formats.
    metadata : dict
        Array metadata as stored; empty for a group.
    """

    path: str
    kind: Literal["group", "array"]
    zarr_format: int
    attributes: Json = field(hash=False)
    metadata: Json = field(default_factory=dict, hash=False)


class ZarrHierarchy:
    """Reads nodes below one location. Used by one thread, while opening.

    Parameters
    ----------
    location : Location
    findings : Findings
    known : dict, optional
        Files of the root that have been read already, name to bytes or None.
    denied_is_missing : bool
        See :func:`brickfield.sources.io.store_files.read_many`.

    Attributes
    ----------
    stamps : dict of str to bytes
        What a server says of the versions of the files read here.
    faults : dict of str to StoreFormatError
        By path, what is wrong with nodes whose metadata cannot be read.
    """

    def __init__(
        self,
        location: Location,
        findings: Findings,
        known: dict[str, bytes | None] | None = None,
        *,
        denied_is_missing: bool = False,
    ) -> None:
        self.location = location
        self.findings = findings
        self._denied_is_missing = denied_is_missing
        self._refused: set[str] = set()
        self._nodes: dict[str, ZarrNode | None] = {}
        self._files: dict[str, bytes | None] = {}
        self._consolidated: dict[str, ZarrNode] = {}
        self._format: int | None = None
        self.stamps: dict[str, bytes] = {}
        self.faults: dict[str, StoreFormatError] = {}
        files = known if known is not None else self._read(ROOT_KEYS)
        self._read_consolidated(files)
        self.root = self._root_of(files)
        self._nodes[""] = self.root
        if self.root is not None:
            self._format = self.root.zarr_format

    def node(self, path: str) -> ZarrNode | None:
        """Return one node, None if nothing is stored there."""
        return self.nodes([path])[path]

    def nodes(
        self,
        paths: Iterable[str],
        *,
        files: Iterable[str] = (),
        keeps_faults: bool = False,
    ) -> dict[str, ZarrNode | None]:
        """Return several nodes, read at the same time.

        Parameters
        ----------
        paths : iterable of str
            Relative to the location.
        files : iterable of str
            Other small files to read in the same round trip, for :meth:`read`.
        keeps_faults : bool
            Whether a node whose metadata cannot be read counts as missing; then
            :attr:`faults` says what is wrong with it.

        Raises
        ------
        StoreAccessError, StoreUnreachableError, StoreFormatError
            If a node's metadata is there but cannot be read.
        """
        wanted = [p.strip("/") for p in paths]
        for path in wanted:
            if path in self._consolidated:
                self._nodes.setdefault(path, self._consolidated[path])
        if self.location.local is None:
            # What a server's store names lies below it; see `faults.md`.
            self._nodes.update({p: None for p in wanted if p.startswith("../")})
        new = [p for p in dict.fromkeys(wanted) if p not in self._nodes]
        names = {3: V3_KEYS, 2: V2_KEYS}.get(self._format or 0, V3_KEYS + V2_KEYS)
        self._load(new, names, files)
        if new and all(self._nodes[p] is None and p not in self.faults for p in new):
            # A few stores keep nodes of one format in a group of the other.
            self._load(new, V2_KEYS if self._format == 3 else V3_KEYS)
        if not keeps_faults:
            for path in wanted:
                if path in self.faults:
                    raise self.faults[path]
        return {p: self._nodes[p.strip("/")] for p in wanted}

    def _load(
        self, paths: list[str], names: tuple[str, ...], further: Iterable[str] = ()
    ) -> None:
        wanted = [k for k in further if k not in self._files]
        read = self._read([*(f"{p}/{n}" for p in paths for n in names), *wanted])
        self._files.update((k, read[k]) for k in wanted)
        for path in paths:
            own = {n: read[f"{path}/{n}"] for n in names}
            try:
                self._nodes[path] = self._parse_node(path, own)
            except StoreFormatError as error:
                self._nodes[path], self.faults[path] = None, error

    def read(self, key: str) -> bytes | None:
        """Read another small file, for example an OME-XML."""
        if key not in self._files:
            self._files.update(self._read([key]))
        return self._files[key]

    def children(self, path: str = "") -> list[str]:
        """Names of groups and arrays inside a node, as far as they can be told.

        They come from consolidated metadata or a listing; a plain web server
        has neither, then the list is empty.
        """
        prefix = f"{path}/" if path else ""
        names = {
            p[len(prefix) :].split("/")[0]
            for p in self._consolidated
            if p.startswith(prefix) and p != path
        }
        if not names:
            names = set(list_folders(self.location.child(path)) or [])
        return sorted(names, key=lambda n: (not n.isdigit(), len(n), n))

    def _read(self, keys: Iterable[str]) -> dict[str, bytes | None]:
        # Some buckets answer 403 for what does not exist: no name decides alone.
        return read_many(
            self.location,
            keys,
            denied_is_missing=self._denied_is_missing,
            refused=self._refused,
            stamps=self.stamps,
        )

    def is_refused(self, path: str) -> bool:
        """Whether the server refused metadata of a node that was not found."""
        prefix = f"{path}/" if path else ""
        return any(f"{prefix}{name}" in self._refused for name in ROOT_KEYS)

    def refusal(self, path: str) -> StoreAccessError:
        """Say that a node which is needed was refused."""
        where = self.location.uri_of(path)
        msg = f"expected readable metadata at {where}; found that access is denied"
        return StoreAccessError(f"{msg}: {IF_ABSENT}")

    def _parse_node(self, path: str, files: dict[str, bytes | None]) -> ZarrNode | None:
        prefix = f"{path}/" if path else ""
        if (raw := files.get("zarr.json")) is not None:
            return node_v3(path, self._json(raw, f"{prefix}zarr.json"), prefix)
        attributes: Json = {}
        if (raw := files.get(".zattrs")) is not None:
            attributes = self._json(raw, f"{prefix}.zattrs")
        if (raw := files.get(".zarray")) is not None:
            metadata = self._json(raw, f"{prefix}.zarray")
            return ZarrNode(path, "array", 2, attributes, metadata)
        if files.get(".zgroup") is None and files.get(".zattrs") is None:
            return None
        if files.get(".zgroup") is None:
            self.findings.warning(
                "no-zgroup",
                f"{prefix}.zgroup",
                f"expected {prefix}.zgroup beside {prefix}.zattrs; found none;"
                " took the folder for a group",
            )
        return ZarrNode(path, "group", 2, attributes)

    def _root_of(self, files: dict[str, bytes | None]) -> ZarrNode | None:
        """Make the root of its own files; what they lack is in the consolidated ones."""
        known = self._consolidated.get("")
        if known is not None and known.zarr_format == 2:
            names = (".zgroup", ".zarray")
            if all(files.get(name) is None for name in names):
                raw = files.get(".zattrs")
                if raw is None:
                    return known
                return replace(known, attributes=self._json(raw, ".zattrs"))
            if files.get(".zattrs") is None:
                own = self._parse_node("", files)
                return own and replace(own, attributes=known.attributes)
        return self._parse_node("", files)

    def _json(self, raw: bytes, key: str) -> Json:
        return parse_object(raw, self.location.uri_of(key))

    def _read_consolidated(self, files: dict[str, bytes | None]) -> None:
        raw = files.get("zarr.json") or files.get(".zmetadata")
        if raw is None:
            return
        try:
            document = self._json(raw, ".zmetadata")
        except StoreFormatError as exc:
            self.findings.warning(
                "bad-consolidated", ".zmetadata", f"{exc}; ignored it"
            )
            return
        if files.get("zarr.json") is not None:
            document = document.get("consolidated_metadata") or {}
            entries = document.get("metadata") if isinstance(document, dict) else None
            self._consolidated = _consolidated_v3(entries)
        else:
            self._consolidated = _consolidated_v2(document.get("metadata"))
            if self._consolidated:
                self._consolidated.setdefault("", ZarrNode("", "group", 2, {}))


def node_v3(path: str, document: Json, prefix: str) -> ZarrNode:
    """Make a node from the content of a ``zarr.json``.

    Parameters
    ----------
    path : str
        Of the node.
    document : Json
    prefix : str
        Path of the folder, before file names in messages.

    Raises
    ------
    StoreFormatError
        If it is of another zarr format.
    """
    attributes = document.get("attributes")
    stated = document.get("node_type", "array" if "shape" in document else "group")
    kind: Literal["group", "array"] = "array" if stated == "array" else "group"
    version = document.get("zarr_format")
    if version != 3:
        msg = f"expected {prefix}zarr.json to have zarr_format 3; found {version!r}"
        raise StoreFormatError(msg)
    return ZarrNode(
        path,
        kind,
        3,
        attributes if isinstance(attributes, dict) else {},
        document if kind == "array" else {},
    )


def _consolidated_v3(entries: Any) -> dict[str, ZarrNode]:
    if not isinstance(entries, dict):
        return {}
    nodes = {}
    for path, document in entries.items():
        if isinstance(document, dict) and document.get("zarr_format") == 3:
            clean = str(path).strip("/")
            nodes[clean] = node_v3(clean, document, f"{clean}/")
    return nodes


def _consolidated_v2(entries: Any) -> dict[str, ZarrNode]:
    if not isinstance(entries, dict):
        return {}
    nodes = {}
    for key, document in entries.items():
        path, _, name = str(key).rpartition("/")
        if name not in V2_KEYS or not isinstance(document, dict):
            continue
        if name == ".zattrs" and any(
            f"{path}/{kind}".lstrip("/") in entries for kind in (".zarray", ".zgroup")
        ):
            continue
        attributes = entries.get(f"{path}/.zattrs" if path else ".zattrs")
        if not isinstance(attributes, dict):
            attributes = {}
        is_array = name == ".zarray"
        nodes[path] = ZarrNode(
            path,
            "array" if is_array else "group",
            2,
            attributes,
            document if is_array else {},
        )
    return nodes
