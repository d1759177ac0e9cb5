"""Scans of Merlin detectors: headers, sets of files, pixels and the source."""

from __future__ import annotations

from brickfield._faces import lazily

TYPE_CHECKING = False
if TYPE_CHECKING:
    from brickfield.sources.mib.source import open_scan as open_mib_scan

__all__ = [
    "open_mib_scan",  # Open a MIB file as a scan.
]

_HOME = {
    "open_mib_scan": "source:open_scan",
}

if not TYPE_CHECKING:
    __getattr__, __dir__ = lazily(__name__, _HOME)
