"""Data, cameras and views that several measurements share."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from brickfield.loading import ChunkCache
from brickfield.model import CameraState, Vec3
from brickfield.model.appearance import Appearance, ChannelAppearance
from brickfield.planning import EXPLORATION, LodPolicy
from brickfield.rendering import OffscreenView
from brickfield.sample import VirtualImage, VirtualSource
from brickfield.sources import ChunkSource
from brickfield.store import ChunkedImageStore, ChunkedLayer

Array = NDArray[Any]
MIB = 1 << 20


def light_sheet(edge: int, seed: int = 0) -> NDArray[np.uint16]:
    """Return noisy blobs, shape (edge,) * 3: compresses to about a half."""
    rng = np.random.default_rng(seed)
    axis = np.linspace(-1, 1, edge, dtype=np.float32)
    z, y, x = np.ix_(axis, axis, axis)
    data = np.full((edge,) * 3, 120, np.float32)
    for centre in rng.uniform(-0.7, 0.7, (12, 3)):
        distance = (z - centre[0]) ** 2 + (y - centre[1]) ** 2 + (x - centre[2]) ** 2
        data += 3000 * np.exp(-distance * 60)
    data += rng.standard_normal(data.shape, dtype=np.float32) * 8
    return data.astype(np.uint16)


def halved(data: Array) -> Array:
    """Return the means of blocks of 2³, in the same type."""
    z, y, x = (n // 2 for n in data.shape)
    blocks = data[: 2 * z, : 2 * y, : 2 * x].reshape(z, 2, y, 2, x, 2)
    return blocks.mean(axis=(1, 3, 5)).astype(data.dtype)


def write_pyramid(
    folder: Path, levels: Sequence[Array], chunk: int | tuple[int, ...]
) -> Path:
    """Write an OME-Zarr 0.5 image (zstd) and return its path."""
    import zarr

    group = zarr.open_group(str(folder), mode="w", zarr_format=3)
    datasets = []
    for i, data in enumerate(levels):
        chunks = (chunk,) * 3 if isinstance(chunk, int) else chunk
        chunks = tuple(min(c, n) for c, n in zip(chunks, data.shape, strict=True))
        stored = group.create_array(
            str(i),
            shape=data.shape,
            chunks=chunks,
            dtype=data.dtype,
            dimension_names=("z", "y", "x"),
        )
        stored[...] = data
        factor = [a / b for a, b in zip(levels[0].shape, data.shape, strict=True)]
        transforms = [
            {"type": "scale", "scale": factor},
            {"type": "translation", "translation": [(f - 1) / 2 for f in factor]},
        ]
        datasets.append({"path": str(i), "coordinateTransformations": transforms})
    axes = [{"name": a, "type": "space", "unit": "micrometer"} for a in "zyx"]
    multiscale = {"axes": axes, "datasets": datasets, "name": "bench"}
    group.attrs["ome"] = {"version": "0.5", "multiscales": [multiscale]}
    return folder


def chunk_bytes(folder: Path) -> int:
    """Return the bytes of all chunk files under a folder."""
    files = [f for f in folder.rglob("*") if f.is_file() and f.name != "zarr.json"]
    return sum(f.stat().st_size for f in files)


def virtual_store(
    image: VirtualImage, *, ram_budget: int = 256 * MIB, **options: Any
) -> ChunkedImageStore:
    """Open a computed image with a cache of its own."""
    return own_cache(VirtualSource(image, **options), ram_budget)


def own_cache(source: ChunkSource, ram_budget: int = 256 * MIB) -> ChunkedImageStore:
    """Open a source with a cache of its own, so that nothing is warm."""
    return ChunkedImageStore(source, cache=ChunkCache(ram_budget))


def layer_of(
    store: ChunkedImageStore,
    contrast: tuple[float, float] = (0, 250),
    *,
    n_channels: int = 1,
    **look: Any,
) -> ChunkedLayer:
    """Make a layer of the first channels, without reading anything."""
    channels = (ChannelAppearance(contrast=contrast),) * n_channels
    return ChunkedLayer(store, Appearance(channels=channels, **look))


@contextmanager
def view_of(
    layer: ChunkedLayer,
    size: tuple[int, int] = (320, 240),
    *,
    gpu_budget: int = 256 * MIB,
    policy: LodPolicy = EXPLORATION,
) -> Iterator[OffscreenView]:
    """Show a layer in a view that is closed afterwards, with its store."""
    view = OffscreenView(size, gpu_budget=gpu_budget, policy=policy)
    try:
        view.set_layers([layer])
        yield view
    finally:
        view.close()
        layer.store.close()


def orbit(
    shape: Sequence[int],
    size: tuple[int, int],
    *,
    distance: float,
    angle: float = 0.5,
    fov: float = 50.0,
) -> CameraState:
    """Look at the middle of a box from `distance` of its longest edge."""
    extent = np.array(shape, dtype=float)
    middle = extent / 2
    direction = np.array([np.sin(angle), 0.3, np.cos(angle)])
    direction /= np.linalg.norm(direction)
    position = middle - direction * distance * extent.max()
    return CameraState(vec(position), vec(middle), (0, -1, 0), size, fov=fov)


def ortho(
    shape: Sequence[int], size: tuple[int, int], zoom: float = 1.0
) -> CameraState:
    """Look along z at the middle, one pixel a voxel at zoom 1."""
    middle = (np.array(shape, dtype=float) - 1) / 2
    position = middle - np.array([shape[0] + 10.0, 0, 0])
    return CameraState(
        vec(position),
        vec(middle),
        (0, -1, 0),
        size,
        orthographic=True,
        height=size[1] / zoom,
    )


def vec(values: Array) -> Vec3:
    z, y, x = (float(v) for v in values)
    return z, y, x


def corners(shape: Sequence[int]) -> NDArray[np.float64]:
    """Return the corners of a box of voxels, shape (8, 3)."""
    return np.array(list(product(*((-0.5, n - 0.5) for n in shape))))
