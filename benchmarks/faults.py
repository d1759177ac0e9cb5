"""E14: stores that are damaged, slow or refuse."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from time import perf_counter
from typing import NamedTuple

import numpy as np

from benchmarks.peers import CELLIER, ask_cellier
from benchmarks.rows import Row, Setting, exactly
from benchmarks.scenes import Array, layer_of, ortho, own_cache, view_of, write_pyramid
from brickfield.model import pack_keys
from brickfield.model.requests import Category, ChunkedDataRequest, LoadedChunk
from brickfield.planning import LodPolicy
from brickfield.sources import open_source
from brickfield.testing import chunk_files, corrupt
from brickfield.testing.http_server import FaultServer, Rule

EDGE, CHUNK = 256, 32
N = (EDGE // CHUNK) ** 3
"""Storage chunks; a brick is put together from eight of them."""
PATIENCE_S = 60


def broken_chunks(setting: Setting) -> list[Row]:
    """E14."""
    path = write_pyramid(setting.folder / "good.zarr", [volume()], CHUNK)
    delivered = told = n_cases = 0
    names: list[str] = []
    silent: list[str] = []
    for name, got, n_bad in cases(path, with_lasting_stall=True):
        n_cases += 1
        names.append(f"{name} {got.good}/{N - n_bad}")
        delivered += got.good == N - n_bad
        told += got.is_told
        silent += [] if got.is_told else [name]
    what = f"of {n_cases} kinds of damage to {N} storage chunks"
    rows = [
        exactly(
            "E14",
            f"{what}: all good ones delivered",
            delivered,
            n_cases,
            note="; ".join(names),
        ),
        exactly(
            "E14",
            f"{what}: completion told within {PATIENCE_S} s",
            told,
            n_cases,
            note="not told: " + (", ".join(silent) or "none"),
        ),
        *(
            exactly(
                "E14",
                f"worst pixel with {100 * share:.0f} % random 503 against without",
                flaky_picture(path, share),
                0,
                unit="/255",
            )
            for share in (0.01, 0.05)
        ),
    ]
    return rows + _cellier(setting, path)


def volume() -> Array:
    """Return 256³ voxels of one byte, no chunk empty."""
    axis = np.arange(EDGE, dtype=np.uint8)
    z, y, x = np.ix_(axis, axis, axis)
    data: Array = z ^ y ^ x | np.uint8(1)
    return data


class Got(NamedTuple):
    """What came of a store: storage chunks, and whether completion was told."""

    good: int
    missing: int
    failed: int
    is_told: bool


Case = tuple[str, Got, int]
"""Damage, what came, and how many storage chunks cannot come."""


def cases(path: Path, *, with_lasting_stall: bool = False) -> Iterator[Case]:
    """Damage the store in one way after the other; load all of it each time."""
    for damage in ("truncate", "flip", "garbage", "empty", "delete"):
        with _damaged(path, damage):
            yield damage, load(str(path)), 5
    rules = {
        "503 at first": (Rule("*/c/[0-3]/*", "error", status=503, times=1), 0),
        "denied": (Rule("*/c/0/0/*", "error", status=403), 8),
        "stalled once": (Rule("*/c/0/0/0", "stall", seconds=60, times=1), 0),
        "broken off": (Rule("*/c/0/1/*", "truncate"), 8),
    }
    if with_lasting_stall:
        rules["stalled for good"] = (Rule("*/c/0/0/0", "stall", seconds=300), 1)
    for name, (rule, n_bad) in rules.items():
        with FaultServer(path.parent, rule) as server:
            yield name, load(f"{server.url}/{path.name}"), n_bad


@contextmanager
def _damaged(
    path: Path, damage: str, files: list[Path] | None = None
) -> Iterator[None]:
    files = files or chunk_files(path)[:: N // 5 + 1]
    kept = {f: f.read_bytes() for f in files}
    corrupt(files, damage)  # type: ignore[arg-type]
    try:
        yield
    finally:
        for file, content in kept.items():
            file.write_bytes(content)


def load(uri: str) -> Got:
    """Ask for every brick; return what came of its storage chunks."""
    store = own_cache(open_source(uri))
    keys = pack_keys(0, np.array(list(np.ndindex(*store.pyramid.levels[0].grid_zyx))))
    request = ChunkedDataRequest(
        "bench",
        (),
        keys,
        np.arange(len(keys), dtype=np.float32),
        np.full(len(keys), Category.VISIBLE, np.uint8),
    )
    manager, truth = store.manager, volume()
    manager.request_chunks(request, "bench")
    end = perf_counter() + PATIENCE_S
    good, is_done = 0, False
    while not is_done and perf_counter() < end:
        is_done = manager.wait("bench", 1)
        for chunk in manager.take_ready("bench"):
            good += n_good(chunk, truth)
    wants = [((), keys)]
    counts = manager.storage_counts(wants, wants, manager.failures("bench"))
    is_told = manager.status("bench").is_complete
    store.close()
    return Got(good, counts["missing"], counts["failed"], is_told)


def n_good(chunk: LoadedChunk, truth: Array) -> int:
    """Count the storage chunks of a brick whose voxels are all right."""
    if chunk.data is None:
        return 0
    origin = np.array(chunk.chunk_id.index) * chunk.data.shape
    box = tuple(slice(o, o + n) for o, n in zip(origin, chunk.data.shape, strict=True))
    shape = [n for edge in chunk.data.shape for n in (edge // CHUNK, CHUNK)]
    is_right = (chunk.data == truth[box]).reshape(shape).all(axis=(1, 3, 5))
    return int(np.count_nonzero(is_right))


def flaky_picture(path: Path, flaky_share: float) -> int:
    """Draw over HTTP with and without refusals; return the largest difference."""
    pictures = []
    for share in (0.0, flaky_share):
        rule = Rule("*", "error", status=503, share=share)
        with FaultServer(path.parent, rule, seed=3) as server:
            server.clear()
            store = own_cache(open_source(f"{server.url}/{path.name}"))
            server.add(rule)
            layer = layer_of(store, (0, 255), mode="average")
            policy = LodPolicy(forced_level=0)
            with view_of(layer, (256, 256), policy=policy) as view:
                view.camera = ortho((EDGE,) * 3, (256, 256), zoom=0.5)
                assert view.wait_until_complete(60)
                pictures.append(view.image().astype(int))
    return int(np.abs(pictures[0] - pictures[1]).max())


def _cellier(setting: Setting, path: Path) -> list[Row]:
    with _damaged(path, "truncate", chunk_files(path)[N // 2 : N // 2 + 1]):
        answer = ask_cellier(setting.peers, "cellier_reads", {"path": str(path)})
        got = load(str(path))
    if answer is None:
        return []
    share = answer["delivered"] / answer["wanted"]
    return [
        Row(
            "E14",
            "share of the good storage chunks delivered, one truncated in the middle",
            got.good / (N - 1),
            limit="1",
            reached=got.good == N - 1,
            peer=CELLIER,
            theirs=share,
            note=f"completion told: ours {got.is_told}, cellier {answer['completed']}",
        )
    ]
