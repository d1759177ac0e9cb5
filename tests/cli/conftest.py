"""The command, run as a user runs it, without a new interpreter each time."""

from __future__ import annotations

import sys
from dataclasses import dataclass

import numpy as np
import pytest
import zarr

from brickfield.cli.main import run


@dataclass
class Ended:
    """How a command ended."""

    status: int
    out: str
    err: str


@pytest.fixture
def command(monkeypatch, capsys):
    """Run ``brickfield ARGS…`` and return how it ended."""

    def call(*args) -> Ended:
        monkeypatch.setattr(sys, "argv", ["brickfield", *map(str, args)])
        with pytest.raises(SystemExit) as leaving:
            run()
        printed = capsys.readouterr()
        return Ended(int(leaving.value.code or 0), printed.out, printed.err)

    return call


def write_ome_zarr(path, levels, *, voxel_size=(1.0, 1.0, 1.0), chunk=16, omero=None):
    """Write OME-Zarr 0.5 from arrays (z, y, x) that are halved from level to level."""
    group = zarr.open_group(str(path), mode="w", zarr_format=3)
    datasets = []
    for number, data in enumerate(levels):
        array = group.create_array(
            str(number), shape=data.shape, dtype=data.dtype, chunks=(chunk,) * 3
        )
        array[...] = data
        f = 2**number
        scale = {"type": "scale", "scale": [v * f for v in voxel_size]}
        shift = [v * (f - 1) / 2 for v in voxel_size]
        move = {"type": "translation", "translation": shift}
        datasets.append(
            {"path": str(number), "coordinateTransformations": [scale, move]}
        )
    axes = [{"name": a, "type": "space", "unit": "micrometer"} for a in "zyx"]
    ome = {"version": "0.5", "multiscales": [{"axes": axes, "datasets": datasets}]}
    group.attrs["ome"] = ome | ({"omero": omero} if omero else {})
    return path


@pytest.fixture(scope="session")
def volume():
    """Random voxels, shape (32, 48, 40), uint8."""
    return np.random.default_rng(5).integers(0, 256, (32, 48, 40), dtype=np.uint8)


@pytest.fixture(scope="session")
def image(tmp_path_factory, volume):
    """That volume and its mean as OME-Zarr, voxels of 2 × 0.5 × 0.5 µm."""
    z, y, x = (n // 2 for n in volume.shape)
    mean = volume.reshape(z, 2, y, 2, x, 2).mean((1, 3, 5)).astype(np.uint8)
    path = tmp_path_factory.mktemp("cli") / "image.ome.zarr"
    window = {"min": 0, "max": 255, "start": 10, "end": 200}
    omero = {"channels": [{"label": "dye", "color": "FF8000", "window": window}]}
    return write_ome_zarr(path, [volume, mean], voxel_size=(2.0, 0.5, 0.5), omero=omero)
