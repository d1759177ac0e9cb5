"""Export of an OME-Zarr image of 21.5 GB, with the memory of the process as a plot.

    python -m benchmarks.imaris_large [--folder DIR] [--plot FILE.svg] [--planes 1280] [--workers N]

A tenth of the chunks is stored, with the noise of photons, so that the image takes
little room. The export runs in a process of its own, whose own memory (pages that are
no file's) and whose share of the work are noted four times a second.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

from benchmarks.rows import ROOT

SHAPE = (1280, 4096, 2048)
CHUNK = (64, 256, 256)
STORED = 10
"""One chunk out of so many."""
BUDGET = 512
"""MiB; the default."""
EXPORT = """
import sys
import brickfield as bf
bf.to_imaris(
    sys.argv[1],
    sys.argv[2],
    workers=int(sys.argv[3]) or None,
    progress=lambda done, total, *_: print(done, total, flush=True),
)
"""
Sample = tuple[float, float, float]
"""Seconds, share of the work, MiB."""


def write_image(folder: Path, n_planes: int) -> Path:
    """Write the image; returns its folder."""
    import zarr

    path = folder / "large.ome.zarr"
    group = zarr.open_group(path, mode="w", zarr_format=3)
    shape = (n_planes, *SHAPE[1:])
    array = group.create_array("0", shape=shape, chunks=CHUNK, dtype="u2")
    axes = [{"name": n, "type": "space", "unit": "micrometer"} for n in "zyx"]
    scale = [{"type": "scale", "scale": [2.0, 0.5, 0.5]}]
    levels = [{"path": "0", "coordinateTransformations": scale}]
    group.attrs["ome"] = {
        "version": "0.5",
        "multiscales": [{"name": "large", "axes": axes, "datasets": levels}],
    }
    rng = np.random.default_rng(0)
    noise = rng.poisson(200, CHUNK).astype(np.uint16)
    for number, place in enumerate(np.ndindex(*array.cdata_shape)):
        if number % STORED == 0:
            array.blocks[place] = np.roll(noise, number)
    return path


def memory_of(process: int) -> float:
    """Return the MiB of a process that are no file's."""
    text = Path(f"/proc/{process}/status").read_text()
    found = re.search(r"RssAnon:\s+(\d+) kB", text)
    return int(found[1]) / 1024 if found else 0.0


def export(source: Path, target: Path, workers: int) -> list[Sample]:
    """Export in a process of its own; returns what was seen of it."""
    log = target.with_suffix(".log")
    start, samples = time.perf_counter(), []
    with log.open("wb") as out:
        child = subprocess.Popen(
            [sys.executable, "-c", EXPORT, str(source), str(target), str(workers)],
            cwd=ROOT,
            stdout=out,
        )
        while child.poll() is None:
            lines = log.read_bytes().rpartition(b"\n")[0].splitlines()[-1:]
            done, total = map(int, lines[0].split()) if lines else (0, 1)
            seen = time.perf_counter() - start
            samples.append((seen, done / total, memory_of(child.pid)))
            time.sleep(0.25)
    if child.returncode:
        raise SystemExit(child.returncode)
    return [s for s in samples if s[2]]


def plot(samples: list[Sample], title: str) -> str:
    """Return a drawing of memory over time, with the budget as a line."""
    width, height, left, top = 640, 260, 60, 40
    seconds, most = samples[-1][0], 640.0

    def at(second: float, mib: float) -> str:
        return f"{left + second / seconds * width:.1f},{top + height - mib / most * height:.1f}"

    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {left + width + 20}'
        f' {top + height + 50}" font-family="sans-serif" font-size="13">',
        f'<rect width="{left + width + 20}" height="{top + height + 50}" fill="#ffffff"/>',
        f'<text x="{left}" y="22" font-size="15">{title}</text>',
    ]
    for mib in range(0, int(most) + 1, 128):
        y = top + height - mib / most * height
        color = "#c03030" if mib == BUDGET else "#d8d8d8"
        label = f"{mib} MiB" if mib != BUDGET else "budget"
        parts.append(
            f'<path d="M{left},{y:.1f}h{width}" stroke="{color}" fill="none"/>'
            f'<text x="{left - 6}" y="{y + 4:.1f}" text-anchor="end">{label}</text>'
        )
    points = " ".join(at(second, mib) for second, _, mib in samples)
    parts += [
        f'<polyline points="{points}" fill="none" stroke="#2060b0" stroke-width="1.5"/>',
        f'<text x="{left}" y="{top + height + 20}">0 s</text>',
        f'<text x="{left + width}" y="{top + height + 20}" text-anchor="end">{seconds:.0f} s</text>',
        f'<text x="{left + width / 2}" y="{top + height + 40}" text-anchor="middle">'
        "own memory of the process while it exports</text>",
        "</svg>\n",
    ]
    return "\n".join(parts)


def main() -> None:
    """Make, export, plot; prints the figures as JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--folder", default=None, help="for the image and the file")
    parser.add_argument("--plot", type=Path, default=None, help="SVG to write")
    parser.add_argument("--planes", type=int, default=SHAPE[0])
    parser.add_argument("--workers", type=int, default=0, help="0: one a core")
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=chosen.folder) as folder:
        source = write_image(Path(folder), chosen.planes)
        target = Path(folder, "large.ims")
        samples = export(source, target, chosen.workers)
        n_bytes = chosen.planes * SHAPE[1] * SHAPE[2] * 2
        begun = [s[2] for s in samples if s[1] > 0]
        found = {
            "bytes": n_bytes,
            "file": os.path.getsize(target),  # noqa: PTH202
            "seconds": round(samples[-1][0], 1),
            "first MiB": round(begun[0], 1),
            "peak MiB": round(max(begun), 1),
            "last tenth MiB": round(max(s[2] for s in samples if s[1] > 0.9), 1),
        }
        if chosen.plot is not None:
            title = f"OME-Zarr of {n_bytes / 1e9:.1f} GB to Imaris"
            chosen.plot.write_text(plot(samples, title))
    print(json.dumps(found))


if __name__ == "__main__":
    main()
