"""How much memory this process can still take.

The least of what the machine has left, what every control group round the process
has left (containers, batch systems) and what the process's own limit leaves. Only
files of the system are read, so asking costs less than a tenth of a millisecond.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

PLENTY = 8 << 30
"""What is assumed where the system says nothing."""
SHARE_PERCENT = 80
"""Share of what is left that one piece of work may take."""
_UNLIMITED = 1 << 60


def memory_left_bytes(
    proc: Path = Path("/proc"), cgroups: Path = Path("/sys/fs/cgroup")
) -> int:
    """Return the bytes that can still be taken without swapping or being ended.

    Parameters
    ----------
    proc, cgroups : Path
        Where the system tells it.

    Returns
    -------
    int
        Not below 0; :data:`PLENTY` where nothing is known.
    """
    known = [
        n
        for n in (
            _machine_left(proc),
            *_groups_left(proc, cgroups),
            _limit_left(proc),
        )
        if n is not None
    ]
    return max(0, min(known)) if known else PLENTY


def usable_bytes() -> int:
    """Return the bytes that one piece of work may take: 80 % of what is left."""
    return memory_left_bytes() * SHARE_PERCENT // 100


def _machine_left(proc: Path) -> int | None:
    with suppress(OSError, ValueError, IndexError):
        for row in (proc / "meminfo").read_text(encoding="ascii").splitlines():
            if row.startswith("MemAvailable:"):
                return int(row.split()[1]) << 10
    pages: int | None = None
    with suppress(AttributeError, OSError, ValueError):
        pages = os.sysconf("SC_AVPHYS_PAGES")
    with suppress(AttributeError, OSError, ValueError):
        # macOS does not tell the free pages: half of all is a fair guess.
        pages = os.sysconf("SC_PHYS_PAGES") // 2 if pages is None else pages
        return pages * os.sysconf("SC_PAGE_SIZE")
    return None


def _groups_left(proc: Path, cgroups: Path) -> Iterator[int]:
    """What each group round this process has left, of either version."""
    try:
        rows = (proc / "self" / "cgroup").read_text(encoding="utf-8").splitlines()
    except (OSError, ValueError):
        return
    for row in rows:
        _, controllers, inside = [*row.split(":", 2), "", ""][:3]
        if controllers not in ("", "memory"):
            continue
        root = cgroups / controllers
        own = root / inside.strip("/")
        # In a container the group's own path may not be mounted: then its root is.
        for folder in (own, *own.parents):
            left = _group_left(folder, is_first_version=bool(controllers))
            if left is not None:
                yield left
            if folder == root:
                break


def _group_left(folder: Path, *, is_first_version: bool) -> int | None:
    limit_name, used_name, idle_name = (
        ("memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file")
        if is_first_version
        else ("memory.max", "memory.current", "inactive_file")
    )
    try:
        text = (folder / limit_name).read_text(encoding="ascii").strip()
        limit = _UNLIMITED if text == "max" else int(text)
        if limit >= _UNLIMITED:
            return None
        left = limit - int((folder / used_name).read_text(encoding="ascii"))
    except (OSError, ValueError):
        return None
    with suppress(OSError, ValueError, IndexError):
        # Unused pages of files are counted, but can be reclaimed at once.
        for row in (folder / "memory.stat").read_text(encoding="ascii").splitlines():
            if row.startswith(f"{idle_name} "):
                return left + int(row.split()[1])
    return left


def _limit_left(proc: Path) -> int | None:
    """What the limit on addresses (``ulimit -v``) leaves."""
    try:
        import resource

        limit = resource.getrlimit(resource.RLIMIT_AS)[0]
        if limit == resource.RLIM_INFINITY:
            return None
        pages = int((proc / "self" / "statm").read_text(encoding="ascii").split()[0])
        return limit - pages * os.sysconf("SC_PAGE_SIZE")
    except (ImportError, OSError, ValueError, IndexError):
        return None
