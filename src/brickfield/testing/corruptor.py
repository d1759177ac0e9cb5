"""Damage to chosen files of a local store, as disks and aborted writers do it."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Literal

import numpy as np

Damage = Literal["truncate", "flip", "empty", "delete", "garbage"]

_METADATA = {
    "zarr.json",
    ".zarray",
    ".zattrs",
    ".zgroup",
    ".zmetadata",
    "attributes.json",
}


def chunk_files(folder: Path) -> list[Path]:
    """Files below a folder that hold voxels, sorted."""
    return sorted(
        p for p in folder.rglob("*") if p.is_file() and p.name not in _METADATA
    )


def corrupt(
    files: Path | Iterable[Path], damage: Damage, *, keep: float = 0.5, seed: int = 0
) -> None:
    """Damage files in place.

    Parameters
    ----------
    files : Path or iterable of Path
    damage : str
        ``truncate`` keeps the front; ``flip`` inverts the first 64 bytes;
        ``empty`` keeps no byte; ``delete`` removes the file; ``garbage`` puts
        random bytes of the same length.
    keep : float
        Part that a truncated file keeps.
    seed : int
        For random bytes.
    """
    for path in [files] if isinstance(files, Path) else files:
        if damage == "delete":
            path.unlink()
            continue
        raw = path.read_bytes()
        if damage == "truncate":
            raw = raw[: int(len(raw) * keep)]
        elif damage == "flip":
            raw = bytes(b ^ 0xFF for b in raw[:64]) + raw[64:]
        elif damage == "empty":
            raw = b""
        else:
            raw = np.random.default_rng(seed).bytes(len(raw))
        path.write_bytes(raw)
