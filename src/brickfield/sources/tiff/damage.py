"""What tifffile says about a file's damage, as findings.

tifffile goes on where a list of pages breaks off and says so in its log only: the
picture then has fewer planes than the file once had. Such a file must not look whole.
"""

from __future__ import annotations

import logging
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from brickfield.model import Finding

_BROKEN_LIST = re.compile(
    r"invalid page offset|invalid offset to|corrupted (page|tag) list|failed to read page"
    r"|suspicious number of (pages|tags)|invalid or corrupted file|failed to reshape"
)
"""Complaints that mean that pages are not found."""


class _Complaints(logging.Handler):
    """Collects what one thread logs."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.texts: list[str] = []
        self._thread = threading.get_ident()

    def emit(self, record: logging.LogRecord) -> None:
        if record.thread == self._thread:
            self.texts.append(record.getMessage())


@contextmanager
def complaints() -> Iterator[list[str]]:
    """Collect what tifffile logs in this thread; nothing of it reaches the terminal."""
    # With a handler of its own the logger no longer falls back on stderr.
    logger, handler = logging.getLogger("tifffile"), _Complaints()
    logger.addHandler(handler)
    try:
        yield handler.texts
    finally:
        logger.removeHandler(handler)


def broken_list(
    texts: list[str], n_pages: int, n_shown: int, *, are_voxels_whole: bool
) -> list[Finding]:
    """Return a finding if the list of pages broke off.

    Parameters
    ----------
    texts : list of str
        What tifffile logged.
    n_pages : int
        Pages that were found.
    n_shown : int
        Those of them that make up the image.
    are_voxels_whole : bool
        Whether all voxels of the image are in the file nevertheless.
    """
    said = next((text for text in texts if _BROKEN_LIST.search(text)), None)
    if said is None:
        return []
    why = re.sub(r"^<[^>]*>\s*", "", said)
    text = (
        f"expected a whole TIFF file; its list of pages breaks off after page {n_pages}"
        f" ({why}): it is truncated or damaged"
    )
    if are_voxels_whole:
        text += ", but all voxels of this image are in it"
        return [Finding("warning", "truncated", "pages", text)]
    text += f", and its image has only {n_shown} of its pages; copy it again"
    return [Finding("error", "truncated", "pages", text)]


def short_file(name: str, needed: int, found: int) -> Finding:
    """Return the finding for voxels that lie beyond the end of the file (bytes)."""
    text = (
        f"expected {needed:,} bytes of voxels and headers; the file ends after {found:,}:"
        " it is truncated, and planes after its end fail; copy it again"
    )
    return Finding("error", "truncated", name, text)
