"""E1 and E2: bytes and decoding, against the least possible."""

from __future__ import annotations

from itertools import product
from pathlib import Path

import numpy as np
import tensorstore as ts

from benchmarks.clock import cpu_ms, median
from benchmarks.cold import in_napari
from benchmarks.peers import CELLIER, ask_cellier
from benchmarks.rows import Row, Setting, at_most, exactly
from benchmarks.scenes import (
    MIB,
    Array,
    chunk_bytes,
    halved,
    layer_of,
    light_sheet,
    orbit,
    own_cache,
    view_of,
    write_pyramid,
)
from brickfield.loading import default_cache
from brickfield.model import pack_keys
from brickfield.model.requests import Category, ChunkedDataRequest
from brickfield.sources import open_source, with_coarse_level
from brickfield.store import ChunkedImageStore, open_store
from brickfield.testing import MemorySource
from brickfield.viewer.export import render

REPEATS = 5


def stored_bytes(setting: Setting) -> list[Row]:
    """E1."""
    rows = []
    data = light_sheet(256)
    for chunk in (32, 64, 128):
        path = write_pyramid(setting.folder / f"chunk-{chunk}.zarr", [data], chunk)
        first, second = visits(path)
        theirs = ask_cellier(setting.peers, "cellier_reads", {"path": str(path)})
        rows.append(
            at_most(
                "E1",
                f"stored bytes read ÷ least possible, cold, {chunk}³ storage chunks",
                first,
                1.02,
                peer="" if theirs is None else CELLIER,
                theirs=None if theirs is None else theirs["bytes"] / chunk_bytes(path),
            )
        )
        rows.append(
            exactly(
                "E1",
                f"bytes read on the second visit, {chunk}³ storage chunks",
                second,
                0,
                unit="B",
            )
        )
    first, _ = visits(setting.folder / "chunk-64.zarr", contrast=None)
    what = "stored bytes read ÷ least possible, cold, 1 level, contrast from the data"
    note = "the default of a user; the rows above name the contrast"
    rows.append(at_most("E1", what, first, 1.02, note=note))
    what = (
        "reads of a storage chunk, 1 level, contrast from the data, RAM of half of it"
    )
    note = (
        "what is read of the level for contrast and overview is handed to the picture's"
        " chunks on the way"
    )
    rows.append(at_most("E1", what, reads_of_one_level(data), 1.02, note=note))
    rows.append(reads_in_dock(setting.folder / "chunk-64.zarr", data))
    path = setting.folder / "pyramid.zarr"
    write_pyramid(path, [data, halved(data), halved(halved(data))], 64)
    first, _ = visits(path, contrast=None)
    what = "stored bytes read ÷ least possible, cold, 3 levels, contrast from the data"
    note = "all bytes that tensorstore read, also those for the contrast"
    rows.append(at_most("E1", what, first, 1.02, note=note))
    return rows


