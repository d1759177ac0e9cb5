"""The sample as an OME-Zarr 0.5 pyramid on disk, made once.

A folder that has the sample's name holds the whole sample: it is written under
another name first. The first step halves y and x alone, which makes the voxels
cubes, and the others halve everything, so that factors differ between levels and
axes as in many real images.
"""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from brickfield.errors import OptionError
from brickfield.sample.tissue import Grid, tissue

NAME = "sample-1.ome.zarr"
"""With a number that changes when the sample does."""
GRID = Grid((192, 384, 384), (0.5, 0.25, 0.25))
STEPS = ((1, 2, 2), (2, 2, 2), (2, 2, 2))
CHUNK = 64
_CHANNELS = (("nuclei", "56B4E9", 3000.0), ("vessels", "E69F00", 2600.0))


def ensure_sample(folder: Path) -> Path:
    """Return the sample in a folder, writing it if it is not there.

    Parameters
    ----------
    folder : Path
        Made if it does not exist.

    Returns
    -------
    Path
        The OME-Zarr group.

    Raises
    ------
    OptionError
        When the folder cannot be written.
    """
    target = folder / NAME
    if target.is_dir():
        return target
    unfinished = folder / f".{NAME}.{os.getpid()}"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        shutil.rmtree(unfinished, ignore_errors=True)
        write_sample(unfinished)
        unfinished.rename(target)
    except OSError as error:
        msg = f"expected to write the sample into {folder}; the system says: {error}"
        raise OptionError(msg) from error
    finally:
        shutil.rmtree(unfinished, ignore_errors=True)
    return target


def write_sample(path: Path, grid: Grid = GRID) -> None:
    """Compute the sample and write it as a pyramid of means.

    Parameters
    ----------
    path : Path
        New folder.
    grid : Grid
        Divisible by all steps.
    """
    import zarr

    level = tissue(grid)
    group = zarr.open_group(str(path), mode="w", zarr_format=3)
    factors = [(1, 1, 1)]
    _write_level(group, "0", level)
    for number, step in enumerate(STEPS, start=1):
        level = mean_level(level, step)
        z, y, x = (f * s for f, s in zip(factors[-1], step, strict=True))
        factors.append((z, y, x))
        _write_level(group, str(number), level)
    group.attrs["ome"] = _metadata(grid, factors)


def mean_level(
    data: NDArray[np.uint16], step: tuple[int, int, int]
) -> NDArray[np.uint16]:
    """Average blocks of voxels, rounded.

    Parameters
    ----------
    data : ndarray, shape (c, z, y, x), uint16
        Divisible by `step`.
    step : tuple of int
        Block (z, y, x).
    """
    c, z, y, x = data.shape
    fz, fy, fx = step
    total = np.zeros((c, z // fz, y // fy, x // fx), np.uint32)
    for k in range(fz):
        for j in range(fy):
            for i in range(fx):
                total += data[:, k::fz, j::fy, i::fx]
    n = fz * fy * fx
    return ((total + n // 2) // n).astype(np.uint16)


def _write_level(group: Any, name: str, data: NDArray[np.uint16]) -> None:
    array = group.create_array(
        name,
        shape=data.shape,
        dtype=data.dtype,
        chunks=(1, *(min(CHUNK, n) for n in data.shape[1:])),
        dimension_names=("c", "z", "y", "x"),
    )
    array[...] = data


def _metadata(grid: Grid, factors: list[tuple[int, int, int]]) -> dict[str, Any]:
    def transforms(factor: tuple[int, int, int]) -> list[dict[str, Any]]:
        # A block's mean lies in the middle of the block, not at its first voxel.
        scale = [s * f for s, f in zip(grid.voxel_size, factor, strict=True)]
        shift = [s * (f - 1) / 2 for s, f in zip(grid.voxel_size, factor, strict=True)]
        return [
            {"type": "scale", "scale": [1.0, *scale]},
            {"type": "translation", "translation": [0.0, *shift]},
        ]

    space = [{"name": a, "type": "space", "unit": "micrometer"} for a in "zyx"]
    return {
        "version": "0.5",
        "multiscales": [
            {
                "name": "sample",
                "type": "mean",
                "axes": [{"name": "c", "type": "channel"}, *space],
                "datasets": [
                    {"path": str(number), "coordinateTransformations": transforms(f)}
                    for number, f in enumerate(factors)
                ],
            }
        ],
        "omero": {
            "channels": [
                {
                    "label": label,
                    "color": color,
                    "active": True,
                    "window": {"min": 0, "max": 65535, "start": 150, "end": end},
                }
                for label, color, end in _CHANNELS
            ]
        },
    }
