"""What a receipt says was read, needed and at hand, against the files themselves."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
import pytest
import zarr

import brickfield as bf
from brickfield.loading import default_cache
from brickfield.sources import preview_level as synthesis
from brickfield.testing.zarr_stores import image_attributes, write_group

pytestmark = pytest.mark.gpu
SIZE = (96, 96)
CORNER = {
    "position": [-50, 8, 8],
    "target": [0, 8, 8],
    "orthographic": True,
    "height": 12,
}


def write(folder, edge, n_levels, *, chunk=32, shard=None, dtype="u2"):
    """Write noise, halved from level to level by taking every second voxel."""
    scales = [(2.0**k,) * 3 for k in range(n_levels)]
    write_group(folder, image_attributes("zyx", scales, version="0.5"), zarr_format=3)
    data = np.random.default_rng(0).integers(0, 200, (edge,) * 3).astype(dtype)
    for k in range(n_levels):
        array = zarr.create_array(
            str(folder / str(k)),
            shape=data.shape,
            chunks=(chunk,) * 3,
            shards=None if shard is None else (shard,) * 3,
            dtype=dtype,
        )
        array[:] = data
        data = data[::2, ::2, ::2]
    return folder


def bytes_of(folder):
    """Bytes of all files of an array that hold voxels."""
    return sum(p.stat().st_size for p in folder.rglob("c/**/*") if p.is_file())


@pytest.fixture(autouse=True)
def _begin_with_nothing_in_memory():
    default_cache().clear()


CASES = {
    "pyramid": {"n_levels": 3},
    "one level": {"n_levels": 1},
    "shards": {"n_levels": 2, "shard": 64},
    "storage chunks unlike chunks": {"n_levels": 2, "chunk": 48},
    "labels": {"n_levels": 2, "dtype": "u4"},
}


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    """Return a function that writes the store of a case, once."""
    return lru_cache(
        lambda case: write(
            tmp_path_factory.mktemp("case") / "a.zarr", 128, **CASES[case]
        )
    )


@pytest.mark.parametrize("camera", ["ortho:z", "orbit:30,20,3", CORNER])
@pytest.mark.parametrize("case", CASES)
def test_the_least_is_at_most_what_was_read_and_what_the_file_holds(
    adapter, written, monkeypatch, case, camera
):
    """Cold, again, and from elsewhere with part of it in memory."""
    monkeypatch.setattr(synthesis, "MIN_VOXELS", 100**3)
    monkeypatch.setattr(synthesis, "MAX_COARSE_VOXELS", 40**3)
    folder = written(case)
    is_labels = case == "labels"
    with bf.open_store(folder) as store:
        cold, again, other = (
            bf.render(store, size=SIZE, camera=view, labels=is_labels).receipt
            for view in (camera, camera, "ortho:y")
        )
    for receipt in (cold, again, other):
        assert receipt.complete
        assert receipt.bytes_minimum <= receipt.bytes_read
        assert receipt.bytes_minimum + receipt.bytes_in_memory <= bytes_of(folder)
    assert cold.bytes_minimum > 0
    assert again.bytes_read == again.bytes_minimum == 0
    assert again.bytes_in_memory >= cold.bytes_minimum


@pytest.mark.parametrize("contrast", [None, (0, 200)])
def test_a_file_of_one_level_is_read_once(adapter, tmp_path, monkeypatch, contrast):
    """The level that is sampled from it costs nothing besides."""
    monkeypatch.setattr(synthesis, "MIN_VOXELS", 100**3)
    monkeypatch.setattr(synthesis, "MAX_COARSE_VOXELS", 40**3)
    folder = write(tmp_path / "a.zarr", 128, 1)
    with bf.open_store(folder) as store:
        receipt = bf.render(
            store, size=(128, 128), camera="ortho:z", contrast=contrast
        ).receipt
    assert receipt.bytes_read == receipt.bytes_minimum == bytes_of(folder)
