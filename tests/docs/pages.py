"""The pages of the documentation, and what they tell a reader to type."""

from __future__ import annotations

import re
from pathlib import Path

import h5py
import numpy as np

from brickfield.sample import Grid, write_sample
from brickfield.testing.mib import write_hdr, write_mib
from brickfield.testing.zarr_stores import write_plate

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
FENCE = re.compile(r"^```(\w+)\n(.*?)^```", re.MULTILINE | re.DOTALL)
VIEWER = re.compile(r"\bviewer\b")


def blocks(path: Path, language: str) -> list[str]:
    """Return the blocks of a page in a language."""
    text = path.read_text(encoding="utf-8")
    return [body for kind, body in FENCE.findall(text) if kind == language]


def needs_window(path: Path) -> bool:
    """Whether the Python of a page speaks of napari's viewer."""
    return any(VIEWER.search(body) for body in blocks(path, "python"))


def run_python(path: Path, names: dict) -> None:
    """Run the blocks of a page one after the other."""
    for body in blocks(path, "python"):
        exec(compile(body, str(path), "exec"), names)


def write_data(folder: Path) -> Path:
    """Write what the pages speak of: data.ome.zarr, stack.h5, plate.zarr, scan.mib."""
    write_sample(folder / "data.ome.zarr", Grid((48, 96, 96), (2.0, 1.0, 1.0)))
    with h5py.File(folder / "stack.h5", "w") as file:
        file["volume"] = np.arange(32**3, dtype=np.uint16).reshape(32, 32, 32)
    write_plate(folder / "plate.zarr", ("A/1", "A/2", "B/02"), 1)
    write_scan(folder)
    return folder


def write_scan(folder: Path) -> None:
    """Write scan.mib with its scan.hdr: discs that wander over the detector."""
    y, x = np.mgrid[:64, :64]
    frames = np.zeros((12, 16, 64, 64), np.uint16)
    for line in range(12):
        for position in range(16):
            d2 = (y - 28 - line / 2) ** 2 + (x - 28 - position / 2) ** 2
            frames[line, position] = np.where(d2 < 60, 900 + 10 * line, d2 % 7)
    write_hdr(folder / "scan.hdr", ScanX=16, ScanY=12)
    write_mib(folder / "scan.mib", frames.reshape(-1, 64, 64))
