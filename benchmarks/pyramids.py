"""E21: what writing a pyramid costs the processor, beside others that write one.

Each writes all levels of the same image, storage chunks of 64³, in a process of its own:
imports are included. Nobody waits for the disk. The bare writer is tensorstore with the
metadata of our own result, numpy for the means, and nothing around them.
"""

from __future__ import annotations

import json
import sys
from concurrent.futures import ThreadPoolExecutor
from itertools import product
from pathlib import Path

import numpy as np

from benchmarks.clock import median
from benchmarks.cold import cpu_s
from benchmarks.peers import HERE, find_peers
from benchmarks.rows import ROOT, Row, Setting, at_most
from benchmarks.scenes import Array, light_sheet, write_pyramid

EDGE, CHUNK, REPEATS = 512, 64, 3
N_LEVELS = 4
LIMITS = {"ngff-zarr": 0.35, "ome-zarr-py": 0.4}


def pyramid(setting: Setting) -> list[Row]:
    """E21."""
    source = write_pyramid(setting.folder / "source.zarr", [large_sheet()], CHUNK)
    python = None if setting.peers is None else find_peers(ROOT, "resample")
    peers = list(LIMITS) if python else []
    spent: dict[str, list[float]] = {name: [] for name in ("ours", "bare", *peers)}
    for i in range(REPEATS):
        ours = setting.folder / f"ours-{i}.zarr"
        spent["ours"].append(cpu_s(ours_for(source, ours)))
        bare = [sys.executable, "-m", "benchmarks.pyramids", str(source), str(ours)]
        spent["bare"].append(cpu_s([*bare, str(setting.folder / f"bare-{i}.zarr")]))
        for name in peers:
            question = {
                "peer": name,
                "source": str(source / "0"),
                "target": str(setting.folder / f"{name}-{i}.zarr"),
                "n_levels": N_LEVELS,
            }
            script = [str(python), str(HERE / "pyramid.py"), json.dumps(question)]
            spent[name].append(cpu_s(script))
    ours_s = median(spent["ours"])
    note = "; ".join(f"{name} {median(values):.1f} s" for name, values in spent.items())
    limits = {"bare": 1.15} | {name: LIMITS[name] for name in peers}
    names = {"bare": "a bare tensorstore writer"}
    return [
        at_most(
            "E21",
            f"CPU of brickfield pyramid, {EDGE}³ uint16 ÷ {names.get(name, name)}",
            ours_s / median(spent[name]),
            limit,
            repeats=REPEATS,
            note=note,
        )
        for name, limit in limits.items()
    ]


def large_sheet() -> Array:
    """Return a volume of :data:`EDGE`, quickly: eight times the same."""
    return np.tile(light_sheet(EDGE // 2), (2, 2, 2))


def ours_for(source: Path, target: Path) -> list[str]:
    """Return the command that writes our pyramid."""
    command = [sys.executable, "-m", "brickfield.cli.main", "pyramid"]
    chunks = f"{CHUNK},{CHUNK},{CHUNK}"
    levels = ["--levels", str(N_LEVELS), "--chunks", chunks]
    return [*command, str(source), str(target), *levels]


def write_bare(source: str, like: str, target: str) -> None:
    """Write the levels of an image with tensorstore and numpy alone.

    Parameters
    ----------
    source : str
        Folder of an image of one level.
    like : str
        Folder of a pyramid whose metadata the levels get.
    target : str
        Folder to write.
    """
    import tensorstore as ts

    def opened(path: str, metadata: dict[str, object] | None = None) -> ts.TensorStore:
        spec: dict[str, object] = {"driver": "zarr3", "kvstore": f"file://{path}/"}
        if metadata is not None:
            spec |= {"metadata": metadata, "create": True}
        return ts.open(spec).result()

    above = opened(f"{source}/0")
    for level in range(N_LEVELS):
        metadata = json.loads(Path(f"{like}/{level}/zarr.json").read_text())
        for name in ("node_type", "zarr_format", "attributes"):
            metadata.pop(name, None)
        array = opened(f"{target}/{level}", metadata)
        fill(array, above, factor=1 if level == 0 else 2)
        above = array


def fill(array: object, above: object, *, factor: int) -> None:
    """Write an array from the one above it, block by block, two at once."""
    size = array.shape[0]  # type: ignore[attr-defined]

    def write(start: tuple[int, ...]) -> None:
        box = tuple(slice(s, min(s + 2 * CHUNK, size)) for s in start)
        wide = tuple(slice(factor * b.start, factor * b.stop) for b in box)
        data = np.asarray(above[wide].read().result())  # type: ignore[index]
        array[box].write(data if factor == 1 else means(data)).result()  # type: ignore[index]

    steps = range(0, size, 2 * CHUNK)
    with ThreadPoolExecutor(2) as pool:
        list(pool.map(write, product(steps, repeat=3)))


def means(data: Array) -> Array:
    """Return the means of blocks of 2³ of whole numbers, by sums of slices."""
    total = data.astype(np.uint32)
    for axis in range(3):
        even, odd = (
            total[
                tuple(
                    slice(i if a == axis else 0, None, 2 if a == axis else 1)
                    for a in range(3)
                )
            ]
            for i in (0, 1)
        )
        total = even + odd
    return ((total + 4) >> 3).astype(data.dtype)


if __name__ == "__main__":
    write_bare(*sys.argv[1:])
