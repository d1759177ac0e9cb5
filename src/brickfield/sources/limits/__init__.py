"""How much memory a chunk may take, and how large what a file says may be."""

from __future__ import annotations

from brickfield._faces import lazily

TYPE_CHECKING = False
if TYPE_CHECKING:
    from brickfield.sources.limits.admission import LEAST_ALLOWANCE as LEAST_ALLOWANCE
    from brickfield.sources.limits.admission import read_bytes as read_bytes
    from brickfield.sources.limits.admission import within as within

__all__ = [
    "LEAST_ALLOWANCE",  # What a reader may take for one chunk, however small its budget.
    "read_bytes",  # Return the memory that reading a chunk takes at its peak.
    "within",  # Let the reads of this thread take no more than a budget, each.
]

_HOME = {
    "LEAST_ALLOWANCE": "admission",
    "read_bytes": "admission",
    "within": "admission",
}

if not TYPE_CHECKING:
    __getattr__, __dir__ = lazily(__name__, _HOME)
