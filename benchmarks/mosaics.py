"""M1: a mosaic of a thousand tiles, as large as a light-sheet microscope makes them.

Tiles of 2048 × 2048 × 1024 voxels lie beside one another, turned a little, with a tenth
of overlap; their voxels are computed when they are read, so 8 TB need no disk.
"""

from __future__ import annotations

from copy import copy
from dataclasses import replace
from functools import partial
from pathlib import Path
from time import perf_counter, process_time, thread_time

import numpy as np

from benchmarks.clock import median, p99
from benchmarks.peers import ask
from benchmarks.rows import Row, Setting, at_least, at_most, exactly
from benchmarks.scenes import MIB, Array, layer_of, own_cache, view_of
from brickfield.model import AffineTransform, CameraState, Int3
from brickfield.planning import EXPLORATION, PlanRequest, plan_frame
from brickfield.pyramid import write_pyramid
from brickfield.rendering import OffscreenView
from brickfield.sample import VirtualImage, VirtualSource
from brickfield.sources import from_arrays, open_source
from brickfield.sources.mosaic import MosaicOptions, MosaicSource, Tile, TilePlace
from brickfield.store import MosaicStore
from brickfield.testing.zarr_stores import write_array

SHAPE: Int3 = (1024, 2048, 2048)
SIZE = (640, 480)
FUSED: Int3 = (128, 160, 160)
CHUNK = 64


def mosaics(setting: Setting) -> list[Row]:
    """M1."""
    rows = [*_first_picture(1000), *_plans(1000), *_moves(1000), *_steps(1000)]
    rows += _frames()
    return rows + _fusing(setting)


def tiles_of(n: int, shape: Int3 = SHAPE) -> list[Tile]:
    """Return tiles in rows, each turned by about a degree.

    Parameters
    ----------
    n : int
    shape : tuple of int
        Voxels (z, y, x) of each.
    """
    rng = np.random.default_rng(0)
    template = VirtualSource(VirtualImage(shape, dtype="u2", is_hollow=False))
    columns = int(np.ceil(np.sqrt(n)))
    tiles = []
    for i in range(n):
        row, column = divmod(i, columns)
        matrix = np.eye(4)
        c, s = (float(f(rng.normal(0, 0.02))) for f in (np.cos, np.sin))
        matrix[1:3, 1:3] = [[c, -s], [s, c]]
        matrix[1:3, 3] = 0.9 * row * shape[1], 0.9 * column * shape[2]
        place = TilePlace(f"tile {i}", AffineTransform.from_matrix(matrix), shape)
        tiles.append(Tile(place, partial(copy, template)))
    return tiles


def mosaic_of(n: int) -> MosaicSource:
    """Return a mosaic with room to move its tiles."""
    return MosaicSource(tiles_of(n), MosaicOptions(margin=0.1))


def overview(
    source: MosaicSource, angle: float = 0.0, zoom: float = 1.1
) -> CameraState:
    """Look at all of a mosaic."""
    low, high = source.extent
    middle = (low + high) / 2
    direction = np.array([np.cos(angle), 0.3 * np.sin(angle), np.sin(angle)])
    position = middle - direction * 2 * (high - low).max()
    height = float((high - low)[1:].max()) * zoom
    camera = CameraState(
        _vec(position), _vec(middle), (0, -1, 0), SIZE, orthographic=True, height=height
    )
    corners = np.stack(np.meshgrid(*zip(low, high, strict=True)), -1).reshape(-1, 3)
    return camera.with_depth_range(corners)


def _first_picture(n: int) -> list[Row]:
    firsts, cpu, full = [], [], []
    for _ in range(3):
        source = mosaic_of(n)
        layer = layer_of(own_cache(source, 512 * MIB))
        with view_of(layer, SIZE, gpu_budget=512 * MIB) as view:
            _warm(view)
            start, began = perf_counter(), process_time()
            view.set_layers([layer])
            view.camera = overview(source)
            found: list[tuple[float, float]] = []

            def on_base() -> None:
                found.append((perf_counter() - start, process_time() - began))  # noqa: B023 - called below
                view.image()

            assert view.wait_until_complete(120, on_base=on_base)
            firsts.append(found[0][0])
            cpu.append(found[0][1])
            full.append(perf_counter() - start)
    note = (
        f"{n} tiles of 2048 × 2048 × 1024 u16, computed; ready to draw everywhere after"
        f" {median(cpu):.2f} s of CPU, all refined after {median(full):.1f} s"
    )
    what = f"mosaic of {n} tiles: first whole picture, without drawing"
    return [at_most("M1", what, median(firsts), 1, unit="s", repeats=3, note=note)]