def reads_in_dock(path: Path, data: Array) -> Row:
    """Open data without coarse levels in napari's dock with half of the RAM."""
    what = (
        "stored bytes read ÷ least possible, 1 level, in napari's dock, RAM of half of"
        " it"
    )
    found = in_napari("read", str(path), BRICKFIELD_RAM=str(data.nbytes // 2))
    if not found:
        note = "needs a screen: tools/screen.sh python -m benchmarks --only E1"
        return Row("E1", what, None, note=note)
    note = "contrast, napari's canvas, its thumbnail and the dock's view together"
    return at_most("E1", what, found["bytes_read"] / chunk_bytes(path), 1.1, note=note)


def reads_of_one_level(data: Array) -> float:
    """Draw data without coarse levels with half of the RAM; return reads a chunk."""
    source = MemorySource([data], (64,) * 3)
    with own_cache(with_coarse_level(source), data.nbytes // 2) as store:
        size = (data.shape[2], data.shape[1])
        assert render(store, size=size, camera="ortho:z").receipt.complete
    return sum(source.reads.values()) / len(source.reads)


def small_cache(setting: Setting) -> list[Row]:
    """E1b."""
    rows = []
    edge = 512 if setting.is_full else 256
    for storage in (64, 128, 256)[: 3 if setting.is_full else 2]:
        worst = max(reads_a_chunk(edge, storage, share) for share in (2, 4, 8))
        rows.append(
            at_most(
                "E1b",
                "reads of a storage chunk, RAM budget of 1/2, 1/4, 1/8 of the view,"
                f" {storage}³ storage chunks, worst",
                worst,
                1.10,
                note=f"{edge}³ uint8, one level, loaded by a view from the middle out",
            )
        )
    return rows


def reads_a_chunk(edge: int, storage: int, share: int) -> float:
    """Load a view whose voxels are several times the RAM budget.

    Parameters
    ----------
    edge : int
        Voxels of the volume along an axis.
    storage : int
        Voxels of a storage chunk along an axis.
    share : int
        The RAM budget is this part of the volume's bytes.

    Returns
    -------
    float
        Reads of a storage chunk, mean; 1 when each is read once.
    """
    source = MemorySource([np.ones((edge,) * 3, np.uint8)], (storage,) * 3)
    store = own_cache(source, edge**3 // share)
    with view_of(layer_of(store), (320, 240)) as view:
        view.camera = orbit((edge,) * 3, (320, 240), distance=0.7)
        while not view.wait_until_complete(10):
            pass
    store.close()
    return sum(source.reads.values()) / len(source.reads)


def visits(
    path: Path, contrast: tuple[float, float] | None = (0, 4000)
) -> tuple[float, float]:
    """Draw a picture twice; return bytes over the least, and bytes of the second.

    Bytes are the larger of the receipt's and of what tensorstore says it read.
    """
    default_cache().clear()
    found = []
    with open_store(path) as store:
        for _ in range(2):
            before = _file_bytes()
            n = store.pyramid.levels[0].shape_zyx
            receipt = render(
                store, size=(n[2], n[1]), camera="ortho:z", contrast=contrast
            ).receipt
            assert receipt.complete
            found.append(max(receipt.bytes_read, _file_bytes() - before))
    # The budget holds all of level 0 here, so no other level is needed.
    return found[0] / chunk_bytes(path / "0"), float(found[1])


def _file_bytes() -> int:
    found = ts.experimental_collect_matching_metrics("/tensorstore/kvstore/")
    named = [m for m in found if m["name"].endswith("file/bytes_read")]
    return sum(v["value"] for m in named for v in m["values"])


def decode_work(setting: Setting) -> list[Row]:
    """E2."""
    rows = []
    cases = {
        "256³": ((256, 512, 512), (256, 256, 256), np.uint16),
        "1 x 2048 x 2048": ((64, 2048, 2048), (1, 2048, 2048), np.uint8),
    }
    for name, (shape, chunk, dtype) in cases.items():
        path = write_pyramid(setting.folder / "a.zarr", [noise(shape, dtype)], chunk)
        n_chunks, n_decoded, _ = load_all(path)
        wanted = int(np.prod([-(-n // c) for n, c in zip(shape, chunk, strict=True)]))
        what = f"storage chunks of {name}"
        rows.append(exactly("E2", f"{what}: decoded ÷ needed", n_decoded / wanted, 1.0))
        ours, bare = [], []
        for i in range(REPEATS + 1):
            took = cpu_ms(lambda p=path: load_all(p), 1)
            least = cpu_ms(lambda p=path: decode_once(p), 1)
            # The first of each meets memory that no program had before, which a
            # virtual machine gives slowly.
            if i:
                ours += took
                bare += least
        rows.append(
            at_most(
                "E2",
                f"{what}: CPU of loading a 64³ chunk ÷ decode once and cut",
                median(ours) / median(bare),
                1.15,
                repeats=REPEATS,
                note=f"ours {median(ours) / n_chunks:.2f} ms a chunk, bare"
                f" {median(bare) / n_chunks:.2f} ms; ours also finds each chunk's range",
            )
        )
    return rows


def noise(shape: tuple[int, ...], dtype: type) -> Array:
    """Return data that zstd has to work for, as for images."""
    return np.random.default_rng(0).integers(100, 124, shape, dtype)


def load_all(path: Path) -> tuple[int, int, ChunkedImageStore]:
    """Load every chunk of level 0 without a picture; return chunks and decodings."""
    store = own_cache(open_source(path), 1024 * MIB)
    level = store.pyramid.levels[0]
    grid = np.indices(level.grid_zyx).reshape(3, -1).T
    keys = pack_keys(0, grid)
    n = len(keys)
    request = ChunkedDataRequest(
        "bench",
        (),
        keys,
        np.arange(n, dtype=np.float32),
        np.full(n, Category.VISIBLE, np.uint8),
    )
    manager = store.manager
    manager.request_chunks(request, "bench")
    taken = 0
    while taken < n:
        manager.wait("bench", 60)
        taken += len(manager.take_ready("bench"))
    n_decoded = manager.counters.decoded_chunks
    store.close()
    return n, n_decoded, store


def decode_once(path: Path) -> None:
    """Read each storage chunk once and cut it into chunks of 64³, and no more."""
    spec = {"driver": "zarr3", "kvstore": f"file://{path}/0/"}
    array = ts.open(spec, recheck_cached_data=False).result()
    grid = [n // 64 for n in array.shape]
    chunks = np.empty((*grid, 64, 64, 64), array.dtype.numpy_dtype)
    rows = chunks.transpose(0, 3, 1, 4, 2, 5)
    storage = array.chunk_layout.read_chunk.shape
    steps = [range(0, n, c) for n, c in zip(array.shape, storage, strict=True)]
    for z, y, x in product(*steps):
        d, h, w = storage
        data = array[z : z + d, y : y + h, x : x + w].read().result()
        split = data.reshape(-1, min(d, 64), h // 64, 64, w // 64, 64)
        z1, y1, x1 = z // 64, y // 64, x // 64
        z2, y2, x2 = z1 + len(split), y1 + h // 64, x1 + w // 64
        rows[z1:z2, z % 64 : z % 64 + min(d, 64), y1:y2, :, x1:x2] = split
