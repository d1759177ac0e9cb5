"""S2: saving and loading a session of 20 layers, and embedding beside a stream.

Twenty images of three levels lie on disk, their pyramids are open. Loading reads the
session, resolves every source and opens it. Embedding one image is measured turn by
turn with streaming the same voxels, each with its levels.
"""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

from benchmarks.rows import Row, Setting, at_least, at_most
from benchmarks.streaming import frames_of
from brickfield.scene import SceneSource
from brickfield.sessions import SessionContents, SessionManager, scene_of
from brickfield.sources import ChunkSource, open_source
from brickfield.streaming import StreamWriter

N_LAYERS = 20
CHUNKS = (64, 64, 64)


def sessions(setting: Setting) -> list[Row]:
    """S2."""
    return _twenty(setting) + _embedding(setting)


def image(path: Path, data: np.ndarray, levels: int | None = None) -> Path:
    """Write an image; return its folder."""
    with StreamWriter(
        path, data.shape, "zyx", chunks=CHUNKS, compressor="zstd", levels=levels
    ) as writer:
        for frame in data:
            writer.append(frame)
    return path


def contents_of(sources: list[ChunkSource]) -> SessionContents:
    """Return what a session saves of open images."""
    scene = scene_of([(source.info.uri, source) for source in sources])
    return SessionContents(scene, dict(enumerate(sources)))


def median_ms(act: Callable[[int], object], repeats: int) -> float:
    """Return how long something takes, in the middle of some turns."""
    took = []
    for i in range(repeats):
        start = time.perf_counter()
        act(i)
        took.append(1e3 * (time.perf_counter() - start))
    return float(np.median(took))


def _twenty(setting: Setting) -> list[Row]:
    data = frames_of(16, 256)
    places = [
        image(setting.folder / f"{i}.ome.zarr", data, levels=3) for i in range(N_LAYERS)
    ]
    sources = [open_source(place) for place in places]
    contents, manager = contents_of(sources), SessionManager(setting.folder)
    repeats = 15 if setting.is_full else 7

    def save(i: int) -> None:
        manager.save_session(contents, f"s{i}", mode="reference")

    def load(i: int) -> None:
        state = manager.scene(setting.folder / f"s{i}.ome.zarr")
        for layer in state.layers:
            if isinstance(layer.source, SceneSource):
                open_source(layer.source.uri).close()

    rows = []
    for what, act in (("saved", save), ("loaded", load)):
        took = median_ms(act, repeats)
        name = f"session of {N_LAYERS} layers by reference, {what}"
        rows.append(at_most("S2", name, took, 150, unit="ms", repeats=repeats))
    for source in sources:
        source.close()
    return rows


def _embedding(setting: Setting) -> list[Row]:
    data = frames_of(128 if setting.is_full else 64, 512)
    source = open_source(image(setting.folder / "embedded.ome.zarr", data))
    contents, manager = contents_of([source]), SessionManager(setting.folder)
    ratios, rate = [], 0.0
    for i in range(5):
        streamed = median_ms(
            lambda i: image(setting.folder / f"stream{i}.ome.zarr", data), 1
        )
        embedded = median_ms(
            lambda i: manager.save_session(contents, f"e{i}", mode="embed"), 1
        )
        ratios.append(streamed / embedded)
        rate = data.nbytes / 1e3 / embedded
        for name in ("stream0.ome.zarr", "e0.ome.zarr"):
            shutil.rmtree(setting.folder / name)
    source.close()
    row = at_least(
        "S2",
        "embedding: rate beside streaming the same voxels",
        float(np.median(ratios)),
        0.7,
        unit="x",
        repeats=5,
        note=f"{rate:.0f} MB/s; {min(ratios):.2f} to {max(ratios):.2f}",
    )
    return [row]
