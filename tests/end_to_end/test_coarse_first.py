"""The coarsest level comes first, so that no picture stays empty for want of one chunk."""

from __future__ import annotations

import numpy as np
import pytest
import zarr

import brickfield as bf
from brickfield.loading import default_cache
from brickfield.testing.http_server import FaultServer, Rule
from brickfield.testing.zarr_stores import image_attributes, write_group

pytestmark = pytest.mark.gpu
SIZE = (128, 128)
EDGE, CHUNK = 128, 64


@pytest.fixture
def folder(tmp_path):
    """Noise of 128³ in 2³ chunks, with levels of 64³ and 32³."""
    path = tmp_path / "a.zarr"
    scales = [(2.0**k,) * 3 for k in range(3)]
    write_group(path, image_attributes("zyx", scales, version="0.5"), zarr_format=3)
    data = np.random.default_rng(0).integers(1, 200, (EDGE,) * 3).astype("u1")
    for k in range(3):
        array = zarr.create_array(
            str(path / str(k)), shape=data.shape, chunks=(CHUNK,) * 3, dtype="u1"
        )
        array[:] = data
        data = data[::2, ::2, ::2]
    default_cache().clear()
    return path


def chunk_bytes(folder):
    """Bytes of one storage chunk, about: all hold noise."""
    return (folder / "0" / "c" / "0" / "0" / "0").stat().st_size


def test_a_chunk_that_never_comes_leaves_no_pixel_empty(adapter, folder):
    """Its place is drawn from the coarsest level, as soon as anything is drawn."""
    rule = Rule("*/0/c/0/0/0", "stall", seconds=60)
    with (
        FaultServer(folder.parent, rule) as server,
        bf.open_store(f"{server.url}/{folder.name}") as store,
    ):
        for timeout in (1, 4, 16):
            receipt = bf.render(
                store, size=SIZE, camera="ortho:z", contrast=(0, 200), timeout=timeout
            ).receipt
            if receipt.levels:
                break
    assert not receipt.complete
    assert receipt.pixels["empty"] == 0
    assert receipt.pixels["coarser"] + receipt.pixels["failed"] >= 0.25
    assert receipt.levels["2"] == 1


def test_a_view_of_a_corner_reads_what_it_shows_and_the_coarsest_level(adapter, folder):
    """Two of 2³ chunks lie behind the picture."""
    camera = {
        "position": [-100, 15.5, 15.5],
        "target": [0, 15.5, 15.5],
        "orthographic": True,
        "height": 30,
    }
    with bf.open_store(folder) as store:
        receipt = bf.render(store, size=SIZE, camera=camera, contrast=(0, 200)).receipt
    assert receipt.complete
    n_needed = receipt.bytes_minimum / chunk_bytes(folder)
    assert 1.5 < n_needed < 2.5
    assert receipt.bytes_read - receipt.bytes_minimum < 0.5 * chunk_bytes(folder)
