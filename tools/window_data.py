"""Data for the pictures of the window (tools/window_pictures.py)."""

import shutil
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pictures import nuclei

import brickfield as bf
from brickfield.sample import ensure_sample
from brickfield.testing import corrupt
from brickfield.testing.mib import write_hdr, write_mib
from brickfield.testing.zarr_stores import (
    image_attributes,
    write_group,
    write_image,
    write_plate,
)

ROOT = Path(__file__).parent.parent


def folder() -> Path:
    """Where what the pictures need is written."""
    # Messages name it: so a folder that could be anybody's.
    place = Path("/tmp/data")  # noqa: S108
    place.mkdir(exist_ok=True)
    return place


def sample() -> str:
    """Return the sample's place, under the name that the pages use."""
    place = folder() / "organoid.ome.zarr"
    if not place.exists():  # or of a folder that is gone
        place.unlink(missing_ok=True)
        place.symlink_to(ensure_sample(ROOT / ".demo"))
    return str(place)


def small_volume() -> str:
    """Return the place of a volume of two channels that takes no time to write."""
    place = folder() / "small.ome.zarr"
    if not place.exists():
        z, y, x = np.ogrid[-1:1:32j, -1:1:64j, -1:1:64j]
        ball = 2000 * np.exp(-8 * (z**2 + y**2 + x**2))
        shell = 1500 * np.exp(-40 * (np.sqrt(z**2 + y**2 + x**2) - 0.7) ** 2)
        fine = (100 + np.stack([ball, shell])).astype(np.uint16)
        about = image_attributes("czyx", [(1, 2, 1, 1), (1, 4, 2, 2)])
        coarse = fine.reshape(2, 16, 2, 32, 2, 32, 2).mean(axis=(2, 4, 6))
        levels = [fine, coarse.astype(np.uint16)]
        write_image(place, levels, about, chunks=(1, 16, 32, 32))
    return str(place)


def tiles() -> str:
    """Return the place of a scene of three tiles that were taken at different angles."""
    from scipy.ndimage import affine_transform

    place = folder() / "angles.ome.zarr"
    if place.exists():
        return str(place)
    with bf.open_store(ensure_sample(ROOT / ".demo")) as sample:
        whole = sample.read(0)
    shape = np.array((150, 280, 180))
    axes = [{"name": a, "type": "space", "unit": "micrometer"} for a in "zyx"]
    ways = []
    for degrees, middle in ((-20, 0.24), (10, 0.5), (25, 0.78)):
        c, s = np.cos(np.radians(degrees)), np.sin(np.radians(degrees))
        turn = np.array([[1, 0, 0], [0, c, -s], [0, s, c]])
        shift = np.array((0.5, 0.5, middle)) * whole.shape - turn @ (shape / 2)
        voxels = affine_transform(whole, turn, shift, tuple(shape), order=1)
        name = f"angle {degrees}"
        levels = [voxels, voxels[::2, ::2, ::2]]
        datasets = [
            {
                "path": str(n),
                "coordinateTransformations": [
                    {
                        "type": "scale",
                        "scale": [2.0**n] * 3,
                        "input": {"path": str(n)},
                        "output": {"name": "tile"},
                    }
                ],
            }
            for n in range(2)
        ]
        image = {
            "coordinateSystems": [{"name": "tile", "axes": axes}],
            "datasets": datasets,
        }
        about = {"ome": {"version": "0.6", "multiscales": [image]}}
        write_image(place / name, levels, about, chunks=(64, 64, 64), zarr_format=3)
        ways.append(
            {
                "type": "affine",
                "affine": np.column_stack([turn, shift]).tolist(),
                "input": {"path": name, "name": "tile"},
                "output": {"name": "world"},
            }
        )
    scene = {
        "coordinateSystems": [{"name": "world", "axes": axes}],
        "coordinateTransformations": ways,
    }
    write_group(place, {"ome": {"version": "0.6", "scene": scene}}, zarr_format=3)
    return str(place)


def oblique() -> str:
    """Return the place of the sample as oblique planes take it: 40 degrees, step 2."""
    from scipy.ndimage import affine_transform

    from brickfield.transforms import Deskew, Place

    place = folder() / "oblique.ome.zarr"
    if place.exists():
        return str(place)
    with bf.open_store(ensure_sample(ROOT / ".demo")) as sample:
        whole = sample.read(1)
    ways = Deskew(40.0, 2.0).to_world(Place((1, 1, 1)))
    n_planes = int(whole.shape[0] / ways[0, 0])
    back = int(n_planes * ways[1, 0])
    ways[1, 3] = -back
    shape = (n_planes, whole.shape[1] + back, whole.shape[2])
    fine = affine_transform(whole, ways[:3, :3], ways[:3, 3], shape, order=1)
    about = image_attributes("zyx", [(2, 1, 1), (4, 2, 2)])
    for axis in about["multiscales"][0]["axes"]:
        axis["unit"] = "micrometer"
    write_image(place, [fine, fine[::2, ::2, ::2]], about, chunks=(32, 64, 64))
    return str(place)


def damaged() -> str:
    """Return the place of a copy of the sample with damaged chunks of level 0."""
    place = folder() / "damaged.ome.zarr"
    if not place.exists():
        shutil.copytree(ensure_sample(ROOT / ".demo"), place)
        files = [p for p in (place / "0").rglob("*") if p.is_file() and "c" in p.parts]
        corrupt(sorted(files, key=lambda p: p.stat().st_size)[-3:], "truncate")
    return str(place)


