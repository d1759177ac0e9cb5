"""I1: export to Imaris beside plain h5py, its memory, and what it reads of a source.

The same noisy image (as of a camera, 16 bit) goes through h5py with gzip 2 and a pyramid
of numpy, as one would write it by hand, and through ``to_imaris``. Memory is the growth
of a process of its own, so that nothing measured before counts.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Event

import numpy as np

import brickfield as bf
from benchmarks.rows import ROOT, Row, Setting, at_least, at_most
from brickfield.sample import VirtualImage, VirtualSource

REFERENCE = 1.13
"""The reference writer's gzip over plain h5py, measured once on the same data."""
BUDGET = 128 << 20
ALLOWED = BUDGET + (64 << 20)
MIB = 1 << 20
MEMORY = """
import sys, resource
import numpy as np
from brickfield.imaris.command import to_imaris
from brickfield.sample.virtual import VirtualImage, VirtualSource
import h5py, isal.isal_zlib, tensorstore
shape = tuple(int(n) for n in sys.argv[2].split(","))
to_imaris(np.ones((4, 8, 8), "u2"), sys.argv[1] + "/warm.ims", overwrite=True)
before = int(open("/proc/self/statm").read().split()[1]) * resource.getpagesize()
source = VirtualSource(VirtualImage(shape, n_levels=1, dtype="u2", is_hollow=False))
to_imaris(source, sys.argv[1] + "/a.ims", budget=int(sys.argv[3]), overwrite=True)
# Not ru_maxrss, which a child has from the process that began it.
lines = dict(line.split(":", 1) for line in open("/proc/self/status"))
peak = int(lines["VmHWM"].split()[0]) * 1024
print(max(0, peak - before))
"""


def export(setting: Setting) -> list[Row]:
    """I1."""
    image = camera_image(112 if setting.is_full else 56)
    rows = _speed(image, setting)
    rows += _memory(setting)
    rows += _work(setting)
    return rows


def camera_image(n_planes: int) -> np.ndarray:
    """Return 16-bit voxels with structure and the noise of photons."""
    z, y, x = np.ogrid[:n_planes, :1000, :1000]
    mean = 200 + 150 * np.sin(x / 37) * np.cos(y / 53) * np.sin(z / 11 + 1)
    photons = np.random.default_rng(0).poisson(mean)
    return photons.astype(np.uint16)


def plain(image: np.ndarray, path: Path, *, shuffle: bool = False) -> float:
    """Write levels with h5py as one would by hand; returns seconds."""
    import h5py

    start = time.perf_counter()
    with h5py.File(path, "w") as file:
        number = 0
        while True:
            chunks = tuple(
                min(c, n) for c, n in zip((8, 256, 256), image.shape, strict=True)
            )
            file.create_dataset(
                str(number),
                data=image,
                chunks=chunks,
                compression="gzip",
                compression_opts=2,
                shuffle=shuffle,
            )
            if image.nbytes <= MIB:
                break
            image, number = halved(image), number + 1
    return time.perf_counter() - start


