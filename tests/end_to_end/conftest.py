"""What a user has at hand: the command, and stores written by another library."""

from __future__ import annotations

import sys
from dataclasses import dataclass

import numpy as np
import pytest

from brickfield.cli.main import run
from brickfield.testing.zarr_stores import image_attributes, write_array, write_group


@dataclass
class Ended:
    """How a command ended."""

    status: int
    out: str
    err: str


@pytest.fixture
def command(adapter, monkeypatch, capsys):
    """Run ``brickfield ARGS…`` and return how it ended."""

    def call(*args) -> Ended:
        monkeypatch.setattr(sys, "argv", ["brickfield", *map(str, args)])
        with pytest.raises(SystemExit) as leaving:
            run()
        printed = capsys.readouterr()
        return Ended(int(leaving.value.code or 0), printed.out, printed.err)

    return call


def write_image(folder, data, *, chunk=32, n_levels=2, zarr_format=3):
    """Write an OME-Zarr image whose level k holds every 2**k-th voxel."""
    version = "0.5" if zarr_format == 3 else "0.4"
    scales = [(2.0**k,) * 3 for k in range(n_levels)]
    attributes = image_attributes("zyx", scales, version=version)
    # Without a name of its own an image is called as its folder.
    attributes.get("ome", attributes)["multiscales"][0].pop("name")
    write_group(folder, attributes, zarr_format=zarr_format)
    for k in range(n_levels):
        level = np.ascontiguousarray(data[:: 2**k, :: 2**k, :: 2**k])
        chunks = tuple(min(chunk, n) for n in level.shape)
        write_array(folder / str(k), level, chunks=chunks, zarr_format=zarr_format)
    return folder


@pytest.fixture(scope="session")
def volume():
    """Random voxels from 1 to 254, shape (64, 96, 64), uint8."""
    return np.random.default_rng(7).integers(1, 255, (64, 96, 64), dtype=np.uint8)


@pytest.fixture
def new_image():
    """Write an image: ``new_image(folder, data, chunk=…, n_levels=…)``."""
    return write_image


@pytest.fixture
def image(tmp_path, volume):
    """That volume as OME-Zarr with two levels, chunks of 32³; free to be damaged."""
    return write_image(tmp_path / "image.ome.zarr", volume)
