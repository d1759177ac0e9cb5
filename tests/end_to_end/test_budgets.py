"""Huge volumes, small budgets: complete, within them, no holes."""

from __future__ import annotations

import pytest
import zarr

import brickfield as bf
from brickfield.loading import default_cache
from brickfield.sample import VirtualImage, VirtualSource
from brickfield.store import ChunkedImageStore
from brickfield.testing.zarr_stores import image_attributes, write_group

pytestmark = pytest.mark.gpu
BUDGET = 64 << 20
SIZE = (96, 64)


def check(receipt):
    """Assert what every receipt promises."""
    assert receipt.complete
    assert receipt.pixels["empty"] == 0
    assert receipt.gpu_bytes <= receipt.gpu_budget
    assert receipt.ram_cache_peak_bytes <= receipt.ram_budget
    assert receipt.gpu_usable_fraction >= 0.85
    assert receipt.bytes_read <= 1.02 * receipt.bytes_minimum


@pytest.mark.parametrize(
    "image",
    [
        VirtualImage((1200, 1200, 1200), is_hollow=False),
        VirtualImage((30_000, 30_000, 12_000)),
    ],
    ids=["dense", "10 TB"],
)
def test_a_large_volume_is_drawn_within_small_budgets(adapter, image):
    """From within, where level 0 is wanted."""
    store = ChunkedImageStore(VirtualSource(image))
    z, y, x = (n / 2 for n in image.shape)
    camera = {"position": [-10, y, x], "target": [z, y, x]}

    receipt = bf.render(
        store, size=SIZE, camera=camera, gpu_budget=BUDGET, ram_budget=BUDGET
    ).receipt
    store.close()

    check(receipt)
    assert receipt.gpu_budget == receipt.ram_budget == BUDGET


def sparse(folder, shape, n_levels):
    """Write a pyramid of which every level holds one chunk, in its middle."""
    scales = [(2.0**k,) * 3 for k in range(n_levels)]
    write_group(folder, image_attributes("zyx", scales, version="0.5"), zarr_format=3)
    for k in range(n_levels):
        n = max(1, shape >> k)
        array = zarr.create_array(
            str(folder / str(k)), shape=(n,) * 3, chunks=(64,) * 3, dtype="u1"
        )
        m = n // 128 * 64
        array[m : m + 64, m : m + 64, m : m + 64] = 200
    return folder


def test_a_sparse_pyramid_of_100000_voxels_a_side_is_drawn(adapter, tmp_path):
    """Only the chunks that are stored are read."""
    store = bf.open_store(sparse(tmp_path / "huge.zarr", 100_000, 11))

    result = bf.render(store, size=SIZE, gpu_budget=BUDGET, ram_budget=BUDGET)
    store.close()

    check(result.receipt)
    assert result.receipt.requests <= 11
    assert result.image[..., :3].any()


def test_100000_voxels_a_side_without_a_pyramid_are_a_preview(adapter, tmp_path):
    """No plan names a billion chunks; the picture is coarse, and says so."""
    zarr.create_array(
        str(tmp_path / "flat.zarr"), shape=(100_000,) * 3, chunks=(64,) * 3, dtype="u1"
    )
    store = bf.open_store(tmp_path / "flat.zarr")

    camera = "orbit:20,30,20"
    receipt = bf.render(store, size=SIZE, camera=camera, gpu_budget=BUDGET).receipt

    assert "no-pyramid" in {finding.code for finding in store.findings}
    store.close()
    assert receipt.complete
    assert receipt.pixels["empty"] == 0
    assert receipt.pixels["failed"] == 0


def test_the_ram_budget_of_one_picture_is_not_that_of_the_next(adapter, volume):
    """And the peak that a receipt tells is its own picture's."""
    usual = default_cache().budget_bytes
    large = bf.render(bf.open_store(volume), size=SIZE).receipt
    small = bf.render(bf.open_store(volume + 1), size=SIZE, ram_budget="1 MiB").receipt

    assert large.ram_budget == usual == default_cache().budget_bytes
    assert small.ram_budget == 1 << 20
    assert small.ram_cache_peak_bytes <= 1 << 20