def plate() -> str:
    """Return the place of a plate of 96 wells with spots, two of them not stored."""
    place = folder() / "plate.ome.zarr"
    if not place.exists():
        wells = [f"{row}/{column}" for row in "ABCDEFGH" for column in range(1, 13)]
        wells.remove("D/5")
        absent = ("B/3", "C/7")
        write_plate(place, wells, 2, absent=absent)
        rng = np.random.default_rng(0)
        for i, well in enumerate(w for w in wells if w not in absent):
            for field in "01":
                data = spots(rng, 3 + i % 17)
                levels, look = [data, data[::2, ::2]], [[1, 1], [2, 2]]
                shutil.rmtree(place / well / field)
                write_image(place / well / field, levels, image_attributes("yx", look))
    return str(place)


def spots(rng: np.random.Generator, n: int) -> NDArray[np.uint16]:
    """Return a plane with round spots, shape (128, 128)."""
    y, x = np.mgrid[:128, :128]
    plane = rng.normal(100, 10, (128, 128))
    for _ in range(n):
        at, width = rng.uniform(10, 118, 2), rng.uniform(4, 9)
        distance = (y - at[0]) ** 2 + (x - at[1]) ** 2
        plane += 800 * np.exp(-distance / (2 * width**2))
    return plane.clip(0, 65535).astype(np.uint16)


def numbered() -> tuple[NDArray[np.uint16], tuple[float, ...], tuple[float, ...]]:
    """Return the sample's nuclei as labels, with their voxel size and translation."""
    with bf.open_store(sample()) as store:
        level = store.pyramid.levels[1]
        places = store.pyramid.spatial_axes
        size = tuple(level.voxel_size[a] for a in places)
        shift = tuple(level.translation[a] for a in places)
        return nuclei(store.read(1, selection=(0,))), size, shift


def series() -> str:
    """Return the place of a series of cells that wander about."""
    place = folder() / "cells.ome.zarr"
    if not place.exists():
        fine = moving()
        coarse = fine.reshape(len(fine), 16, 2, 48, 2, 48, 2).mean(axis=(2, 4, 6))
        about = image_attributes(
            "tzyx",
            [(30, 1, 0.5, 0.5), (30, 2, 1, 1)],
            translations=[None, (0, 0.5, 0.25, 0.25)],
        )
        (image,) = about["multiscales"]
        image["name"] = "cells"
        for axis in image["axes"]:
            axis["unit"] = "second" if axis["name"] == "t" else "micrometer"
        levels = [fine, coarse.astype(np.uint16)]
        write_image(place, levels, about, chunks=(1, 16, 48, 48))
    return str(place)


def moving(n: int = 24) -> NDArray[np.uint16]:
    """Return cells that wander about, shape (time, z, y, x)."""
    shape = (32, 96, 96)
    z, y, x = np.indices(shape, dtype=np.float32)
    rng = np.random.default_rng(5)
    starts = rng.uniform((6, 14, 14), (26, 82, 82), (14, 3))
    ways = rng.normal(0, (0.15, 0.9, 0.9), (14, 3))
    found = np.full((n, *shape), 90, np.float32)
    for t in range(n):
        for i, (start, way) in enumerate(zip(starts, ways, strict=True)):
            at = start + way * t + 3 * np.sin(t / 5 + i)
            d = (z - at[0]) ** 2 + (y - at[1]) ** 2 + (x - at[2]) ** 2
            found[t] += 1400 * np.exp(-d / (18 + i))
    return found.astype(np.uint16)


def ball(middle: float, radius: float) -> Any:
    """Return vertices, faces and values of a ball."""
    up, across = np.meshgrid(np.linspace(0, np.pi, 30), np.linspace(0, 2 * np.pi, 40))
    unit = [np.cos(up), np.sin(up) * np.cos(across), np.sin(up) * np.sin(across)]
    vertices = middle + radius * np.stack(unit, axis=-1).reshape(-1, 3)
    corner = (np.arange(39)[:, None] * 30 + np.arange(29)).ravel()
    faces = np.concatenate(
        [corner[:, None] + [0, 1, 30], corner[:, None] + [1, 31, 30]]
    )
    return vertices, faces, vertices[:, 0]


def lattice() -> str:
    """Return the place of a scan of 64 x 64 positions over columns of atoms."""
    place = folder() / "lattice.mib"
    if not place.exists():
        rng = np.random.default_rng(0)
        n = 64
        y, x = np.mgrid[:n, :n].astype(float)
        columns = [
            (6 + 13 * row, 6.5 + 13 * column + 6.5 * (row % 2))
            for row in range(5)
            for column in range(5 - row % 2)
        ]
        density = np.zeros((n, n))
        pull = np.zeros((2, n, n))
        for cy, cx in columns:
            bump = np.exp(-((y - cy) ** 2 + (x - cx) ** 2) / 8)
            density += bump
            pull += np.stack([(cy - y) * bump, (cx - x) * bump])
        frames = np.empty((n * n, n, n), np.uint16)
        for i in range(n * n):
            at = divmod(i, n)
            cy, cx = 31.3 + 0.6 * pull[0][at], 31.6 + 0.6 * pull[1][at]
            away = np.hypot(y - cy, x - cx)
            counts = 60.0 * (away <= 9) + 6 * np.exp(-((away / 20) ** 2))
            frames[i] = rng.poisson((0.1 + density[at]) * counts)
        # What a real chip has: one pixel that is dead, and one that always counts.
        frames[:, 30, 29], frames[:, 10, 50] = 0, 60
        write_hdr(place.with_suffix(".hdr"), ScanX=n, ScanY=n)
        write_mib(place, frames)
    return str(place)
