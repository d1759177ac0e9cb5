"""How much memory there is to take."""

from __future__ import annotations

import os
from pathlib import Path

_PLENTY = 8 << 30


def available_bytes() -> int:
    """Return the bytes that can be taken without swapping; 8 GiB if unknown."""
    try:
        text = Path("/proc/meminfo").read_text(encoding="ascii")
        line = next(row for row in text.splitlines() if row.startswith("MemAvailable:"))
        return int(line.split()[1]) << 10
    except (OSError, StopIteration, ValueError, IndexError):
        pass
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // 2
    except (AttributeError, ValueError, OSError):
        return _PLENTY
