"""What writing a pyramid came to, as one frozen value."""

from __future__ import annotations

from dataclasses import dataclass

from brickfield.writing.images import WriteResult


@dataclass(frozen=True)
class PyramidResult(WriteResult):
    """What was written: see :class:`brickfield.writing.images.WriteResult`."""
