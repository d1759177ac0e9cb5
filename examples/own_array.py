"""Draw an array of your own: a pyramid in memory, its voxels longer along z."""

import numpy as np
from PIL import Image

import brickfield as bf

z, y, x = np.indices((48, 96, 96), dtype=np.float32)
blob = np.exp(-(((z - 24) / 9) ** 2 + ((y - 48) / 18) ** 2 + ((x - 48) / 30) ** 2))
fine = (blob * 1000 * (1 + 0.3 * np.sin(x / 3))).astype(np.uint16)
coarse = fine.reshape(24, 2, 48, 2, 48, 2).mean(axis=(1, 3, 5)).astype(np.uint16)

store = bf.open_store([fine, coarse], scale=(2.0, 1.0, 1.0))
result = bf.render(store, size=(400, 300), camera="orbit:30,20", colormap="magma")

Image.fromarray(result.image).save("own_array.png")
print(f"complete: {result.receipt.complete}, bricks: {result.receipt.levels}")