def halved(image: np.ndarray) -> np.ndarray:
    """Return the next level."""
    whole = image.size
    factors = [2 if n > 1 and 100 * n * n > whole // n else 1 for n in image.shape]
    shape = [n // f for n, f in zip(image.shape, factors, strict=True)]
    cut = image[tuple(slice(n * f) for n, f in zip(shape, factors, strict=True))]
    parts = [p for n, f in zip(shape, factors, strict=True) for p in (n, f)]
    mean = cut.reshape(parts).mean(axis=(1, 3, 5), dtype=np.float32)
    return mean.astype(image.dtype)


def _speed(image: np.ndarray, setting: Setting) -> list[Row]:
    plain_s, ours_s, shuffled_s = [], [], []
    plain_path, sorted_path = (setting.folder / f"{n}.h5" for n in ("plain", "sorted"))
    ours, shuffled = (setting.folder / f"{n}.ims" for n in ("ours", "shuffled"))
    for _ in range(3):
        plain_s.append(plain(image, plain_path))
        ours_s.append(bf.to_imaris(image, ours, overwrite=True).seconds)
        result = bf.to_imaris(image, shuffled, overwrite=True, shuffle=True)
        shuffled_s.append(result.seconds)
    plain(image, sorted_path, shuffle=True)
    ratio = float(np.median(plain_s) / np.median(ours_s))
    sorted_ratio = float(np.median(plain_s) / np.median(shuffled_s))
    alone = _deflate_alone(image)
    note = (
        f"{image.nbytes / 1e6 / float(np.median(ours_s)):.0f} MB/s; ISA-L alone, on all"
        f" cores and without anything else: {float(np.median(plain_s)) / alone:.1f}"
    )
    peer = "h5py gzip 2, numpy"
    size = [p.stat().st_size for p in (ours, plain_path, shuffled, sorted_path)]
    return [
        at_least("I1", "speed ÷ plain h5py, uint16", ratio, 10, peer=peer, note=note),
        at_least("I1", "the same with --shuffle", sorted_ratio, 14, peer=peer),
        at_least("I1", "speed ÷ the reference's gzip", ratio / REFERENCE, 9),
        at_most("I1", "file ÷ zlib 2", size[0] / size[1], 1.06),
        at_most("I1", "file with shuffle ÷ zlib 2 with", size[2] / size[3], 1.02),
    ]


def _deflate_alone(image: np.ndarray) -> float:
    """Return the seconds that deflating all levels takes at least: what bounds the rest."""
    from isal import isal_zlib

    chunk = np.ascontiguousarray(image[:8, :256, :256]).data
    n_cores = os.cpu_count() or 1
    with ThreadPoolExecutor(n_cores) as pool:
        start = time.perf_counter()
        list(pool.map(lambda _: isal_zlib.compress(chunk, 1), range(20 * n_cores)))
        rate = 20 * n_cores * chunk.nbytes / (time.perf_counter() - start)
    # Each level has an eighth of the voxels of the one before.
    return image.nbytes * 8 / 7 / rate


def _memory(setting: Setting) -> list[Row]:
    found = {}
    shapes = {"8 × the volume": (128, 384, 384), "64 × the plane": (8, 4096, 4096)}
    for name, shape in {"the volume": (64, 192, 192), **shapes}.items():
        arguments = [str(setting.folder), ",".join(map(str, shape)), str(BUDGET)]
        done = subprocess.run(
            [sys.executable, "-c", MEMORY, *arguments],
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=True,
        )
        found[name] = int(done.stdout.split()[-1]) / MIB
    small = found.pop("the volume")
    return [
        at_most(
            "I1",
            f"own memory, {name}",
            peak,
            ALLOWED / MIB,
            unit="MiB",
            note=f"budget {BUDGET // MIB} MiB; the small volume took {small:.0f} MiB",
        )
        for name, peak in found.items()
    ]


def _work(setting: Setting) -> list[Row]:
    import dask.array as da

    image = camera_image(8)[:, :512, :512]
    rows = []
    for name, chunk in (("aligned", (8, 256, 256)), ("not aligned", (3, 100, 511))):
        lazy = da.from_array(image, chunks=chunk)
        result = bf.to_imaris(lazy, setting.folder / "work.ims", overwrite=True)
        share = result.n_decoded / lazy.npartitions
        rows.append(at_most("I1", f"decodings a chunk of dask, {name}", share, 1.1))
    return [*rows, _first_chunk(setting)]


def _first_chunk(setting: Setting) -> Row:
    """Time to the first chunk of 268 GB on disk; stopped there."""
    image = VirtualImage((1000, 8192, 8192), n_levels=1, dtype="f4", is_hollow=False)
    cancel, seconds = Event(), []
    start = time.perf_counter()

    def look(done: int, *_: object) -> None:
        if done and not seconds:
            seconds.append(time.perf_counter() - start)
            cancel.set()

    target = setting.folder / "large.ims"
    bf.to_imaris(VirtualSource(image), target, progress=look, cancel=cancel)
    return at_most("I1", "first tile of 268 GB", seconds[0], 2, unit="s")


def main() -> None:
    """Print the rows as JSON."""
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        for row in export(Setting(Path(folder))):
            print(json.dumps({"what": row.what, "ours": row.ours, "limit": row.limit}))


if __name__ == "__main__":
    main()
