"""What a session says of itself to others, and whom its metadata may be shown to."""

from __future__ import annotations

import logging
from contextlib import suppress
from pathlib import Path

from brickfield.model.secrets import has_secrets, hide_secrets
from brickfield.sessions.document import SessionDocument
from brickfield.sessions.kept import origins_of
from brickfield.writing.metadata import own_version, write_json

logger = logging.getLogger(__name__)
RO_CRATE = "ro-crate-metadata.json"


def program() -> str:
    """Return this program's name and version."""
    return f"napari-brickfield {own_version()}"


def guard_secrets(document: SessionDocument, root: Path, ome_version: str) -> None:
    """Make the document private if it contains credentials, and log that.

    Parameters
    ----------
    document : SessionDocument
    root : Path
        Folder of the session.
    ome_version : str
        "0.4" or "0.5".
    """
    if not any(has_secrets(source.absolute) for source in document.sources):
        return
    with suppress(OSError):
        (root / ("zarr.json" if ome_version == "0.5" else ".zattrs")).chmod(0o600)
    logger.warning(
        "%s holds what gives access to its data (a password, token or signed"
        " address): do not hand it on",
        root.name,
    )


def write_crate(document: SessionDocument, root: Path) -> None:
    """Write the metadata of a research object crate: name, date, program, sources.

    Parameters
    ----------
    document : SessionDocument
    root : Path
        Folder of the session.
    """
    based_on = [hide_secrets(source.absolute) for source in document.sources]
    based_on += [str(one["uri"]) for one in origins_of(document).values()]
    about = {
        "@id": RO_CRATE,
        "@type": "CreativeWork",
        "conformsTo": {"@id": "https://w3id.org/ro/crate/1.1"},
        "about": {"@id": "./"},
    }
    dataset = {
        "@id": "./",
        "@type": "Dataset",
        "name": document.name or "session",
        "description": document.description or "A saved scene",
        "datePublished": document.created,
        "creator": {"@id": "#program"},
        "isBasedOn": [{"@id": uri} for uri in dict.fromkeys(based_on)],
    }
    maker = {
        "@id": "#program",
        "@type": "SoftwareApplication",
        "name": document.program,
    }
    crate = {
        "@context": "https://w3id.org/ro/crate/1.1/context",
        "@graph": [about, dataset, maker],
    }
    write_json(root / RO_CRATE, crate, syncs=False)