def _warm(view: OffscreenView) -> None:
    other = mosaic_of(2)
    layer = layer_of(own_cache(other))
    view.set_layers([layer])
    view.camera = overview(other)
    view.wait_until_complete(60)
    view.image()
    layer.store.close()


def _plans(n: int) -> list[Row]:
    source = mosaic_of(n)
    store = own_cache(source)
    pyramid, times, plan = source.info.pyramid, [], None
    for i in range(43):
        camera = overview(source, 0.02 * i, 1.1 if i % 2 else 0.3)
        request = PlanRequest(
            pyramid,
            AffineTransform(),
            camera,
            (66**3 * 2,) * pyramid.n_levels,
            policy=EXPLORATION,
            occupancy=store.occupancy,
            previous=plan,
        )
        began = thread_time()
        plan = plan_frame(request, 512 * MIB)
        times.append(1e3 * (thread_time() - began))
    store.close()
    times = times[3:]
    what = f"mosaic of {n} tiles: plan per camera change, CPU"
    note = f"p99 {p99(times):.1f} ms"
    return [at_most("M1", what, median(times), 10, unit="ms", repeats=40, note=note)]


def _moves(n: int) -> list[Row]:
    """Move a tile; count what is read of the tiles and how long its overview takes."""
    source = mosaic_of(n)
    last = source.info.pyramid.n_levels - 1
    source.read_storage_chunk(last, (0, 0, 0))
    tile = source.tiles[n // 2]
    times, read = [], 0
    for i in range(1, 6):
        matrix = tile.place.matrix.matrix
        matrix[2, 3] += 10.0 * i
        start = perf_counter()
        source.move(tile.name, AffineTransform.from_matrix(matrix))
        read += source.read_storage_chunk(last, (0, 0, 0)).stored_bytes
        times.append(1e3 * (perf_counter() - start))
    source.close()
    what = f"mosaic of {n} tiles: bytes read for a moved tile"
    note = f"its overview is made anew in {median(times):.0f} ms"
    return [exactly("M1", what, read, 0, unit="bytes", repeats=5, note=note)]


def _steps(n: int) -> list[Row]:
    """Move a tile that fills a third of the picture, step by step as a hand does."""
    store = MosaicStore(mosaic_of(n))
    place = store.places[n // 2 + int(n**0.5) // 2]
    low, high = np.array(place.box())
    times = []
    with view_of(layer_of(store), SIZE) as view:
        camera = overview(store.source)
        middle, height = (low + high) / 2, 2.5 * float((high - low).max())
        position = _vec(middle - [2 * height, 0, 0])
        view.camera = replace(
            camera, target=_vec(middle), position=position, height=height
        )
        assert view.wait_until_complete(120)
        view.image()
        store.begin_move(place.name)
        matrix = place.matrix.matrix
        for _ in range(21):
            matrix[2, 3] += 20.0
            start = perf_counter()
            store.move(place.name, matrix)
            assert view.wait_until_complete(60)
            times.append(1e3 * (perf_counter() - start))
            view.image()
        store.end_move()
    # The first step reads a level of the tile that no picture needed before.
    first, rest = times[0], times[1:]
    what = f"mosaic of {n} tiles: step of a moved tile, without drawing"
    note = f"slowest tenth {np.percentile(rest, 90):.0f} ms, first {first:.0f} ms"
    return [at_most("M1", what, median(rest), 33, unit="ms", repeats=20, note=note)]


def _frames() -> list[Row]:
    """Draw eight tiles of a tenth of overlap, and what they give as one image, in turns."""
    rows = []
    for kind, angle in (("shifted", 0.0), ("turned", 0.03)):
        source = _block_of_tiles(angle)
        layer = layer_of(own_cache(source, 512 * MIB))
        levels = [layer.store.read(i) for i in range(source.info.pyramid.n_levels)]
        other = layer_of(own_cache(from_arrays(levels), 512 * MIB))
        # The image begins at 0 where the mosaic begins at its first tile.
        back = np.array(source.info.pyramid.levels[0].translation)
        times: list[list[float]] = [[], []]
        apart = 0
        with view_of(layer, SIZE) as ours, view_of(other, SIZE) as one:
            for i in range(19):
                camera = overview(source, 0.3 + 0.05 * (i % 6), 0.9)
                moved = replace(
                    camera,
                    position=_vec(np.array(camera.position) - back),
                    target=_vec(np.array(camera.target) - back),
                )
                pictures = []
                for view, where, took in zip(
                    (ours, one), (camera, moved), times, strict=True
                ):
                    view.camera = where
                    assert view.wait_until_complete(60)
                    start = perf_counter()
                    pictures.append(view.image().astype(int))
                    took.append(perf_counter() - start)
                apart = max(apart, int(np.abs(pictures[0] - pictures[1]).max()))
        ratio = median(times[0][1:]) / median(times[1][1:])
        what = f"frame of eight {kind} tiles ÷ the same voxels as one image"
        note = f"a tenth of overlap; pictures differ by {apart}"
        rows.append(at_most("M1", what, ratio, 1.3, repeats=18, note=note))
    return rows


def _block_of_tiles(angle: float) -> MosaicSource:
    z, y, x = np.indices((150,) * 3)
    voxels = (1000 + 800 * np.sin(x / 9) * np.sin(y / 7) * np.sin(z / 8)).astype("u2")
    tiles = []
    for i in range(8):
        matrix = np.eye(4)
        c, s = np.cos(angle * i), np.sin(angle * i)
        matrix[1:3, 1:3] = [[c, -s], [s, c]]
        matrix[:3, 3] = np.multiply((i // 4, i // 2 % 2, i % 2), 0.9 * 150)
        place = TilePlace(
            f"tile {i}", AffineTransform.from_matrix(matrix), voxels.shape
        )
        tiles.append(Tile(place, partial(from_arrays, voxels)))
    return MosaicSource(tiles)


def _fusing(setting: Setting) -> list[Row]:
    """Fuse four tiles of a tenth of overlap from and to disk, in turns with a peer."""
    rng = np.random.default_rng(0)
    paths = []
    for i in range(4):
        path = setting.folder / f"tile-{i}"
        voxels = rng.integers(100, 1000, FUSED).astype("u2")
        write_array(path, voxels, chunks=(CHUNK,) * 3)
        paths.append(str(path))
    rows = []
    for kind, angle in (("shifted", 0.0), ("turned", 0.05)):
        matrices = [_place(i, angle * i) for i in range(4)]
        ours = [_fused(paths, matrices, setting.folder / f"{kind}-0.zarr")]
        question = {
            "tiles": paths,
            "matrices": [m.tolist() for m in matrices],
            "target": str(setting.folder / f"theirs-{kind}"),
            "chunk": CHUNK,
            "repeats": 3,
        }
        answer = ask(setting.peers, "mvs_fuse", question)
        ours += [
            _fused(paths, matrices, setting.folder / f"{kind}-{n}.zarr") for n in (1, 2)
        ]
        if answer is None:
            continue
        ratio = answer["seconds"] / median(ours)
        what = f"fusing four {kind} tiles ÷ multiview-stitcher, times as fast"
        note = f"feathered, linear, uint16, two threads; {median(ours):.1f} s"
        peer = "multiview-stitcher"
        rows.append(at_least("M1", what, ratio, 2, peer=peer, repeats=3, note=note))
    return rows


def _place(i: int, angle: float) -> Array:
    matrix = np.eye(4)
    c, s = np.cos(angle), np.sin(angle)
    matrix[1:3, 1:3] = [[c, -s], [s, c]]
    matrix[1:3, 3] = 140.3 * (i // 2), 140.3 * (i % 2)
    return matrix


def _fused(paths: list[str], matrices: list[Array], target: Path) -> float:
    start = perf_counter()
    tiles = [
        Tile(
            TilePlace(f"t{i}", AffineTransform.from_matrix(matrix), FUSED),
            partial(open_source, path),
        )
        for i, (path, matrix) in enumerate(zip(paths, matrices, strict=True))
    ]
    source = MosaicSource(tiles, MosaicOptions(overlap="feather"))
    write_pyramid(source, target, workers=2, levels=1)
    source.close()
    return perf_counter() - start


def _vec(values: Array) -> tuple[float, float, float]:
    z, y, x = (float(v) for v in values)
    return z, y, x
