"""A projection along z is what numpy computes, voxel by voxel."""

import numpy as np

import brickfield as bf

volume = np.random.default_rng(1).integers(0, 256, (40, 60, 80), dtype=np.uint8)
store = bf.open_store(volume)
result = bf.render(
    store,
    size=(80, 60),
    camera="ortho:z",
    mode="mip",
    contrast=(0, 255),
    colormap="gray",
)

difference = np.abs(result.image[..., 0].astype(int) - volume.max(axis=0))
print(f"largest difference: {difference.max()}")
